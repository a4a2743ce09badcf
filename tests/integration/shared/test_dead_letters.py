"""Given-up events on real servers: alone, with their reason, and back again."""

from __future__ import annotations

import pytest
from aio_pika import Message

from shared.batches import encode
from shared.broker import Broker
from shared.dead_letters import DeadLetters
from shared.errors import Permanent, Transient
from shared.mongo import Database
from shared.topology import HEADER_ATTEMPTS, HEADER_HANDLER, HEADER_QUEUE, HEADER_REASON
from tests.integration.shared.amqp import channel_to, first_in, waiting, withdrawn
from tests.integration.shared.handlers import Seen, consume
from tests.servers import Servers
from tests.waiting import eventually


async def recorded(dead_letters: DeadLetters, count: int) -> None:
    async def there() -> bool:
        return len(await dead_letters.list()) == count

    await eventually(there, f"{count} dead letters are recorded")


async def letters(broker: Broker) -> int:
    """How many can be taken. To take them to count them would hide them for a moment from whoever comes next."""
    return await waiting(broker, broker.topology.dead_letter_queue(broker.service))


async def kept(broker: Broker, count: int) -> None:
    async def there() -> bool:
        return await letters(broker) == count

    await eventually(there, f"{count} dead letters are in the queue")


async def test_one_poisonous_event_goes_to_the_dead_letters_alone_and_comes_back_on_replay(
    database: Database, broker: Broker
) -> None:
    seen = Seen(poison="p")
    dead_letters = consume(broker, database, seen)
    await broker.start_consuming()
    events = [withdrawn({"_id": name}) for name in ("a", "p", "b")]
    await broker.publish(events, "bulk")
    await eventually(lambda: seen.subjects == {"a", "b"}, "the neighbours are handled")
    await kept(broker, 1)
    record = (await dead_letters.list())[0]
    assert record["reason"] == "Permanent: it is poison"
    assert record["application_id"] == "p"
    assert record["event_id"] == events[1].id
    assert record["queue"] == broker.topology.queue("eligibility", "bulk")

    seen.poison = ""
    assert await dead_letters.replay("ada") == 1
    await eventually(lambda: "p" in seen.subjects, "the replayed event is handled")
    assert [event.id for event in seen.events if event.subject == "p"] == [events[1].id]
    assert await letters(broker) == 0
    assert await dead_letters.replay("ada") == 0
    (deed,) = await database["deeds"].find({}).to_list(None)
    told = {name: deed[name] for name in ("service", "about", "subject_id", "what", "by", "old", "new", "outbox")}
    assert told == {
        "service": "eligibility",
        "about": "dead_letters",
        "subject_id": "eligibility",
        "what": "replayed",
        "by": "ada",
        "old": {},
        "new": {"letters": 1},
        "outbox": None,  # it shows the audit itself, so nobody has to be told
    }, "that nothing was there to be replayed is no deed"


async def test_a_dead_letter_says_why_from_where_and_after_how_many_tries(
    database: Database, broker: Broker, servers: Servers
) -> None:
    consume(broker, database, Seen(errors=[KeyError("jane@example.org")] * 5))
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "a"})], "interactive")
    await kept(broker, 1)
    async with channel_to(servers.rabbitmq_url) as channel:
        letter = await first_in(channel, broker.topology.dead_letter_queue("eligibility"))
        assert letter is not None
        assert letter.headers[HEADER_QUEUE] == broker.topology.queue("eligibility", "interactive")
        assert letter.headers[HEADER_HANDLER] == "application.withdrawn.v1"
        assert letter.headers[HEADER_ATTEMPTS] == 5
        reason = str(letter.headers[HEADER_REASON])
        assert reason.startswith("KeyError: a bug at tests.integration.shared.handlers:")
        assert "jane" not in reason


async def test_a_transient_error_holds_the_batch_until_the_world_is_back(database: Database, broker: Broker) -> None:
    seen = Seen(errors=[Transient("away")] * 10)
    dead_letters = consume(broker, database, seen)
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "a"})], "interactive")
    await eventually(lambda: seen.subjects == {"a"}, "the event is handled in the end")
    assert seen.calls == 11
    assert await dead_letters.list() == []


async def test_only_what_was_replayed_is_marked_and_one_that_fails_again_takes_its_mark_off(
    database: Database, broker: Broker
) -> None:
    seen = Seen(poison="p")
    dead_letters = consume(broker, database, seen)
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "p"})], "bulk")
    await kept(broker, 1)
    await database["dead_letters"].insert_one({"_id": "another", "event_id": "another", "outbox": None})

    seen.poison = "q"
    assert await dead_letters.replay("ada") == 1
    await eventually(lambda: seen.subjects == {"p"}, "it is handled")
    marked = {row["event_id"] for row in await dead_letters.list() if "replayed_at" in row}
    assert marked == {withdrawn({"_id": "p"}).id}

    seen.poison = "p"
    await broker.publish([withdrawn({"_id": "p"})], "bulk")
    await kept(broker, 1)

    async def unmarked() -> bool:
        return not any("replayed_at" in row for row in await dead_letters.list())

    await eventually(unmarked, "it waits for a person again")
    assert len(await dead_letters.list()) == 2


async def test_a_replay_that_fails_leaves_everything_in_the_queue(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_letters = consume(broker, database, Seen(errors=[Permanent("no")] * 9))
    await broker.start_consuming()
    for name in ("a", "b", "c"):
        await broker.publish([withdrawn({"_id": name})], "bulk")
    await kept(broker, 3)

    async def fail(*_: object) -> None:
        raise Transient("the broker is away")

    with monkeypatch.context() as patched:
        patched.setattr(broker, "replay", fail)
        with pytest.raises(Transient):
            await dead_letters.replay("ada")
    await kept(broker, 3)
    assert await dead_letters.replay("ada", limit=2) == 2


async def test_a_message_that_the_broker_itself_gave_up_is_replayed_to_where_it_came_from(
    database: Database, broker: Broker, servers: Servers
) -> None:
    name = broker.topology.queue("eligibility", "bulk")
    await broker.publish([withdrawn({"_id": "a"}), withdrawn({"_id": "b"})], "bulk")
    async with channel_to(servers.rabbitmq_url) as channel:
        message = await first_in(channel, name)
        assert message is not None
        await message.reject(requeue=False)  # as after too many deliveries
    await kept(broker, 1)
    seen = Seen()
    dead_letters = consume(broker, database, seen)
    await broker.start_consuming()
    assert await dead_letters.replay("ada") == 1
    await eventually(lambda: seen.subjects == {"a", "b"}, "the whole batch is handled")


async def test_a_letter_that_says_nothing_of_its_origin_does_not_keep_the_others(
    database: Database, broker: Broker, servers: Servers
) -> None:
    async with channel_to(servers.rabbitmq_url) as channel:
        await channel.default_exchange.publish(
            Message(b"put there by hand"), broker.topology.dead_letter_queue("eligibility")
        )
    dead_letters = consume(broker, database, Seen())
    await kept(broker, 1)
    assert await dead_letters.replay("ada") == 1
    await broker.start_consuming()
    await recorded(dead_letters, 1)
    assert (await dead_letters.list())[0]["handler"] == "decode"


async def test_foreign_messages_of_every_kind_end_as_dead_letters_and_keep_nobody(
    database: Database, broker: Broker, servers: Servers
) -> None:
    seen = Seen()
    dead_letters = consume(broker, database, seen)
    await broker.start_consuming()
    name = broker.topology.queue("eligibility", "bulk")
    strange = [
        b"",
        b"\xff\xfe",
        b"[1]",
        b'{"id": 7}',
        b'[{"specversion":"1.0","type":"' + b"x" * 5000 + b'"}]',
        b"[{}]",
    ]
    strange.append(b'{"id": "' + b"i" * 5000 + b'"}')
    async with channel_to(servers.rabbitmq_url) as channel:
        for body in strange:
            await channel.default_exchange.publish(Message(body), name)
    await broker.publish([withdrawn({"_id": "after"})], "bulk")
    await eventually(lambda: seen.subjects == {"after"}, "later events are handled")
    await kept(broker, len(strange))
    rows = await dead_letters.list()
    assert all(len(row["reason"]) <= 1000 and len(row["event_id"]) <= 200 for row in rows)
    assert broker.topology.queue("eligibility", "bulk") == rows[0]["queue"]


async def test_a_given_up_event_is_told_to_the_ledger(database: Database, broker: Broker, servers: Servers) -> None:
    dead_letters = consume(broker, database, Seen(poison="p"))
    await broker.start_consuming()
    await broker.publish([withdrawn({"_id": "p"})], "bulk")
    await recorded(dead_letters, 1)
    async with channel_to(servers.rabbitmq_url) as channel:

        async def told() -> bool:
            message = await first_in(channel, broker.topology.queue("intake", "bulk"))
            return message is not None and message.type == "event.dead-lettered.v1"

        await eventually(told, "intake is told")


async def test_what_could_not_be_read_is_sent_back_byte_for_byte(
    database: Database, broker: Broker, servers: Servers
) -> None:
    """A mended decoder must meet what was sent, not our account of it."""
    dead_letters = consume(broker, database, Seen())
    await broker.start_consuming()
    name = broker.topology.queue("eligibility", "bulk")
    async with channel_to(servers.rabbitmq_url) as channel:
        await channel.default_exchange.publish(Message(b"\xff not a batch"), routing_key=name)
        await kept(broker, 1)
        letter = await first_in(channel, broker.topology.dead_letter_queue("eligibility"))
        assert letter is not None
        assert letter.body == b"\xff not a batch"
        await letter.nack(requeue=True)
    await kept(broker, 1)
    assert await dead_letters.replay("ada") == 1
    await kept(broker, 1)  # nothing was mended here: it comes back
    assert len(await dead_letters.list()) == 1


async def test_events_without_an_id_have_a_record_each(database: Database, broker: Broker, servers: Servers) -> None:
    dead_letters = consume(broker, database, Seen())
    await broker.start_consuming()
    name = broker.topology.queue("eligibility", "bulk")
    async with channel_to(servers.rabbitmq_url) as channel:
        for body in (b"[{}]", b'[{"id": 1234}]'):
            await channel.default_exchange.publish(Message(body), routing_key=name)
    await kept(broker, 2)
    await recorded(dead_letters, 2)


async def test_a_letter_whose_queue_is_gone_comes_to_a_queue_of_its_service_and_keeps_no_other(
    database: Database, broker: Broker, servers: Servers
) -> None:
    seen = Seen()
    dead_letters = consume(broker, database, seen)
    await broker.start_consuming()
    async with channel_to(servers.rabbitmq_url) as channel:
        for subject, queue in (("a", "gone.queue"), ("b", broker.topology.queue("eligibility", "interactive"))):
            message = Message(encode([withdrawn({"_id": subject})]), headers={HEADER_QUEUE: queue})
            name = broker.topology.dead_letter_queue("eligibility")
            await channel.default_exchange.publish(message, routing_key=name)
    await kept(broker, 2)
    assert await dead_letters.replay("ada") == 2
    await eventually(lambda: seen.subjects == {"a", "b"}, "both are handled")
