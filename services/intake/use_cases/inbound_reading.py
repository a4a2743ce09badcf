"""Reading stored messages: what each brings is taken in, and its sender is answered once.

A kill at any point is followed by reading the message again. Its applications have ids of its own and the receipt time of
the message, and what is said of it is stored once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import structlog

from services.intake.domain import applications as rules
from services.intake.domain import inbound as words
from services.intake.domain.applications import Revision
from services.intake.domain.inbound import (
    CLIENT,
    MAX_FAILURES,
    Begun,
    Contents,
    Inbound,
    NotTaken,
    Reply,
    Taken,
    Thread,
    Verdict,
    is_of_sender,
    key_of,
    untagged,
)
from services.intake.domain.inbound_automatic import Ours, why_ignored
from services.intake.domain.inbound_mail import Headers, read_headers, read_mail
from services.intake.domain.inbound_sentences import as_it_is
from services.intake.domain.inbound_words import faults_of
from services.intake.domain.policies import KnownPolicy
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.inbound import InboundStore
from services.intake.use_cases.inbound_contents import InboundContents
from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared import stopping
from shared.application import Submission
from shared.clock import Clock
from shared.errors import Conflict, Refused, Transient
from shared.limits import Limit, Limits, TooOften
from shared.policy.base import DEFAULT_LOCALE
from shared.policy.pack import PolicyDocument
from shared.stopping import Point

log = structlog.get_logger(__name__)

NAME_SHOWN: Final = 100
DAILY: Final = 3


class Accepting(Protocol):
    """Accepts revision 1 of a validated submission."""

    async def submit(self, submission: Submission, sender: Sender) -> Revision: ...


@dataclass(frozen=True, slots=True)
class ReplyRules:
    """`ours`: addresses that are never answered. `an_hour`: replies to one address in an hour; in a day it gets three times
    as many, for a program that says nothing of being one would be answered for ever."""

    ours: Ours
    an_hour: int

    @property
    def limits(self) -> Mapping[str, Limit]:
        """The limits of replies to one address, by the time for which each holds."""
        return {
            "hour": Limit("reply to an inbound email", self.an_hour, timedelta(hours=1)),
            "day": Limit("reply to an inbound email in a day", DAILY * self.an_hour, timedelta(days=1)),
        }


class InboundReader:
    """Takes a stored message to its end.

    Args:
        refused: told of every application that was refused, and of every message without one.
    """

    def __init__(
        self,
        store: InboundStore,
        contents: InboundContents,
        applications: Accepting,
        policies: Policies,
        limits: Limits,
        clock: Clock,
        reply_rules: ReplyRules,
        refused: Callable[[], None],
    ) -> None:
        self._store = store
        self._contents = contents
        self._applications = applications
        self._policies = policies
        self._limits = limits
        self._clock = clock
        self._rules = reply_rules
        self._refused = refused

    async def read(self, message: Inbound) -> None:
        """Read it, take in what it brings, and answer. Raises Transient; what else is raised is a fault of ours.

        It is counted before: nothing comes after the reading of a message that takes the whole process with it.
        """
        if await self._store.count_attempt(message.inbound_id) > MAX_FAILURES:
            await self._give_up(await self._store.find(message.inbound_id) or message)
            return
        try:
            await self._read(message)
        except Transient:
            await self._store.spare_attempt(message.inbound_id)
            raise

    async def _read(self, message: Inbound) -> None:
        raw = await self._store.raw(message.inbound_id)
        if raw is None:
            await self._ignore(message, "its content is kept no longer")
            return
        try:
            headers = await asyncio.to_thread(read_headers, raw)
        except Refused:
            await self._ignore(message, "its header is beyond all measure")
            return
        if (reason := why_ignored(headers, message.sender, self._rules.ours)) is not None:
            await self._ignore(message, reason)
            return
        policy = await self._policy(message)
        thread = thread_of(headers)
        begun = await self._begin(message, thread, policy)
        if (settled := (await self._policies.book())[0].of(begun.policy_hash)) is not None:
            policy = settled
        found = await self._contents_of(message, raw, policy.document)
        verdict = await self._take_in(message, thread, begun, found, policy.document)
        stopping.reached(Point.INBOUND_TAKEN)
        await self._conclude(message, thread, verdict)

    async def give_up_on(self, message: Inbound) -> bool:
        """It failed by a fault of ours; whether it is given up. Then its sender is told. Raises Transient."""
        current = await self._store.find(message.inbound_id) or message
        if current.failures < MAX_FAILURES:
            return False
        await self._give_up(current)
        return True

    async def _give_up(self, current: Inbound) -> None:
        begun = current.begun or Begun("", "nothing is known of its header")
        verdict = words.given_up()
        await self._conclude(current, current.thread, verdict, withheld=begun.withheld)

    async def _policy(self, message: Inbound) -> KnownPolicy:
        """The policy by which a message is checked: the one in force when it arrived."""
        book, _ = await self._policies.book()
        policy = book.in_force(message.received_at) or await self._policies.current()
        if policy is None:
            raise NoPolicyYet("no policy is in force yet")
        return policy

    async def _begin(self, message: Inbound, thread: Thread, policy: KnownPolicy) -> Begun:
        """Settle whether the sender is answered: counted once, however often the message is read."""
        if message.begun is not None:
            return message.begun
        withheld = ""
        for time, limit in self._rules.limits.items():
            try:
                await self._limits.take(limit, untagged(message.sender))
            except TooOften:
                withheld = f"its sender had {limit.most} replies within the {time}"
                break
        return await self._store.begin(message.inbound_id, thread, Begun(policy.hash, withheld))

    async def _contents_of(self, message: Inbound, raw: bytes, document: PolicyDocument) -> Contents:
        try:
            mail = await asyncio.to_thread(read_mail, raw)
        except Refused as error:
            return Contents(problems=[as_it_is(str(error))])
        return await self._contents.read(mail, document, message.received_at)

    async def _take_in(
        self, message: Inbound, thread: Thread, begun: Begun, found: Contents, document: PolicyDocument
    ) -> Verdict:
        locale = found.locale or DEFAULT_LOCALE
        numbered = [(number, place.in_words(locale), row) for number, (place, row) in enumerate(found.rows, 1)]
        good = [(number, place, row.submission) for number, place, row in numbered if row.submission is not None]
        taken = await asyncio.gather(
            *(self._submit(message, thread, begun, number, place, each) for number, place, each in good)
        )
        bad = [NotTaken(place, faults_of(row, document, locale)) for _, place, row in numbered if row.errors]
        problems, notes = (tuple(each.in_words(locale) for each in said) for said in (found.problems, found.notes))
        return Verdict(tuple(taken), tuple(bad), problems, notes, reason=begun.withheld, locale=locale)

    async def _submit(
        self, message: Inbound, thread: Thread, begun: Begun, number: int, place: str, submission: Submission
    ) -> Taken:
        sender = Sender(
            CLIENT,
            key_of(message.inbound_id, number),
            message.trace,
            "email",
            message_id=thread.message_id.strip("<>") or message.inbound_id,
            arrived_at=message.received_at,
            answered=not begun.withheld and is_of_sender(message.sender, submission.contact.email),
        )
        try:
            revision = await self._applications.submit(submission, sender)
            application_id = revision.application.application_id
        except Conflict:  # an earlier release read this row otherwise: what was accepted then stands
            application_id = rules.application_id_for(CLIENT, sender.idempotency_key, "email")
        return Taken(application_id, submission.organisation.name[:NAME_SHOWN], place)

    async def _ignore(self, message: Inbound, reason: str) -> None:
        reading = await self._clock.read()
        await self._store.conclude(message, Verdict(ignored=True, reason=reason), None, reading.real)
        log.info("inbound email ignored", inbound_id=message.inbound_id, reason=reason)

    async def _conclude(self, message: Inbound, thread: Thread, verdict: Verdict, withheld: str | None = None) -> None:
        reading = await self._clock.read()
        reply = Reply(
            message.inbound_id, message.sender, thread, verdict, message.received_at, reading.now, message.trace
        )
        answered = not (verdict.reason if withheld is None else withheld) and bool(message.sender)
        fresh = await self._store.conclude(message, verdict, reply if answered else None, reading.real)
        if fresh:  # refusals are figures: those of a message that is read again were counted
            for _ in range(len(verdict.refused) + bool(verdict.problems)):
                self._refused()
        log.info(
            "inbound email read",
            inbound_id=message.inbound_id,
            state=verdict.state,
            accepted=len(verdict.accepted),
            refused=len(verdict.refused),
            answered=answered,
        )


def thread_of(headers: Headers) -> Thread:
    """Where a reply to a message belongs."""
    own = next(iter(headers.ids("message-id")), "")
    return Thread(own, tuple(headers.ids("references") or headers.ids("in-reply-to")), headers.first("subject"))
