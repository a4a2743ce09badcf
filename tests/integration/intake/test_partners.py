"""The partners' queue on real brokers: who may do what, what is answered, and that nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aio_pika
import pytest
from aio_pika.exceptions import ChannelPreconditionFailed
from aiormq.exceptions import ChannelAccessRefused

from shared.mongo import Database
from shared.receiving import REQUEST_PREFETCH
from shared.topology import HEADER_PARTNER, HEADER_REASON, Topology
from tests import servers as real
from tests.integration.intake.running import Running, running, settings_for, submission
from tests.integration.shared.amqp import take_over
from tests.partners import (
    OwnBroker,
    Partner,
    contained_broker,
    lasting,
    local_broker,
    partner_at,
    send_as_another_client,
    taken,
)
from tests.servers import Servers
from tests.waiting import eventually

NAME = "acme.charity"
POISON = {
    "not-json": b"{",
    "not-utf8": b"\xff\xfe\x00",
    "empty": b"",
    "nested": b"[" * 2000 + b"]" * 2000,
    "too-large": b'"' + b"a" * (2 << 20) + b'"',
    "twice": b'{"category":"a","category":"b"}',
}


@pytest.fixture(scope="module", params=["the local runner's", "a container's"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    """A RabbitMQ where users can be made; Debian's version and the image's."""
    if request.param == "a container's":
        if not real.container_engine_answers():
            pytest.skip("no container engine answers here")
        with contained_broker() as started:
            started.admit(NAME, Topology())
            yield started
    else:
        with local_broker(tmp_path_factory.mktemp("partners")) as started:
            started.admit(NAME, Topology())
            yield started


@pytest.fixture
def at_this_broker(servers: Servers, broker: OwnBroker) -> Servers:
    return Servers(broker.url, servers.mongo_url, servers.kind)


@pytest.fixture
async def intake(at_this_broker: Servers, database: Database) -> AsyncIterator[Running]:
    """A running intake with the names that partners are told."""
    async with running(settings_for(at_this_broker, database, Topology()), database) as started:
        yield started


@pytest.fixture
async def partner(intake: Running, broker: OwnBroker) -> AsyncIterator[Partner]:
    async with partner_at(broker.url_of(NAME), NAME, Topology()) as connected:
        yield connected


Attempt = Callable[[aio_pika.abc.AbstractChannel], Awaitable[object]]


def _publishing(exchange: str, key: str) -> Attempt:
    async def attempt(channel: aio_pika.abc.AbstractChannel) -> None:
        found = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        await found.publish(aio_pika.Message(b"[]", user_id=NAME), key)

    return attempt


def _reading(queue: str) -> Attempt:
    async def attempt(channel: aio_pika.abc.AbstractChannel) -> None:
        await (await channel.get_queue(queue, ensure=False)).get(fail=False)

    return attempt


def _binding(queue: str, exchange: str) -> Attempt:
    async def attempt(channel: aio_pika.abc.AbstractChannel) -> None:
        await (await channel.get_queue(queue, ensure=False)).bind(exchange, "#")

    return attempt


def _declaring(queue: str, **arguments: Any) -> Attempt:
    async def attempt(channel: aio_pika.abc.AbstractChannel) -> None:
        await channel.declare_queue(queue, durable=True, arguments=arguments)

    return attempt


T = Topology()
FORBIDDEN: dict[str, Attempt] = {
    "publish an event": _publishing(T.exchange, "interactive.application.decided.v1"),
    "publish to a service's queue": _publishing("", T.queue("eligibility", "interactive")),
    "publish to another's replies": _publishing("", T.reply_queue("other")),
    "publish a dead letter": _publishing(T.dead_letter_exchange, "intake"),
    "read what eligibility hears": _reading(T.queue("eligibility", "interactive")),
    "read what other partners send": _reading(T.partner_queue),
    "read dead letters": _reading(T.partner_dead_letter_queue),
    "read another's replies": _reading(T.reply_queue("other")),
    "listen to events": _binding(T.reply_queue(NAME), T.exchange),
    "listen to other partners": _binding(T.reply_queue(NAME), T.partner_exchange),
    "declare another queue": _declaring("mine"),
    "declare a queue that passes messages on": _declaring(
        T.reply_queue(NAME), **{"x-dead-letter-exchange": T.exchange}
    ),
    "delete the queue of all partners": lambda channel: channel.queue_delete(T.partner_queue),
    "delete the exchange": lambda channel: channel.exchange_delete(T.exchange),
}


async def test_a_partner_can_do_nothing_else(intake: Running, broker: OwnBroker) -> None:
    connection = await aio_pika.connect(broker.url_of(NAME))
    allowed = []
    for what, attempt in FORBIDDEN.items():
        channel = await connection.channel()
        try:
            await attempt(channel)
            allowed.append(what)
        except ChannelAccessRefused:
            pass
    await connection.close()
    assert not allowed


async def test_a_partner_cannot_claim_to_be_another(intake: Running, partner: Partner, broker: OwnBroker) -> None:
    with pytest.raises(ChannelPreconditionFailed, match="user_id"):
        await partner.send(submission(), user_id="other")
    assert await intake.database["revisions"].count_documents({}) == 0


async def test_fifty_messages_are_each_answered_and_poison_stops_nobody(
    intake: Running, partner: Partner, broker: OwnBroker
) -> None:
    """39 good ones, 5 with errors, 6 that nobody can read."""
    good = [submission(organisation={"name": f"Partner {n}", "country": "GB"}) for n in range(39)]
    bad = [submission(category="friend", contact={"name": "A", "email": "nobody"}) for _ in range(5)]
    named = {
        **{f"good-{n}": each for n, each in enumerate(good)},
        **{f"bad-{n}": each for n, each in enumerate(bad)},
        **POISON,
    }
    names = sorted(named, key=lambda name: name[::-1])  # mixed
    for name in names:
        await partner.send(named[name], message_id=f"m-{name}", correlation_id=name, reply_to=partner.replies.name)
    answers = await partner.answers(50)
    assert {name: len(found) for name, found in answers.items()} == dict.fromkeys(named, 1)
    assert all(documents[0]["message_id"] == f"m-{name}" for name, documents in answers.items())
    for name in (name for name in named if name.startswith("good")):
        (told,) = answers[name]
        stored = await intake.application(told["application_id"])
        assert (stored.provenance.channel, stored.provenance.client) == ("partner", NAME)
        assert told["reference"] == told["application_id"][:8].upper()
        assert told["status_page"].startswith("http://join.example/status/")
    for number in range(5):
        (told,) = answers[f"bad-{number}"]
        assert told["status"] == 422
        assert {error["pointer"] for error in told["errors"]} == {"/category", "/contact/email"}
    assert {answers[name][0]["status"] for name in POISON} == {400}
    letters = await taken(broker.url, Topology().partner_dead_letter_queue)
    assert sorted(body for body, _ in letters) == sorted(POISON.values())
    assert all(headers[HEADER_PARTNER] == NAME and headers[HEADER_REASON] for _, headers in letters)
    assert await intake.database["revisions"].count_documents({}) == 39
    (line,) = (each for each in (await intake.get("/v1/ledger"))["channels"] if each["channel"] == "partner")
    assert (line["accepted"], line["refused"]) == (39, 11)


async def test_the_partner_is_told_the_same_as_a_client_of_the_api(intake: Running, partner: Partner) -> None:
    document = submission(category="friend", contact={"name": "A", "email": "nobody"}, nonsense=1)
    by_api = await intake.submit(document)
    await partner.send(document)
    reply = await partner.reply()
    told = json.loads(reply.body)
    assert reply.content_type == by_api.headers["content-type"] == "application/problem+json"
    for volatile in ("instance", "message_id"):
        told.pop(volatile, None)
    assert told == {name: value for name, value in by_api.json().items() if name != "instance"}


async def test_a_message_that_comes_again_is_answered_the_same(intake: Running, partner: Partner) -> None:
    for number in range(8):
        await partner.send(submission(), message_id="m-1", correlation_id=str(number))
    answers = await partner.answers(8)
    assert len({lasting(document) for documents in answers.values() for document in documents}) == 1
    await partner.send(submission(locale="fr"), message_id="m-1")
    assert (await partner.told())["status"] == 409
    assert await intake.database["revisions"].count_documents({}) == 1


async def test_without_a_message_id_the_same_bytes_are_the_same_application(
    intake: Running, partner: Partner, broker: OwnBroker
) -> None:
    body = json.dumps(submission()).encode()
    for correlation_id in ("a", "a", "b"):
        given = {"user_id": NAME, "correlation_id": correlation_id}
        assert await send_as_another_client(broker.url_of(NAME), Topology(), body, **given)
    told = [await partner.told() for _ in range(3)]
    assert len({each["application_id"] for each in told}) == 2
    assert await intake.database["revisions"].count_documents({}) == 2


async def test_a_client_of_the_api_with_the_same_name_and_key_is_somebody_else(
    intake: Running, partner: Partner
) -> None:
    by_api = (await intake.submit(caller="alpha", Idempotency_Key="k")).json()
    await partner.send(submission(), message_id="k")
    assert (await partner.told())["application_id"] != by_api["application_id"]


async def test_an_api_key_of_the_partners_name_reads_its_applications_and_no_other_does(
    intake: Running, broker: OwnBroker
) -> None:
    broker.admit("alpha", Topology())
    async with partner_at(broker.url_of("alpha"), "alpha", Topology()) as partner:
        await partner.send(submission())
        identity = (await partner.told())["application_id"]
    assert (await intake.status(identity, "alpha"))["channel"] == "partner"
    assert (await intake.call("GET", f"/v1/applications/{identity}", "beta")).status_code == 404


async def test_an_answer_that_nobody_can_have_costs_no_application(
    intake: Running, broker: OwnBroker, at_this_broker: Servers
) -> None:
    """The reply queue is gone, then full: accepted once, the answer is dropped; sent again, it is answered."""
    address = broker.url_of(NAME)
    async with partner_at(address, NAME, Topology()) as partner:
        await partner.channel.queue_delete(partner.replies.name)
        await partner.send(submission(), message_id="gone")
        await eventually(lambda: _settled(intake, 1), "it is accepted without an answer")
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    async with partner_at(address, NAME, Topology(), **full) as partner:
        for number in range(5):
            await partner.send(submission(), message_id=f"full-{number}")
        await eventually(lambda: _settled(intake, 6), "all are accepted, and the first is answered")
        (stored,) = [
            each async for each in intake.database["revisions"].find({"idempotency_key": "gone"}, {"application_id": 1})
        ]

        async def answered() -> bool:  # the one place may go to a late answer to another
            await partner.replies.purge()
            await partner.send(submission(), message_id="gone")
            return bool((await partner.told())["application_id"] == stored["application_id"])

        await eventually(answered, "it is answered as at first")
    assert await intake.database["revisions"].count_documents({}) == 6


async def _settled(intake: Running, accepted: int) -> bool:
    """So many are accepted, and nothing is in flight: an unacknowledged message would come again when intake stops."""
    return await intake.database["revisions"].count_documents({}) == accepted and await _waiting(intake) == 0


async def _waiting(intake: Running) -> int:
    connection = await aio_pika.connect(intake.broker_url)
    channel = await connection.channel()
    declared = await channel.declare_queue(Topology().partner_queue, passive=True)
    await connection.close()
    return declared.declaration_result.message_count or 0


@pytest.mark.parametrize(
    "properties",
    [
        {"correlation_id": b"\xff\xfe"},
        {"message_id": b"\xff\xfe"},
        {"content_type": b"\xff"},
        {"app_id": b"\xff"},
        {"timestamp": 2**62},
        {"delivery_mode": 7},
        {"priority": 200},
        {"headers": {b"\xff": 1}},
        {"headers": {"traceparent": {"a": {"b": [1, 2]}}}},
    ],
    ids=str,
)
async def test_properties_that_clients_choke_on_stop_nobody(
    intake: Running, partner: Partner, broker: OwnBroker, properties: dict[str, object]
) -> None:
    """As many as the prefetch limit; whatever the broker lets through is answered, and so is what comes after it."""
    sent = 0
    for number in range(REQUEST_PREFETCH):
        body = json.dumps(submission(organisation={"name": str(number), "country": "GB"})).encode()
        given = {"user_id": NAME, **properties}
        sent += await send_as_another_client(broker.url_of(NAME), Topology(), body, **given)
    await partner.send(submission(), correlation_id="neighbour")
    told = [await partner.reply() for _ in range(sent + 1)]
    assert "neighbour" in {each.correlation_id for each in told}
    assert (await intake.call("GET", "/readyz", None)).status_code == 200


async def test_nobody_has_us_publish_where_they_may_not(intake: Running, partner: Partner, broker: OwnBroker) -> None:
    """`reply_to` names a service's queue: refused, in the partner's own reply queue."""
    await partner.send(submission(), reply_to=Topology().queue("eligibility", "interactive"))
    told = await partner.told()
    assert [error["pointer"] for error in told["errors"]] == ["/properties/reply_to"]
    there = await taken(broker.url, Topology().queue("eligibility", "interactive"))
    # intake's own report of the ledger, now and then, belongs there
    assert [body for body, _ in there if b'"type":"ledger.reported.v1"' not in body] == []
    assert await intake.database["revisions"].count_documents({}) == 0


async def test_every_error_of_properties_and_document_comes_at_once(intake: Running, partner: Partner) -> None:
    await partner.send(submission(category="friend"), message_id="two words", reply_to="elsewhere")
    told = await partner.told()
    assert [error["pointer"] for error in told["errors"]] == [
        "/properties/message_id",
        "/properties/reply_to",
        "/category",
    ]


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"content_type": "text/csv"}, "content_type"),
        ({"content_type": None}, "content_type"),
        ({"content_encoding": "gzip"}, "content_encoding"),
    ],
)
async def test_what_is_not_sent_as_json_is_poison(
    intake: Running, partner: Partner, broker: OwnBroker, properties: dict[str, str], says: str
) -> None:
    await partner.send(submission(), **properties)
    assert says in (await partner.told())["detail"]
    ((_, headers),) = await taken(broker.url, Topology().partner_dead_letter_queue)
    assert says in str(headers[HEADER_REASON])


async def test_a_message_of_nobody_is_set_aside_and_not_taken_in(
    intake: Running, partner: Partner, broker: OwnBroker
) -> None:
    await partner.send(submission(), user_id=None)
    await partner.send(submission())
    assert "application_id" in await partner.told()
    ((_, headers),) = await taken(broker.url, Topology().partner_dead_letter_queue)
    assert "user_id" in str(headers[HEADER_REASON])
    assert await intake.database["revisions"].count_documents({}) == 1


async def test_what_comes_before_the_policy_is_held_and_then_answered(
    at_this_broker: Servers, database: Database, broker: OwnBroker
) -> None:
    async with (
        running(settings_for(at_this_broker, database, Topology()), database, announce=False) as intake,
        partner_at(broker.url_of(NAME), NAME, Topology()) as partner,
    ):
        await partner.send(submission())
        with pytest.raises(TimeoutError):
            await partner.reply(seconds=0.5)
        await intake.elsewhere.announce()
        assert "application_id" in await partner.told(seconds=30)


async def test_switched_off_the_queue_is_left_alone_and_what_is_sent_waits(
    at_this_broker: Servers, database: Database, broker: OwnBroker
) -> None:
    settings = settings_for(at_this_broker, database, Topology(), partner_queue=False)
    async with running(settings, database) as intake, partner_at(broker.url_of(NAME), NAME, Topology()) as partner:
        await partner.send(submission())
        await eventually(lambda: _one_waits(intake), "the message waits")
        assert await database["revisions"].count_documents({}) == 0


async def _one_waits(intake: Running) -> bool:
    return await _waiting(intake) == 1


async def test_readiness_knows_when_the_queue_is_not_consumed(intake: Running, broker: OwnBroker) -> None:
    await take_over(broker.url, Topology().partner_queue)

    async def noticed() -> bool:
        answer = await intake.call("GET", "/readyz", None)
        return answer.status_code == 503 and Topology().partner_queue in answer.text

    await eventually(noticed, "the dead consumer is noticed")


async def test_many_at_once_share_writes(intake: Running, partner: Partner) -> None:
    await asyncio.gather(*(partner.send(submission(), message_id=str(n), correlation_id=str(n)) for n in range(200)))
    answers = await partner.answers(200)
    assert len({documents[0]["application_id"] for documents in answers.values()}) == 200
