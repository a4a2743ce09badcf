"""From bytes to records: strict UTF-8, and broken records that cost their neighbours nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain import import_files
from services.intake.domain.import_encodings import Sniffer
from services.intake.domain.import_files import MAX_RECORD_LINES, CsvRecords, JsonRecords, Line, Record, TextLines
from shared.errors import Refused


def records(
    content: bytes, kind: type[CsvRecords] | type[JsonRecords] = CsvRecords, piece: int = 1 << 20
) -> list[Record]:
    """All records of a file that comes in pieces."""
    lines, reader = TextLines(), kind()
    found: list[Record] = []
    for start in range(0, len(content), piece):
        found += reader.feed(lines.feed(content[start : start + piece]))
    return [*found, *reader.feed(lines.feed(b"", final=True), final=True)]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff") | st.sampled_from('",\n')
            ),
            min_size=2,
            max_size=4,
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_csv_file_reads_as_it_was_written_in_whatever_pieces_it_comes(
    rows: list[list[str]], piece: int, end: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows(rows)
    read = [record.content for record in records(text.getvalue().encode(), piece=piece)]
    assert read == [row for row in rows if any(cell.strip() for cell in row)]


def test_a_byte_order_mark_and_a_last_line_without_an_end_are_fine() -> None:
    found = records("\ufeffa,b\r\né,2".encode(), piece=1)
    assert [(each.row, each.line, each.content) for each in found] == [(0, 1, ["a", "b"]), (1, 2, ["é", "2"])]


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_other_encodings_are_refused_by_the_place_of_the_first_bad_byte(piece: int) -> None:
    with pytest.raises(Refused, match=r"its byte 5 cannot be read.*UTF-8"):
        records(b"a,b\n\xe9\xe9,1\n", piece=piece)
    with pytest.raises(Refused, match="byte 2 "):
        records("aé".encode()[:2] + b"\xff", piece=piece)
    with pytest.raises(Refused, match="not UTF-8"):
        records("é".encode()[:1])


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row_alone() -> None:
    found = records(b'h,i\n1,"open\n2,ok\n3,ok\n')
    assert [(each.row, each.line) for each in found if each.fault] == [(1, 2)]
    assert [each.content for each in found if not each.fault] == [["h", "i"], ["2", "ok"], ["3", "ok"]]
    assert "never closed" in (found[1].fault or "")


def test_a_stray_quotation_mark_does_not_swallow_the_row_that_closes_it() -> None:
    found = records(b'h,i\n1,"a" b\n2,"good"\n3,"open\n4,"good"\n')
    assert [each.line for each in found if each.fault] == [2, 4]
    assert [each.content for each in found if not each.fault] == [["h", "i"], ["2", "good"], ["4", "good"]]


def test_an_open_quotation_mark_is_given_up_after_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MAX_RECORD_LINES", 3)
    found = records(b'h\n"a\n1\n2\n3\n4\n', piece=2)
    assert [(each.line, bool(each.fault)) for each in found] == [(n, n == 2) for n in range(1, 7)]


def test_open_quotation_marks_make_nobody_read_a_line_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # each line ends in an open cell: the one closes what the line before it opened, the other leaves it open for good
    closing, leaving_open = "x" + '","' * 600 + "y", 'x",".'
    read = 0
    reader = csv.reader

    def counted(lines: Iterable[str], **options: Any) -> Any:
        def handed_over() -> Iterator[str]:
            nonlocal read
            for line in lines:
                read += 1
                yield line

        return reader(handed_over(), **options)

    monkeypatch.setattr(csv, "reader", counted)
    for line in (closing, leaving_open):
        read = 0
        found = records(b"a,b\n" + f"{line}\n".encode() * 2000)
        assert len(found) == 2001
        assert read <= 4 * len(found) + MAX_RECORD_LINES


@settings(deadline=None)
@given(st.lists(st.text('x,"', max_size=6), max_size=12), st.integers(1, 9), st.booleans())
def test_what_is_known_of_open_quotation_marks_changes_no_record(texts: list[str], piece: int, last: bool) -> None:
    class Forgetful(CsvRecords):
        def _known(self, first: Line, final: bool) -> None:
            return None

    content = ("\n".join(texts) + "\n" * last).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_files, "MAX_RECORD_LINES", 4)
        patch.setattr(import_files, "MAX_LINE", 14)
        assert records(content, piece=piece) == records(content, Forgetful, piece)


def test_a_record_is_no_longer_than_a_line_may_be_however_many_lines_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MAX_LINE", 10)
    found = records(b'h\n"a\nbb\nc"\n"aaaaa\nbbbbb\nc"\n"a\n' + b"x" * 11 + b'\n"\n')
    assert [(each.line, bool(each.fault)) for each in found] == [
        (1, False),
        (2, False),
        (5, True),
        (6, False),
        (7, False),
        (8, True),
        (9, True),
        (10, True),
    ]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.text(alphabet='ab",\n\u00e9', max_size=9), min_size=1, max_size=4), min_size=1, max_size=9),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.integers(1, 30),
)
def test_well_formed_files_are_read_as_the_csv_module_reads_them(
    rows: list[list[str]], quoting: Any, piece: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting).writerows(rows)
    plain = csv.reader(io.StringIO(text.getvalue(), newline=""), strict=True)
    wanted = [row for row in plain if any(cell.strip() for cell in row)]
    found = records(text.getvalue().encode(), piece=piece)
    assert [each.content for each in found] == wanted
    assert not any(each.fault for each in found)


def test_a_line_too_long_is_an_error_of_that_row_and_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MAX_LINE", 10)
    lines = TextLines()
    assert lines.feed(b"x" * 11) == []
    assert lines._rest == ""
    assert [(line.number, line.text, line.too_long) for line in lines.feed(b"yy\nok\n")] == [
        (1, "", True),
        (2, "ok", False),
    ]
    for kind in (CsvRecords, JsonRecords):
        found = records(b"12345678901\n2\n", kind, piece=4)
        assert [bool(each.fault) for each in found] == [True, False]
    assert records(b"1\n12345678901", piece=4)[1].fault


def test_a_cell_too_long_is_an_error_of_that_row() -> None:
    content = f"h\n{'x' * 200_000}\nok\n".encode()
    assert [(each.fault or "").partition(" is longer")[0] for each in records(content)] == ["", "A cell", ""]


def test_line_breaks_of_old_macs_are_named() -> None:
    assert "old Macs" in (records(b"a\rb\n")[0].fault or "")
    assert "old Macs" in (records(b"a,b\rc,d\r")[0].fault or "")
    assert "quotation marks" in (records(b"a\nb\rc\n")[1].fault or "")


def test_line_breaks_of_old_macs_are_named_in_a_file_longer_than_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MAX_LINE", 10)
    with pytest.raises(Refused, match="old Macs"):
        records(b"a,b\r" * 10)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_character_are_known_without_a_byte_order_mark(encoding: str) -> None:
    sniffer = Sniffer()
    sniffer.feed("a,b\n\u0424,d\n".encode(encoding), final=True)
    with pytest.raises(Refused, match="looks like UTF-16"):
        sniffer.encoding()
    ordinary = Sniffer()
    ordinary.feed(b"a\x00,b\n", final=True)
    assert ordinary.encoding() == "utf-8"


def test_blank_rows_are_passed_over_and_not_counted() -> None:
    found = records(b"\n,,\nh,i\n\n , \n1,2\n")
    assert [(each.row, each.line) for each in found] == [(0, 3), (1, 6)]
    lines = records(b'\n{"a": 1}\n  \n{"b": 2}', JsonRecords)
    assert [(each.row, each.line, each.content) for each in lines] == [(1, 2, {"a": 1}), (2, 4, {"b": 2})]


def test_a_broken_json_line_says_what_is_wrong() -> None:
    found = records(b'{"a": 1, "a": 2}\n[1\n' + json.dumps({"ok": True}).encode(), JsonRecords)
    assert "twice" in (found[0].fault or "")
    assert "not JSON" in (found[1].fault or "")
    assert found[2].content == {"ok": True}
