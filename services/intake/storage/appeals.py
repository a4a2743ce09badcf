"""Appeals in Mongo: insert-only facts with their outbox mark.

appeals  _id "<application>:<revision>:<number>", application {…}, number, stage, statement, appealed_at, client,
         idempotency_key, trace, outbox
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.intake.domain.appeals import Appeal
from services.intake.storage.applications import SOURCE, summary_of
from shared.batches import Event
from shared.events import ApplicationAppealed, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

ProjectAppeals = Callable[[Sequence[Appeal]], Awaitable[None]]
_PLAIN: Final = ("number", "stage", "statement", "appealed_at", "client", "idempotency_key", "trace")


class MongoAppeals:
    """The facts `appeals`. The status is written before the event is published, by whoever publishes it."""

    def __init__(self, database: Database, publisher: Publisher, project: ProjectAppeals) -> None:
        self._appeals = database["appeals"]

        async def heal(facts: Sequence[Document]) -> None:
            await project([_appeal_of(fact) for fact in facts])

        self.outbox = Outbox(self._appeals, _event_of, publisher, before_publish=heal)

    async def append(self, appeal: Appeal, real: datetime) -> Appeal:
        """Store it, write the status and publish, or leave that to the sweeper; the one that is stored under its key."""
        fact = {
            "_id": appeal.id,
            "application": appeal.application.model_dump(),
            **{name: getattr(appeal, name) for name in _PLAIN},
        }
        (stored,) = await self.outbox.append([fact], "interactive", real)
        await self.outbox.publish_or_leave([stored.document])
        return _appeal_of(stored.document)

    async def of(self, application_id: str) -> list[Appeal]:
        """Those of an application, oldest first. Raises Transient."""
        with classified():
            # ';' is the character after ':', so this is every key that begins with the application's id
            found = self._appeals.find({"_id": {"$gte": f"{application_id}:", "$lt": f"{application_id};"}})
            appeals = [_appeal_of(fact) async for fact in found]
        return sorted(appeals, key=lambda each: (each.revision, each.number))

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete those of these applications. Raises Transient."""
        with classified():
            await self._appeals.delete_many({"application.application_id": {"$in": list(application_ids)}})

    async def prepare(self) -> None:
        """The index by which those of an application are erased."""
        with classified():
            await self._appeals.create_index([("application.application_id", 1)], name="application")


def _appeal_of(fact: Mapping[str, Any]) -> Appeal:
    return Appeal(application=summary_of(fact["application"]), **{name: fact[name] for name in _PLAIN})


def _event_of(fact: Mapping[str, Any]) -> Event:
    appeal = _appeal_of(fact)
    return Event(
        id=event_id(appeal.id, appeal.number, "application.appealed.v1"),
        subject=appeal.application.application_id,
        time=appeal.appealed_at,
        source=SOURCE,
        data=ApplicationAppealed.model_construct(
            application=appeal.application,
            appeal_id=appeal.appeal_id,
            stage=appeal.stage,
            statement=appeal.statement,
            decision_revision=appeal.revision,
            decision_number=appeal.number,
            appealed_at=appeal.appealed_at,
        ),
        traceparent=appeal.trace,
    )
