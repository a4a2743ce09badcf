"""Keeping the statuses: what is accepted here, and what the other services tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Final, Protocol

import structlog

from services.intake.domain import status_changes as rules
from services.intake.domain.appeals import Appeal, with_appeal
from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.erasure import Erasure, with_erasure
from services.intake.domain.history import Fate, Happened
from services.intake.domain.links import Revocation
from services.intake.domain.status import Change, Status
from shared.batches import Event
from shared.clock import Clock
from shared.errors import Transient
from shared.events import (
    ApplicationDecided,
    EmailFailed,
    EmailReported,
    EmailSent,
    EventDeadLettered,
    InformationRequested,
)
from shared.group_commit import GroupCommit

log = structlog.get_logger(__name__)

TOGETHER: Final = 8
"""Batches of events written at once, at most."""


class Statuses(Protocol):
    """Where statuses are kept."""

    async def insert(self, statuses: Sequence[Status], real: datetime) -> list[str]: ...
    async def change(self, changes: Mapping[str, Sequence[Change]], real: datetime) -> set[str]: ...
    async def find(self, application_id: str) -> Status | None: ...


class Facts(Protocol):
    """The revisions of an application, oldest first: from them a status can be made again."""

    async def of(self, application_id: str) -> list[Revision]: ...


class StatusProjection:
    """Writes statuses. Everything may come twice and in any order."""

    def __init__(self, statuses: Statuses, clock: Clock) -> None:
        self._statuses = statuses
        self._clock = clock
        self._facts: Facts | None = None
        self._tellings: GroupCommit[Sequence[Event], Exception | None] = GroupCommit(self._told, max_batch=TOGETHER)

    def heal_from(self, facts: Facts) -> None:
        """Where to look when something is told of an application that has no status."""
        self._facts = facts

    async def revisions(self, revisions: Sequence[Revision], real: datetime | None = None) -> None:
        """Revisions were accepted. Raises Transient."""
        real = real or (await self._clock.read()).real
        firsts = {each.application.application_id: each for each in revisions if each.application.revision == 1}
        known = set(await self._statuses.insert([_begun(each) for each in firsts.values()], real))
        changes: dict[str, list[Change]] = {}
        for each in revisions:
            name = each.application.application_id
            if each.application.revision > 1 or name in known:
                changes.setdefault(name, []).append(partial(_with_revision, each))
        await self._change(changes, real)

    async def withdrawals(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Applications were withdrawn. Raises Transient."""
        await self._change({each.application_id: [partial(_with_withdrawal, each)] for each in withdrawals})

    async def appeals(self, appeals: Sequence[Appeal]) -> None:
        """Appeals were received. Raises Transient."""
        await self._change({each.application.application_id: [partial(_with_appeal, each)] for each in appeals})

    async def erasures(self, erasures: Sequence[Erasure]) -> None:
        """Applications were erased. Raises Transient."""
        await self._change({each.application_id: [partial(_with_erasure, each.erased_at)] for each in erasures})

    async def happened(self, application_id: str, entries: Sequence[Happened]) -> None:
        """Things happened that change nothing else. Raises Transient."""
        await self._change({application_id: [lambda status: rules.with_happened(status, entries)]})

    async def revocations(self, revocations: Sequence[Revocation]) -> None:
        """Links were revoked. Raises Transient."""
        await self._change(
            {each.application_id: [partial(_with_revoked_links, each.generation)] for each in revocations}
        )

    async def told(self, events: Sequence[Event]) -> None:
        """Decisions, reports of emails, dead letters. Raises Transient.

        Batches that arrive at the same time are written together: they are often about the same applications, and would
        only meet each other's versions.
        """
        if (error := await self._tellings.submit(events)) is not None:
            raise error

    async def _told(self, batches: list[Sequence[Event]]) -> list[Exception | None]:
        try:
            await self._change(_changes_of(batches))
        except Transient:
            raise
        except Exception as error:  # noqa: BLE001 - it is raised where its batch came from
            if len(batches) == 1:
                return [error]
            # One of them is bad; it must not be held against the others.
            return [failure for batch in batches for failure in await self._told([batch])]
        return [None] * len(batches)

    async def find(self, application_id: str) -> Status | None:
        """The status of an application, made from its facts if it has none yet. Raises Transient."""
        status = await self._statuses.find(application_id)
        if status is None and await self._heal({application_id}):
            status = await self._statuses.find(application_id)
        return status

    async def _change(self, changes: Mapping[str, Sequence[Change]], real: datetime | None = None) -> None:
        if not changes:
            return
        real = real or (await self._clock.read()).real
        missing = await self._statuses.change(changes, real)
        if missing and await self._heal(missing):
            missing = await self._statuses.change({name: changes[name] for name in missing}, real)
        if missing:
            log.warning("told of applications that were never accepted here", applications=len(missing))

    async def _heal(self, missing: set[str]) -> bool:
        """Make the statuses of these applications from their facts; whether any has facts."""
        found = [each for name in sorted(missing) for each in (await self._facts.of(name) if self._facts else [])]
        if found:
            await self.revisions(found)
        return bool(found)


def _changes_of(batches: Iterable[Sequence[Event]]) -> dict[str, list[Change]]:
    """What the events change, by application, in their order."""
    changes: dict[str, list[Change]] = {}
    for event in chain.from_iterable(batches):
        if (found := _change_of(event)) is not None:
            changes.setdefault(found[0], []).append(found[1])
    return changes


def _begun(revision: Revision) -> Status:
    """The status that a first revision begins, or all that is left of it."""
    status = rules.accepted(revision.application)
    return with_erasure(status, revision.erased_at) if revision.erased_at else status


def _with_revision(revision: Revision, status: Status) -> Status:
    changed = rules.with_revision(status, revision.application)
    return with_erasure(changed, revision.erased_at) if revision.erased_at else changed


def _with_appeal(appeal: Appeal, status: Status) -> Status:
    return with_appeal(status, appeal)


def _with_erasure(erased_at: datetime, status: Status) -> Status:
    return with_erasure(status, erased_at)


def _with_withdrawal(withdrawal: Withdrawal, status: Status) -> Status:
    return rules.with_withdrawal(status, withdrawal)


def _with_revoked_links(generation: int, status: Status) -> Status:
    return rules.with_revoked_links(status, generation)


def _change_of(event: Event) -> tuple[str, Change] | None:
    """Whose status an event changes, and how; None when it is about no application."""
    match event.data:
        case ApplicationDecided() as decided:
            return decided.application.application_id, lambda status: rules.with_decision(status, decided)
        case InformationRequested() as request:
            return request.application.application_id, lambda status: rules.with_request(status, request)
        case EmailSent() as report:
            return report.application_id, _email_change(report, "sent", None)
        case EmailFailed() as report:
            fate: Fate = "superseded" if report.superseded else "failed"
            return report.application_id, _email_change(report, fate, report.reason)
        case EventDeadLettered(application_id=application_id) as letter if application_id:
            return application_id, lambda status: rules.with_dead_letter(status, letter)
    return None


def _email_change(report: EmailReported, fate: Fate, reason: str | None) -> Change:
    return lambda status: rules.with_email(status, report, fate, reason)
