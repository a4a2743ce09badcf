"""The real mailroom (MongoDB) with the same face as the one in memory, so that one suite tests both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from services.notifications.domain.emails import Kind, Standing, State, Transition
from services.notifications.storage.dispatch import MongoQueue
from services.notifications.storage.emails import Emails
from services.notifications.storage.heads import Heads
from services.notifications.storage.records import MongoRecords
from services.notifications.use_cases.dispatch import Claim, Claimed, Queue
from services.notifications.use_cases.emails import EmailStore, NewEmail
from services.notifications.use_cases.records import EmailRecord, Records, Wanted
from shared.application import Lane
from shared.batches import Event
from shared.clock import Clock, DatabaseClock, Reading
from shared.errors import Transient
from shared.events import EmailFailed, EmailSent
from shared.mongo import Database
from tests.unit.notifications.fakes import FakeClock, FakeMailroom


class Mailroom(EmailStore, Queue, Records, Protocol):
    """Emails: added, claimed, looked at."""

    clock: Clock

    async def amended(self, application_id: str, revision: int) -> None: ...

    async def withdrawn(self, application_id: str, revision: int) -> None: ...

    async def erase(self, application_ids: Collection[str]) -> None: ...

    def reported(self) -> list[tuple[str, str]]:
        """(email id, "sent" or "failed") of every event published, in order."""


class InMemory(FakeMailroom):
    """The one in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.clock: Clock = FakeClock()

    async def amended(self, application_id: str, revision: int) -> None:
        newest, withdrawn = self.heads.get(application_id, (0, False))
        self.heads[application_id] = (max(newest, revision), withdrawn)

    async def withdrawn(self, application_id: str, revision: int) -> None:
        await self.amended(application_id, revision)
        self.heads[application_id] = (self.heads[application_id][0], True)

    async def erase(self, application_ids: Collection[str]) -> None:
        self.erased |= set(application_ids)
        await super().erase(application_ids)

    def reported(self) -> list[tuple[str, str]]:
        return [(email_id, "sent" if state == "sent" else "failed") for email_id, state in self.reports]


class Recorder:
    """A publisher that keeps what it is given; while `away`, it raises."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, Lane]] = []
        self.away = False

    async def publish(self, events: Sequence[Event], lane: Lane) -> None:
        if self.away:
            raise Transient("the broker is away")
        self.events += [(event, lane) for event in events]


class InMongo:
    """The real one."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.publisher = Recorder()
        self.emails = Emails(database, self.publisher)
        self.queue = MongoQueue(database, self.emails.outbox)
        self.heads = Heads(database)
        self.records = MongoRecords(database)
        self.clock: Clock = DatabaseClock(database)

    async def prepare(self) -> None:
        await self.emails.outbox.prepare()
        await self.emails.prepare()

    async def amended(self, application_id: str, revision: int) -> None:
        await self.heads.amended({application_id: revision})

    async def withdrawn(self, application_id: str, revision: int) -> None:
        await self.heads.withdrawn({application_id: revision})

    async def erase(self, application_ids: Collection[str]) -> None:
        await self.heads.erase(application_ids)
        await self.emails.erase(application_ids)

    def reported(self) -> list[tuple[str, str]]:
        found = []
        for event, _ in self.publisher.events:
            assert isinstance(event.data, EmailSent | EmailFailed)
            found.append((event.data.email_id, "sent" if isinstance(event.data, EmailSent) else "failed"))
        return found

    async def add(self, emails: Sequence[NewEmail], lane: Lane, reading: Reading) -> None:
        await self.emails.add(emails, lane, reading)

    async def any_due(self) -> bool:
        return await self.queue.any_due()

    async def claim(self, limit: int, seconds: float) -> Claim:
        return await self.queue.claim(limit, seconds)

    async def standings(self, application_ids: Sequence[str]) -> Mapping[str, Standing]:
        return await self.queue.standings(application_ids)

    async def start(self, claim: Claim, seconds: float) -> Sequence[Claimed]:
        return await self.queue.start(claim, seconds)

    async def extend(self, claim: Claim, seconds: float) -> None:
        await self.queue.extend(claim, seconds)

    async def settle(self, claim: Claim, settled: Sequence[tuple[Claimed, Transition]], reading: Reading) -> None:
        await self.queue.settle(claim, settled, reading)

    async def recover(self, reading: Reading) -> Mapping[str, int]:
        return await self.queue.recover(reading)

    async def list(self, wanted: Wanted) -> Sequence[EmailRecord]:
        return await self.records.list(wanted)

    async def find(self, email_id: str) -> tuple[EmailRecord, bytes] | None:
        return await self.records.find(email_id)

    async def counts(self) -> Mapping[tuple[Kind, State], int]:
        return await self.records.counts()
