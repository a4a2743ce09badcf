"""Files in a GridFS bucket: streamed in and out, so that no file has to fit into the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from motor.motor_asyncio import AsyncIOMotorGridFSBucket

from shared.errors import Permanent
from shared.mongo import Database, classified


class Bucket:
    """One bucket. `chunk`: bytes of a chunk; `ahead`: how many are fetched at once; `incomplete`: the sentence when a part
    of a file is missing."""

    def __init__(self, database: Database, name: str, *, chunk: int, ahead: int, incomplete: str) -> None:
        self._bucket = AsyncIOMotorGridFSBucket(database, name, chunk_size_bytes=chunk)
        self.files = database[f"{name}.files"]
        self._chunks = database[f"{name}.chunks"]
        self._ahead = ahead
        self._incomplete = incomplete

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

    async def size(self, file_id: str) -> int | None:
        """The size of a file in bytes; None when there is none. Raises Transient."""
        with classified():
            file = await self.files.find_one({"_id": file_id}, {"length": 1})
        return file["length"] if file else None

    async def read(self, file_id: str, size: int) -> AsyncIterator[bytes]:
        """The content of a file of that size, a chunk at a time. Raises Transient; Permanent when a part is missing."""
        # The bucket's own stream fetches up to 16 MiB at once, in whichever of the driver's threads: each keeps as much.
        chunks = self._chunks.find({"files_id": file_id}).sort("n", 1).batch_size(self._ahead)
        taken = 0
        while True:
            with classified():
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            taken += len(chunk["data"])
            yield bytes(chunk["data"])
        if taken != size:
            raise Permanent(self._incomplete)

    async def delete(self, file_ids: Sequence[str]) -> None:
        """Remove files, also what is left of one that was never finished. Raises Transient."""
        with classified():
            await self.files.delete_many({"_id": {"$in": list(file_ids)}})
            await self._chunks.delete_many({"files_id": {"$in": list(file_ids)}})
