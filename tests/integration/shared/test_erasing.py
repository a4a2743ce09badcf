"""Erasing on real servers: tombstones, and the dead-letter queue without the events of an erased application."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest

from shared import broker as broker_module
from shared.application import Lane
from shared.batches import Event, Failure, encode
from shared.broker import Broker
from shared.dead_letters import DeadLetters
from shared.errors import Transient
from shared.events import ApplicationErased, InterestErased, LiaisonErased
from shared.mongo import Database
from shared.tombstones import Remembered, Tombstones, erasing
from shared.topology import HEADER_QUEUE
from tests.integration.shared.amqp import NOW, waiting, withdrawn
from tests.integration.shared.handlers import dead_letters_of
from tests.waiting import eventually

LATER = datetime(2021, 11, 1, tzinfo=UTC)


class FakeTombstones:
    """Tombstones in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, datetime] = {}

    async def append(self, erased_at: Mapping[str, datetime]) -> None:
        self.kept = {**erased_at, **self.kept}

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        return self.kept.keys() & set(application_ids)


@pytest.fixture(params=["in memory", "MongoDB"])
def tombstones(request: pytest.FixtureRequest) -> Remembered:
    return FakeTombstones() if request.param == "in memory" else Tombstones(request.getfixturevalue("database"))


class Collected:
    """Something that is erased, once it does not fail any more."""

    def __init__(self, fails: int = 0) -> None:
        self.erased: list[str] = []
        self.fails = fails

    async def erase(self, application_ids: Collection[str]) -> None:
        if self.fails:
            self.fails -= 1
            raise Transient("away")
        self.erased += application_ids


def erasure(name: str) -> Event:
    data = ApplicationErased(application_id=name, revision=1, erased_at=NOW)
    return Event(str(uuid4()), name, NOW, "/accede/tests", data)


async def test_events_of_an_erased_application_reach_no_handler_and_their_neighbours_do(tombstones: Remembered) -> None:
    seen: list[str] = []

    async def handle(events: object, lane: Lane) -> None:
        seen.extend(event.subject for event in events)  # type: ignore[attr-defined]

    collected = Collected()
    handlers = erasing({"application.withdrawn.v1": handle}, tombstones, collected)
    await handlers["application.withdrawn.v1"]([withdrawn({"_id": "a"})], "bulk")
    await handlers["application.erased.v1"]([erasure("a"), erasure("b")], "bulk")
    await handlers["application.withdrawn.v1"]([withdrawn({"_id": name}) for name in "abc"], "bulk")
    await handlers["application.withdrawn.v1"]([withdrawn({"_id": "b"})], "interactive")
    assert (seen, sorted(collected.erased)) == (["a", "c"], ["a", "b"])


async def test_the_tombstone_is_there_before_anything_is_erased_and_a_second_telling_finishes_it(
    tombstones: Remembered,
) -> None:
    collected = Collected(fails=1)
    handlers = erasing({}, tombstones, collected)
    with pytest.raises(Transient):
        await handlers["application.erased.v1"]([erasure("a")], "bulk")
    assert set(await tombstones.among(["a", "b"])) == {"a"}
    await handlers["application.erased.v1"]([erasure("a")], "bulk")
    assert collected.erased == ["a"]


async def test_interests_and_liaison_requests_are_erased_like_applications(tombstones: Remembered) -> None:
    """Of an interest, the requests it came of as well: one of them may still be on its way."""
    collected = Collected()
    handlers = erasing({}, tombstones, collected)
    interest = InterestErased(interest_id="i", request_ids=["r", "s"], erased_at=NOW)
    liaison = LiaisonErased(request_id="l", erased_at=NOW)
    await handlers["interest.erased.v1"]([Event("1", "i", NOW, "/tests", interest)], "interactive")
    await handlers["liaison.erased.v1"]([Event("2", "l", NOW, "/tests", liaison)], "interactive")
    assert sorted(collected.erased) == ["i", "l", "r", "s"]
    assert set(await tombstones.among(["i", "r", "s", "l", "other"])) == {"i", "r", "s", "l"}


async def test_the_first_erasure_told_of_stays(database: Database) -> None:
    tombstones = Tombstones(database)
    await tombstones.append({"a": NOW})
    await tombstones.append({"a": LATER, "b": LATER})
    found = {row["_id"]: row["erased_at"] async for row in database["erasures"].find({})}
    assert found == {"a": NOW, "b": LATER}


def letter_about(*names: str) -> bytes:
    return encode([withdrawn({"_id": name}) for name in names])


@pytest.fixture
async def dead_letters(broker: Broker, database: Database) -> DeadLetters:
    return dead_letters_of(database, broker)


async def put(broker: Broker, *bodies: bytes, reason: str = "a bug") -> None:
    for body in bodies:
        failure = Failure({}, reason, broker.topology.queue("eligibility", "bulk"), "handler", 1, raw=body)
        await broker.dead_letter(failure, body)

    async def there() -> bool:
        async with broker.take_dead_letters(100) as messages:
            return len(messages) == len(bodies)

    async def back() -> bool:
        return await waiting(broker, broker.topology.dead_letter_queue(broker.service)) == len(bodies)

    await eventually(there, "the letters are in the queue")
    await eventually(back, "the letters are there to be had again")


async def left(broker: Broker) -> list[list[str]]:
    """The applications that the letters of the queue are about, in their order."""
    async with broker.take_dead_letters(100) as messages:
        assert all(message.headers[HEADER_QUEUE] for message in messages)
        return [[each["subject"] for each in orjson.loads(message.body)] for message in messages]


async def until_left(broker: Broker, wanted: list[list[str]]) -> None:
    found: list[list[str]] = []

    async def as_wanted() -> bool:
        found[:] = await left(broker)
        return found == wanted

    try:
        await eventually(as_wanted, f"what is left is {wanted}", 10)
    except AssertionError as error:
        raise AssertionError(f"{error}, not {found}") from error


A, B, C, D = (f"{n}{n}{n}{n}{n}{n}{n}{n}-1111-4111-8111-111111111111" for n in "abcd")


async def test_letters_about_an_erased_application_go_and_the_others_stay_in_their_order(
    dead_letters: DeadLetters, broker: Broker, database: Database
) -> None:
    await put(broker, letter_about(A), letter_about(B), letter_about(C), letter_about(B), letter_about(D))
    await dead_letters.erase([B])
    await until_left(broker, [[A], [C], [D]])
    assert await database["dead_letters"].count_documents({}) == 0
    await dead_letters.erase([B])
    await until_left(broker, [[A], [C], [D]])


async def test_a_letter_about_several_keeps_the_others_and_one_that_nobody_can_read_goes_whole(
    dead_letters: DeadLetters, broker: Broker
) -> None:
    await put(broker, letter_about(A, B, C), letter_about(D), b"{" + B.encode() + b"{")
    await dead_letters.erase([B])
    await until_left(broker, [[D], [A, C]])


async def test_a_broker_that_fails_half_way_loses_nothing_and_asking_again_finishes_it(
    dead_letters: DeadLetters, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(broker, letter_about(B), letter_about(A, B), letter_about(C))

    async def away(*args: object, **options: object) -> None:
        raise Transient("the broker is away")

    with monkeypatch.context() as broken:
        broken.setattr(broker, "_send", away)
        with pytest.raises(Transient):
            await dead_letters.erase([B])
    await until_left(broker, [[C], [A, B]])  # what was looked at goes behind what was not
    await dead_letters.erase([B])
    await until_left(broker, [[C], [A]])


async def test_letters_that_were_returned_often_are_copied_before_the_broker_drops_them(
    dead_letters: DeadLetters, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "MOST_RETURNED", 1)
    await put(broker, letter_about(A), letter_about(C))
    await left(broker)
    async with asyncio.timeout(30):
        while True:  # the copies begin anew, in their order
            await dead_letters.erase([B])
            found = await left(broker)
            if found == [[A], [C]]:
                break


async def test_what_a_record_says_of_an_erased_application_is_no_more_than_that_there_was_one(
    dead_letters: DeadLetters, database: Database
) -> None:
    event = orjson.loads(letter_about(B))[0]
    await dead_letters.give_up(Failure(event, "Permanent: about Ann Example", "q", "handler", 1))
    await dead_letters.erase([B])
    (record,) = await dead_letters.list()
    assert (record["application_id"], record["reason"]) == (B, "erased")
    assert "Ann" not in repr(await database["dead_letters"].find({}).to_list(None))
