"""Forms with files are read as they come in, wherever the pieces are cut."""

from __future__ import annotations

import hashlib

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from shared.errors import Malformed
from shared.web.multipart import form_parts
from shared.web.problem import Problem

FILE = bytes(range(256)) * 40 + b"\r\n--bo but no boundary\r\n"
BODY = (
    b'--bound\r\nContent-Disposition: form-data; name="kind"\r\n\r\nlicence\r\n'
    b'--bound\r\nContent-Disposition: form-data; name="file"; filename="Enfance Prot\xc3\xa9g\xc3\xa9e.pdf"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" + FILE + b"\r\n"
    b'--bound\r\nContent-Disposition: form-data; name="none"; filename=""\r\n\r\n\r\n'
    b'--bound\r\nContent-Disposition: form-data; name="then"\r\n\r\ncontinue\r\n--bound--\r\nepilogue'
)


def request(body: bytes, size: int = 0, content_type: str = "multipart/form-data; boundary=bound") -> Request:
    """A request whose body comes in pieces of `size` bytes."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)] if size else [body]

    async def receive() -> Message:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def read(sent: Request, most: int = 1 << 20) -> dict[str, tuple[str | None, bytes, bool]]:
    """All parts: name → file name, content, whether it is whole."""
    found: dict[str, tuple[str | None, bytes, bool]] = {}
    async with form_parts(sent) as parts:
        async for part in parts:
            if part.filename is None:
                found[part.name] = (None, (await part.text()).encode(), True)
                continue
            async with part.received(most) as file:
                content = file.content.read() if file.whole else b""
                found[part.name] = (part.filename, content, file.whole)
                assert file.sha256 == hashlib.sha256(FILE if part.filename else b"").hexdigest()
                assert file.size == (len(FILE) if part.filename else 0)
    return found


@pytest.mark.parametrize("size", [0, 1, 7, 64, 1000])
async def test_parts_are_the_same_however_the_body_is_cut(size: int) -> None:
    assert await read(request(BODY, size)) == {
        "kind": (None, b"licence", True),
        "file": ("Enfance Protégée.pdf", FILE, True),
        "none": ("", b"", True),
        "then": (None, b"continue", True),
    }


async def test_a_file_that_is_too_large_is_read_to_its_end_and_not_kept() -> None:
    found = await read(request(BODY, 100), most=len(FILE) - 1)
    assert found["file"] == ("Enfance Protégée.pdf", b"", False)
    assert found["then"] == (None, b"continue", True)


async def test_parts_that_nobody_reads_are_skipped() -> None:
    async with form_parts(request(BODY, 33)) as parts:
        assert [part.name async for part in parts] == ["kind", "file", "none", "then"]


@pytest.mark.parametrize(
    "body",
    [
        BODY[:300],
        BODY[: BODY.index(b"--bound--")],
        b"nonsense",
        b"",
        b"--bound\r\nno header\r\n\r\nx",
        b"--bound\r\n" + b"X: y\r\n" * 50 + b"\r\nx",
        b"--bound\r\nContent-Disposition: " + b"x" * 10_000,
    ],
)
async def test_a_form_that_is_cut_off_or_badly_built_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        await read(request(body, 50) if body else request(b""))


async def test_what_is_no_form_or_names_no_boundary_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        await read(request(BODY, content_type="application/json"))
    assert refused.value.status == 415
    for content_type in ("multipart/form-data", f"multipart/form-data; boundary={'x' * 2000}"):
        with pytest.raises(Malformed):
            await read(request(BODY, content_type=content_type))


async def test_entries_and_parts_have_a_most() -> None:
    long = b'--bound\r\nContent-Disposition: form-data; name="kind"\r\n\r\n' + b"x" * 20_000 + b"\r\n--bound--"
    with pytest.raises(Malformed, match="longer than"):
        await read(request(long))
    with pytest.raises(Malformed, match="more than 3 parts"):
        async with form_parts(request(BODY), max_parts=3) as parts:
            _ = [part async for part in parts]


async def test_a_client_that_is_gone_ends_the_reading() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"multipart/form-data; boundary=bound")]
    gone = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    with pytest.raises(ClientDisconnect):
        await read(gone)
