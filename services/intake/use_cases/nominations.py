"""Nominations: asking the people an eligible application names, taking their answers, and asking once more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import structlog

from services.intake.domain import nominations as rules
from services.intake.domain.applications import Revision, revision_id
from services.intake.domain.nominations import NominationReply, NominationRequest, Nominee
from services.intake.domain.policies import PolicyBook
from services.intake.domain.status import ENDED, Status
from services.intake.use_cases.policies import Policies
from shared.application import Application, Lane
from shared.clock import Clock
from shared.errors import Conflict, Transient
from shared.events import ApplicationDecided, NominationAnswer
from shared.limits import Limit, Limits
from shared.policy.pack import PolicyDocument

log = structlog.get_logger(__name__)

PER_NOMINEE: Final = Limit("letter to a nominee", 5, timedelta(days=1))
"""Of all applications together, so that nobody has their mailbox filled by being named again and again."""
PER_APPLICATION: Final = Limit("letters to the nominees of an application", 12, timedelta(days=1))
"""Whoever amends an application to name others each time reaches a few people, not the whole world."""
PER_NOMINATION: Final = Limit("answers to a nomination", 20, timedelta(days=1))
"""Changes of mind: each is a fact that is kept and told."""
TRIES: Final = 20


class Requests(Protocol):
    """Where requests to nominees are kept."""

    async def append(self, requests: Sequence[NominationRequest], lane: Lane) -> None:
        """Store those that are new, and publish all, or leave that to the sweeper. Raises Transient."""

    async def known(self, ids: Collection[str]) -> Collection[str]:
        """Those of these that are stored."""

    async def of(self, application_id: str) -> Sequence[NominationRequest]:
        """All of an application."""

    async def newest(self, nomination_id: str) -> NominationRequest | None:
        """The last one of a nomination."""


class Replies(Protocol):
    """Where the answers of nominees are kept."""

    async def append(self, reply: NominationReply) -> bool:
        """Store and publish it, or leave that to the sweeper; False when there is another one of that number."""

    async def of(self, application_id: str) -> Sequence[NominationReply]:
        """All of an application."""


class Revisions(Protocol):
    """Revisions by their keys."""

    async def among(self, ids: Collection[str]) -> Sequence[Revision]: ...


class Statuses(Protocol):
    """Statuses of applications."""

    async def find(self, application_id: str) -> Status | None: ...

    async def those(self, application_ids: Collection[str]) -> Sequence[Status]: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What a nominee's link opens. `nominee` is None once the application names somebody else, or was withdrawn: then
    nothing is asked of them any more."""

    request: NominationRequest
    nominee: Nominee | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was heard of, with the traceparent of its event."""

    decision: ApplicationDecided
    trace: str | None


class Nominations:
    """What happens to nominations."""

    def __init__(
        self,
        requests: Requests,
        replies: Replies,
        revisions: Revisions,
        statuses: Statuses,
        policies: Policies,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._replies = replies
        self._revisions = revisions
        self._statuses = statuses
        self._policies = policies
        self._limits = limits
        self._clock = clock

    async def ask(self, decided: Sequence[Decided], lane: Lane) -> None:
        """Ask whom eligible applications name, each once: heard again, the same requests are published again.

        Raises:
            Transient: the database is away, or the policy version has not been announced here yet.
        """
        heard = {each.decision.application.application_id: each for each in decided if _asks(each.decision)}
        if not heard:
            return
        standing = [status for status in await self._statuses.those(list(heard)) if rules.asks_nominees(status)]
        current = {
            status.application_id: heard[status.application_id]
            for status in standing
            if status.decision is not None and status.decision.pair == _pair(heard[status.application_id].decision)
        }
        keys = [revision_id(name, each.decision.application.revision) for name, each in current.items()]
        now, (book, _) = (await self._clock.read()).now, await self._policies.book()
        requests: list[NominationRequest] = []
        for revision in await self._revisions.among(keys):
            cause = current[revision.application.application_id]
            document = _document(book, cause.decision.policy_hash)
            requests += rules.first_requests(revision.application, document, now, cause.trace)
        if granted := await self._granted(requests):
            await self._requests.append(granted, lane)
            log.info("nominees asked", applications=len(current), nominees=len(granted))

    async def _granted(self, requests: Sequence[NominationRequest]) -> list[NominationRequest]:
        """Those that may go out: what was asked before, and what the limits let through. The others are left out; the
        applicant sees that, and may ask on another day."""
        known = await self._requests.known([each.id for each in requests]) if requests else ()
        fresh = [each for each in requests if each.id not in known]
        for limit, subject in ((PER_NOMINEE, _address), (PER_APPLICATION, _application)):
            allowed = await self._limits.take_all(limit, [subject(each) for each in fresh])
            if not all(allowed):
                log.warning("nominees not asked: too many letters", limit=limit.name, nominees=allowed.count(False))
            fresh = [each for each, may in zip(fresh, allowed, strict=True) if may]
        return [each for each in requests if each.id in known] + fresh

    async def of(self, status: Status) -> list[Nominee]:
        """Whom the newest revision of an application names, with where each stands. Raises Transient."""
        found = await self._named(status)
        return found[2] if found else []

    async def _named(self, status: Status) -> tuple[Application, PolicyDocument, list[Nominee]] | None:
        name, (book, now) = status.application_id, await self._policies.book()
        known = book.of(status.decision.policy_hash if status.decision else None) or book.in_force(now)
        revisions = await self._revisions.among([revision_id(name, status.revision)])
        if known is None or not revisions:
            return None
        application = revisions[0].application
        requests, replies = await self._requests.of(name), await self._replies.of(name)
        return application, known.document, rules.nominees_of(application, known.document, requests, replies)

    async def ask_again(self, status: Status, wanted: str, trace: str | None = None) -> None:
        """Ask one nominee of an eligible application once more; `wanted` is the nomination's id.

        Raises:
            Conflict: there is no such nominee to ask now, or they have answered.
            TooOften: this address, or this application, had enough letters for a day.
            Transient: it could not be stored.
        """
        found = await self._named(status) if rules.asks_nominees(status) else None
        nominees = {each.nomination_id: each for each in found[2]} if found else {}
        if found is None or wanted not in nominees:
            raise Conflict("This nominee is not asked: the application is not eligible now, or names somebody else.")
        nominee = nominees[wanted]
        rules.require_unanswered(nominee)
        await self._limits.take(PER_APPLICATION, status.application_id)
        await self._limits.take(PER_NOMINEE, nominee.nominated.email.casefold())
        number = nominee.requests[-1].number + 1 if nominee.requests else 1
        now = (await self._clock.read()).now
        request = rules.request_to(nominee.nominated, found[0], found[1], number, now, trace)
        await self._requests.append([request], "interactive")  # who presses the button twice at once has asked once

    async def open(self, name: str) -> Opened | None:
        """What the link of a nomination opens; None when nobody was ever asked. Raises Transient."""
        request = await self._requests.newest(name)
        if request is None:
            return None
        status = await self._statuses.find(request.application.application_id)
        current = await self.of(status) if status is not None and status.state not in ENDED else []
        return Opened(request, next((each for each in current if each.nomination_id == name), None))

    async def answer(self, opened: Opened, answer: NominationAnswer, trace: str | None = None) -> None:
        """Take a nominee's answer. The same answer again changes nothing.

        Raises:
            Conflict: the application does not name them any more.
            TooOften: they changed their mind too often for a day.
            Transient: it could not be stored.
        """
        for _ in range(TRIES):
            if opened.nominee is None:
                raise Conflict("The application does not name you any more: nothing is asked of you.")
            now = (await self._clock.read()).now
            reply = rules.next_reply(opened.request, opened.nominee.replies, answer, now, trace)
            if reply is None:
                return
            await self._limits.take(PER_NOMINATION, reply.nomination_id)
            if await self._replies.append(reply):
                return
            opened = await self.open(opened.request.nomination_id) or opened
        raise Transient("the answer to this nomination changes all the time")


def _asks(decision: ApplicationDecided) -> bool:
    return decision.outcome in rules.ASKED_AT


def _pair(decision: ApplicationDecided) -> tuple[int, int]:
    return decision.application.revision, decision.number


def _address(request: NominationRequest) -> str:
    return request.nominee.email.casefold()


def _application(request: NominationRequest) -> str:
    return request.application.application_id


def _document(book: PolicyBook, policy_hash: str) -> PolicyDocument:
    if (known := book.of(policy_hash)) is None:
        raise Transient(f"the policy version {policy_hash[:12]} is not known here yet")
    return known.document
