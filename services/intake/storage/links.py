"""Revocations of links and requests for them in Mongo: insert-only facts with their outbox mark.

link_revocations  _id "<application>:<generation>", application_id, generation, revoked_at, client, trace, outbox
link_requests     _id, application {…}, generation, requested_at, trace, outbox
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from services.intake.domain.links import LinkRequest, Revocation
from services.intake.storage.applications import SOURCE, summary_of
from shared.batches import Event
from shared.clock import Clock
from shared.events import LinkRequested, LinkRevoked, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

ProjectRevocations = Callable[[Sequence[Revocation]], Awaitable[None]]


class MongoRevocations:
    """The facts `link_revocations`. The sweeper writes the statuses too, should a crash have kept them from it."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock, project: ProjectRevocations) -> None:
        async def heal(facts: Sequence[Document]) -> None:
            await project([_revocation_of(fact) for fact in facts])

        self._clock = clock
        self._revocations = database["link_revocations"]
        self.outbox = Outbox(self._revocations, _event_of_revocation, publisher, before_publish=heal)

    async def append(self, revocation: Revocation) -> Revocation:
        """Store it and publish; the one that is stored, which may be somebody else's of the same generation."""
        fact = {
            "_id": revocation.id,
            "application_id": revocation.application_id,
            "generation": revocation.generation,
            "revoked_at": revocation.revoked_at,
            "client": revocation.client,
            "trace": revocation.trace,
        }
        stored = await self.outbox.append([fact], "interactive", (await self._clock.read()).real)
        await self.outbox.publish_or_leave(each.document for each in stored)
        return _revocation_of(stored[0].document)

    async def of(self, application_id: str) -> list[Revocation]:
        """Those of an application, oldest first. Raises Transient."""
        with classified():
            # ';' is the character after ':', so this is every key that begins with the application's id
            found = self._revocations.find({"_id": {"$gte": f"{application_id}:", "$lt": f"{application_id};"}})
            revocations = [_revocation_of(fact) async for fact in found]
        return sorted(revocations, key=lambda each: each.generation)


class MongoLinkRequests:
    """The facts `link_requests`: only those that were granted."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._clock = clock
        self._requests = database["link_requests"]
        self.outbox = Outbox(self._requests, _event_of_request, publisher)

    async def prepare(self) -> None:
        """The index of an application's requests."""
        with classified():
            await self._requests.create_index([("application.application_id", 1)], name="application")

    async def append(self, request: LinkRequest) -> None:
        """Store it and publish, or leave that to the sweeper. Raises Transient."""
        fact = {
            "_id": request.request_id,
            "application": request.application.model_dump(),
            "generation": request.generation,
            "requested_at": request.requested_at,
            "trace": request.trace,
        }
        stored = await self.outbox.append([fact], "interactive", (await self._clock.read()).real)
        await self.outbox.publish_or_leave(each.document for each in stored)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete the requests of these applications. Raises Transient."""
        with classified():
            await self._requests.delete_many({"application.application_id": {"$in": list(application_ids)}})

    async def of(self, application_id: str) -> list[LinkRequest]:
        """Those of an application, oldest first. Raises Transient."""
        with classified():
            found = self._requests.find({"application.application_id": application_id}).sort("requested_at", 1)
            return [_request_of(fact) async for fact in found]


def _request_of(fact: Mapping[str, Any]) -> LinkRequest:
    summary = summary_of(fact["application"])
    return LinkRequest(fact["_id"], summary, fact["generation"], fact["requested_at"], fact["trace"])


def _revocation_of(fact: Mapping[str, Any]) -> Revocation:
    return Revocation(fact["application_id"], fact["generation"], fact["revoked_at"], fact["client"], fact["trace"])


def _event_of_revocation(fact: Mapping[str, Any]) -> Event:
    revocation = _revocation_of(fact)
    return Event(
        id=event_id(revocation.id, revocation.generation, "link.revoked.v1"),
        subject=revocation.application_id,
        time=revocation.revoked_at,
        source=SOURCE,
        data=LinkRevoked.model_construct(
            application_id=revocation.application_id,
            generation=revocation.generation,
            revoked_at=revocation.revoked_at,
        ),
        traceparent=revocation.trace,
    )


def _event_of_request(fact: Mapping[str, Any]) -> Event:
    request = _request_of(fact)
    return Event(
        id=event_id(request.request_id, 1, "link.requested.v1"),
        subject=request.application.application_id,
        time=request.requested_at,
        source=SOURCE,
        data=LinkRequested.model_construct(
            application=request.application, generation=request.generation, requested_at=request.requested_at
        ),
        traceparent=request.trace,
    )
