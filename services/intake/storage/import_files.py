"""Uploaded files, in GridFS: streamed in and out, so that no file has to fit into the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import Final

from services.intake.storage.buckets import Bucket
from shared.errors import Permanent
from shared.mongo import Database, classified

BUCKET: Final = "import_files"
CHUNK: Final = 1 << 20
FINISHED: Final = ["done", "refused", "failed", "undoing", "undone"]
"""States of an import that does not read its file any more, but to show which of its rows were refused."""
ERASED_NAME: Final = "a file that was deleted"
ABANDONED: Final = timedelta(hours=6)
"""Age after which a file without an import is what a kill between the two left behind."""


class GridFiles:
    """The bucket `import_files`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._imports = database["imports"]
        self._bucket = Bucket(
            database, BUCKET, chunk=CHUNK, ahead=2, incomplete="a part of the file of this import is gone"
        )

    async def write(self, file_id: str, filename: str, chunks: AsyncIterator[bytes]) -> int:
        """Store a file; its size in bytes. What is raised on the way (also by `chunks`) leaves nothing behind."""
        return await self._bucket.write(file_id, filename, chunks)

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        """The content, a chunk of up to 1 MiB at a time. Raises Transient; Permanent when there is no such file."""
        if (size := await self._bucket.size(file_id)) is None:
            raise Permanent("the file of this import is gone")
        async for chunk in self._bucket.read(file_id, size):
            yield chunk

    async def delete(self, file_id: str) -> None:
        """Remove a file."""
        await self._bucket.delete([file_id])

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete the files that brought these applications; those of imports that still read them, once they are at their
        end. Raises Transient."""
        firsts = {"_id": {"$in": [f"{each}:1" for each in application_ids]}}
        with classified():
            found = self._database["revisions"].find(firsts, {"application.provenance.import_id": 1})
            imports = {each["application"]["provenance"].get("import_id") async for each in found} - {None}
            if not imports:
                return
            await self._imports.update_many(
                {"_id": {"$in": sorted(imports)}, "file_gone": {"$ne": True}}, {"$set": {"erase_file": True}}
            )
        await self.delete_unwanted()

    async def delete_unwanted(self, kept: timedelta | None = None) -> int:
        """Delete the files of finished imports of which an application was erased, and of those that were uploaded longer
        ago than `kept`; the number deleted. Raises Transient."""
        finished = {"state": {"$in": FINISHED}}
        with classified():
            unwanted = await self._imports.find({**finished, "erase_file": True}, {"file_id": 1}).to_list(None)
            if kept is not None:
                old = {"$lt": ["$uploadDate", {"$subtract": ["$$NOW", int(kept.total_seconds() * 1000)]}]}
                rows = await self._bucket.files.find({"$expr": old}, {"_id": 1}).to_list(None)
                aged = {**finished, "file_id": {"$in": [row["_id"] for row in rows]}}
                unwanted += await self._imports.find(aged, {"file_id": 1}).to_list(None)
        for each in unwanted:
            await self.delete(each["file_id"])
            with classified():
                # a file may be named after whom it is about
                changed = {"$set": {"file_gone": True, "filename": ERASED_NAME}, "$unset": {"erase_file": ""}}
                await self._imports.update_one({"_id": each["_id"]}, changed)
        return len(unwanted)

    async def delete_abandoned(self) -> int:
        """Remove old files that no import names; the number removed."""
        old = {"$lt": ["$uploadDate", {"$subtract": ["$$NOW", int(ABANDONED.total_seconds() * 1000)]}]}
        with classified():
            rows = await self._bucket.files.find({"$expr": old}, {"_id": 1}).to_list(None)
            named = set(await self._database["imports"].distinct("file_id"))
        abandoned = [row["_id"] for row in rows if row["_id"] not in named]
        for file_id in abandoned:
            await self.delete(file_id)
        return len(abandoned)
