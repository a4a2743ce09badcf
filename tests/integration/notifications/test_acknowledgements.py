"""Acknowledged arrivals: the ones in memory and the ones in MongoDB keep the same promises, also for many at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.notifications.domain.acknowledgements import REPEATED, Arrival
from services.notifications.storage.acknowledgements import ACKNOWLEDGED, MongoAcknowledged
from services.notifications.storage.heads import Heads
from services.notifications.use_cases.acknowledgements import OneAcknowledgement
from shared.events import EmailFailed
from shared.mongo import Database
from tests.integration.notifications.mailrooms import InMongo
from tests.unit.notifications.fakes import FakeAcknowledged
from tests.unit.notifications.letters import NOW, new_email

Acknowledged = FakeAcknowledged | MongoAcknowledged


@pytest.fixture(params=["in memory", "MongoDB"])
async def acknowledged(request: pytest.FixtureRequest, database: Database) -> Acknowledged:
    if request.param == "in memory":
        return FakeAcknowledged()
    stored = MongoAcknowledged(database)
    await stored.prepare()
    return stored


def arrival(application_id: str, key: str = "ada@charity.example harbour", minutes: int = 0) -> Arrival:
    return Arrival(application_id, NOW + timedelta(minutes=minutes), key)


async def test_the_first_under_a_key_is_the_one_that_others_meet(acknowledged: Acknowledged) -> None:
    first = arrival("a")
    assert await acknowledged.note([first, arrival("b", minutes=1), arrival("c", "another")], NOW) == {"b": first}
    assert await acknowledged.note([arrival("d"), first], NOW) == {"d": first}


async def test_one_is_replaced_by_another_only_where_it_is_still_there(acknowledged: Acknowledged) -> None:
    first, second, third = arrival("a"), arrival("b", minutes=1), arrival("c", minutes=2)
    await acknowledged.note([first], NOW)
    await acknowledged.replace([(second, first), (third, first)])
    assert await acknowledged.note([arrival("d")], NOW) == {"d": second}


async def test_what_is_erased_is_met_no_more(acknowledged: Acknowledged) -> None:
    await acknowledged.note([arrival("a"), arrival("b", "another")], NOW)
    await acknowledged.erase({"a", "nobody"})
    assert await acknowledged.note([arrival("c")], NOW) == {}
    assert set(await acknowledged.note([arrival("d", "another")], NOW)) == {"d"}


async def test_of_many_replicas_at_once_one_writes(database: Database) -> None:
    async def asked(number: int) -> bool:
        once = OneAcknowledgement(MongoAcknowledged(database), Heads(database))
        return bool(await once([arrival(f"application-{number}")], NOW))

    await MongoAcknowledged(database).prepare()
    assert sorted(await asyncio.gather(*(asked(number) for number in range(12)))) == [False] + [True] * 11


async def test_after_a_withdrawal_one_of_many_replicas_writes(database: Database) -> None:
    """It takes the place of the withdrawn one; the others meet it there."""
    heads = Heads(database)
    await MongoAcknowledged(database).note([arrival("withdrawn")], NOW)
    await heads.withdrawn({"withdrawn": 1})

    async def asked(number: int) -> bool:
        return bool(await OneAcknowledgement(MongoAcknowledged(database), heads)([arrival(f"{number}")], NOW))

    assert sorted(await asyncio.gather(*(asked(number) for number in range(6)))) == [False] + [True] * 5


async def test_neither_a_name_nor_an_address_is_kept(database: Database) -> None:
    await MongoAcknowledged(database).note([arrival("a")], NOW)
    (row,) = await database[ACKNOWLEDGED].find().to_list(None)
    assert "ada" not in str(row)
    assert set(row) == {"_id", "application_id", "received_at", "noted_at"}


async def test_an_email_that_is_left_out_from_the_start_is_superseded_and_reported_each_time(
    real: InMongo,
) -> None:
    """So that a report that got lost is told again, and nothing is ever claimed for sending."""
    email = new_email(template="acknowledgement", left_out=REPEATED)
    for _ in range(2):
        await real.add([email], "bulk", await real.clock.read())
    found = await real.find(email.email_id)
    assert found is not None
    assert (found[0].state, found[0].due, found[0].history[-1].detail) == ("superseded", None, REPEATED)
    assert not await real.any_due()
    told = [event.data for event, _ in real.publisher.events]
    assert [(each.superseded, each.reason) for each in told if isinstance(each, EmailFailed)] == [(True, REPEATED)] * 2
    assert len({event.id for event, _ in real.publisher.events}) == 1
