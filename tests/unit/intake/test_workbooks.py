"""Workbooks: cells become texts as a CSV file would have them, and what is more than cells is refused by name."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain import workbooks as rules
from services.intake.domain.import_files import Record
from services.intake.domain.import_layout import Layout
from services.intake.domain.spreadsheets import text_of
from services.intake.storage import workbook_parts as parts
from services.intake.storage import workbooks as storage
from services.intake.storage.workbooks import ExcelWorkbooks
from shared.errors import Refused
from shared.formula_cells import as_given, harmless
from tests.unit.intake.workbooks import changed, encrypted, workbook

GOOD = workbook([["a", "b"], ["1", "2"]])


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


async def read(content: bytes) -> tuple[Layout, list[Record]]:
    books = ExcelWorkbooks()
    layout = await books.look(pieces(content))
    return layout, [record async for some in books.read(pieces(content), layout.sheet) for record in some]


async def test_cells_become_texts() -> None:
    row: list[Any] = [
        "text",
        7,
        7.0,
        0.1,
        1e300,
        True,
        False,
        datetime(2021, 10, 4),  # noqa: DTZ001 - a workbook knows no zones
        datetime(2021, 10, 4, 9, 30),  # noqa: DTZ001
        date(2021, 10, 4),
        time(9, 30),
        None,
    ]
    _, records = await read(workbook([[f"h{n}" for n in range(len(row))], row]))
    assert records[1].content == [
        "text",
        "7",
        "7",
        "0.1",
        "1e+300",
        "true",
        "false",
        "2021-10-04",
        "2021-10-04T09:30:00",
        "2021-10-04",
        "09:30:00",
        "",
    ]
    assert (text_of(timedelta(hours=30)), text_of(date(2021, 1, 2))) == ("1 day, 6:00:00", "2021-01-02")


async def test_blank_rows_are_passed_over_and_a_row_keeps_its_number_in_the_sheet() -> None:
    rows: list[list[Any]] = [[], ["a", "b", None], [], ["1"], ["", None, " "], ["2", "3", "4"]]
    _, records = await read(workbook(rows))
    assert [(each.row, each.line, each.content) for each in records] == [
        (0, 2, ["a", "b"]),
        (1, 4, ["1", ""]),
        (2, 6, ["2", "3", "4"]),
    ]


async def test_a_formula_or_an_error_costs_its_own_row_alone() -> None:
    rows = [["a", "b"], ["1", "=1+1"], ["2", "#REF!"], ["3", "4"], ["=A2", "x"]]
    _, records = await read(workbook(rows))
    assert [each.row for each in records if each.fault] == [1, 2, 4]
    assert "The cell B2 holds a formula" in (records[1].fault or "")
    assert "The cell B3 holds the error #REF!" in (records[2].fault or "")
    assert records[1].content == ["1", "=1+1"]


async def test_the_first_visible_sheet_with_data_is_read_and_the_others_are_named() -> None:
    content = workbook([], ("Hidden", [["x"]]), ("List", [["a"], ["1"]]), ("Notes", [["n"]]), hidden="Hidden")
    layout, records = await read(content)
    assert (layout.sheet, layout.unread) == ("List", ("Notes",))
    assert [each.content for each in records] == [["a"], ["1"]]
    with pytest.raises(Refused, match="no sheet with data"):
        await read(workbook([[]]))


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (20 << 20))
    return file.getvalue()


def renamed(old: str, new: str) -> bytes:
    """The same workbook with a part under another name, which it says wherever it names the part."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as whole, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as changed_:
        for name in whole.namelist():
            part = whole.read(name).replace(f"/{old}".encode(), f"/{new}".encode())
            changed_.writestr(name.replace(old, new), part)
    return file.getvalue()


def entities(part: bytes) -> bytes:
    return part.replace(b"<worksheet", b'<!DOCTYPE w [<!ENTITY a "b">]><worksheet', 1)


HOSTILE = [
    (bomb(), "unpack to"),
    (changed(GOOD, add={f"xl/media/{n}.png": b"" for n in range(rules.MAX_ENTRIES)}), "parts"),
    (changed(GOOD, add={"xl/workbook.XML": b"<again/>"}), "twice"),
    (changed(GOOD, add={"xl/vbaProject.bin": b"x"}), "macros"),
    (
        changed(GOOD, edit={"[Content_Types].xml": lambda part: part.replace(b".sheet.main", b".macroEnabled")}),
        "macros",
    ),
    (changed(GOOD, add={"xl/macrosheets/sheet1.xml": b"<x/>"}), "macros"),
    (changed(GOOD, add={"xl/externalLinks/externalLink1.xml": b"<x/>"}), "links to other files"),
    (changed(GOOD, add={"xl/connections.xml": b"<x/>"}), "links to other files"),
    (changed(GOOD, edit={"xl/worksheets/sheet1.xml": entities}), "entities"),
    (
        changed(
            GOOD, edit={"xl/worksheets/sheet1.xml": lambda part: b"<!--" + b" " * rules.LOOK + b"-->" + entities(part)}
        ),
        "defines entities",
    ),
    (
        changed(
            renamed("sheet1.xml", "sheet1.dat"),
            edit={"xl/worksheets/sheet1.dat": lambda part: entities(part).decode().encode("utf-16")},
        ),
        "defines  ?entities",
    ),
    (changed(GOOD, edit={"xl/worksheets/sheet1.xml": lambda part: part[: len(part) // 2]}), "damaged"),
    (changed(GOOD, edit={"xl/workbook.xml": lambda part: b"<nothing/>"}), "no sheet with data"),
    (encrypted(GOOD), "without a password"),
    (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "password"),
    (GOOD[: len(GOOD) // 2], "damaged"),
    (b"category,name\n", "damaged"),
    (b"PK\x03\x04", "damaged"),
]


@pytest.mark.parametrize(("content", "words"), HOSTILE, ids=[words for _, words in HOSTILE])
async def test_what_is_more_than_cells_is_refused_by_name(content: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        await read(content)


def cells(part: bytes, count: int) -> bytes:
    return part.replace(b"</row>", b"<c/>" * count + b"</row>", 1)


def test_a_part_in_which_no_element_begins_soon_is_no_part_and_comments_are_fine() -> None:
    for fine in (b"", b"GIF89a", b"<a/>", b'\xef\xbb\xbf<?xml version="1.0"?>\r\n<!-- <!DOCTYPE --> <a/>'):
        rules.require_no_dtd("x", fine)
    for wrong in (b" " * rules.LOOK, b"<!--" + b"x" * rules.LOOK, b"<?x?><!-- --><!DOCTYPE a>"):
        with pytest.raises(Refused, match="entities"):
            rules.require_no_dtd("x", wrong)


async def test_a_row_without_end_is_given_up_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MAX_ROW", 1 << 17)
    wide = {"xl/worksheets/sheet1.xml": lambda part: cells(part, 1 << 16)}
    with pytest.raises(Refused, match="a row of more than"):
        await read(changed(GOOD, edit=wide))
    before = {"xl/worksheets/sheet1.xml": lambda part: part.replace(b"<sheetData", b"<x/>" * (1 << 16) + b"<sheetData")}
    with pytest.raises(Refused, match="before its first row"):
        await read(changed(GOOD, edit=before))


async def test_what_stands_after_the_rows_is_not_read_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MAX_ROW", 1 << 15)
    after = b"</sheetData>" + b'<x a="1"/>' * (1 << 14)
    _, records = await read(
        changed(GOOD, edit={"xl/worksheets/sheet1.xml": lambda part: part.replace(b"</sheetData>", after)})
    )
    assert [each.content for each in records] == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_a_sheet_ends_with_its_rows_in_whatever_pieces_it_comes(size: int) -> None:
    for prefix in ("", "x:"):
        sheet = f"<{prefix}worksheet><{prefix}sheetData>1</{prefix}sheetData ><{prefix}more/></{prefix}worksheet>"
        found = parts._Sheet(parts.Parts(io.BytesIO(GOOD)), io.BytesIO(sheet.encode()))
        content = b""
        while piece := found.read(size):
            content += piece
        assert content.decode() == sheet.replace(f"<{prefix}more/>", "")


def with_texts(name: str, count: int) -> bytes:
    """A workbook whose only cell is the first of so many texts, in a part of this name."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'.encode()
    cell = b'<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    texts = b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>"
    return changed(
        GOOD,
        add={name: texts + b"<si><t>x</t></si>" * count + b"</sst>"},
        edit={
            "[Content_Types].xml": lambda part: part.replace(b"</Types>", override),
            "xl/worksheets/sheet1.xml": lambda part: re.sub(rb"(?s)<sheetData>.*</sheetData>", cell, part),
        },
    )


async def test_large_parts_are_not_shown_to_the_library_whatever_they_are_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A table of texts among the sheets would be held in memory without a limit."""
    monkeypatch.setattr(parts, "MAX_PART", 30_000)
    for name, count in (("xl/worksheets/texts.xml", 100), ("xl/sharedStrings.xml", 2000)):
        _, records = await read(with_texts(name, count))
        assert [each.content for each in records] == [["x"]]
    with pytest.raises(Refused, match="damaged"):
        await read(with_texts("xl/worksheets/texts.xml", 2000))


async def test_empty_cells_and_rows_are_counted_and_a_message_has_few() -> None:
    measure = rules.Measure(1 << 20, 1 << 20, 1000)
    books = ExcelWorkbooks(measure)
    for row in (b"<row><c r='ZZZ1'/></row>", b"<row/>" * 1001):

        def first(part: bytes, row: bytes = row) -> bytes:
            return part.replace(b"<row", row + b"<row", 1)

        wide = changed(GOOD, edit={"xl/worksheets/sheet1.xml": first})
        with pytest.raises(Refused, match="more than 1,000 cells, empty ones counted"):
            _ = [some async for some in books.read(pieces(wide), None)]
    entry = rules.Entry("xl/worksheets/sheet1.xml", rules.OF_A_MESSAGE.unpacked + 1, rules.OF_A_MESSAGE.unpacked)
    with pytest.raises(Refused, match="more than 32 MiB"):
        rules.require_plain(b"PK", [entry], rules.OF_A_MESSAGE)


async def test_another_archive_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(Refused, match="not an Excel workbook"):
        await read(file.getvalue())


async def test_a_sheet_of_more_rows_than_there_can_be_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def far(part: bytes) -> bytes:
        return part.replace(b'<row r="2"', b'<row r="99999999999"').replace(b'r="A2"', b"").replace(b'r="B2"', b"")

    monkeypatch.setattr(storage, "MAX_ROWS", 1000)
    with pytest.raises(Refused, match="more than 1,000 rows"):
        await read(changed(GOOD, edit={"xl/worksheets/sheet1.xml": far}))


@pytest.mark.parametrize(
    "entries",
    [
        [rules.Entry("xl/sharedStrings.xml", rules.OF_A_FILE.texts + 1, rules.OF_A_FILE.texts)],
        [rules.Entry("xl/styles.xml", rules.MAX_PART + 1, rules.MAX_PART)],
        [rules.Entry(f"xl/worksheets/{n}.xml", 1 << 30, 1 << 29) for n in range(5)],
        [rules.Entry("xl/workbook.xml", 1, 1, method=12)],
    ],
)
def test_sizes_are_limited_by_what_the_archive_declares(entries: Sequence[rules.Entry]) -> None:
    with pytest.raises(Refused):
        rules.require_plain(b"PK\x03\x04", entries)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\ufeff"), max_size=30)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(TEXTS, min_size=2, max_size=3), min_size=1, max_size=6))
def test_any_table_of_texts_comes_back_from_a_workbook(rows: list[list[str]]) -> None:
    table = [["h1", "h2", "h3"], *rows]

    async def back() -> list[Record]:
        async def given_rows() -> AsyncIterator[list[str]]:
            for row in table:
                yield row

        content = b"".join([piece async for piece in ExcelWorkbooks().write(given_rows())])
        return (await read(content))[1]

    wanted = [row + [""] * (3 - len(row)) for row in table if any(cell.strip() for cell in row)]
    records = asyncio.run(back())
    assert [record.content for record in records] == wanted
    assert not any(record.fault for record in records)


@given(TEXTS | st.sampled_from(["=1", "+1", "-1", "@x", "'=1", "''=1", "'", "it's"]))
def test_what_is_made_harmless_begins_no_formula_and_comes_back(text: str) -> None:
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert as_given(harmless(text)) == text
