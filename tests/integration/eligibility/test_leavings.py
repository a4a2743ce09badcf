"""Who leaves the list is told of, so that no invitation of before is sent to them any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.eligibility.domain.interests import Interest, Leaving, interest_id
from services.eligibility.storage.interests import MongoInterests
from shared.clock import Reading
from shared.errors import Transient
from shared.events import InterestLeft
from shared.mongo import Database
from tests.integration.eligibility.test_storage import ONE, TWO, by_form, interest
from tests.publishing import Published
from tests.unit.eligibility.fakes import NOW

HOUR = timedelta(hours=1)


class Ticking:
    """A clock on which an hour passes between two looks. The real time stands an hour before it."""

    def __init__(self) -> None:
        self.now = NOW

    async def read(self) -> Reading:
        self.now += HOUR
        return Reading(self.now, NOW - HOUR)


class Register:
    """The list, and what was published of it."""

    def __init__(self, database: Database) -> None:
        self.published, self.clock = Published(), Ticking()
        self.interests = MongoInterests(database, self.published, self.clock)

    async def leave(self, of: Interest) -> None:
        await self.interests.leave_all(of, await self.clock.read())

    async def amend(self, *leavings: Leaving) -> None:
        await self.interests.leave_by_amendment(leavings, await self.clock.read())

    async def left_at(self, of: Interest) -> datetime | None:
        found = await self.interests.find(of.interest_id)
        assert found is not None
        return found.left_at

    def told(self) -> list[tuple[Sequence[str], datetime]]:
        data = [event.data for event in self.published.events]
        return [(each.subjects, each.left_at) for each in data if isinstance(each, InterestLeft)]


@pytest.fixture
async def register(database: Database) -> Register:
    made = Register(database)
    await made.interests.prepare()
    await made.interests.register([interest()], "bulk", NOW)
    return made


async def test_all_interests_of_the_person_end_and_are_told_of_once_with_what_letters_belong_to(
    register: Register,
) -> None:
    """The instant told is one after they ended: an invitation of before it was written by one who saw them still there."""
    held, form, other = interest(), by_form(), by_form("r2", name="Other")
    assert held.person == form.person
    for each in (form, other):
        await register.interests.add(each, False, "bulk", NOW)
    for _ in range(2):
        await register.leave(form)
    assert register.told() == [(sorted([ONE, form.interest_id]), NOW + 3 * HOUR)]
    assert [await register.left_at(each) for each in (held, form, other)] == [NOW + HOUR, NOW + HOUR, None]
    (event,) = register.published.events
    assert event.subject not in (ONE, form.interest_id), "an erasure of one of them would take the event with it"


async def test_the_sweeper_publishes_what_was_stored_while_the_broker_was_away(register: Register) -> None:
    register.published.away = True
    await register.leave(interest())
    register.published.away = False
    assert await register.interests.leavings.outbox.sweep() == 1
    assert await register.left_at(interest()) == NOW + HOUR
    assert register.told() == [([ONE], NOW + 4 * HOUR)]


async def test_the_sweeper_ends_what_a_process_that_died_did_not_come_to_and_not_what_was_asked_anew(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = by_form()
    await register.interests.add(form, False, "bulk", NOW)

    async def dies(facts: object) -> None:
        raise Transient("it died")

    monkeypatch.setattr(register.interests.leavings, "_end", dies)
    with pytest.raises(Transient):
        await register.leave(form)
    assert await register.left_at(interest()) is None
    assert await register.interests.replace(form, replace(form, registration=2), False, "bulk", NOW)
    assert await register.interests.leavings.outbox.sweep() == 1
    assert await register.left_at(interest()) == NOW + HOUR
    assert await register.left_at(form) is None, "they asked again, and are on the list"
    assert register.told() == [([ONE], NOW + 2 * HOUR)], "until the sweeper came, whoever looked saw them on the list"


async def test_an_amendment_that_asks_no_more_is_told_of_once_and_one_of_nobody_on_the_list_is_not(
    register: Register,
) -> None:
    await register.amend(Leaving(ONE, 2, NOW), Leaving(TWO, 2, NOW))
    assert register.told() == [([ONE], NOW + 3 * HOUR)]
    assert await register.left_at(interest()) == NOW
    ids = {event.id for event in register.published.events}
    await register.amend(Leaving(ONE, 2, NOW))
    assert {event.id for event in register.published.events} == ids, "told again, it is the same event"
    await register.interests.register([interest(3)], "bulk", NOW)
    await register.amend(Leaving(ONE, 2, NOW))
    assert await register.left_at(interest()) is None, "a later revision asks again"
    assert {event.id for event in register.published.events} == ids


@pytest.mark.parametrize("order", [(2, 3), (3, 2)])
async def test_two_amendments_of_one_batch_are_told_of_though_the_first_try_dies(
    register: Register, monkeypatch: pytest.MonkeyPatch, order: tuple[int, int]
) -> None:
    leavings = [Leaving(ONE, revision, NOW) for revision in order]

    async def dies(endings: object, reading: object) -> None:
        raise Transient("it died")

    with monkeypatch.context() as patched:
        patched.setattr(register.interests.leavings, "tell", dies)
        with pytest.raises(Transient):
            await register.amend(*leavings)
    await register.amend(*leavings)
    assert [subjects for subjects, _ in register.told()] == [[ONE]]


async def test_who_asks_by_the_short_form_as_well_is_not_told_of_by_an_amendment(register: Register) -> None:
    """Their one letter may belong to the application."""
    await register.interests.add(by_form(), False, "bulk", NOW)
    await register.amend(Leaving(ONE, 2, NOW))
    assert await register.left_at(interest()) == NOW
    assert register.told() == []


async def test_who_was_told_and_asks_anew_after_leaving_waits_again(register: Register, database: Database) -> None:
    told = {"told_in": "break:1", "told_as": "invited", "told_at": NOW}
    await database["interests"].update_one({"_id": interest_id(ONE)}, {"$set": told})
    await register.interests.register([interest(2, name="$name")], "bulk", NOW)
    stayed = await register.interests.find(interest_id(ONE))
    assert stayed is not None
    assert (stayed.organisation_name, stayed.told_in, stayed.waits) == ("$name", "break:1", False)
    await register.leave(interest())
    await register.interests.register([interest(3)], "bulk", NOW)
    back = await register.interests.find(interest_id(ONE))
    assert back is not None
    assert (back.told_in, back.told_as, back.told_at, back.waits) == (None, None, None, True)


async def test_a_withdrawal_needs_no_telling(register: Register) -> None:
    """Notifications hears of it, and sends no invitation then."""
    await register.interests.leave([Leaving(ONE, 1, NOW)])
    assert await register.left_at(interest()) == NOW
    assert register.told() == []


async def test_interests_of_before_they_were_counted_are_ended_too(register: Register, database: Database) -> None:
    old: dict[str, Any] = {"_id": interest_id(ONE)}
    await database["interests"].update_one(old, {"$unset": {"registration": ""}})
    await register.leave(interest())
    assert await register.left_at(interest()) == NOW + HOUR
