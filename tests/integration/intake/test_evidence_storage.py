"""Evidence files as they are stored: one suite for the fakes and for GridFS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain.evidence import Entry, Folder
from services.intake.storage.evidence import EvidenceErasure, GridEvidence, MongoDraftIds, MongoEvidenceFolders
from services.intake.use_cases.evidence import EvidenceFiles
from shared.errors import Permanent
from shared.mongo import Database
from tests.unit.intake.documents import PDF
from tests.unit.intake.evidence_fakes import FakeBytes, FakeFolders, arrived
from tests.unit.intake.fakes import NOW, REAL, FakeClock

BOTH = pytest.mark.parametrize("kind", ["fake", "real"])
ENTRY = Entry("e1", "f1", "licence", "a.pdf", "application/pdf", 10, "hash", NOW, "ann")


async def folders_of(kind: str, database: Database) -> FakeFolders | MongoEvidenceFolders:
    if kind == "fake":
        return FakeFolders()
    real = MongoEvidenceFolders(database)
    await real.prepare()
    return real


async def bytes_of(kind: str, database: Database) -> FakeBytes | GridEvidence:
    if kind == "fake":
        return FakeBytes()
    real = GridEvidence(database)
    await real.prepare()
    return real


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@BOTH
async def test_a_folder_is_changed_only_by_who_saw_its_newest_version(kind: str, database: Database) -> None:
    folders = await folders_of(kind, database)
    first = Folder("a", "d1", (ENTRY,), 1)
    assert await folders.find("a") is None
    assert await folders.replace(Folder("a"), first)
    assert not await folders.replace(Folder("a"), first), "somebody began it already"
    assert await folders.find("a") == first
    gone = replace(first, version=2, entries=(replace(ENTRY, name="", removed_at=NOW, removed_by="ann"),))
    assert await folders.replace(first, gone)
    assert not await folders.replace(first, replace(first, version=2))
    assert await folders.find("a") == gone
    await folders.delete("a")
    await folders.delete("a")
    assert await folders.find("a") is None


@BOTH
async def test_folders_of_drafts_come_by_pages_until_they_are_settled(kind: str, database: Database) -> None:
    folders = await folders_of(kind, database)
    for owner, draft in (("a", "d3"), ("b", "d1"), ("c", None), ("d", "d2")):
        assert await folders.replace(Folder(owner), Folder(owner, draft, (), 1))
    assert [each.owner for each in await folders.of_drafts("", 2)] == ["b", "d"]
    assert [each.owner for each in await folders.of_drafts("d2", 2)] == ["a"]
    await folders.settle("a")
    assert await folders.of_drafts("d2", 2) == []
    settled = await folders.find("a")
    assert settled is not None
    assert (settled.draft_id, settled.version) == (None, 2)


@BOTH
async def test_bytes_come_back_as_they_went_in_and_go_for_good(kind: str, database: Database) -> None:
    stored = await bytes_of(kind, database)
    content = bytes(range(256)) * 5000
    await stored.write("f1", chunks(content[:7], content[7:900_000], content[900_000:]))
    read = await stored.open("f1")
    assert read is not None
    assert b"".join([each async for each in read]) == content
    assert await stored.open("another") is None
    await stored.delete(["f1", "another"])
    assert await stored.open("f1") is None


@BOTH
async def test_notes_of_loose_files_are_found_by_their_age(kind: str, database: Database) -> None:
    stored = await bytes_of(kind, database)
    await stored.note_loose(["f1", "f2"], "a", REAL)
    await stored.note_loose(["f3"], "b", REAL + timedelta(hours=1))
    await stored.note_loose([], "b", REAL)
    assert await stored.loose(REAL, 10) == {}
    assert await stored.loose(REAL + timedelta(seconds=1), 10) == {"f1": "a", "f2": "a"}
    assert len(await stored.loose(REAL + timedelta(hours=2), 2)) == 2
    await stored.not_loose(["f1", "f2", "f3"])
    assert await stored.loose(REAL + timedelta(hours=2), 10) == {}


async def test_a_file_that_breaks_off_leaves_no_chunk_and_one_that_lost_a_chunk_is_not_given_out(
    database: Database,
) -> None:
    stored = GridEvidence(database)

    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(600 << 10)
        raise ConnectionError("the client is gone")

    with pytest.raises(ConnectionError):
        await stored.write("f1", breaking())
    assert await database["evidence.chunks"].count_documents({}) == 0
    await stored.write("f2", chunks(bytes(600 << 10)))
    await database["evidence.chunks"].delete_one({"files_id": "f2", "n": 1})
    read = await stored.open("f2")
    assert read is not None
    with pytest.raises(Permanent, match="gone"):
        _ = [each async for each in read]


async def test_erasing_takes_the_bytes_the_record_and_what_is_being_uploaded(database: Database) -> None:
    folders, stored = MongoEvidenceFolders(database), GridEvidence(database)
    files = EvidenceFiles(folders, stored, FakeClock())
    for owner in ("a", "b"):
        await files.add(owner, "licence", arrived(PDF), "ann")
    await stored.note_loose(["half"], "a", REAL)
    await stored.write("half", chunks(PDF))
    for _ in range(2):
        await EvidenceErasure(database).erase(["a", "nobody"])
    assert await folders.find("a") is None
    assert await database["evidence.files"].count_documents({}) == 1
    assert await database["evidence.chunks"].count_documents({}) == 1
    assert await database["evidence_loose"].count_documents({}) == 0
    assert len((await files.folder("b")).files) == 1


async def test_it_is_known_which_drafts_there_are(database: Database) -> None:
    await database["drafts"].insert_one({"_id": "d1"})
    assert await MongoDraftIds(database).known(["d1", "d2"]) == {"d1"}
