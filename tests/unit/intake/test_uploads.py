"""Names and kinds of files that come in."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Request

from services.intake.api.uploads import clean_filename, upload_of
from shared.web import problem


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("list.csv", "list.csv"),
        ("C:\\Users\\a\\list 2021.csv", "list 2021.csv"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nb\x00.csv", "a_b_.csv"),
        ("gpj\u202evsc.exe", "gpj_vsc.exe"),
        ("..", "upload"),
        ("", "upload"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_filename_is_made_safe_to_show(given: str, clean: str) -> None:
    assert clean_filename(given) == clean


async def ask(**options: object) -> httpx.Response:
    """What an endpoint that takes a file makes of a request."""
    web = FastAPI()
    problem.install(web)

    @web.post("/")
    async def take(request: Request) -> dict[str, object]:
        async with upload_of(request, max_bytes=100) as upload:
            content = b"".join([chunk async for chunk in upload.chunks])
        return {"filename": upload.filename, "format": upload.format, "content": content.decode()}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as client:
        return await client.post("/", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "query", "wanted"),
    [
        ({"Content-Type": "text/csv; charset=utf-8"}, "", ("upload", "csv")),
        ({"Content-Type": "application/x-ndjson", "X-Filename": "m%C3%A4rz.ndjson"}, "", ("märz.ndjson", "jsonl")),
        ({"Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="a/b.csv"'}, "", ("b.csv", "csv")),
        ({"Content-Type": "application/octet-stream"}, "?filename=a.jsonl", ("a.jsonl", "jsonl")),
    ],
)
async def test_a_body_says_what_it_is(headers: dict[str, str], query: str, wanted: tuple[str, str]) -> None:
    answer = (
        await ask(content=b"x", headers=headers, **({"params": {"filename": query[10:]}} if query else {}))
    ).json()
    assert (answer["filename"], answer["format"], answer["content"]) == (*wanted, "x")


async def test_a_form_may_hold_it() -> None:
    answer = (await ask(files={"file": ("b.csv", b"x", "application/vnd.ms-excel")})).json()
    assert answer == {"filename": "b.csv", "format": "csv", "content": "x"}


async def test_what_is_neither_csv_nor_json_lines_is_refused() -> None:
    response = await ask(content=b"x", headers={"Content-Type": "application/pdf"})
    assert response.status_code == 415
    assert "text/csv" in response.headers["accept-post"]
    assert (await ask(content=b"x", headers={"Content-Type": "application/octet-stream"})).status_code == 415


async def test_a_file_that_is_too_large_is_refused_while_it_comes() -> None:
    assert (await ask(content=b"x" * 101, headers={"Content-Type": "text/csv"})).status_code == 413
