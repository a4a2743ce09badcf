"""One suite for the fake and the real storage of inbound mail, and what only the real one does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain.inbound import Begun, Fault, Inbound, NotTaken, Reply, Taken, Thread, Verdict
from services.intake.storage import inbound as storage
from services.intake.storage.inbound import INBOUND, RAW, REPLIES, MongoInbound
from shared.clock import DatabaseClock
from shared.events import InboundAnswered
from shared.mongo import Database
from tests.publishing import Published
from tests.unit.intake.fakes import NOW, REAL
from tests.unit.intake.inbound_fakes import FakeInbound

BOTH = pytest.mark.parametrize("kind", ["fake", "real"])
MESSAGE = Inbound("m1", "ann@safer.example", ("apply@alliance.example",), 5, "ab" * 32, NOW)
THREAD = Thread("<1@safer.example>", ("<0@safer.example>",), "Ours")
VERDICT = Verdict(
    accepted=(Taken("a1", "Safer Screens", "row 1"), Taken("a2", "Second Screens", "row 2")),
    refused=(NotTaken("row 3", (Fault("Country", "Write it."),)),),
    problems=("Something.",),
    notes=("Passed over.",),
    locale="fr-CA",
)


async def store_of(kind: str, database: Database, broker: Published | None = None) -> FakeInbound | MongoInbound:
    if kind == "fake":
        return FakeInbound()
    real = MongoInbound(database, broker or Published(), timedelta(days=90))
    await real.prepare()
    await real.outbox.prepare()
    return real


def reply(message: Inbound = MESSAGE, verdict: Verdict = VERDICT) -> Reply:
    return Reply(message.inbound_id, message.sender, THREAD, verdict, NOW, NOW + timedelta(seconds=1))


@BOTH
async def test_a_message_is_stored_once_with_its_bytes(kind: str, database: Database) -> None:
    store = await store_of(kind, database)
    assert await store.add(MESSAGE, b"bytes")
    assert not await store.add(replace(MESSAGE, sender="eve@x.example"), b"other")
    assert await store.find("m1") == MESSAGE
    assert (await store.raw("m1"), await store.raw("m2"), await store.find("m2")) == (b"bytes", None, None)


@BOTH
async def test_how_it_is_read_is_settled_once(kind: str, database: Database) -> None:
    store = await store_of(kind, database)
    await store.add(MESSAGE, b"bytes")
    first, second = Begun("hash-1", "withheld"), Begun("hash-2")
    assert await store.begin("m1", THREAD, first) == first
    assert await store.begin("m1", Thread(), second) == first
    assert await store.find("m1") == replace(MESSAGE, begun=first, thread=THREAD)


@BOTH
async def test_what_became_of_it_is_said_once_and_the_first_word_stands(kind: str, database: Database) -> None:
    store = await store_of(kind, database)
    await store.add(MESSAGE, b"bytes")
    assert await store.conclude(MESSAGE, VERDICT, reply(), REAL)
    assert not await store.conclude(MESSAGE, Verdict(), reply(verdict=Verdict()), REAL)
    found = await store.find("m1")
    assert found is not None
    assert (found.state, found.verdict) == ("partly_accepted", VERDICT)
    assert await store.unread() == []


@BOTH
async def test_unread_ones_come_oldest_first_and_pages_newest_first(kind: str, database: Database) -> None:
    store = await store_of(kind, database)
    for number in (2, 0, 1):
        at = NOW + timedelta(minutes=number)
        await store.add(replace(MESSAGE, inbound_id=f"m{number}", received_at=at), b"x")
    assert [each.inbound_id for each in await store.unread()] == ["m0", "m1", "m2"]
    await store.conclude(MESSAGE, Verdict(ignored=True, reason="a bounce"), None, REAL)
    assert [each.inbound_id for each in await store.unread()] == ["m0", "m2"]
    assert [each.inbound_id for each in await store.page(None, None, 2)] == ["m2", "m1"]
    assert [each.inbound_id for each in await store.page(None, "m1", 2)] == ["m0"]
    assert [each.inbound_id for each in await store.page("ignored", None, 9)] == ["m1"]


@BOTH
async def test_readings_are_counted_but_those_that_are_spared(kind: str, database: Database) -> None:
    store = await store_of(kind, database)
    await store.add(MESSAGE, b"bytes")
    assert [await store.count_attempt("m1") for _ in range(3)] == [1, 2, 3]
    await store.spare_attempt("m1")
    assert await store.count_attempt("m1") == 3
    for _ in range(5):
        await store.spare_attempt("m1")
    assert await store.count_attempt("m1") == 1


@BOTH
async def test_erasing_one_application_forgets_the_whole_message(kind: str, database: Database) -> None:
    store = await store_of(kind, database)
    await store.add(MESSAGE, b"bytes")
    await store.begin("m1", THREAD, Begun("hash"))
    await store.conclude(MESSAGE, VERDICT, reply(), REAL)
    await store.erase(["another"])
    assert await store.raw("m1") == b"bytes"
    for _ in range(2):
        await store.erase(["a2"])
    found = await store.find("m1")
    assert found is not None
    assert found.verdict is not None
    assert (found.sender, found.thread, found.state) == ("", Thread(), "partly_accepted")
    assert [(each.application_id, each.organisation_name) for each in found.verdict.accepted] == [
        ("a1", ""),
        ("a2", ""),
    ]
    assert (found.verdict.refused, found.verdict.problems, await store.raw("m1")) == ((), (), None)


@BOTH
async def test_what_was_erased_is_not_kept_again_though_it_is_sent_again(kind: str, database: Database) -> None:
    store = await store_of(kind, database)
    await store.add(MESSAGE, b"bytes")
    await store.conclude(MESSAGE, VERDICT, reply(), REAL)
    await store.erase(["a1"])
    assert not await store.add(MESSAGE, b"bytes")
    assert await store.raw("m1") is None
    assert await store.unread() == []


async def test_the_reply_is_published_once_with_its_place_in_the_conversation(database: Database) -> None:
    broker = Published()
    store = await store_of("real", database, broker)
    await store.add(MESSAGE, b"bytes")
    await store.conclude(MESSAGE, VERDICT, reply(), REAL)
    await store.conclude(MESSAGE, VERDICT, reply(), REAL)
    (event,) = broker.events
    assert isinstance(event.data, InboundAnswered)
    assert (event.data.in_reply_to, event.data.references) == (
        "<1@safer.example>",
        ["<0@safer.example>", "<1@safer.example>"],
    )
    assert [each.application_id for each in event.data.accepted] == ["a1", "a2"]
    assert event.data.refused[0].faults[0].label == "Country"
    assert event.data.locale == "fr-CA"


async def test_a_message_of_before_its_language_was_told_is_in_english(database: Database) -> None:
    store = await store_of("real", database)
    await store.add(MESSAGE, b"bytes")
    await store.conclude(MESSAGE, VERDICT, reply(), REAL)
    await database[INBOUND].update_one({"_id": "m1"}, {"$unset": {"verdict.locale": 1}})
    found = await store.find("m1")
    assert found is not None
    assert found.verdict == replace(VERDICT, locale="en")


async def test_a_kill_between_reply_and_record_leaves_the_reply_that_was_published(database: Database) -> None:
    store = await store_of("real", database)
    await store.add(MESSAGE, b"bytes")
    await store.conclude(MESSAGE, VERDICT, reply(), REAL)
    await database[INBOUND].update_one({"_id": "m1"}, {"$set": {"state": "received"}, "$unset": {"verdict": 1}})
    assert not await store.conclude(MESSAGE, Verdict(), reply(verdict=Verdict()), REAL)
    document = await database[INBOUND].find_one({"_id": "m1"})
    assert document is not None
    assert (document["state"], document["application_ids"]) == ("partly_accepted", ["a1", "a2"])


async def test_old_messages_are_forgotten_and_bytes_nobody_names_removed(database: Database) -> None:
    store = MongoInbound(database, Published(), timedelta(days=90))
    await DatabaseClock(database).prepare()
    now = (await DatabaseClock(database).read()).real
    for name, age in (("old", 91), ("new", 89)):
        message = replace(MESSAGE, inbound_id=name, received_at=now - timedelta(days=age))
        await store.add(message, b"bytes")
        await store.conclude(message, VERDICT, reply(message), now - timedelta(days=age))
    waiting = replace(MESSAGE, inbound_id="waiting", received_at=now - timedelta(days=400))
    await store.add(waiting, b"bytes")
    await database[RAW].insert_one({"_id": "bare", "raw": b"x", "stored_at": now - timedelta(hours=7)})
    await database[RAW].insert_one({"_id": "just now", "raw": b"x", "stored_at": now})
    await database[INBOUND].insert_one({"_id": "erased", "forgotten": True})
    await database[RAW].insert_one({"_id": "erased", "raw": b"x", "stored_at": now - timedelta(hours=7)})
    assert [await store.forget(), await store.forget()] == [1, 0]
    assert sorted(await database[RAW].distinct("_id")) == ["just now", "new", "waiting"]
    assert sorted(await database[INBOUND].distinct("sender")) == ["", MESSAGE.sender]
    assert "Safer" not in str(await database[REPLIES].find_one({"_id": "old"}))


async def test_bytes_nobody_names_are_found_behind_any_number_of_messages(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "TOGETHER", 2)
    store = await store_of("real", database)
    now = (await DatabaseClock(database).read()).real
    for number in range(5):
        await store.add(replace(MESSAGE, inbound_id=f"m{number}", received_at=now - timedelta(days=1)), b"bytes")
    old = now - timedelta(hours=7)
    await database[RAW].insert_many([{"_id": f"x{number}", "raw": b"x", "stored_at": old} for number in range(3)])
    assert isinstance(store, MongoInbound)
    for left in (1, 0):
        await store.forget()
        assert await database[RAW].count_documents({"_id": {"$gt": "x"}}) == left
    assert await database[RAW].count_documents({}) == 5
