"""Accepting, amending and withdrawing applications.

An answer is given once the fact is stored by a majority and journaled; its event is published afterwards. Whatever fails
in between is healed by the sweeper, since fact and outbox mark are one document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from services.intake.domain import applications as rules
from services.intake.domain.actors import actor_of
from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.erasure import require_kept
from services.intake.domain.status import Status
from shared.application import Channel, Lane, Provenance, Submission
from shared.clock import Clock
from shared.erasing import Erasable
from shared.errors import Conflict, Transient
from shared.events import ApplicationSummary
from shared.group_commit import GroupCommit
from shared.recorder import Recorder

log = structlog.get_logger(__name__)

AMENDMENT_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A revision as it is stored. `fresh` is false when it had been before; `document` is what publishing takes."""

    revision: Revision
    fresh: bool
    document: dict[str, Any]


class Revisions(Protocol):
    """Where revisions are kept, once and for all."""

    async def append(self, revisions: Sequence[Revision], lane: Lane, real: datetime) -> list[Stored]: ...
    async def publish(self, stored: Sequence[Stored]) -> None: ...
    async def of(self, application_id: str) -> list[Revision]: ...
    async def erase(self, application_ids: Collection[str]) -> None: ...


class Withdrawals(Protocol):
    """Where withdrawals are kept; `append` writes the status and publishes too."""

    async def append(self, withdrawal: Withdrawal, real: datetime) -> Withdrawal: ...
    async def of(self, application_id: str) -> Withdrawal | None: ...
    async def erase(self, application_ids: Collection[str]) -> None: ...


class Projection(Protocol):
    """Writes the statuses of accepted revisions; idempotent."""

    async def revisions(self, revisions: Sequence[Revision]) -> None: ...
    async def find(self, application_id: str) -> Status | None: ...


Later = Callable[[Coroutine[Any, Any, None]], None]
"""Runs something after the answer."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, under which idempotency key and trace, and through which channel. For an email: its message id, when it
    arrived, and whether a reply to it is what acknowledges the application."""

    client: str
    idempotency_key: str | None = None
    trace: str | None = None
    channel: Channel = "api"
    message_id: str | None = None
    arrived_at: datetime | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class _Incoming:
    submission: Submission
    application_id: str
    provenance: Provenance
    body_hash: str
    sender: Sender


class Applications:
    """Takes applications in. Concurrent submissions share one write."""

    def __init__(
        self,
        revisions: Revisions,
        withdrawals: Withdrawals,
        projection: Projection,
        clock: Clock,
        later: Later,
        record: Recorder,
    ) -> None:
        self._record = record
        self._revisions = revisions
        self._withdrawals = withdrawals
        self._projection = projection
        self._clock = clock
        self._later = later
        self._writes: GroupCommit[_Incoming, Revision] = GroupCommit(self._write)

    async def submit(self, submission: Submission, sender: Sender) -> Revision:
        """Accept revision 1 of a validated submission; for a repeated request, what was accepted then.

        Raises:
            Conflict: another document came under the same key before, or what came under it was erased.
            Transient: it could not be stored; nothing was accepted.
        """
        incoming = _incoming(submission, sender)
        stored = await self._writes.submit(incoming)
        require_kept([stored])
        rules.require_same_body(stored, incoming.body_hash)
        log.info("accepted", application_id=stored.application.application_id, revision=1)
        return stored

    async def submit_all(self, submitted: Sequence[tuple[Submission, Sender]]) -> list[Revision | Conflict]:
        """Accept revision 1 of many validated submissions in one write, as bulk work; each one's own answer, in order.

        Raises:
            Transient: they could not be stored; nothing was accepted.
        """
        if not submitted:
            return []
        incoming = [_incoming(submission, sender) for submission, sender in submitted]
        found: list[Revision | Conflict] = []
        for each, stored in zip(incoming, await self._write(incoming, "bulk"), strict=True):
            try:
                require_kept([stored])
                rules.require_same_body(stored, each.body_hash)
            except Conflict as conflict:
                found.append(conflict)
            else:
                found.append(stored)
        log.info("accepted", applications=sum(isinstance(each, Revision) for each in found), revision=1)
        return found

    async def _write(self, batch: list[_Incoming], lane: Lane = "interactive") -> list[Revision]:
        reading = await self._clock.read()
        wanted: dict[str, Revision] = {}
        for each in batch:  # the same key may come twice at once: the first one counts
            if each.application_id not in wanted:
                wanted[each.application_id] = _first(each, each.sender.arrived_at or reading.now)
        stored = await self._revisions.append(list(wanted.values()), lane, reading.real)
        await self._finish(stored)
        found = dict(zip(wanted, (each.revision for each in stored), strict=True))
        return [found[each.application_id] for each in batch]

    async def _finish(self, stored: Sequence[Stored]) -> None:
        """Write the statuses, and publish after the answer. The facts are safe: what fails here is left to the sweeper."""
        try:
            await self._projection.revisions([each.revision for each in stored])
        except Transient as error:
            log.warning("status left to the sweeper", applications=len(stored), reason=str(error))
            return
        if fresh := [each for each in stored if each.fresh]:
            self._later(self._revisions.publish(fresh))

    async def amend(
        self, application_id: str, submission: Submission, sender: Sender, expected: int | None = None
    ) -> Revision:
        """Accept the next revision. It takes the next free number, whoever else amends at the same time.

        Raises:
            Stale: `expected` is given and is not the newest revision.
            Conflict: the application was withdrawn or erased, its organisation is admitted, or the key was used for another
                document or to submit.
            Transient: it could not be stored.
        """
        wanted_hash = rules.body_hash(submission)
        for _ in range(AMENDMENT_TRIES):
            revisions = await self._revisions.of(application_id)
            require_kept(revisions)
            if (earlier := rules.earlier_under_key(revisions, sender.idempotency_key)) is not None:
                rules.require_same_body(earlier, wanted_hash)
                rules.require_amendment(earlier)
                rules.require_before(await self._withdrawals.of(application_id), earlier.application.revision)
                return earlier
            newest = revisions[-1].application
            status = await self._projection.find(application_id)
            rules.require_open(
                withdrawn=await self._withdrawals.of(application_id) is not None,
                admitted=status is not None and status.state == "admitted",
            )
            rules.require_expected(newest.revision, expected)
            reading = await self._clock.read()
            application = rules.next_revision(newest, submission, _provenance(sender), reading.now)
            revision = Revision(application, wanted_hash, sender.idempotency_key, sender.trace)
            stored = await self._revisions.append([revision], "interactive", reading.real)
            if stored[0].fresh:
                await self._erase_if_late(application_id, self._revisions)
                await self._finish(stored)
                # Who withdrew since we looked did not see this revision, and will be told that nothing comes any more.
                rules.require_before(await self._withdrawals.of(application_id), application.revision)
                log.info("amended", application_id=application_id, revision=application.revision)
                return stored[0].revision
        raise Transient("others amend this application all the time")

    async def withdraw(self, application_id: str, sender: Sender) -> Withdrawal:
        """Withdraw it, and have that confirmed to its contact; when it was before, that withdrawal.

        Raises:
            Gone: the application was erased.
            Transient: it could not be stored.
        """
        revisions = await self._revisions.of(application_id)
        require_kept(revisions)
        if (earlier := await self._withdrawals.of(application_id)) is not None:
            return earlier
        newest = revisions[-1].application
        by = actor_of(sender.client)
        await self._record("application", application_id, "withdrawn", by, once=[by])
        reading = await self._clock.read()
        summary = ApplicationSummary.of(newest)
        withdrawal = Withdrawal(
            application_id, newest.revision, reading.now, sender.client, sender.trace, application=summary
        )
        log.info("withdrawn", application_id=application_id, revision=newest.revision)
        stored = await self._withdrawals.append(withdrawal, reading.real)
        await self._erase_if_late(application_id, self._withdrawals)
        return stored

    async def _erase_if_late(self, application_id: str, written: Erasable) -> None:
        """Who erased since we looked did not see what was written now: it is erased too, and Gone raised."""
        revisions = await self._revisions.of(application_id)
        if any(each.erased_at is not None for each in revisions):
            await written.erase([application_id])
            require_kept(revisions)


def _incoming(submission: Submission, sender: Sender) -> _Incoming:
    return _Incoming(
        submission,
        rules.application_id_for(sender.client, sender.idempotency_key, sender.channel),
        _provenance(sender),
        rules.body_hash(submission),
        sender,
    )


def _provenance(sender: Sender) -> Provenance:
    return Provenance(
        channel=sender.channel, client=sender.client, message_id=sender.message_id, answered=sender.answered
    )


def _first(incoming: _Incoming, now: datetime) -> Revision:
    application = rules.first_revision(incoming.submission, incoming.application_id, incoming.provenance, now)
    return Revision(application, incoming.body_hash, incoming.sender.idempotency_key, incoming.sender.trace)
