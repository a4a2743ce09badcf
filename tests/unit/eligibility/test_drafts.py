"""Drafts of policies: how files become one, and what people do with it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.eligibility.domain.drafts import MOST_FILES, draft_id, unpacked
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.policies import LEAD
from services.eligibility.use_cases.drafts import ChangePolicy, Drafts, NoSuchPolicy
from services.eligibility.use_cases.policies import ActivatePolicy, Rules
from shared.errors import Conflict, Malformed, Refused
from shared.policy.loader import load_files
from shared.policy.pack import Policy
from shared.policy.problems import PackError
from shared.policy.source import files_of
from tests.unit.eligibility.fakes import NOW, FakeClock, FakeDrafts, FakePauses, FakePolicies, Look
from tests.unit.policy.packs import small_pack

OLGA, ADA = Author("olga", "For the spring."), Author("ada", "The board decided.")
DAY = timedelta(days=1)


def archive(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return stream.getvalue()


def pack(folder: Path, label: str, **sections: object) -> dict[str, bytes]:
    return files_of(small_pack(folder / label, version_label=label, **sections))


@pytest.mark.parametrize("top", ["", "weprotect/", "a/b/weprotect/"])
def test_a_zip_archive_is_read_from_wherever_in_it_the_pack_is(top: str) -> None:
    files = {f"{top}pack.yaml": b"id: x", f"{top}lists/a.csv": b"code", f"{top}README.md": b"hello"}
    noise = {"__MACOSX/pack.yaml": b"?", ".git/x.yaml": b"?"}
    assert unpacked(archive({**files, **noise})) == {"pack.yaml": b"id: x", "lists/a.csv": b"code"}


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", archive({"a.yaml": b"x"})[:40]], ids=["empty", "begun", "cut off"]
)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed):
        unpacked(content)


def test_an_archive_that_unpacks_to_more_than_a_pack_is_refused() -> None:
    for files in ({"a.yaml": bytes(5 << 20)}, {f"{each}.yaml": b"" for each in range(2 * MOST_FILES + 1)}):
        with pytest.raises(Refused):
            unpacked(archive(files))


def test_a_draft_is_named_by_its_files() -> None:
    assert draft_id({"a.yaml": b"1", "b.yaml": b"2"}) == draft_id({"b.yaml": b"2", "a.yaml": b"1"})
    assert draft_id({"a.yaml": b"1"}) != draft_id({"a.yam": b"l1"})


class Office:
    """The policies of an installation, and the people who change them."""

    def __init__(self) -> None:
        self.policies, self.pauses, self.clock, self.stored = FakePolicies(), FakePauses(), FakeClock(), FakeDrafts()
        self.loaded = 0
        self.drafts = Drafts(self.stored, self.clock, self._load)
        self.install = ActivatePolicy(self.policies, self.pauses, self.clock)

    def _load(self, files: Mapping[str, bytes]) -> Policy:
        self.loaded += 1
        return load_files(files)

    @property
    def changing(self) -> ChangePolicy:
        """As a replica does that has just looked at the rules."""
        return ChangePolicy(self.policies, self.drafts, Rules(self.policies, self.pauses), self.clock)

    def later(self, by: timedelta) -> None:
        self.clock.look = Look(now=self.clock.look.now + by)


async def test_a_draft_is_kept_right_or_wrong_with_each_mistake_at_its_line(tmp_path: Path) -> None:
    office = Office()
    wrong = await office.drafts.take({"pack.yaml": b"id: small\nversion_label: 1\nnonsense: 3\n"}, OLGA)
    assert wrong.policy is None
    assert PackError("pack.yaml", 3, wrong.errors[-1].message) in wrong.errors
    right = await office.drafts.take({**pack(tmp_path, "1"), "notes.txt": b"not a part"}, OLGA)
    assert (right.errors, sorted(right.files)) == ((), ["pack.yaml"])
    office.later(DAY)
    again = await office.drafts.take(right.files, ADA)
    assert (again, office.loaded) == (right, 2), "the same files are the same draft, its first author's"
    assert [(each.id, each.mistakes, each.by) for each in await office.drafts.headings()] == [
        (wrong.id, len(wrong.errors), "olga"),
        (right.id, 0, "olga"),
    ]
    assert right.policy is not None
    assert await office.drafts.policy(right.policy.hash) == await office.drafts.policy(right.id) == right.policy


@pytest.mark.parametrize("files", [{}, {"readme.md": b""}, {f"{each}.yaml": b"" for each in range(MOST_FILES + 1)}])
async def test_what_cannot_be_a_pack_is_not_kept(files: dict[str, bytes]) -> None:
    with pytest.raises(Refused):
        await Office().drafts.take(files, OLGA)


async def test_a_draft_is_compared_activated_and_rolled_back(tmp_path: Path) -> None:
    office = Office()
    await office.install(load_files(pack(tmp_path, "1")))
    questions = {"a.text": {"type": "text", "label": {"en": "Another text"}, "max_length": 20}}
    draft = await office.drafts.take(pack(tmp_path, "2", questions=questions), OLGA)
    assert draft.policy is not None
    compared = await office.changing.compare(draft.id, None, "en")
    assert "Now reads: Another text" in [each.sentence for each in compared.found]
    made = await office.changing.activate(draft.id, None, ADA, expected=1)
    assert (made.number, made.policy_hash, made.effective_from, made.by) == (2, draft.policy.hash, NOW + LEAD, "ada")
    with pytest.raises(Conflict):
        await office.changing.activate(draft.id, None, ADA, None)
    office.later(DAY)
    back = await office.changing.roll_back(ADA, expected=2)
    assert (
        [each.policy_hash for each in await office.changing.activations()][-1] == back.policy_hash != made.policy_hash
    )
    assert await office.changing.roll_back(ADA, None) == back, "asked again, since the answer was lost"
    assert len(await office.changing.activations()) == 3
    assert await office.changing.labels({made.policy_hash, back.policy_hash}) == {
        made.policy_hash: "2",
        back.policy_hash: "1",
    }


async def test_of_two_who_activate_at_once_one_is_told_to_look_again(tmp_path: Path) -> None:
    office = Office()
    await office.install(load_files(pack(tmp_path, "1")))
    drafts = [await office.drafts.take(pack(tmp_path, each), OLGA) for each in ("2", "3")]

    class Slow(FakePolicies):
        """Somebody else is faster."""

        async def activations(self):  # type: ignore[no-untyped-def]
            return (await office.policies.activations())[:1]

        append = office.policies.append

    assert drafts[1].policy is not None
    await office.changing.activate(drafts[0].id, None, ADA, None)
    late = ChangePolicy(Slow(), office.drafts, Rules(office.policies, office.pauses), office.clock)
    with pytest.raises(Conflict, match="ada activated a policy at the same time"):
        await late.activate(drafts[1].policy.hash, None, Author("piet", "No, this one."), None)


async def test_a_draft_with_mistakes_or_that_is_not_there_is_not_activated(tmp_path: Path) -> None:
    office = Office()
    await office.install(load_files(pack(tmp_path, "1")))
    wrong = await office.drafts.take({"pack.yaml": b"id: small\n"}, OLGA)
    with pytest.raises(Refused, match=r"pack\.yaml:1"):
        await office.changing.activate(wrong.id, None, ADA, None)
    for name in ("0" * 64, wrong.id):
        with pytest.raises(NoSuchPolicy):
            await office.changing.compare(name, None, "en")
    with pytest.raises(NoSuchPolicy):
        await office.changing.activate("0" * 64, None, ADA, None)
    # checks may have grown since a draft was kept
    draft = await office.drafts.take(pack(tmp_path, "2"), OLGA)
    office.stored.stored[draft.id] = replace(draft, files=wrong.files)
    with pytest.raises(Refused, match="mistakes"):
        await office.changing.activate(draft.id, None, ADA, None)


async def test_once_a_person_has_activated_a_policy_the_pack_on_disk_does_not(tmp_path: Path) -> None:
    """Neither the one that was there before, nor a new one."""
    office = Office()
    first, new = load_files(pack(tmp_path, "1")), load_files(pack(tmp_path, "3"))
    assert await office.install(first) == "activated"
    draft = await office.drafts.take(pack(tmp_path, "2"), OLGA)
    made = await office.changing.activate(draft.id, None, ADA, None)
    assert await office.install(first) == "known"
    assert await office.install(new) == "left"
    assert (await office.changing.activations())[-1] == made
    taken = await office.drafts.take(pack(tmp_path, "3"), OLGA, known=new)
    assert (await office.changing.activate(taken.id, None, ADA, None)).policy_hash == new.hash, "people may"
