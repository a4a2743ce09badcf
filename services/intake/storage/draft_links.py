"""Requests for links to drafts in Mongo: insert-only facts with their outbox mark, forgotten no later than the draft.

draft_links  _id, draft_id, application_id, amends, category, address, locale, expires_at, requested_at, trace, outbox
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from typing import Any

from services.intake.domain.draft_links import DraftLinkRequest
from services.intake.storage.applications import SOURCE
from shared.batches import Event
from shared.clock import Clock
from shared.events import DraftSaved, event_id
from shared.mongo import Database, classified
from shared.outbox import Outbox, Publisher


class MongoDraftLinkRequests:
    """The facts `draft_links`."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._clock = clock
        self._requests = database["draft_links"]
        self.outbox = Outbox(self._requests, _event_of, publisher)

    async def prepare(self) -> None:
        """The index by which MongoDB forgets, and that of an application's requests."""
        with classified():
            await self._requests.create_index("expires_at", name="expires", expireAfterSeconds=0)
            await self._requests.create_index([("application_id", 1), ("requested_at", 1)], name="application")

    async def append(self, request: DraftLinkRequest) -> None:
        """Store it and publish, or leave that to the sweeper. Raises Transient."""
        plain = asdict(request)
        fact = {"_id": plain.pop("request_id"), **plain}
        stored = await self.outbox.append([fact], "interactive", (await self._clock.read()).real)
        await self.outbox.publish_or_leave(each.document for each in stored)

    async def of(self, application_id: str) -> list[DraftLinkRequest]:
        """Those of the drafts of an application, oldest first. Raises Transient."""
        with classified():
            found = self._requests.find({"application_id": application_id}).sort("requested_at", 1)
            return [_request_of(fact) async for fact in found]

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete those of the drafts of these applications. Raises Transient."""
        with classified():
            await self._requests.delete_many({"application_id": {"$in": list(application_ids)}})


def _request_of(fact: Mapping[str, Any]) -> DraftLinkRequest:
    kept = {each.name: fact[each.name] for each in fields(DraftLinkRequest) if each.name != "request_id"}
    return DraftLinkRequest(request_id=fact["_id"], **kept)


def _event_of(fact: Mapping[str, Any]) -> Event:
    request = _request_of(fact)
    return Event(
        id=event_id(request.request_id, 1, "draft.saved.v1"),
        subject=request.application_id,
        time=request.requested_at,
        source=SOURCE,
        data=DraftSaved.model_construct(
            draft_id=request.draft_id,
            application_id=request.application_id,
            amends=request.amends,
            category=request.category,
            address=request.address,
            locale=request.locale,
            expires_at=request.expires_at,
            requested_at=request.requested_at,
        ),
        traceparent=request.trace,
    )
