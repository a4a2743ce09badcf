"""A file is what is in it: nine kinds are taken, and everything else is refused with a sentence that says what it is."""

from __future__ import annotations

import io
import zipfile

import pytest

from services.intake.domain.evidence_types import KINDS, recognise
from services.intake.domain.file_names import LONGEST, clean_name, suffix_of
from shared.errors import Refused
from tests.unit.intake.documents import (
    DOCX,
    EXCEL,
    JPEG,
    ODS,
    ODT,
    PDF,
    PNG,
    TEXT,
    WEBP,
    WORD,
    XLSX,
    archive,
    office,
    open_document,
    png,
)


def kind_of(content: bytes, name: str) -> tuple[str, str]:
    kind, clean = recognise(io.BytesIO(content), len(content), name)
    return kind.id, clean


def refusal_of(content: bytes, name: str) -> str:
    with pytest.raises(Refused) as refused:
        recognise(io.BytesIO(content), len(content), name)
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PDF, "letter.pdf", "pdf"),
        (PNG, "scan.PNG", "png"),
        (JPEG, "scan.jpg", "jpeg"),
        (JPEG, "scan.jpeg", "jpeg"),
        (WEBP, "scan.webp", "webp"),
        (DOCX, "letter.docx", "docx"),
        (XLSX, "list.xlsx", "xlsx"),
        (ODT, "letter.odt", "odt"),
        (ODS, "list.ods", "ods"),
        (TEXT, "note.txt", "text"),
        (b"\xef\xbb\xbf" + TEXT, "note.txt", "text"),
        (b"BM Legal certifies, in MZ 2021, that", "note.txt", "text"),
        (b"Two < three, and <b> is bold.", "note.txt", "text"),
        (PDF + b"\r\n\r\n", "letter.pdf", "pdf"),
        (png((b"tEXt", b"Comment\0Made <here>")), "scan.png", "png"),
    ],
)
def test_each_kind_that_is_taken_is_recognised_by_its_content(content: bytes, name: str, kind: str) -> None:
    assert kind_of(content, name) == (kind, name)
    assert name.lower().endswith(KINDS[kind].suffixes)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00" + bytes(100), "a Windows program"),
        (b"\x7fELF" + bytes(100), "a Linux program"),
        (b"\xca\xfe\xba\xbe" + bytes(100), "a macOS or Java program"),
        (b"#!/bin/sh\nrm -rf /\n", "a script"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "an old Office document"),
        (b"{\\rtf1 hello}", "Rich Text"),
        (b"GIF89a" + bytes(20), "a GIF picture"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(20), "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(20), "a 7-Zip archive"),
        (b"\x1f\x8b\x08" + bytes(20), "a gzip archive"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(20), "HEIC"),
        (b"<!DOCTYPE html><title>x</title>", "a web page"),
        (b"\n  <HTML><body onload=alert(1)>", "a web page"),
        (b"harmless\n<script>alert(1)</script>", "a web page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "an SVG picture"),
        (b'<?xml version="1.0"?><svg/>', "an SVG picture"),
        (b'<?xml version="1.0"?><x/>', "a web page or XML"),
        ("Größe".encode("utf-16"), "UTF-16"),
        ("Größe".encode("latin-1"), "not recognised"),
        (b"text\x00with a zero", "not recognised"),
        (b"\x1b]0;title\x07", "not recognised"),
        ("cut off ü".encode()[:-1], "not recognised"),
        (archive({"a.txt": "x"}), "a ZIP archive"),
        (archive({"META-INF/MANIFEST.MF": "x", "A.class": "x"}), "a ZIP archive"),
        (archive({"word/document.xml": "x"}), "a ZIP archive"),
        (b"PK\x05\x06" + bytes(18), "an empty ZIP archive"),
        (b"PK\x03\x04" + bytes(60), "damaged"),
        (DOCX[:-30], "damaged"),
        (PDF[: len(PDF) // 2], "its end is missing"),
        (PNG[:-12], "its end is missing"),
        (PNG[:20], "its end is missing"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(50), "is none"),
        (WEBP[:-6], "not as long as it says"),
    ],
)
def test_everything_else_is_refused_by_name(content: bytes, words: str) -> None:
    assert words in refusal_of(content, "letter.pdf")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PDF + archive({"a.class": "x"}), "an archive in it"),
        (PNG + archive({"a.class": "x"}), "Behind the PNG picture"),
        (JPEG + archive({"a.class": "x"}), "an archive in it"),
        (TEXT + archive({"a.txt": "x"}), "not recognised"),
        (png((b"tEXt", b"Comment\0<script>alert(1)</script>")), "a web page in it"),
        (png((b"tEXt", b"Comment\0%PDF-1.4")), "a PDF document in it"),
        (b"Dear all\n%PDF-1.4", "a PDF document in it"),
        (archive({"%PDF-1.4": "x", "[Content_Types].xml": WORD, "word/document.xml": "x"}, stored=True), "a PDF"),
        (
            archive({"mimetype": "application/vnd.oasis.opendocument.text", "[Content_Types].xml": WORD}),
            "a ZIP archive",
        ),
        (archive({"a.txt": "x"}) + DOCX, "two kinds at once"),
    ],
)
def test_a_file_that_is_two_kinds_at_once_is_refused(content: bytes, words: str) -> None:
    assert words in refusal_of(content, "letter.pdf")


@pytest.mark.parametrize(
    "content",
    [
        office(WORD, **{"word/vbaProject.bin": b"x"}),
        office(EXCEL, **{"xl/VBAPROJECT.BIN": b"x"}),
        office(EXCEL, **{"xl/macrosheets/sheet1.xml": "x"}),
        office(WORD, **{"word/activeX/activeX1.bin": b"x"}),
        office("application/vnd.ms-word.document.macroEnabled.main+xml"),
        office("application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
        open_document("text", **{"Basic/Standard/Module1.xml": "x"}),
        open_document("spreadsheet", **{"Scripts/python/run.py": "x"}),
    ],
)
def test_documents_with_macros_are_refused(content: bytes) -> None:
    assert "macros" in refusal_of(content, "letter.docx")


def test_other_office_documents_and_those_with_a_password_are_refused() -> None:
    slides = office("application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml")
    assert "of a kind that is not taken" in refusal_of(slides, "talk.docx")
    assert "of a kind that is not taken" in refusal_of(open_document("presentation"), "talk.odt")
    locked = open_document("text", **{"META-INF/manifest.xml": "<manifest:encryption-data/>"})
    assert "password" in refusal_of(locked, "letter.odt")
    encrypted = bytearray(DOCX)
    directory = encrypted.index(b"PK\x01\x02")
    encrypted[directory + 8] |= 1
    assert "password" in refusal_of(bytes(encrypted), "letter.docx")


def test_an_archive_that_would_take_a_lot_of_memory_is_not_opened() -> None:
    many = archive({"[Content_Types].xml": WORD, **{f"{number}.xml": "" for number in range(6000)}})
    assert "more parts" in refusal_of(many, "letter.docx")
    bomb = archive({"[Content_Types].xml": WORD + " " * (2 << 20)})
    assert "damaged" in refusal_of(bomb, "letter.docx")
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as into:
        into.writestr("[Content_Types].xml", WORD)
        into.writestr("[CONTENT_TYPES].XML", EXCEL)
    assert "damaged" in refusal_of(twice.getvalue(), "letter.docx")


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (PDF, "letter.pdf.exe", "a PDF document, but its name ends in “.exe”: rename it to end in .pdf"),
        (PDF, "letter.docx", "a PDF document, but its name ends in “.docx”"),
        (DOCX, "letter.pdf", "a Word document, but its name ends in “.pdf”"),
        (DOCX, "list.xlsx", "a Word document, but its name ends in “.xlsx”"),
        (DOCX, "letter.docm", "a Word document, but its name ends in “.docm”"),
        (PNG, "scan.jpg", "a PNG picture, but its name ends in “.jpg”: rename it to end in .png"),
        (TEXT, "page.html", "a plain text, but its name ends in “.html”"),
        (TEXT, "run.bat", "a plain text, but its name ends in “.bat”"),
    ],
)
def test_a_name_that_says_something_else_is_refused_by_what_was_found(content: bytes, name: str, words: str) -> None:
    assert words in refusal_of(content, name)


def test_a_name_without_an_ending_gets_the_right_one() -> None:
    assert kind_of(PDF, "Note verbale 12.2021") == ("pdf", "Note verbale 12.2021.pdf")
    assert kind_of(PDF, "letter") == ("pdf", "letter.pdf")
    assert kind_of(TEXT, "") == ("text", "document.txt")
    assert kind_of(JPEG, "Act of St. Mary") == ("jpeg", "Act of St. Mary.jpg")


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\letter.pdf", "letter.pdf"),
        ("/tmp/.hidden.pdf", "hidden.pdf"),
        ("...", "document"),
        ("", "document"),
        ("a\r\nSet-Cookie: x=1.pdf", "a_Set-Cookie_ x=1.pdf"),
        ("a\x00b.pdf", "a_b.pdf"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("in\u200bvoice\u2066.pdf\ufeff", "in_voice_.pdf_"),
        ('say "hello"; rm *.pdf', "say _hello_; rm _.pdf"),
        ("con.pdf", "_con.pdf"),
        ("NUL", "_NUL"),
        ("Enfance Protégée – statuts.pdf", "Enfance Protégée – statuts.pdf"),
        ("e\u0301tat.pdf", "état.pdf"),
        ("登録証.pdf", "登録証.pdf"),
        ("letter.pdf. . ", "letter.pdf"),
    ],
)
def test_names_are_made_safe(given: str, clean: str) -> None:
    assert clean_name(given) == clean


def test_a_long_name_keeps_its_ending() -> None:
    name = clean_name("a" * 400 + ".pdf")
    assert (len(name), suffix_of(name)) == (LONGEST, "pdf")
    assert len(clean_name("a" * 400)) == LONGEST


def test_a_reversed_name_cannot_hide_its_ending() -> None:
    assert kind_of(PDF, "exe.\u202efdp") == ("pdf", "exe._fdp.pdf")
    assert "ends in “.exe”" in refusal_of(PDF, "letter\u202efdp.exe")
