"""Runs expressions in ZEN. The only module that knows the library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import zen

from shared.policy.base import Value
from shared.policy.expressions import Reading, read


class FormulaError(Exception):
    """An expression cannot be compiled, failed while it ran, or did not answer yes or no."""


class Formula:
    """A compiled yes-or-no expression over flat dotted names.

    It sees only the names it reads: ZEN's cost is converting the context, about a microsecond for a handful of values
    and a hundred for a whole application.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.reading: Reading = read(expression)
        if self.reading.problems:
            raise FormulaError("; ".join(self.reading.problems))
        try:
            self._compiled = zen.compile_expression(expression)
        except Exception as error:  # the library raises RuntimeError and ValueError alike, undocumented
            raise FormulaError(_said(error)) from error
        self._paths = [(name, tuple(name.split("."))) for name in self.reading.names]

    def holds(self, values: Mapping[str, Value]) -> bool:
        """The answer for these values by name; each name the expression reads must be there and not None."""
        try:
            found = self._compiled.evaluate(_nested(self._paths, values))
        except Exception as error:
            raise FormulaError(_said(error)) from error
        if not isinstance(found, bool):
            raise FormulaError(f"answers {found!r}, not true or false")
        return found


def _nested(paths: Iterable[tuple[str, tuple[str, ...]]], values: Mapping[str, Value]) -> dict[str, Any]:
    """ZEN reads `a.b` as a field of an object, so dotted names become objects within objects."""
    context: dict[str, Any] = {}
    for name, (*parents, last) in paths:
        inner = context
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = values[name]
    return context


def _said(error: Exception) -> str:
    """The library's sentence without the stack trace it appends."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
