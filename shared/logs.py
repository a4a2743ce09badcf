"""Structured logs: one JSON object a line on standard output, with the ids of the work at hand and no personal data.

Whoever handles an application binds `application_id`, `event_id` and `trace_id` with `bound`; they then stand on every
line logged meanwhile.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, reset_contextvars

PERSONAL = frozenset({"email", "contact", "to", "recipient", "body", "answers", "submission", "subject", "document"})
"""Keys that may hold personal data; their values never reach a log."""


def configure(service: str, level: str = "INFO") -> None:
    """Set up structlog, and send the standard library's loggers (uvicorn, aio-pika, …) the same way."""
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service(service),
        redact,
        structlog.processors.dict_tracebacks,
    ]
    structlog.configure(
        processors=[*processors, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
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
