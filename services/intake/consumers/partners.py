"""The partners' queue: what each message is answered with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from services.intake.domain.applications import Revision, reference_of
from services.intake.domain.partners import may_be_key
from services.intake.use_cases.partners import Letter
from shared import retry
from shared.errors import FieldError, Malformed, Permanent
from shared.partners import ACCEPTED, REFUSED, USER, SubmissionAccepted
from shared.requests import Answer, Request
from shared.tracing import current_traceparent
from shared.web.limits import MAX_BODY
from shared.web.negotiation import is_json
from shared.web.problem import MEDIA_TYPE, problem_of

PLAIN: Final = frozenset({"", "identity", "utf-8", "utf8"})
"""Content encodings that change nothing."""

Take = Callable[[Letter], Awaitable[Revision]]


class PartnerDesk:
    """Answers partners' messages.

    Args:
        take: accepts a message, or raises what is wrong with it.
        status_page: the address of an application's status page.
        reply_queue: the name of a partner's reply queue.
        refused: told of every refusal.
    """

    def __init__(
        self,
        take: Take,
        status_page: Callable[[str], str],
        reply_queue: Callable[[str], str],
        refused: Callable[[], None],
    ) -> None:
        self._take = take
        self._status_page = status_page
        self._reply_queue = reply_queue
        self._refused = refused

    async def answer(self, request: Request) -> Answer:
        """Accepted, refused with every error, or poison. Raises Transient, and what is a fault of ours."""
        try:
            revision = await self._take(self._letter_of(request))
        except Malformed as error:
            return self._refusal(request, error, poison=retry.reason_of(error))
        except Permanent as error:
            return self._refusal(request, error)
        return self._acceptance(request, revision)

    def given_up(self, request: Request, reason: str) -> Answer:
        """The fault is ours: the partner is told so, and the message is kept."""
        return self._refusal(request, RuntimeError(reason), poison=reason)

    def _letter_of(self, request: Request) -> Letter:
        """The message, if anything could be read in it. Raises Malformed."""
        if request.sender is None:
            raise Malformed("Set the property user_id to the name of your broker user.")
        if not USER.fullmatch(request.sender):
            raise Malformed("No partner may have a broker user of this name.")
        if not is_json(request.content_type):
            raise Malformed("Send the document as JSON with the property content_type application/json.")
        if request.content_encoding.lower() not in PLAIN:
            raise Malformed("Send the document uncompressed, without the property content_encoding.")
        if len(request.body) > MAX_BODY:
            raise Malformed(f"A message may have {MAX_BODY >> 20} MiB at most: send one application in each.")
        return Letter(
            partner=request.sender,
            body=request.body,
            message_id=request.message_id,
            correlation_id=request.correlation_id,
            trace=current_traceparent(),
            faults=tuple(self._faults(request, self._reply_queue(request.sender))),
        )

    def _faults(self, request: Request, own: str) -> Iterator[FieldError]:
        if not may_be_key(request.message_id):
            yield FieldError("/properties/message_id", "Send 1 to 200 visible ASCII characters.")
        # Else a partner would have us publish where its own rights do not reach.
        if request.reply_to not in (None, own):
            yield FieldError("/properties/reply_to", f"Leave it out, or name your own reply queue: {own}.")

    def _acceptance(self, request: Request, revision: Revision) -> Answer:
        application = revision.application
        accepted = SubmissionAccepted(
            message_id=request.message_id,
            application_id=application.application_id,
            reference=reference_of(application.application_id),
            revision=application.revision,
            received_at=application.received_at,
            status_page=self._status_page(application.application_id),
        )
        return Answer("accepted", accepted.model_dump(mode="json"), "application/json", ACCEPTED)

    def _refusal(self, request: Request, error: Exception, poison: str = "") -> Answer:
        self._refused()
        document: dict[str, Any] = {**problem_of(error).document(), "message_id": request.message_id}
        return Answer("poison" if poison else "refused", document, MEDIA_TYPE, REFUSED, poison)
