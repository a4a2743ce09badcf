"""Evidence files: caps, repeats, removal, and that whatever is cut off leaves nothing behind for long."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain import evidence as rules
from services.intake.domain.erasure import with_erasure
from services.intake.domain.evidence import MAX_BYTES, MAX_ENTRIES, MAX_FILE, MAX_FILES, Entry, Folder, NoRoom
from services.intake.domain.history import Happened
from services.intake.domain.policies import KnownPolicy
from services.intake.domain.status import Status
from services.intake.domain.status_changes import accepted, with_happened
from services.intake.use_cases.evidence import Arrived, EvidenceFiles, EvidenceTidying
from services.intake.use_cases.evidence_changes import EvidenceChanges
from services.intake.use_cases.policies import Policies
from shared.errors import Conflict, Gone, Refused, Transient
from tests.unit.intake.documents import PDF, PNG, TEXT
from tests.unit.intake.evidence_fakes import FakeBytes, FakeFolders, arrived
from tests.unit.intake.fakes import NOW, FakeClock, FakePolicies
from tests.unit.intake.samples import POLICY, application

KIND = POLICY.document.evidence[-1].id


class Desk:
    """The use cases over fakes."""

    def __init__(self) -> None:
        self.folders, self.bytes, self.clock = FakeFolders(), FakeBytes(), FakeClock()
        self.files = EvidenceFiles(self.folders, self.bytes, self.clock)
        self.drafts: set[str] = set()
        self.sent: set[str] = set()
        self.tidying = EvidenceTidying(self.files, self.folders, self.bytes, self.clock, self._drafts, self._sent)

    async def _drafts(self, ids: Sequence[str]) -> set[str]:
        return set(ids) & self.drafts

    async def _sent(self, ids: Sequence[str]) -> set[str]:
        return set(ids) & self.sent

    async def add(self, content: bytes = PDF, name: str = "letter.pdf", **more: str) -> Entry:
        return await self.files.add("a", KIND, arrived(content, name), "ann", **more)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def entry(number: int, size: int = 10) -> Entry:
    return Entry(f"e{number}", f"f{number}", KIND, "a.pdf", "application/pdf", size, f"hash{number}", NOW, "ann")


def folder(count: int, size: int = 10) -> Folder:
    return Folder("a", None, tuple(entry(number, size) for number in range(count)), 1)


def test_caps_on_a_file_on_files_on_bytes_and_on_changes_each_have_their_sentence() -> None:
    for full, size, words in (
        (folder(0), MAX_FILE + 1, "larger than 10 MB"),
        (folder(MAX_FILES), 1, "20 documents already"),
        (folder(5, MAX_FILE), 1, "may have 50 MB, and 50 MB are used"),
        (folder(4, MAX_FILE), MAX_FILE + 1, "larger than 10 MB"),
    ):
        with pytest.raises(NoRoom, match=words):
            rules.require_room(full, size)
    rules.require_room(folder(4, MAX_FILE), MAX_FILE)
    removed = tuple(replace(each, removed_at=NOW) for each in folder(MAX_ENTRIES).entries)
    with pytest.raises(NoRoom, match="too often"):
        rules.require_room(Folder("a", None, removed), 1)
    assert [folder(0).room, folder(5, MAX_FILE).room, folder(MAX_FILES).room] == [MAX_FILE, 0, 0]
    assert folder(4, MAX_FILE + 100).room == MAX_BYTES - 4 * (MAX_FILE + 100)
    assert Folder("a", None, removed).room == 0


def test_sizes_are_said_as_people_say_them() -> None:
    said = [rules.megabytes(size) for size in (1, 1025, 340 << 10, 1 << 20, 1_258_291, MAX_BYTES)]
    assert said == ["1 KB", "2 KB", "340 KB", "1 MB", "1.2 MB", "50 MB"]


def test_a_kind_that_is_not_asked_for_is_refused_and_one_that_is_gone_keeps_a_name() -> None:
    kinds = POLICY.document.evidence_for("un_member_state")
    assert rules.require_kind(kinds, kinds[0].id) == kinds[0]
    with pytest.raises(Refused, match="not asked for here"):
        rules.require_kind(kinds, "licence")
    assert rules.label_of(POLICY.document, "old_kind") == {"en": "Old kind"}


async def test_a_file_is_stored_with_what_was_found_in_it(desk: Desk) -> None:
    added = await desk.add(PNG, "scan.png")
    assert (added.media_type, added.name, added.size, added.added_by) == ("image/png", "scan.png", len(PNG), "ann")
    assert desk.bytes.kept == {added.file_id: PNG}
    assert not desk.bytes.notes
    found = await desk.files.open("a", added.evidence_id)
    assert found is not None
    assert b"".join([chunk async for chunk in found[1]]) == PNG
    assert await desk.files.open("a", "another") is None


async def test_what_is_refused_is_stored_nowhere(desk: Desk) -> None:
    for content, error in ((b"MZ\x90", Refused), (b"", Refused)):
        with pytest.raises(error):
            await desk.add(content)
    large = Arrived("a.pdf", io.BytesIO(b""), MAX_FILE + 1, "x", whole=False)
    with pytest.raises(NoRoom, match="larger than 10 MB"):
        await desk.files.add("a", KIND, large, "ann")
    cut = Arrived("a.pdf", io.BytesIO(PDF[:5]), 20, "x", whole=False)
    with pytest.raises(NoRoom, match="send it again"):
        await desk.files.add("a", KIND, cut, "ann")
    assert not desk.bytes.kept
    assert not desk.bytes.notes
    assert not desk.folders.kept


async def test_the_same_request_gets_the_same_answer_and_another_file_under_its_key_is_refused(desk: Desk) -> None:
    first = await desk.add(key="k1")
    assert await desk.add(key="k1") == first
    assert await desk.add() == first, "the same file of the same kind is stored once"
    with pytest.raises(Conflict, match="Another file"):
        await desk.add(PNG, "scan.png", key="k1")
    assert len(desk.bytes.kept) == 1
    await desk.files.remove("a", first.evidence_id, "ann")
    with pytest.raises(Conflict, match="removed"):
        await desk.add(key="k1")
    again = await desk.add()
    assert again.evidence_id != first.evidence_id


async def test_who_is_slower_meets_the_cap_and_leaves_nothing(desk: Desk) -> None:
    desk.folders.meanwhile = [replace(folder(MAX_FILES), owner="a")]
    with pytest.raises(NoRoom, match="20 documents"):
        await desk.add()
    assert not desk.bytes.kept
    assert not desk.bytes.notes


async def test_the_same_file_sent_twice_at_once_is_stored_once(desk: Desk) -> None:
    twin = await desk.add(key="k")
    kept = desk.folders.kept.pop("a")
    desk.folders.meanwhile = [kept]
    assert await desk.add(key="k") == twin
    assert desk.bytes.kept == {twin.file_id: PDF}
    assert not desk.bytes.notes


async def test_removal_deletes_the_bytes_and_keeps_that_something_was_there(desk: Desk) -> None:
    added = await desk.add()
    desk.clock.move(hours=1)
    removed = await desk.files.remove("a", added.evidence_id, "olga")
    assert removed is not None
    assert (removed.name, removed.sha256, removed.removed_by, removed.kind) == ("", "", "olga", KIND)
    assert removed.removed_at == NOW + timedelta(hours=1)
    assert not desk.bytes.kept
    assert not desk.bytes.notes
    assert await desk.files.open("a", added.evidence_id) is None
    assert await desk.files.remove("a", added.evidence_id, "ann") == removed, "once"
    assert await desk.files.remove("a", "another", "ann") is None
    assert (await desk.files.folder("a")).files == ()


async def test_an_upload_that_broke_off_is_tidied_after_an_hour_and_one_that_lives_is_not(desk: Desk) -> None:
    desk.folders.fails = 1
    with pytest.raises(Transient):
        await desk.add()
    assert len(desk.bytes.kept) == 1, "whether the record was written is not known"
    desk.bytes.breaks = True
    with pytest.raises(Transient):
        await desk.add(PNG, "scan.png")
    desk.bytes.breaks = False
    alive = await desk.add(TEXT, "note.txt")
    desk.bytes.notes[alive.file_id] = ("a", desk.clock.real)  # the note was not taken away
    await desk.tidying.round()
    assert len(desk.bytes.kept) == 2, "an hour has not passed"
    desk.clock.move(hours=1, seconds=1)
    await desk.tidying.round()
    assert desk.bytes.kept == {alive.file_id: TEXT}
    assert not desk.bytes.notes


async def test_the_files_of_a_draft_go_with_it_unless_it_was_sent(desk: Desk) -> None:
    for owner, draft in (("expired", "d1"), ("open", "d2"), ("sent", "d3")):
        await desk.files.add(owner, KIND, arrived(PDF), "ann", draft_id=draft)
    desk.drafts, desk.sent = {"d2", "d3"}, {"sent"}
    await desk.tidying.round()
    assert set(desk.folders.kept) == {"open", "sent"}
    assert len(desk.bytes.kept) == 2
    assert desk.folders.kept["sent"].draft_id is None
    desk.drafts = set()
    await desk.tidying.round()
    assert set(desk.folders.kept) == {"sent"}
    assert len(desk.bytes.kept) == 1
    assert not desk.bytes.notes


class Histories:
    """The status of one application, with its history. `looks`: what is found first, each once."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self.looks: list[Status] = []

    async def find(self, application_id: str) -> Status | None:
        return self.looks.pop(0) if self.looks else self.status

    async def happened(self, application_id: str, entries: Sequence[Happened]) -> None:
        self.status = with_happened(self.status, entries)


async def test_changes_after_it_was_sent_are_in_the_history_once_and_make_no_revision(desk: Desk) -> None:
    policies = Policies(FakePolicies(), desk.clock)
    await policies._store.keep_policies([KnownPolicy(POLICY.hash, POLICY.document.effective_from, POLICY.document)])
    histories = Histories(accepted(application(name="a")))
    status = histories.status
    before = await desk.files.add(status.application_id, KIND, arrived(TEXT, "note.txt"), "ann")
    changes = EvidenceChanges(desk.files, histories, policies)
    desk.clock.move(seconds=5)
    added = await changes.add(status, KIND, arrived(PDF), "ann")
    desk.clock.move(seconds=5)
    await changes.remove(status, added.evidence_id, "ann")
    await changes.remove(status, added.evidence_id, "ann")
    assert await changes.remove(status, "another", "ann") is None
    label = POLICY.document.evidence[-1].label["en"]
    details = [each.detail for each in histories.status.history]
    assert details[1:] == [f"A document was added: {label}.", f"A document was removed: {label}."]
    assert before.here
    assert histories.status.revision == 1
    histories.looks = [replace(status, state="withdrawn")]
    with pytest.raises(Conflict, match="withdrawn"):
        await changes.add(status, KIND, arrived(PDF), "ann")
    with pytest.raises(Refused, match="not asked for"):
        await changes.add(status, "nothing", arrived(PDF), "ann")


@pytest.mark.parametrize("seen_open", [0, 1], ids=["before the file is stored", "while the file is stored"])
async def test_a_file_of_an_application_that_is_erased_meanwhile_is_not_kept(desk: Desk, seen_open: int) -> None:
    policies = Policies(FakePolicies(), desk.clock)
    await policies._store.keep_policies([KnownPolicy(POLICY.hash, POLICY.document.effective_from, POLICY.document)])
    at_the_door = accepted(application(name="a"))
    histories = Histories(with_erasure(at_the_door, desk.clock.now))
    histories.looks = [at_the_door] * seen_open
    with pytest.raises(Gone):
        await EvidenceChanges(desk.files, histories, policies).add(at_the_door, KIND, arrived(PDF), "ann")
    assert (desk.folders.kept, desk.bytes.kept, desk.bytes.notes) == ({}, {}, {})


async def test_a_file_of_an_application_that_is_withdrawn_meanwhile_is_refused(desk: Desk) -> None:
    at_the_door = accepted(application(name="a"))
    changes = EvidenceChanges(
        desk.files, Histories(replace(at_the_door, state="withdrawn")), Policies(FakePolicies(), desk.clock)
    )
    with pytest.raises(Conflict, match="withdrawn"):
        await changes.add(at_the_door, KIND, arrived(PDF), "ann")
    assert desk.bytes.kept == {}
