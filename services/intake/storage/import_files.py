"""Uploaded files, in GridFS: streamed in and out, so that no file has to fit into the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorGridFSBucket

from shared.errors import Permanent
from shared.mongo import Database, classified

BUCKET: Final = "import_files"
CHUNK: Final = 1 << 20
ABANDONED: Final = timedelta(hours=6)
"""Age after which a file without an import is what a kill between the two left behind."""


class GridFiles:
    """The bucket `import_files`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bucket = AsyncIOMotorGridFSBucket(database, BUCKET, chunk_size_bytes=CHUNK)

    async def write(self, file_id: str, filename: str, chunks: AsyncIterator[bytes]) -> int:
        """Store a file; its size in bytes. What is raised on the way (also by `chunks`) leaves nothing behind."""
        size = 0
        with classified():
            stream = self._bucket.open_upload_stream_with_id(file_id, filename)
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    await stream.write(chunk)
            except BaseException:
                await stream.abort()
                raise
            await stream.close()
        return size

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        """The content, a chunk of up to 1 MiB at a time. Raises Transient; Permanent when there is no such file."""
        with classified():
            file = await self._database[f"{BUCKET}.files"].find_one({"_id": file_id})
        if file is None:
            raise Permanent("the file of this import is gone")
        # The bucket's own stream fetches up to 16 MiB at once, in whichever of the driver's threads: each keeps as much.
        chunks = self._database[f"{BUCKET}.chunks"].find({"files_id": file_id}).sort("n", 1).batch_size(2)
        taken = 0
        while True:
            with classified():
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            taken += len(chunk["data"])
            yield bytes(chunk["data"])
        if taken != file["length"]:
            raise Permanent("a part of the file of this import is gone")

    async def delete(self, file_id: str) -> None:
        """Remove a file."""
        with classified():
            try:
                await self._bucket.delete(file_id)
            except NoFile:
                return

    async def delete_abandoned(self) -> int:
        """Remove old files that no import names; the number removed."""
        old = {"$lt": ["$uploadDate", {"$subtract": ["$$NOW", int(ABANDONED.total_seconds() * 1000)]}]}
        with classified():
            rows = await self._database[f"{BUCKET}.files"].find({"$expr": old}, {"_id": 1}).to_list(None)
            named = set(await self._database["imports"].distinct("file_id"))
        abandoned = [row["_id"] for row in rows if row["_id"] not in named]
        for file_id in abandoned:
            await self.delete(file_id)
        return len(abandoned)
