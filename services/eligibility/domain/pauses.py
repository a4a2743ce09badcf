"""Pauses in their versions, and which of them an application meets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.policy.pack import Pause

BY_POLICY: Final = "policy"
"""Who made a version that a policy pack declares."""


@dataclass(frozen=True, slots=True)
class PauseVersion:
    """A pause as it stands from `effective_from` on, until its next version. Versions count from 1 and never change.
    `by` is who made this version, `why` their reason, for the record; the pause's own `reason` is for the public."""

    version: int
    effective_from: datetime
    pause: Pause
    by: str = BY_POLICY
    why: str = ""

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


def strange_to(
    versions: Iterable[PauseVersion], categories: Collection[str], instant: datetime
) -> dict[str, list[str]]:
    """Of the pauses that are not over at `instant`, by id: the categories they name that are none of these. A category of
    another name in their stead is not held by such a pause, nor exempt."""
    found: dict[str, list[str]] = {}
    newest = {each.pause_id: each for each in sorted(versions, key=lambda each: each.version)}
    for pause_id, version in sorted(newest.items()):
        named = [*version.pause.covers, *version.pause.exempt]
        strange = [each for each in named if each not in categories]
        if strange and not version.pause.is_over(instant):
            found[pause_id] = strange
    return found


def changes(stored: Iterable[PauseVersion], declared: Iterable[Pause], effective_from: datetime) -> list[PauseVersion]:
    """The versions to add so that, from `effective_from` on, the pauses are those a policy declares.

    A pause that is no longer declared ends then; one that is over already stays as it was. A pause that a person has
    started or changed is theirs: no policy changes it.
    """
    newest: dict[str, PauseVersion] = {}
    for version in sorted(stored, key=lambda each: each.version):
        newest[version.pause_id] = version
    peoples = {pause_id for pause_id, version in newest.items() if version.by != BY_POLICY}
    wanted = {pause.id: pause for pause in declared if pause.id not in peoples}
    for pause_id, version in newest.items():
        if pause_id not in wanted and pause_id not in peoples:
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
