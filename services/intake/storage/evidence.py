"""Evidence files in Mongo: the bytes in the GridFS bucket `evidence`, one folder an application in `evidence_folders`.

evidence_folders  _id <application id>, draft_id, version, entries [{evidence_id, file_id, kind, name, media_type, size,
                  sha256, added_at, added_by, removed_at, removed_by}]
evidence_loose    _id <file id>, owner, since: bytes that may be without an entry
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne

from services.intake.domain.evidence import Entry, Folder
from services.intake.storage.buckets import Bucket
from shared.errors import Conflict
from shared.mongo import Database, Document, classified

BUCKET: Final = "evidence"
CHUNK: Final = 255 << 10


class MongoEvidenceFolders:
    """Folders, changed by compare-and-set on their version."""

    def __init__(self, database: Database) -> None:
        self._folders = database["evidence_folders"]

    async def prepare(self) -> None:
        """The index of those that belong to drafts."""
        with classified():
            only = {"draft_id": {"$type": "string"}}
            await self._folders.create_index([("draft_id", 1)], name="draft", partialFilterExpression=only)

    async def find(self, owner: str) -> Folder | None:
        """The folder of an application. Raises Transient."""
        with classified():
            found = await self._folders.find_one({"_id": owner})
        return _folder_of(found) if found else None

    async def replace(self, before: Folder, after: Folder) -> bool:
        """Store `after` if what is stored has the version of `before` (0: nothing is). Raises Transient."""
        document = _document_of(after)
        with classified():
            if before.version:
                done = await self._folders.replace_one({"_id": before.owner, "version": before.version}, document)
                return bool(done.matched_count)
            try:
                with classified():
                    await self._folders.insert_one(document)
            except Conflict:  # somebody else began it
                return False
        return True

    async def delete(self, owner: str) -> None:
        """Forget a folder. Raises Transient."""
        with classified():
            await self._folders.delete_one({"_id": owner})

    async def settle(self, owner: str) -> None:
        """Note that a folder belongs to an application, and to no draft any more. Raises Transient."""
        with classified():
            await self._folders.update_one({"_id": owner}, {"$set": {"draft_id": None}, "$inc": {"version": 1}})

    async def of_drafts(self, after: str, limit: int) -> list[Folder]:
        """Folders that belong to drafts so far, by the draft's id, beginning after one. Raises Transient."""
        with classified():
            found = self._folders.find({"draft_id": {"$type": "string", "$gt": after}}, hint="draft")
            return [_folder_of(each) for each in await found.sort("draft_id", 1).limit(limit).to_list(None)]


class GridEvidence:
    """The bytes, and the notes of those that may be without an entry."""

    def __init__(self, database: Database) -> None:
        self._bucket = Bucket(database, BUCKET, chunk=CHUNK, ahead=4, incomplete="a part of this file is gone")
        self._loose = database["evidence_loose"]

    async def prepare(self) -> None:
        """The index by which the old notes are found."""
        with classified():
            await self._loose.create_index("since", name="since")

    async def write(self, file_id: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file. It has no name here: that is in its folder. What is raised on the way leaves nothing behind."""
        await self._bucket.write(file_id, "", chunks)

    async def open(self, file_id: str) -> AsyncIterator[bytes] | None:
        """The content, a chunk of up to 255 KiB at a time; None when there is no such file. Raises Transient."""
        size = await self._bucket.size(file_id)
        return None if size is None else self._bucket.read(file_id, size)

    async def delete(self, file_ids: Sequence[str]) -> None:
        """Remove files, also what is left of one that was never finished. Raises Transient."""
        await self._bucket.delete(file_ids)

    async def note_loose(self, file_ids: Sequence[str], owner: str, real: datetime) -> None:
        """Note that bytes are, or will be, without an entry. Raises Transient."""
        note = {"$set": {"owner": owner, "since": real}}
        if file_ids:
            with classified():
                await self._loose.bulk_write([UpdateOne({"_id": each}, note, upsert=True) for each in file_ids])

    async def not_loose(self, file_ids: Sequence[str]) -> None:
        """Take the notes away. Raises Transient."""
        with classified():
            await self._loose.delete_many({"_id": {"$in": list(file_ids)}})

    async def loose(self, before: datetime, limit: int) -> dict[str, str]:
        """File id → owner of notes older than `before`, the oldest first. Raises Transient."""
        with classified():
            found = self._loose.find({"since": {"$lt": before}}).sort("since", 1).limit(limit)
            return {each["_id"]: each["owner"] for each in await found.to_list(None)}


class MongoDraftIds:
    """Which drafts there are."""

    def __init__(self, database: Database) -> None:
        self._drafts = database["drafts"]

    async def known(self, draft_ids: Sequence[str]) -> set[str]:
        """Those of them that there are. Raises Transient."""
        with classified():
            found = await self._drafts.find({"_id": {"$in": list(draft_ids)}}, {"_id": 1}).to_list(None)
        return {each["_id"] for each in found}


class EvidenceErasure:
    """Erases the evidence of applications: bytes, records and notes."""

    def __init__(self, database: Database) -> None:
        self._folders = database["evidence_folders"]
        self._loose = database["evidence_loose"]
        self._bytes = GridEvidence(database)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete everything, also what is being uploaded: its bytes are in no folder yet. Raises Transient."""
        names = {"$in": list(application_ids)}
        with classified():
            folders = await self._folders.find({"_id": names}).to_list(None)
            loose = await self._loose.find({"owner": names}).to_list(None)
        files = [entry["file_id"] for each in folders for entry in each["entries"]]
        await self._bytes.delete([*files, *(each["_id"] for each in loose)])
        with classified():
            await self._folders.delete_many({"_id": names})
            await self._loose.delete_many({"owner": names})


def _document_of(folder: Folder) -> Document:
    entries = [asdict(each) for each in folder.entries]
    return {"_id": folder.owner, "draft_id": folder.draft_id, "version": folder.version, "entries": entries}


def _folder_of(document: Mapping[str, Any]) -> Folder:
    entries = tuple(Entry(**each) for each in document["entries"])
    return Folder(document["_id"], document["draft_id"], entries, document["version"])
