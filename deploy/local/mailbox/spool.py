"""Messages appended to a file, so that a restarted mailbox still has them.

Each record is a line of JSON (envelope and size) followed by the raw message and a newline.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.local.mailbox.messages import Stored, indexed_headers

_MARK = b'{"id": '


class FileSpool:
    """One file; bodies stay on disk and are read when someone looks. Not safe for two processes.

    Raises ValueError when the file is there and is something else: it would be overwritten.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._end = 0
        if os.pread(self._file, len(_MARK), 0) not in (b"", _MARK):
            self.close()
            raise ValueError(f"{path} is not a mailbox's file. Name another one, or delete it.")

    def append(self, message: bytes, about: dict[str, object]) -> int:
        """Write one record; it is in the kernel's hands when this returns, and so outlives a kill of this process."""
        head = json.dumps({**about, "size": len(message)}).encode() + b"\n"
        os.pwrite(self._file, head + message + b"\n", self._end)
        offset = self._end + len(head)
        self._end = offset + len(message) + 1
        return offset

    def read(self, offset: int, size: int) -> bytes:
        """The message of that place and size."""
        return os.pread(self._file, size, offset)

    def clear(self) -> None:
        """Empty the file."""
        os.ftruncate(self._file, 0)
        self._end = 0

    def kept(self) -> Iterator[Stored]:
        """The messages of an earlier run. A last record cut short by a kill was never answered for: it is dropped."""
        with open(self._file, "rb", closefd=False) as file:
            file.seek(0)
            while line := file.readline():
                about = _head(line)
                message = file.read(about["size"]) if about else b""
                if about is None or len(message) < about["size"] or file.read(1) != b"\n":
                    break
                offset, self._end = self._end + len(line), file.tell()
                yield _stored(about, message, offset)
        os.ftruncate(self._file, self._end)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _head(line: bytes) -> dict[str, Any] | None:
    try:
        about = json.loads(line)
    except ValueError:
        return None
    return about if isinstance(about, dict) else None


def _stored(about: dict[str, Any], message: bytes, offset: int) -> Stored:
    message_id, subject = indexed_headers(message)
    recipients = tuple(about["to"])
    return Stored(about["id"], about["at"], about["from"], recipients, message_id, subject, offset, len(message))
