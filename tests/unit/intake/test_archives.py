"""What the end of an archive says of its directory: the library reads that whole, so it is looked at before."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from services.intake.domain import workbooks
from services.intake.domain.archives import END, Directory, directory_of
from services.intake.domain.evidence_archives import archive_kind
from shared.errors import Refused


def archive(parts: int, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for number in range(parts):
            written.writestr(str(number), b"")
        written.comment = comment
    return file.getvalue()


def large(content: bytes, parts: int, size: int) -> bytes:
    """The same with a record for large archives that says something else."""
    at = content.rfind(b"PK\x05\x06")
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, parts, parts, size, 0)
    return content[:at] + record + struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1) + content[at:]


def test_parts_and_bytes_of_the_directory_are_told() -> None:
    for comment in (b"", b"x" * 65_535):
        content = archive(3, comment)
        with zipfile.ZipFile(io.BytesIO(content)) as read:
            size = len(content) - len(comment) - 22 - read.start_dir
        assert directory_of(content[-END:]) == Directory(3, size)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 100, archive(1)[:-1]])
def test_what_has_no_end_is_no_archive(content: bytes) -> None:
    assert directory_of(content) is None


def test_the_record_of_large_archives_counts_as_it_does_for_the_library() -> None:
    content = large(archive(2), 1 << 33, 1 << 40)
    assert directory_of(content) == Directory(1 << 33, 1 << 40)
    with pytest.raises(Refused, match="parts"):
        workbooks.require_small_directory(content)
    with pytest.raises(Refused, match="more parts than any document"):
        archive_kind(io.BytesIO(content), len(content))
    workbooks.require_small_directory(large(archive(2), 2, 100))


def test_many_parts_are_refused_before_each_is_looked_at() -> None:
    with pytest.raises(Refused, match=f"more than {workbooks.MAX_ENTRIES:,} parts"):
        workbooks.require_small_directory(archive(workbooks.MAX_ENTRIES + 1)[-END:])
