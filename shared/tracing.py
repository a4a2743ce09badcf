"""The W3C trace context of the work at hand, in a context variable.

HTTP requests and consumed events enter a trace; log lines carry its id and published events its `traceparent`.
Format: https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

_FORMAT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def new_traceparent(trace_id: str | None = None) -> str:
    """A fresh `traceparent` with a new span id; also a new trace id (32 hex digits) unless one is given."""
    return f"00-{trace_id or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id_of(traceparent: str | None) -> str | None:
    """The 32 hex digits of a well-formed `traceparent`, or None."""
    match = _FORMAT.fullmatch(traceparent or "")
    return match.group(1) if match else None


def current_traceparent() -> str | None:
    """The `traceparent` to put on what is published or called now; None outside any trace."""
    return _current.get()


@contextmanager
def tracing(received: str | None = None) -> Iterator[str]:
    """Do the work inside as one span: of the trace that a received `traceparent` names, or of a new one.

    Yields the span's own `traceparent` and binds `trace_id` to every log line written inside.
    """
    trace_id = trace_id_of(received)
    traceparent = new_traceparent(trace_id)
    token = _current.set(traceparent)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace_id_of(traceparent)):
            yield traceparent
    finally:
        _current.reset(token)
