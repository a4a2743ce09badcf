"""Encodings are recognised where nothing else can be meant, and refused by name with what to do otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.import_encodings import Sniffer
from services.intake.domain.import_files import TextLines
from services.intake.domain.import_layout import Encoding, separator_of
from shared.errors import Refused


def encoding_of(content: bytes, declared: Encoding | None = None, piece: int = 1 << 20) -> Encoding:
    """What a file that comes in pieces is taken for."""
    sniffer = Sniffer(declared)
    for start in range(0, len(content), piece):
        sniffer.feed(content[start : start + piece])
    sniffer.feed(b"", final=True)
    return sniffer.encoding()


@pytest.mark.parametrize("piece", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"name\nplain\n", "utf-8"),
        ("name\nKöln, 東京\n".encode(), "utf-8"),
        ("name\nKöln\n".encode("utf-8-sig"), "utf-8-sig"),
        ("\ufeffname\nKöln\n".encode("utf-16-le"), "utf-16-le"),
        ("\ufeffname\nKöln\n".encode("utf-16-be"), "utf-16-be"),
        ("name\nKöln, Müller, Straße, Café – „gut“\n".encode("cp1252"), "windows-1252"),
        (b"", "utf-8"),
    ],
)
def test_what_a_file_is_is_told_in_whatever_pieces_it_comes(content: bytes, encoding: str, piece: int) -> None:
    assert encoding_of(content, piece=piece) == encoding


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Čeněk Dvořák".encode("cp1250"), "send it as `charset=windows-1252`"),
        ("Crèche".encode("cp1252"), "may be 'è' or 'č'"),
        ("Привет, мир".encode("cp1251"), "one of several older encodings"),
        ("Café München".encode("cp850"), "not UTF-8"),
        ("Żółć gęślą".encode("iso-8859-2"), "not UTF-8"),
        ("Ünlü Şişli".encode("cp1254"), "not UTF-8"),
        ("日本語".encode("shift-jis"), "not UTF-8"),
        ("Köln ".encode() + "Köln".encode("cp1252"), "its byte 8 cannot be read"),
        ("é".encode()[:1], "not UTF-8"),
        ("a,b".encode("utf-32"), "UTF-32"),
        (b"PK\x03\x04....", "an archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_would_be_a_guess_is_refused_with_how_to_save_it(content: bytes, words: str) -> None:
    with pytest.raises(Refused) as refused:
        encoding_of(content)
    assert words in str(refused.value)
    assert "UTF-8" in str(refused.value)


def test_what_is_declared_is_believed_unless_it_cannot_be() -> None:
    assert encoding_of("Crèche".encode("cp1252"), "windows-1252") == "windows-1252"
    assert encoding_of("\ufeffa".encode("utf-16-le"), "windows-1252") == "utf-16-le"
    with pytest.raises(Refused, match="0x81 means nothing"):
        encoding_of(b"a\x81", "windows-1252")
    with pytest.raises(Refused, match="its byte 2 cannot be read"):
        encoding_of(b"K\xf6ln", "utf-8")


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), min_size=1),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]),
    st.integers(1, 9),
)
def test_any_text_comes_back_from_every_unicode_encoding(text: str, encoding: Encoding, piece: int) -> None:
    content = ("\ufeff" + text if encoding != "utf-8" else text).encode(encoding.removesuffix("-sig"))
    assert encoding_of(content, piece=piece) == encoding
    lines = TextLines(encoding)
    read = [line.text for at in range(0, len(content), piece) for line in lines.feed(content[at : at + piece])]
    assert [*read, *(line.text for line in lines.feed(b"", final=True))] == [text]


@settings(deadline=None)
@given(st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), min_size=1))
def test_a_file_taken_for_windows_1252_unasked_would_read_the_same_in_every_latin_code_page(text: str) -> None:
    content = text.encode("cp1252")
    try:
        encoding = encoding_of(content)
    except Refused:
        return
    if encoding == "windows-1252":
        assert content.decode("cp1250") == content.decode("cp1257", "replace") == text


@pytest.mark.parametrize(
    ("beginning", "separator"),
    [
        ("a,b,c\n1,2;3;4;5,6\n", ","),
        ("a;b;c\n", ";"),
        ("a\tb\n", "\t"),
        ('"a;b;c",d\n', ","),
        ("\n\n a;b\n", ";"),
        ("only\n", ","),
        ("", ","),
    ],
)
def test_what_parts_the_cells_is_told_by_the_header(beginning: str, separator: str) -> None:
    assert separator_of(beginning) == separator
