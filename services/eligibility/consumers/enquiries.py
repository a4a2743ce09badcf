"""What comes from intake's short forms: requests to be told when the pause is over, and requests to the liaison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from services.eligibility.domain.interests import InterestRequest
from services.eligibility.domain.liaison import Entry, LiaisonRequest
from services.eligibility.use_cases.interests import TakeInterestRequests
from services.eligibility.use_cases.liaison import Liaison
from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import InterestRequested, LiaisonRequested


def handlers(take: TakeInterestRequests, liaison: Liaison) -> Mapping[str, Handler]:
    """Event type → its handler."""

    async def interests(events: Sequence[Event], lane: Lane) -> None:
        await take([_interest_request(cast(InterestRequested, event.data)) for event in events], lane)

    async def requests(events: Sequence[Event], lane: Lane) -> None:
        await liaison.take([_liaison_request(cast(LiaisonRequested, event.data)) for event in events])

    return {"interest.requested.v1": interests, "liaison.requested.v1": requests}


def _interest_request(asked: InterestRequested) -> InterestRequest:
    return InterestRequest(
        request_id=asked.request_id,
        category=asked.category,
        organisation_name=asked.organisation_name,
        country=asked.country,
        contact=asked.contact,
        locale=asked.locale,
        requested_at=asked.requested_at,
    )


def _liaison_request(asked: LiaisonRequested) -> LiaisonRequest:
    return LiaisonRequest(
        request_id=asked.request_id,
        category=asked.category,
        organisation_name=asked.organisation_name,
        country=asked.country,
        contact=asked.contact,
        message=asked.message,
        locale=asked.locale,
        requested_at=asked.requested_at,
        reply_by=asked.reply_by,
        history=(Entry(asked.requested_at, "received", "sender"),),
    )
