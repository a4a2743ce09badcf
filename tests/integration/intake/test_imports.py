"""Files of applications: stored before the answer, previewed, taken in once, whatever happens in between."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from services.intake.domain.import_files import Format
from shared.application import id_of
from tests.integration.intake.running import Running, submission
from tests.waiting import eventually

COLUMNS = (
    "category",
    "organisation.name",
    "organisation.country",
    "contact.name",
    "contact.email",
    "consent.register_interest",
    "registration.number",
    "technology.activities",
    "aims.accepted",
)


def row(number: int, **changes: str) -> dict[str, str]:
    """The cells of a valid row."""
    return {
        "category": "technology_company",
        "organisation.name": f"Company {number}",
        "organisation.country": "DE",
        "contact.name": "Ben Example",
        "contact.email": f"ben{number}@company.example",
        "consent.register_interest": "yes",
        "registration.number": f"HRB {number}",
        "technology.activities": "creates_software;manufactures_hardware",
        "aims.accepted": "TRUE",
    } | changes


def csv_of(rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> bytes:
    """A CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


async def send(
    intake: Running, content: bytes, query: str = "", kind: str = "text/csv", caller: str = "alpha", **headers: str
) -> Any:
    """The answer to `POST /v1/imports`."""
    sent = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await intake.call("POST", f"/v1/imports{query}", caller, content=content, headers=sent)


async def ended(intake: Running, answer: Any, *states: str) -> dict[str, Any]:
    """The import, once it is in one of the states (done or refused)."""
    assert answer.status_code == 202, answer.text
    path = f"/v1/imports/{answer.json()['import_id']}"

    async def there() -> bool:
        return bool((await intake.get(path))["state"] in (states or ("done", "refused")))

    await eventually(there, f"the import is {states or 'at its end'}", 20)
    found: dict[str, Any] = await intake.get(path)
    return found


async def test_a_csv_file_is_previewed_and_taken_in_and_refused_rows_are_named(intake: Running) -> None:
    rows = [row(number) for number in range(1, 601)]
    rows[9] = row(10, **{"organisation.country": "XX", "aims.accepted": "perhaps"})
    rows[599] = row(600, category="friend")
    answer = await send(intake, csv_of(rows), "?filename=C:\\temp\\2021%20list.csv")
    assert answer.headers["location"] == f"/v1/imports/{answer.json()['import_id']}"
    job = await ended(intake, answer)
    assert (job["state"], job["filename"]) == ("done", "2021 list.csv")
    assert job["preview"]["rows"] == 600
    assert job["preview"]["by_category"] == [{"category": "technology_company", "rows": 598}]
    assert {reason["pointer"]: reason["rows"] for reason in job["preview"]["by_reason"]} == {
        "/organisation/country": 1,
        "/answers/aims.accepted": 1,
        "/category": 1,
    }
    assert job["progress"] == {"rows": 600, "rows_previewed": 600, "rows_done": 600, "accepted": 598, "refused": 2}

    errors = await intake.get(f"/v1/imports/{job['import_id']}/errors?limit=1")
    assert [(each["row"], each["line"]) for each in errors["errors"]] == [(10, 11)]
    assert {each["pointer"] for each in errors["errors"][0]["errors"]} == {
        "/answers/aims.accepted",
        "/organisation/country",
    }
    rest = await intake.get(f"/v1/imports/{job['import_id']}/errors?after={errors['next']}")
    assert [each["row"] for each in rest["errors"]] == [600]
    assert "friend" not in json.dumps(rest)

    status = await intake.status(id_of("import", job["import_id"], 11))
    assert (status["channel"], status["row"], status["client"]) == ("file", 11, "alpha")
    assert status["received_at"] == job["committed_at"]
    application = await intake.application(status["application_id"])
    assert application.answers["technology.activities"] == ["creates_software", "manufactures_hardware"]
    assert application.answers["aims.accepted"] is True
    assert application.consent.register_interest
    assert await intake.database["revisions"].count_documents({"outbox.lane": "bulk"}) == 598


async def test_json_lines_are_taken_in_and_a_broken_line_costs_its_neighbours_nothing(intake: Running) -> None:
    lines = [json.dumps(submission()), '{"category": ', "", json.dumps(submission(locale=7)), json.dumps(submission())]
    job = await ended(intake, await send(intake, "\n".join(lines).encode(), kind="application/x-ndjson"))
    assert (job["progress"]["accepted"], job["progress"]["refused"]) == (2, 2)
    errors = (await intake.get(f"/v1/imports/{job['import_id']}/errors"))["errors"]
    assert [(each["row"], each["line"], each["errors"][0]["pointer"]) for each in errors] == [
        (2, 2, ""),
        (3, 4, "/locale"),
    ]


async def test_a_form_of_a_browser_may_hold_the_file(intake: Running) -> None:
    files = {"file": ("list.csv", csv_of([row(1)]), "application/octet-stream")}
    job = await ended(intake, await intake.call("POST", "/v1/imports", files=files))
    assert (job["filename"], job["progress"]["accepted"]) == ("list.csv", 1)
    none = await intake.call("POST", "/v1/imports", files={"other": (None, "x")})
    assert none.status_code == 400


async def test_an_import_can_stop_at_its_preview_and_be_committed_later(intake: Running) -> None:
    answer = await send(intake, csv_of([row(1), row(2)]), "?commit=false")
    job = await ended(intake, answer, "previewed")
    assert (job["preview"]["valid"], job["committed_at"]) == (2, None)
    assert await intake.database["revisions"].count_documents({}) == 0
    foreign = await intake.call("POST", f"/v1/imports/{job['import_id']}/commit", "beta")
    assert foreign.status_code == 404
    again = [await intake.call("POST", f"/v1/imports/{job['import_id']}/commit") for _ in range(2)]
    job = await ended(intake, again[0])
    assert job["progress"]["accepted"] == 2
    assert await intake.database["revisions"].count_documents({}) == 2


async def test_the_same_key_and_file_are_one_import_and_another_file_is_refused(intake: Running) -> None:
    content = csv_of([row(1)])
    first, second = [await send(intake, content, Idempotency_Key="f") for _ in range(2)]
    assert first.json()["import_id"] == second.json()["import_id"]
    assert (await send(intake, csv_of([row(2)]), Idempotency_Key="f")).status_code == 409
    await ended(intake, first)
    assert await intake.database["import_files.files"].count_documents({}) == 1
    assert len((await intake.get("/v1/imports"))["imports"]) == 1
    assert (await intake.get("/v1/imports", "beta"))["imports"] == []


BAD_FILES: list[tuple[Format, bytes, str]] = [
    ("csv", csv_of([row(1)]).decode().encode("utf-32"), "UTF-32"),
    ("csv", csv_of([row(1, **{"organisation.name": "Crèche"})]).decode().encode("latin-1"), "not UTF-8: its byte"),
    ("csv", b"category;organisation.name\r\nx;y\r\n", "'contact.email' is missing"),
    ("csv", csv_of([], (*COLUMNS, "registration.numer")), "Did you mean 'registration.number'?"),
    ("csv", csv_of([], (*COLUMNS, "received_at")), "historical imports"),
    ("csv", csv_of([], COLUMNS[1:]), "'category' is missing"),
    ("csv", csv_of([], (*COLUMNS, "category")), "twice"),
    ("csv", b"\r\n\r\n", "no header"),
    ("csv", csv_of([]), "no rows"),
    ("csv", csv_of([row(1)]).replace(b"\r\n", b"\r"), "old Macs"),
    ("csv", csv_of([row(1)]).decode().encode("utf-16-le"), "looks like UTF-16"),
    ("jsonl", b"\n\n", "no rows"),
    ("jsonl", b'{"a": "\xff"}', "not UTF-8"),
]


async def test_a_file_that_is_not_what_it_must_be_is_refused_whole_and_says_why(intake: Running) -> None:
    types = {"csv": "text/csv", "jsonl": "application/jsonl"}
    answers = [await send(intake, content, kind=types[kind]) for kind, content, _ in BAD_FILES]
    for answer, (_, _, words) in zip(answers, BAD_FILES, strict=True):
        job = await ended(intake, answer)
        assert job["state"] == "refused"
        assert words in " ".join(job["problems"])
        assert (await intake.call("POST", f"/v1/imports/{job['import_id']}/commit")).status_code == 409


async def test_a_page_of_errors_beyond_all_rows_is_empty_and_beyond_all_numbers_a_problem(intake: Running) -> None:
    job = await ended(intake, await send(intake, csv_of([row(1)])))
    path = f"/v1/imports/{job['import_id']}/errors"
    assert (await intake.get(f"{path}?after={2**31 - 1}"))["errors"] == []
    assert (await intake.call("GET", f"{path}?after={2**63}")).status_code == 422


async def test_files_by_which_replicas_were_frozen_or_never_done_come_to_an_end(intake: Running) -> None:
    keys = "".join(f'{{"{number}{"k" * 400_000}": 1}}\n' for number in range(50)).encode()
    columns = (*COLUMNS, "received_at")
    ancient = csv_of([row(1, received_at="0001-01-01T00:00:00+14:00"), row(2, received_at="")], columns)
    long_keys = await ended(intake, await send(intake, keys, kind="application/x-ndjson"))
    assert (long_keys["state"], long_keys["progress"]["refused"]) == ("done", 50)
    early = await ended(intake, await send(intake, ancient, "?historical=true", caller="olga"))
    assert (early["state"], early["progress"]["accepted"], early["progress"]["refused"]) == ("done", 1, 1)


async def test_what_is_no_import_is_refused_at_once(intake: Running) -> None:
    assert (await send(intake, b"")).status_code == 422
    assert (await send(intake, b"%PDF", kind="application/pdf")).status_code == 415
    assert (await send(intake, csv_of([]), "?historical=true")).status_code == 403
    assert (await intake.call("POST", "/v1/imports", None, content=b"x")).status_code == 401
    assert await intake.database["import_files.files"].count_documents({}) == 0


async def test_an_operators_historical_import_carries_its_own_receipt_times_and_is_marked(intake: Running) -> None:
    columns = (*COLUMNS, "received_at")
    rows = [
        row(1, received_at="2021-06-30T23:59:59+01:00"),
        row(2, received_at=""),
        row(3, received_at="2021-06-30T23:59:59"),
        row(4, received_at="2999-01-01T00:00:00Z"),
    ]
    job = await ended(intake, await send(intake, csv_of(rows, columns), "?historical=true", caller="olga"))
    assert (job["progress"]["accepted"], job["progress"]["refused"]) == (2, 2)
    first, second = [await intake.status(id_of("import", job["import_id"], number)) for number in (1, 2)]
    assert (first["received_at"], first["historical"]) == ("2021-06-30T22:59:59Z", True)
    assert first["first_received_at"] == first["received_at"]
    assert second["received_at"] == job["committed_at"]
    lines = json.dumps(submission(received_at="2020-01-01T00:00:00Z")).encode()
    refused = await ended(intake, await send(intake, lines, kind="application/jsonl", caller="olga"))
    assert refused["progress"]["refused"] == 1
    taken = await ended(intake, await send(intake, lines, "?historical=true", "application/jsonl", "olga"))
    assert taken["progress"]["accepted"] == 1
