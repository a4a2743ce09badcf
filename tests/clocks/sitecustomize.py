"""What Python runs at the start of a process with a wrong clock: see the package. It imports nothing that keeps the time."""

from __future__ import annotations

import datetime
import os
import time
from typing import Any

_RIGHT = datetime.datetime
_OFF = datetime.timedelta(seconds=float(os.environ.get("TEST_CLOCK_OFF", "0")))


class _Datetimes(type):
    """Every datetime counts as one of the wrong clock's, since that one makes none but ordinary ones."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _RIGHT)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _RIGHT)


class _Wrong(_RIGHT, metaclass=_Datetimes):
    """`datetime` as a machine with a wrong clock has it."""

    def __new__(cls, *parts: Any, **named: Any) -> Any:
        return _RIGHT(*parts, **named)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return _RIGHT.now(tz) + _OFF

    @classmethod
    def utcnow(cls) -> Any:
        return _RIGHT.now(datetime.UTC).replace(tzinfo=None) + _OFF

    @classmethod
    def today(cls) -> Any:
        return _RIGHT.now() + _OFF


def _set_wrong() -> None:
    seconds, nanoseconds = time.time, time.time_ns
    off = _OFF.total_seconds()
    time.time = lambda: seconds() + off
    time.time_ns = lambda: nanoseconds() + int(off * 1_000_000_000)
    datetime.datetime = _Wrong  # type: ignore[misc]


if _OFF:
    _set_wrong()
