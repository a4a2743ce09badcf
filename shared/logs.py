"""Structured logs: one JSON object a line on standard output, with the ids of the work at hand and no personal data.

Whoever handles an application binds `application_id`, `event_id` and `trace_id` with `bound`; they then stand on every
line logged meanwhile.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import structlog
from structlog.contextvars import bind_contextvars, reset_contextvars

from shared.errors import AccedeError

MAX_FRAMES: Final = 12
"""The innermost frames of an error that are logged."""

PERSONAL = frozenset(
    {"email", "contact", "to", "recipient", "body", "answers", "submission", "subject", "document", "envelope"}
    | {"address", "data", "html", "text", "value", "input"}
)
"""Keys that may hold personal data; their values never reach a log."""


def configure(service: str, level: str = "INFO") -> None:
    """Set up structlog, and send the standard library's loggers (uvicorn, aio-pika, …) the same way."""
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service(service),
        redact,
        explain,
    ]
    structlog.configure(
        processors=[*processors, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_without_contents)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def redact(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace values of keys that may hold personal data."""
    for key in PERSONAL & entry.keys():
        entry[key] = "(not logged)"
    return entry


def explain(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by `exception`: of the error and each one it came from, its type and where it happened.

    Messages are kept of our own errors and the system's alone: others quote what people wrote.
    """
    given = entry.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        entry["exception"] = [_explained(each) for each in _chain(error)]
    return entry


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _explained(error: BaseException) -> dict[str, Any]:
    explained: dict[str, Any] = {"type": type(error).__name__}
    if isinstance(error, (AccedeError, OSError)):
        explained["message"] = str(error)
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return {**explained, "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def _without_contents(record: logging.LogRecord) -> bool:
    """Libraries log their objects, and some of those hold whole messages: their types have to do."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            each if isinstance(each, (str, int, float, OSError)) else type(each).__name__ for each in record.args
        )
    return True


def _service(name: str) -> structlog.typing.Processor:
    def add(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        entry["service"] = name
        return entry

    return add


@contextmanager
def bound(**ids: str | None) -> Iterator[None]:
    """Put ids on every line logged inside."""
    tokens = bind_contextvars(**{name: value for name, value in ids.items() if value})
    try:
        yield
    finally:
        reset_contextvars(**tokens)
