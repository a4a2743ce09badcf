"""Messages of partners, each of which asks for an answer: settled one by one, answered, acknowledged last.

A message is either accepted, or refused with every error, or poison: nobody can read it. Poison is answered like a
refusal and set aside with its reason; its neighbours go on. While the world is away the message is held.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import structlog

from shared import metrics, retry, stopping
from shared.consumer import Holding
from shared.errors import Transient
from shared.stopping import Point
from shared.tracing import tracing

log = structlog.get_logger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Request:
    """One message as it came. `sender` is the broker's user who published it: the broker itself has checked the
    message's `user_id`, so nobody can claim to be another. None: the message does not say."""

    body: bytes
    sender: str | None = None
    message_id: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    content_type: str = ""
    content_encoding: str = ""
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told. `reason` says, of poison, why nobody can read it."""

    result: Literal["accepted", "refused", "poison"]
    document: Mapping[str, Any]
    content_type: str
    type: str
    reason: str = ""


class Desk(Protocol):
    """Answers requests. Must be idempotent: any of them may come again."""

    async def answer(self, request: Request) -> Answer:
        """What the sender is told. Raises Transient, and then the request is held."""
        ...

    def given_up(self, request: Request, reason: str) -> Answer:
        """What the sender is told when every try failed by a fault of ours."""
        ...


class Counter(Protocol):
    """The broker's side."""

    async def reply(self, request: Request, answer: Answer) -> bool:
        """Put the answer into the sender's reply queue; false when there is none. Raises Transient."""
        ...

    async def set_aside(self, request: Request, reason: str) -> None:
        """Put the request into the dead-letter queue of partners, with the reason. Raises Transient."""
        ...


class RequestConsumer(Holding):
    """Settles requests: each is answered when `settle` returns, if it can be; then the caller acks."""

    def __init__(self, desk: Desk, counter: Counter) -> None:
        super().__init__()
        self._desk = desk
        self._counter = counter

    async def settle(self, request: Request) -> None:
        """Answer one request, holding it as long as the world is away.

        Raises:
            Stopping: `stop` was called while it had to be held; it must not be acknowledged.
        """
        with tracing(request.traceparent):
            answer = await self._answer_to(request)
            if answer.result == "poison":
                log.error("dead-lettered", partner=request.sender, reason=answer.reason)
                await self._until_done(lambda: self._counter.set_aside(request, answer.reason))
            sent = request.sender is not None and await self._until_done(lambda: self._counter.reply(request, answer))
            if not sent:
                # What was accepted stays accepted. A partner who sends the message again is answered the same.
                log.warning("reply dropped", partner=request.sender, result=answer.result)
            metrics.PARTNER_MESSAGES.labels(answer.result).inc()
            metrics.PARTNER_REPLIES.labels("sent" if sent else "dropped").inc()
        stopping.reached(Point.REQUEST_ANSWERED)

    async def _answer_to(self, request: Request) -> Answer:
        attempts = 0
        while True:
            try:
                return await self._until_done(lambda: self._desk.answer(request))
            except Transient:
                raise
            except Exception as error:
                attempts += 1
                decision = retry.decide(error, attempts)
                if isinstance(decision, retry.DeadLetter):
                    log.error("given up", partner=request.sender, attempts=attempts, exc_info=error)
                    return self._desk.given_up(request, decision.reason)
                log.warning("failed", partner=request.sender, attempt=attempts, exc_info=error)
                await self.hold(decision.seconds)

    async def _until_done(self, step: Callable[[], Awaitable[Result]]) -> Result:
        held = 0
        while True:
            try:
                return await step()
            except Transient as error:
                held += 1
                pause = retry.backoff(held)
                log.warning("held", partner=True, reason=str(error), seconds=pause)
                await self.hold(pause)
