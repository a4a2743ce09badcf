"""Pauses in their versions, and which of them an application meets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.policy.pack import Pause


@dataclass(frozen=True, slots=True)
class PauseVersion:
    """A pause as it stands from `effective_from` on, until its next version. Versions count from 1 and never change."""

    version: int
    effective_from: datetime
    pause: Pause

    @property
    def pause_id(self) -> str:
        return self.pause.id


def newest_at(versions: Iterable[PauseVersion], instant: datetime) -> list[PauseVersion]:
    """Of each pause the version that was in effect at `instant`, in the order of the pauses' ids."""
    newest: dict[str, PauseVersion] = {}
    for version in versions:
        if version.effective_from <= instant:
            other = newest.get(version.pause_id)
            if other is None or _age(other) < _age(version):
                newest[version.pause_id] = version
    return [newest[pause_id] for pause_id in sorted(newest)]


def in_force(versions: Iterable[PauseVersion], instant: datetime) -> list[PauseVersion]:
    """The pauses that were on at `instant`, in the version of that instant.

    A later version that lifts or extends a pause says nothing about earlier instants, so it never rewrites a decision.
    """
    return [version for version in newest_at(versions, instant) if version.pause.in_force(instant)]


def holding(pauses: Sequence[PauseVersion], category: str) -> PauseVersion | None:
    """The pause that holds the category; of several, the one that ends last, since that is the end that matters."""
    found = [version for version in pauses if version.pause.holds(category)]
    return max(found, key=lambda version: version.pause.until, default=None)


def exempts(pauses: Iterable[PauseVersion], category: str) -> bool:
    """Whether the category passes one of these pauses by an exemption."""
    return any(category in version.pause.exempt for version in pauses)


def changes(stored: Iterable[PauseVersion], declared: Iterable[Pause], effective_from: datetime) -> list[PauseVersion]:
    """The versions to add so that, from `effective_from` on, the pauses are those a policy declares.

    A pause that is no longer declared ends then; one that is over already stays as it was.
    """
    newest: dict[str, PauseVersion] = {}
    for version in sorted(stored, key=lambda each: each.version):
        newest[version.pause_id] = version
    wanted = {pause.id: pause for pause in declared}
    for pause_id, version in newest.items():
        if pause_id not in wanted:
            wanted[pause_id] = _ended(version.pause, effective_from)
    return [
        PauseVersion(newest[pause.id].version + 1 if pause.id in newest else 1, effective_from, pause)
        for pause in wanted.values()
        if pause.id not in newest or newest[pause.id].pause != pause
    ]


def _ended(pause: Pause, instant: datetime) -> Pause:
    until = max(pause.from_, min(pause.until, instant))
    return pause.model_copy(update={"until": until})


def _age(version: PauseVersion) -> tuple[datetime, int]:
    return version.effective_from, version.version
