"""The mailbox's store: the same behaviour whether messages lie in memory or in a file."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.local.mailbox.messages import MemorySpool, Messages, Search, Spool, decoded, indexed_headers
from deploy.local.mailbox.spool import FileSpool


def email(number: int = 1, subject: str = "Your application") -> bytes:
    """A small message."""
    return f"Message-ID: <{number}@alliance.example>\r\nSubject: {subject}\r\n\r\nHello.\r\n".encode()


@pytest.fixture(params=["memory", "file"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spool]:
    if request.param == "memory":
        yield MemorySpool()
        return
    file = FileSpool(tmp_path / "box" / "messages")
    yield file
    file.close()


@pytest.fixture
def messages(spool: Spool) -> Messages:
    return Messages(spool)


def ids(found: Iterator[object]) -> list[int]:
    return [stored.id for stored in found]  # type: ignore[attr-defined]


def test_a_message_comes_back_byte_for_byte(messages: Messages) -> None:
    messages.add("a@alliance.example", ("first@org.example",), email(1), 100.0)
    stored = messages.add("a@alliance.example", ("second@org.example",), email(2), 101.0)
    assert messages.raw(stored) == email(2)
    assert messages.get(stored.id) == stored
    assert stored.message_id == "2@alliance.example"


def test_an_unknown_number_finds_nothing(messages: Messages) -> None:
    assert messages.get(1) is None


def test_the_newest_come_first(messages: Messages) -> None:
    for number in range(3):
        messages.add("a@alliance.example", ("x@org.example",), email(number), float(number))
    assert ids(messages.search(Search())) == [3, 2, 1]


def test_search_takes_parts_of_recipient_and_subject_in_any_case(messages: Messages) -> None:
    messages.add("a@alliance.example", ("Ann@Org.example", "bob@other.example"), email(1, "Received"), 1.0)
    messages.add("a@alliance.example", ("cid@org.example",), email(2, "On hold"), 2.0)
    assert ids(messages.search(Search(to="ann@org"))) == [1]
    assert ids(messages.search(Search(to="org.example"))) == [2, 1]
    assert ids(messages.search(Search(subject="HOLD"))) == [2]
    assert ids(messages.search(Search(to="bob", subject="hold"))) == []


def test_search_by_message_id_and_by_time(messages: Messages) -> None:
    messages.add("a@alliance.example", ("x@org.example",), email(1), 1.0)
    messages.add("a@alliance.example", ("x@org.example",), email(2), 2.0)
    assert ids(messages.search(Search(message_id="1@alliance.example"))) == [1]
    assert ids(messages.search(Search(since=datetime.fromtimestamp(2, UTC)))) == [2]


def test_a_message_to_two_that_both_match_is_found_once(messages: Messages) -> None:
    messages.add("a@alliance.example", ("x@org.example", "y@org.example"), email(1), 1.0)
    assert ids(messages.search(Search(to="org"))) == [1]


def test_numbers_are_not_used_again_after_everything_was_deleted(messages: Messages) -> None:
    messages.add("a@alliance.example", ("x@org.example",), email(1), 1.0)
    assert messages.clear() == 1
    assert len(messages) == 0
    stored = messages.add("a@alliance.example", ("x@org.example",), email(2), 2.0)
    assert stored.id == 2
    assert messages.raw(stored) == email(2)


def test_a_restart_keeps_what_lies_in_the_file(tmp_path: Path) -> None:
    first = FileSpool(tmp_path / "messages")
    before = Messages(first)
    stored = before.add("a@alliance.example", ("x@org.example",), email(1), 1.0)
    first.close()
    second = FileSpool(tmp_path / "messages")
    after = Messages(second, second.kept())
    assert after.get(stored.id) == stored
    assert after.raw(stored) == email(1)
    assert after.add("a@alliance.example", ("y@org.example",), email(2), 2.0).id == 2
    second.close()


def test_a_record_cut_short_by_a_kill_is_dropped_and_those_before_it_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    spool = FileSpool(path)
    box = Messages(spool)
    for number in (1, 2):
        box.add("a@alliance.example", ("x@org.example",), email(number), 1.0)
    spool.close()
    path.write_bytes(path.read_bytes()[:-10])
    spool = FileSpool(path)
    box = Messages(spool, spool.kept())
    assert ids(box.search(Search())) == [1]
    assert box.raw(box.add("a@alliance.example", ("x@org.example",), email(3), 2.0)) == email(3)
    spool.close()


def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("Years of work")
    with pytest.raises(ValueError, match="not a mailbox's file"):
        FileSpool(path)
    assert path.read_text() == "Years of work"


def test_the_mailbox_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    FileSpool(tmp_path / "messages").close()
    assert (tmp_path / "messages").stat().st_mode & 0o777 == 0o600


def test_headers_are_found_whatever_their_case_and_folding_and_never_in_the_body() -> None:
    message = b"MESSAGE-ID:\r\n <long@alliance.example>\r\nsubject: one\r\n two\r\n\r\nSubject: three\r\n"
    message_id, subject = indexed_headers(message)
    assert message_id == "long@alliance.example"
    assert decoded(subject) == "one two"
    assert indexed_headers(b"\r\nSubject: in the body\r\n") == ("", b"")


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"Plain", "Plain"),
        (b"=?utf-8?b?wqFIb2xhIQ==?=", "¡Hola!"),
        (b"=?utf-8?q?caf=C3=A9?= now", "café now"),
        (b"=?no-such-charset?q?x?=", "=?no-such-charset?q?x?="),
        ("déjà".encode(), "déjà"),
    ],
)
def test_subjects_are_shown_as_a_person_reads_them(raw: bytes, read: str) -> None:
    assert decoded(raw) == read
