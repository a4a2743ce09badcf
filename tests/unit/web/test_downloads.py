"""What strangers sent in is given back to be saved under its own name, and never to be shown."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.web.downloads import attachment, disposition


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("letter.pdf", "attachment; filename=\"letter.pdf\"; filename*=UTF-8''letter.pdf"),
        ("état 1.pdf", "attachment; filename=\"_tat 1.pdf\"; filename*=UTF-8''%C3%A9tat%201.pdf"),
        ('a"; x=y.pdf', "attachment; filename=\"a__ x=y.pdf\"; filename*=UTF-8''a%22%3B%20x%3Dy.pdf"),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"),
        ("100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf"),
        ("\ud800.pdf", "attachment; filename=\"_.pdf\"; filename*=UTF-8''%3F.pdf"),
    ],
)
def test_a_name_reaches_the_header_without_breaking_out_of_it(name: str, header: str) -> None:
    assert disposition(name) == header


async def test_a_download_is_an_attachment_that_runs_nowhere() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"abc"

    headers = attachment("a.txt", "text/plain; charset=utf-8", 3, chunks()).headers
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-length"] == "3"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("sandbox;")
    assert headers["cache-control"] == "private, no-store"
