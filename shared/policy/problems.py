"""What is wrong with a policy pack, each with its file and line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import Permanent


@dataclass(frozen=True, slots=True, order=True)
class PackError:
    """One mistake in a pack. `file` is relative to the pack's folder; `line` counts from 1."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class PackInvalid(Permanent):
    """A pack cannot be used. `errors` has every mistake found, in the order of files and lines."""

    def __init__(self, errors: Iterable[PackError]) -> None:
        self.errors: tuple[PackError, ...] = tuple(sorted(set(errors)))
        super().__init__("\n".join(str(error) for error in self.errors))
