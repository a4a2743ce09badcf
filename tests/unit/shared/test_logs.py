"""Logs are one JSON object a line, with ids and without what people wrote."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from shared import logs
from shared.errors import Permanent
from shared.tracing import tracing

Lines = Callable[[], list[dict[str, Any]]]
SECRET = "jane.doe@example.org"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    root = logging.getLogger()
    before, level = root.handlers, root.level
    logs.configure("tests", "INFO")
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers, root.level = before, level
    structlog.reset_defaults()


def logger() -> Any:
    return structlog.get_logger("tests.logs")


def test_a_line_says_when_who_how_loud_and_what(lines: Lines) -> None:
    logger().info("stored", rows=3)
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "stored", "level": "info", "service": "tests", "rows": 3}


def test_what_is_too_quiet_is_not_written(lines: Lines) -> None:
    logger().debug("details")
    assert lines() == []


def test_ids_stand_on_every_line_inside_and_on_none_after(lines: Lines) -> None:
    with logs.bound(application_id="a", event_id=None), tracing() as traceparent:
        logger().info("inside")
        with logs.bound(application_id="b"):
            logger().info("further inside")
    logger().info("outside")
    inside, further, outside = lines()
    assert inside["application_id"] == "a"
    assert inside["trace_id"] == traceparent.split("-")[1]
    assert "event_id" not in inside
    assert further["application_id"] == "b"
    assert not {"application_id", "trace_id"} & outside.keys()


@pytest.mark.parametrize("key", sorted(logs.PERSONAL))
def test_personal_data_is_redacted(lines: Lines, key: str) -> None:
    logger().info("oops", **{key: SECRET})
    [line] = lines()
    assert line[key] == "(not logged)"


def raise_(error: BaseException, cause: BaseException | None = None) -> None:
    raise error from cause


def test_an_error_is_told_by_type_and_place_and_not_by_its_message(lines: Lines) -> None:
    try:
        raise_(ValueError(f"{SECRET} is no number"))
    except ValueError as error:
        logger().error("failed", exc_info=error)
    [line] = lines()
    [told] = line["exception"]
    assert told["type"] == "ValueError"
    assert "test_logs.py" in told["at"][-1]
    assert told["at"][-1].endswith("raise_")
    assert SECRET not in str(line)


def test_our_own_errors_and_the_systems_keep_their_messages_and_their_causes(lines: Lines) -> None:
    try:
        raise_(Permanent("a rule is broken"), ConnectionRefusedError(111, "Connection refused"))
    except Permanent:
        logger().error("failed", exc_info=True)
    [line] = lines()
    assert [told["message"] for told in line["exception"]] == ["a rule is broken", "[Errno 111] Connection refused"]


def test_no_local_variable_of_a_failing_function_is_told(lines: Lines) -> None:
    applicant = SECRET
    try:
        raise_(KeyError(applicant))
    except KeyError:
        logger().error("failed", exc_info=sys.exc_info())
    assert SECRET not in str(lines())


def test_an_error_that_is_none_is_left_out(lines: Lines) -> None:
    logger().error("failed", exc_info=None)
    logger().error("failed", exc_info=True)
    assert all("exception" not in line for line in lines())


def test_libraries_log_the_same_way_and_their_objects_are_told_by_type(lines: Lines) -> None:
    class Message:
        def __repr__(self) -> str:
            return f"<Message {SECRET}>"

    library = logging.getLogger("aiormq.connection")
    library.info("too quiet")
    library.warning("Message %r came back from %s:%d: %s", Message(), "broker", 5672, ConnectionError("gone"))
    try:
        raise_(RuntimeError(SECRET))
    except RuntimeError:
        library.exception("callback failed")
    first, second = lines()
    assert first["event"] == "Message 'Message' came back from broker:5672: gone"
    assert first["level"] == "warning"
    assert first["service"] == "tests"
    assert second["exception"][0]["type"] == "RuntimeError"
    assert SECRET not in str((first, second))


def test_errors_that_caused_each_other_in_a_circle_are_told_once(lines: Lines) -> None:
    one, other = Permanent("one"), Permanent("other")
    one.__cause__, other.__cause__ = other, one
    logger().error("failed", exc_info=one)
    [line] = lines()
    assert len(line["exception"]) == 2
