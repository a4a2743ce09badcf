"""Files of every format: how they are taken is shown, refused rows come back as a file, and an import can be undone."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from openpyxl import load_workbook

from services.intake.api.uploads import FILE_TYPES
from shared.application import id_of
from tests.integration.intake.running import Running, emailed, submission
from tests.integration.intake.test_imports import COLUMNS, csv_of, ended, row, send
from tests.unit.intake.workbooks import changed, workbook
from tests.waiting import eventually

XLSX = FILE_TYPES["xlsx"]


def table_of(rows: list[dict[str, str]]) -> list[list[Any]]:
    return [list(COLUMNS), *([each[name] for name in COLUMNS] for each in rows)]


async def error_file(intake: Running, job: dict[str, Any]) -> bytes:
    answer = await intake.call("GET", f"/v1/imports/{job['import_id']}/errors?format=file")
    assert answer.status_code == 200, answer.text
    assert f"refused-{job['import_id']}.{job['format']}" in answer.headers["content-disposition"]
    assert answer.headers["content-type"].startswith(FILE_TYPES[job["format"]])
    return answer.content


async def test_a_workbook_is_taken_in_and_says_which_sheet_and_columns_it_was_taken_for(intake: Running) -> None:
    table = table_of([row(1), row(2), row(3, category="=1+1")])
    table[0][4] = "E-mail address"
    table[1][6], table[1][8] = 1089599, True
    content = workbook(table, ("Notes", [["anything"]]))
    job = await ended(intake, await send(intake, content, "?filename=list.xlsx", kind=XLSX))
    assert (job["state"], job["format"]) == ("done", "xlsx")
    assert (job["progress"]["accepted"], job["progress"]["refused"]) == (2, 1)
    layout = job["layout"]
    assert (layout["sheet"], layout["unread"], layout["encoding"]) == ("Sheet", ["Notes"], None)
    assert layout["columns"][4] == {"header": "E-mail address", "column": "contact.email"}
    first = await intake.application(id_of("import", job["import_id"], 1))
    assert (first.answers["registration.number"], first.answers["aims.accepted"]) == ("1089599", True)


async def test_csv_of_other_dialects_and_encodings_gives_the_same_applications(intake: Running) -> None:
    wanted = [row(1, **{"organisation.name": "Köln & Müller"})]
    text = csv_of(wanted).decode()
    cells = [each.split(",") for each in text.splitlines()]
    files = {
        (",", "utf-8"): text.encode(),
        (",", "utf-8-sig"): text.encode("utf-8-sig"),
        (",", "utf-16-le"): text.encode("utf-16"),
        (",", "windows-1252"): text.encode("cp1252"),
        ("\t", "utf-8"): "\n".join("\t".join(each) for each in cells).encode(),
        (";", "utf-8"): "\n".join(";".join(f'"{cell}"' for cell in each) for each in cells).encode(),
    }
    for (separator, encoding), content in files.items():
        job = await ended(intake, await send(intake, content))
        assert (job["state"], job["layout"]["separator"], job["layout"]["encoding"]) == ("done", separator, encoding)
        taken = await intake.application(id_of("import", job["import_id"], 1))
        assert taken.organisation.name == "Köln & Müller"
        assert taken.answers["technology.activities"] == ["creates_software", "manufactures_hardware"]


async def test_an_encoding_can_be_declared(intake: Running) -> None:
    content = csv_of([row(1, **{"organisation.name": "Crèche"})]).decode().encode("cp1252")
    refused = await ended(intake, await send(intake, content))
    assert "charset=windows-1252" in refused["problems"][0]
    for query, kind in (("?charset=cp1252", "text/csv"), ("", "text/csv; charset=windows-1252")):
        job = await ended(intake, await send(intake, content, query, kind))
        assert (await intake.application(id_of("import", job["import_id"], 1))).organisation.name == "Crèche"
    assert (await send(intake, content, "?charset=ebcdic")).status_code == 415


async def test_a_hostile_workbook_is_refused_with_its_reason(intake: Running) -> None:
    content = changed(workbook(table_of([row(1)])), add={"xl/vbaProject.bin": b"x"})
    job = await ended(intake, await send(intake, content, kind=XLSX))
    assert (job["state"], job["problems"]) == (
        "refused",
        ["The workbook has macros: save it as .xlsx, which has none."],
    )
    assert (await send(intake, content, "?filename=a.xlsm", "application/octet-stream")).status_code == 415


BAD = {"organisation.name": "=cmd|' /C calc'!A0", "organisation.country": "XX"}


async def test_refused_csv_rows_come_back_as_they_came_with_a_reason_and_can_be_sent_again(intake: Running) -> None:
    content = csv_of([row(1), row(2, **BAD), row(3)]) + b'"broken" cell,x\r\n'
    content = content.replace(b"contact.email", b"E-mail")
    job = await ended(intake, await send(intake, content))
    returned = (await error_file(intake, job)).decode()
    rows = list(csv.reader(io.StringIO(returned)))
    header = ["E-mail" if name == "contact.email" else name for name in COLUMNS]
    assert rows[0] == [*header, "reason"]
    assert rows[1][1] == "'=cmd|' /C calc'!A0"
    assert rows[1][-1].startswith("/organisation/country: ")
    assert rows[2][0] == '"broken" cell,x'
    corrected = returned.replace(",XX,", ",DE,")
    again = await ended(intake, await send(intake, corrected.encode()))
    assert (again["progress"]["accepted"], again["progress"]["refused"]) == (1, 1)
    taken = await intake.application(id_of("import", again["import_id"], 1))
    assert taken.organisation.name == BAD["organisation.name"]
    assert len(next(csv.reader(io.StringIO((await error_file(intake, again)).decode())))) == len(COLUMNS) + 1


async def test_the_error_file_has_the_encoding_and_the_separator_of_the_file(intake: Running) -> None:
    text = csv_of([row(1, **{"organisation.name": "Köln", "organisation.country": "XX"})]).decode()
    utf16 = await ended(intake, await send(intake, text.encode("utf-16")))
    assert (await error_file(intake, utf16)).decode("utf-16").splitlines()[1].startswith("technology_company,Köln,XX")
    windows = await ended(intake, await send(intake, text.encode("cp1252")))
    assert b"K\xf6ln" in await error_file(intake, windows)


async def test_refused_rows_of_workbooks_and_json_lines_come_back_in_their_own_format(intake: Running) -> None:
    job = await ended(intake, await send(intake, workbook(table_of([row(1), row(2, **BAD)])), kind=XLSX))
    book = load_workbook(io.BytesIO(await error_file(intake, job)))
    rows = [[cell.value for cell in each] for each in book.active.iter_rows()]
    assert rows[0] == [*COLUMNS, "reason"]
    assert (rows[1][1], len(rows)) == ("'" + BAD["organisation.name"], 2)
    assert "holds a formula" in rows[1][-1]
    lines = [json.dumps(submission()), json.dumps(submission(locale=7)), '{"category": ']
    job = await ended(intake, await send(intake, "\n".join(lines).encode(), kind="application/x-ndjson"))
    returned = [json.loads(each) for each in (await error_file(intake, job)).splitlines()]
    assert returned[0]["locale"] == 7
    assert returned[0]["reason"].startswith("/locale: ")
    assert returned[1]["line"] == '{"category": '
    again = json.dumps({**returned[0], "locale": "en"}).encode()
    job = await ended(intake, await send(intake, again, kind="application/x-ndjson"))
    assert job["progress"]["accepted"] == 1
    accept = {"Accept": "application/x-ndjson"}
    asked = await intake.call("GET", f"/v1/imports/{job['import_id']}/errors", headers=accept)
    assert (asked.status_code, asked.content) == (200, b"")


async def test_an_import_is_undone_row_by_row_and_the_ledger_closes_over_it(intake: Running) -> None:
    rows = [row(number) for number in range(1, 601)]
    rows[9] = row(10, category="friend")
    job = await ended(intake, await send(intake, csv_of(rows)))
    name = id_of("import", job["import_id"], 1)
    await intake.elsewhere.tell(emailed(name, "acknowledgement"), name)
    assert (await intake.call("POST", f"/v1/imports/{job['import_id']}/undo")).status_code == 403
    for _ in range(2):
        answer = await intake.call("POST", f"/v1/imports/{job['import_id']}/undo", "olga")
        job = await ended(intake, answer, "undone")
    assert (job["undo"]["client"], job["undo"]["row"], job["undo"]["withdrawn"]) == ("olga", 600, 599)
    status = await intake.until(name, state="withdrawn")
    assert "The application was withdrawn: the import that brought it was undone." in [
        each["detail"] for each in status["history"]
    ]

    async def counted() -> bool:
        ledger = await intake.get("/v1/ledger")
        line = next(each for each in ledger["channels"] if each["channel"] == "file")
        found = (line["accepted"], line["withdrawn"], line["refused"], line["gap"], line["emails"]["outstanding"])
        return found == (599, 599, 1, 0, 0)

    await eventually(counted, "the ledger counts them as withdrawn", 10)
    withdrawal = await intake.database["withdrawals"].find_one({"_id": name})
    assert withdrawal is not None
    assert (withdrawal["reason"], withdrawal["client"]) == ("the import that brought it was undone", "olga")
    ahead = await intake.database["withdrawals"].count_documents({"outbox.lane": "interactive"})
    assert ahead == 599, "so that they overtake the emails that the import has set going"


async def test_what_was_never_taken_in_cannot_be_undone(intake: Running) -> None:
    waiting = await ended(intake, await send(intake, csv_of([row(1)]), "?commit=false"), "previewed")
    refused = await ended(intake, await send(intake, b"x\n"))
    for job in (waiting, refused):
        assert (await intake.call("POST", f"/v1/imports/{job['import_id']}/undo", "olga")).status_code == 409
    assert (await intake.call("POST", "/v1/imports/none/undo", "olga")).status_code == 404
