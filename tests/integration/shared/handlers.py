"""A hand-written handler, and a consumer wired with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.application import Lane
from shared.batches import Event
from shared.broker import Broker
from shared.clock import DatabaseClock
from shared.consumer import BatchConsumer
from shared.dead_letters import DeadLetters
from shared.deeds import MongoDeeds
from shared.errors import Permanent
from shared.mongo import Database
from shared.recorder import Recorder


class Seen:
    """Notes the events it was given, and fails as told: with each of `errors` in turn, and whenever `poison` is there."""

    def __init__(self, errors: Iterable[Exception] = (), poison: str = "") -> None:
        self.events: list[Event] = []
        self.calls = 0
        self.errors = list(errors)
        self.poison = poison

    async def __call__(self, events: Sequence[Event], lane: Lane) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        if any(event.subject == self.poison for event in events):
            raise Permanent("it is poison")
        self.events += events

    @property
    def subjects(self) -> set[str]:
        """Of the events it handled."""
        return {event.subject for event in self.events}


def dead_letters_of(database: Database, broker: Broker) -> DeadLetters:
    """The dead letters of the broker's service."""
    clock, service = DatabaseClock(database), broker.service
    return DeadLetters(database, broker, clock, Recorder(MongoDeeds(database, broker, service), clock, service))


def consume(broker: Broker, database: Database, handler: Seen) -> DeadLetters:
    """Wire `handler` to the withdrawals of the broker's service; its dead letters."""
    dead_letters = dead_letters_of(database, broker)
    broker.consume(BatchConsumer(broker.service, {"application.withdrawn.v1": handler}, dead_letters))
    return dead_letters
