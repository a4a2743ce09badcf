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
        ("a\ud800.csv", "a_.csv"),
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


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("UTF-8''m%C3%A4rz.csv", "märz.csv"),
        ("iso-8859-1''m%E4rz.csv", "märz.csv"),
        ("utf-8''%ed%a0%80%ff.csv", "\ufffd\ufffd\ufffd\ufffd.csv"),
        ("idna''abc", "upload"),
        ("undefined''ab", "upload"),
        ("punycode''%ff", "upload"),
        ("utf-7''+2AA-", "upload"),
        ("unicode_escape''%5Cud800", "upload"),
        ("hex''zz", "upload"),
        ("''a.csv", "upload"),
    ],
)
async def test_encoded_names_are_read_in_two_encodings_and_no_other_fails(name: str, wanted: str) -> None:
    headers = {"Content-Type": "text/csv", "Content-Disposition": f"attachment; filename*={name}"}
    answer = await ask(content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["filename"]) == (200, wanted)


async def test_parts_of_a_name_with_numbers_beyond_reason_are_no_name() -> None:
    disposition = f"attachment; filename*{'9' * 5000}*=utf-8''a.csv"
    answer = await ask(content=b"x", headers={"Content-Type": "text/csv", "Content-Disposition": disposition})
    assert (answer.status_code, answer.json()["filename"]) == (200, "upload")


@pytest.mark.parametrize("charset", ["utf-7", "idna", "undefined", "unicode_escape", '"utf-16"', "no-such"])
async def test_a_form_in_another_encoding_than_utf_8_is_refused(charset: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="+2AA-.csv"\r\n\r\nx\r\n--x--\r\n'
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    answer = await ask(content=part, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["title"]) == (415, "The form is not UTF-8")
    good = await ask(content=part, headers={"Content-Type": 'multipart/form-data; boundary=x; charset="UTF-8"'})
    assert (good.status_code, good.json()["filename"]) == (200, "+2AA-.csv")


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
