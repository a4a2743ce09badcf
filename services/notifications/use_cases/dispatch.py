"""Sending emails: claim what is due, leave out what is superseded, hand the rest to the carrier, write down what came of it.

Every replica runs several dispatchers; a claim is a lease with a token of its own, and every write is fenced by it, so two
of them never hold the same email. A claim is kept alive while its emails are being sent. If a process dies, its claims run
out: what had been claimed only is tried again, what was being sent is `unknown` first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from services.notifications.domain.emails import (
    Deferred,
    Kind,
    Lost,
    Rejected,
    Result,
    RetryRules,
    Standing,
    Transition,
    Untried,
    settle,
    superseded,
)
from shared import metrics, stopping
from shared.clock import Clock, Reading
from shared.errors import Transient
from shared.stopping import Point

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An email as a dispatcher holds it. `queued_at` is real time; `lane` 0 or 1; only invitations have `invited_at`."""

    email_id: str
    application_id: str
    revision: int
    number: int
    kind: Kind
    template: str
    to: str
    mime: bytes
    attempts: int
    queued_at: datetime
    lane: int
    trace: str | None
    invited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Emails held under one token."""

    token: str
    emails: Sequence[Claimed]


class Queue(Protocol):
    """The emails, as dispatchers see them. All methods raise Transient when the database is away."""

    async def any_due(self) -> bool:
        """Whether there is an email to send now."""

    async def claim(self, limit: int, seconds: float) -> Claim:
        """Hold up to `limit` due emails for `seconds`, interactive ones first, oldest first."""

    async def standings(self, application_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Where these applications stand now."""

    async def start(self, claim: Claim, seconds: float) -> Sequence[Claimed]:
        """Mark them as being sent, held for `seconds` from now; those that are still ours."""

    async def extend(self, claim: Claim, seconds: float) -> None:
        """Hold what is left of the claim for `seconds` from now."""

    async def settle(self, claim: Claim, settled: Sequence[tuple[Claimed, Transition]], reading: Reading) -> None:
        """Write down what became of emails that are still ours, and publish it."""

    async def recover(self, reading: Reading) -> Mapping[str, int]:
        """Take back what dead dispatchers held; how many entered each state."""


class Carrier(Protocol):
    """One connection to the SMTP server."""

    def fresh(self) -> bool:
        """Whether it is connected and was used a moment ago."""

    async def ready(self) -> None:
        """Connect, or make sure that the connection lives. Raises Transient when the server is away."""

    async def deliver(self, emails: Sequence[Claimed], may_go_on: Callable[[], bool]) -> list[Result]:
        """Hand over emails one after another, as long as `may_go_on`; one result each, in order."""

    async def close(self) -> None:
        """Give up the connection."""


@dataclass(frozen=True, slots=True)
class DispatchRules:
    """`batch`: emails a dispatcher holds at a time. `lease`: seconds after which what a dead one held is free again."""

    batch: int = 200
    lease: float = 30.0
    retry: RetryRules = field(default_factory=RetryRules)


class Dispatcher:
    """Sends over one connection. `stopped` says whether the process is ending."""

    def __init__(
        self, queue: Queue, carrier: Carrier, clock: Clock, rules: DispatchRules, stopped: Callable[[], bool]
    ) -> None:
        self._queue = queue
        self._carrier = carrier
        self._clock = clock
        self._rules = rules
        self.stopped = stopped

    async def round(self) -> bool:
        """Claim and send one batch; whether there may be more to do at once.

        Raises:
            Transient: database, broker or SMTP server away. Nothing is lost by it, and no try is counted.
        """
        if not self._carrier.fresh():
            if not await self._queue.any_due():
                return False
            await self._carrier.ready()
        claim = await self._queue.claim(self._rules.batch, self._rules.lease)
        stopping.reached(Point.EMAIL_CLAIMED)
        if not claim.emails:
            return False
        wanted = await self._leave_out_superseded(claim)
        if wanted:
            await self._send(Claim(claim.token, wanted))
        return True

    async def close(self) -> None:
        """Take leave of the SMTP server."""
        await self._carrier.close()

    async def _leave_out_superseded(self, claim: Claim) -> list[Claimed]:
        standings = await self._queue.standings(sorted({email.application_id for email in claim.emails}))
        wanted: list[Claimed] = []
        stale: list[tuple[Claimed, Transition]] = []
        for email in claim.emails:
            standing = standings.get(email.application_id, Standing())
            reason = superseded(email.kind, email.revision, email.number, standing, email.invited_at)
            if reason is None:
                wanted.append(email)
            else:
                stale.append((email, Transition("superseded", reason, None, tries=0)))
        if stale:
            await self._queue.settle(claim, stale, await self._clock.read())
        return wanted

    async def _send(self, claim: Claim) -> None:
        held = _Held(self._rules.lease)
        emails = await self._queue.start(claim, self._rules.lease)
        stopping.reached(Point.EMAIL_SENDING)
        async with self._kept_alive(claim, held):
            results = await self._carrier.deliver(emails, lambda: held.ours() and not self.stopped())
        stopping.reached(Point.EMAIL_ACCEPTED)
        reading = await self._clock.read()
        settled = [
            (email, settle(result, email.attempts, reading.real - email.queued_at, self._rules.retry))
            for email, result in zip(emails, results, strict=True)
        ]
        _tell(emails, results)
        await self._queue.settle(claim, settled, reading)
        if any(isinstance(result, Untried) for result in results) and not self.stopped():
            raise Transient("the SMTP server went away")

    @asynccontextmanager
    async def _kept_alive(self, claim: Claim, held: _Held) -> AsyncIterator[None]:
        """Extend the lease while the block runs."""

        async def extend() -> None:
            while True:
                await asyncio.sleep(self._rules.lease / 3)
                if not held.ours():
                    return
                began = time.monotonic()
                try:
                    await self._queue.extend(claim, self._rules.lease)
                except Transient as error:
                    log.warning("lease not extended", reason=str(error))
                else:
                    held.since = began

        task = asyncio.create_task(extend(), name="email-lease")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class _Held:
    """Whether a lease is surely ours: counted from before it was asked for, and given up a fifth early."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds * 0.8
        self.since = time.monotonic()

    def ours(self) -> bool:
        return time.monotonic() - self.since < self._seconds


def _tell(emails: Sequence[Claimed], results: Sequence[Result]) -> None:
    """Log what a person may have to look at. Replies had the address taken out of them."""
    deferred = [result.reason for result in results if isinstance(result, Deferred)]
    if deferred:
        log.warning("emails deferred", emails=len(deferred), reason=deferred[0])
    for email, result in zip(emails, results, strict=True):
        if isinstance(result, Rejected | Lost):
            log.warning(
                "email not accepted",
                result=type(result).__name__.lower(),
                email_id=email.email_id,
                application_id=email.application_id,
                reason=result.reason,
            )


class Recovery:
    """Takes back what dead dispatchers held."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock

    async def round(self) -> bool:
        """One look; never more to do at once. Raises Transient."""
        counts = await self._queue.recover(await self._clock.read())
        for state, count in counts.items():
            if count:
                metrics.EMAILS.labels(state).inc(count)
                log.warning("emails taken back", state=state, emails=count)
        return False
