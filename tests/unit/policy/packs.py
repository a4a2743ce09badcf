"""Packs and submissions for the tests of the policy engine."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.application import Contact, Organisation, Submission
from shared.policy.loader import PackError, PackInvalid, load_pack
from shared.policy.pack import Policy, PolicyDocument

WEPROTECT = Path(__file__).parents[3] / "policies" / "weprotect"


@cache
def weprotect() -> Policy:
    """The Alliance's pack, loaded once."""
    return load_pack(WEPROTECT)


def copy_of_weprotect(folder: Path) -> Path:
    """A copy of the Alliance's pack that a test may change."""
    return Path(shutil.copytree(WEPROTECT, folder / "pack"))


def replace(file: Path, old: str, new: str) -> int:
    """Replace a text that is in the file once, and return its line."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def mistakes(folder: Path) -> tuple[PackError, ...]:
    """What the loader says against a pack."""
    with pytest.raises(PackInvalid) as caught:
        load_pack(folder)
    return caught.value.errors


def small_pack(folder: Path, *criteria: dict[str, Any], **sections: Any) -> Path:
    """A pack with one category and one question of each type, and the given criteria."""
    texts = {
        f"outcome.{outcome}.{part}": {"en": f"{outcome} {part}"}
        for outcome in ("on_hold", "referred", "not_eligible", "incomplete", "eligible")
        for part in ("headline", "next")
    }
    pack: dict[str, Any] = {
        "id": "small",
        "version_label": "1",
        "effective_from": "2020-01-01T00:00:00+00:00",
        "categories": {"club": {"label": {"en": "Club"}, "hint": {"en": "A club."}, "evidence": []}},
        "questions": {
            "a.text": {"type": "text", "label": {"en": "Text"}, "max_length": 20},
            "a.long": {"type": "text", "label": {"en": "Long"}, "multiline": True},
            "a.flag": {"type": "boolean", "label": {"en": "Flag"}},
            "a.one": {"type": "choice", "label": {"en": "One"}, "choices": {"x": {"en": "X"}, "y": {"en": "Y"}}},
            "a.many": {"type": "choices", "label": {"en": "Many"}, "choices": {"x": {"en": "X"}, "y": {"en": "Y"}}},
            "a.list": {"type": "list", "label": {"en": "List"}},
            "a.country": {"type": "country", "label": {"en": "Country"}},
            "a.email": {"type": "email", "label": {"en": "Email"}},
            "a.day": {"type": "date", "label": {"en": "Day"}},
            "a.site": {"type": "url", "label": {"en": "Site"}},
        },
        "criteria": list(criteria) or [presence_of("a.text")],
        "commitments": {
            "statement": {"en": "Free."},
            "items": [{"id": "one", "text": {"en": "We help."}, "points": [{"id": "p", "text": {"en": "well;"}}]}],
        },
        "texts": texts,
    }
    folder.mkdir(exist_ok=True)
    pack |= sections
    (folder / "pack.yaml").write_text(yaml.safe_dump(pack, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return folder


def presence_of(name: str) -> dict[str, Any]:
    """A criterion that asks for one text and no more."""
    examples = [{name: "given", "answer": "met"}, {"answer": "missing"}]
    return criterion(needs=[name], examples=examples)


def criterion(**keys: Any) -> dict[str, Any]:
    """A criterion as it stands in a pack file."""
    return {"id": "rule", "source": 1, "statement": {"en": "It is so."}, "remedy": {"en": "Make it so."}} | keys


def small(folder: Path, *criteria: dict[str, Any], **sections: Any) -> PolicyDocument:
    """The document of `small_pack`."""
    return load_pack(small_pack(folder, *criteria, **sections)).document


def submission(
    category: str = "club", *, country: str = "GB", email: str = "office@example.org", **answers: Any
) -> Submission:
    """A submission; write the dots of question ids as two underscores."""
    return Submission(
        category=category,
        organisation=Organisation(name="Example Organisation", country=country),
        contact=Contact(name="Ada Moreno", email=email),
        answers={name.replace("__", "."): value for name, value in answers.items()},
    )


def complete(category: str, **changes: Any) -> Submission:
    """A submission to the Alliance's pack in which nothing is missing; a change to None takes the answer out."""
    answers: dict[str, Any] = {
        "government__level": "national",
        "government__letter": "Note verbale 12/2021",
        "international__instrument": "Founding treaty of 1949",
        "international__legal_personality": True,
        "regional__focus": ["West Africa"],
        "technology__activities": ["creates_software"],
        "civil_society__child_protection_focus": "We run a helpline for children.",
        "financial__exploitable_services": "Card payments.",
        "financial__licence": "FRN 123456",
        "registration__number": "1089599",
        "registration__authority": "Charity Commission",
        "registration__country": "GB",
        "commitments__signatory": "Ada Moreno",
        "commitments__role": "Director",
        "commitments__signed_on": "2021-09-30",
        "commitments__text_hash": weprotect().document.commitments.hash,
        "response__statement": "We train investigators.",
        "collaboration__attested": True,
        "aims__accepted": True,
        "nominees__senior__name": "Ada Moreno",
        "nominees__senior__role": "Director",
        "nominees__senior__email": "ada@example.org",
        "nominees__senior__minister": True,
        "nominees__working__name": "Ben Okafor",
        "nominees__working__email": "ben@example.org",
        "reputation__attested": True,
    }
    envelope = {key: changes.pop(key) for key in ("country", "email") if key in changes}
    answers = {name: value for name, value in (answers | changes).items() if value is not None}
    return submission(category, **envelope, **answers)
