"""What differs between two policies, in words."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from shared.policy.base import DEFAULT_LOCALE
from shared.policy.difference_words import WORDS
from shared.policy.differences import APPLICANTS, JUDGED, PLAIN, Difference, differences, needs_new_signature
from shared.policy.loader import load_pack
from shared.policy.pack import PolicyDocument
from tests.unit.policy.packs import copy_of_weprotect, replace, small_pack, weprotect

OLD = weprotect().document
CHARITY = "civil_society_organisation"


def changed(folder: Path, *changes: tuple[str, str, str]) -> PolicyDocument:
    """The Alliance's pack with texts replaced: (file, old, new)."""
    pack = copy_of_weprotect(folder)
    for file, old, new in changes:
        replace(pack / file, old, new)
    return load_pack(pack).document


def by_name(found: tuple[Difference, ...]) -> dict[tuple[str, str], Difference]:
    return {(each.section, each.name): each for each in found}


def test_equal_policies_do_not_differ() -> None:
    assert differences(OLD, OLD) == ()
    assert not needs_new_signature(OLD, OLD)


def test_another_text_of_a_commitment_asks_for_a_new_signature_before_anything_else(tmp_path: Path) -> None:
    new = changed(
        tmp_path, ("commitments.yaml", "that the Alliance holds.", "that the Alliance holds, every two years.")
    )
    found = differences(OLD, new)
    assert needs_new_signature(OLD, new)
    assert [(each.section, each.name, each.what) for each in found] == [
        ("signature", "signature", "changed"),
        ("commitments", "item.summits", "changed"),
    ]
    assert "sign anew" in found[0].sentence
    assert found[1].before == "We take part in the global summits that the Alliance holds."
    assert (
        found[1].sentence == "Now reads: We take part in the global summits that the Alliance holds, every two years."
    )
    assert differences(OLD, new, category=CHARITY) == found, "everybody signs"


def test_what_a_criterion_needs_expects_and_means_is_told(tmp_path: Path) -> None:
    one = {"id": "one", "statement": {"en": "It is so."}, "remedy": {"en": "Say so."}, "source": 1}
    before = {
        **one,
        "needs": ["a.text"],
        "examples": [{"a.text": "x", "answer": "met"}, {"a.text": "", "answer": "missing"}],
    }
    after = {
        **one,
        "needs": ["a.flag"],
        "expect": "a.flag",
        "unmet": "refer",
        "own": True,
        "examples": [
            {"a.flag": True, "answer": "met"},
            {"a.flag": False, "answer": "not_met"},
            {"answer": "missing"},
        ],
    }
    old = load_pack(small_pack(tmp_path / "old", before)).document
    new = load_pack(small_pack(tmp_path / "new", after)).document
    (found,) = differences(old, new)
    assert found.sentence == "Reads as before, but something else about it has changed: It is so."
    assert found.details == (
        "This is now asked for: Flag.",
        "This is no longer asked for: Text.",
        "If it is not met, a person now looks at the application.",
        "What it expects: was -; is now a.flag.",
        "It now establishes the category itself.",
    )
    (told,) = differences(old, new, category="club")
    assert told.details == found.details[:2], "an applicant reads no expression"


def test_a_stricter_rule_of_the_same_wording_is_told_to_whom_it_meets(tmp_path: Path) -> None:
    new = changed(tmp_path, ("criteria-categories.yaml", f"{LENIENT} >= 2", f"{LENIENT} >= 3"))
    (found,) = differences(OLD, new)
    assert found.details == (f"What it expects: was {LENIENT} >= 2; is now {LENIENT} >= 3.",)
    (told,) = differences(OLD, new, category=CHARITY)
    assert told.details == ("The same answers may now be judged differently.",)
    assert differences(OLD, new, category="un_member_state") == (), "states are not asked it"


LENIENT = "len(trim(registration.number)) >= 2 and len(trim(registration.authority))"


def test_what_is_new_and_what_is_gone(tmp_path: Path) -> None:
    old = load_pack(
        small_pack(tmp_path / "old", questions=QUESTIONS | {"b.old": {"type": "text", "label": {"en": "Old"}}})
    ).document
    new = load_pack(
        small_pack(tmp_path / "new", questions=QUESTIONS | {"b.new": {"type": "text", "label": {"en": "New"}}})
    ).document
    assert [(each.what, each.sentence) for each in differences(old, new)] == [
        ("added", "New: New"),
        ("removed", "No longer there: Old"),
    ]


QUESTIONS = {"a.text": {"type": "text", "label": {"en": "Text"}, "max_length": 20}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ("pauses.yaml", "until: 2022-01-01T00:00", "until: 2022-02-01T00:00"),
            "It now lasts from 2021-07-01T00:00+01:00",
        ),
        (("pauses.yaml", ", regional_organisation]", "]"), "It now exempts: "),
        (("lists/un-observers.csv", "PS,", "XK,"), "1 new entries: XK."),
    ],
)
def test_the_secretariat_is_told_what_applicants_are_not(
    tmp_path: Path, change: tuple[str, str, str], sentence: str
) -> None:
    new = changed(tmp_path, change)
    (found,) = differences(OLD, new)
    assert any(each.startswith(sentence) for each in found.details), found
    assert differences(OLD, new, category=CHARITY) == ()


def test_an_applicant_reads_it_in_their_language(tmp_path: Path) -> None:
    new = changed(
        tmp_path, ("commitments.yaml", "that the Alliance holds.", "that the Alliance holds, every two years.")
    )
    for locale, word in (("fr", "Signature"), ("es-MX", "Firma"), ("ar", "التوقيع"), ("de", "Signature")):
        assert differences(OLD, new, locale, CHARITY)[0].title == word


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_what_applicants_read_is_there_in_every_language_with_the_same_places_to_fill() -> None:
    told = [name for name in WORDS if name.startswith("sentence.") or name.removeprefix("title.") in APPLICANTS]
    told += [f"detail.{kind}" for kind in (*PLAIN, "judged")]
    for name in told:
        assert WORDS[name].keys() == {"en", "fr", "es", "ar"}, name
        assert len({frozenset(_fields(text)) for text in WORDS[name].values()}) == 1, name
    assert all(f"detail.{kind}" in WORDS for kind in JUDGED)
    assert all(texts[DEFAULT_LOCALE] for texts in WORDS.values())
