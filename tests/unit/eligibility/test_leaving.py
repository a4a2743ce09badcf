"""The list of those who are told when a pause is over: joining it by the short form, leaving it, being erased from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.eligibility.domain.interests import (
    Interest,
    InterestRequest,
    asked,
    interest_id,
    is_told,
    person_of,
    recipient,
)
from services.eligibility.use_cases.interests import LeaveInterests, TakeInterestRequests
from shared.application import Contact
from shared.clock import Reading
from shared.errors import Transient
from tests.unit.eligibility.fakes import NOW, FakeInterests

ONE = "11111111-1111-4111-8111-111111111111"
INTEREST = interest_id(ONE)
HOUR = timedelta(hours=1)


class Clock:
    """A clock that tests move."""

    now = NOW

    async def read(self) -> Reading:
        return Reading(self.now, self.now)


class Office:
    """Both use cases over one store and one clock."""

    def __init__(self) -> None:
        self.interests, self.clock = FakeInterests(), Clock()
        self.take = TakeInterestRequests(self.interests, self.clock)
        self.leaving = LeaveInterests(self.interests, self.clock)

    async def ask(self, *requests: InterestRequest) -> None:
        self.clock.now = max(self.clock.now, *(each.requested_at for each in requests))
        await self.take(requests, "interactive")

    def only(self) -> Interest:
        (found,) = self.interests.stored.values()
        return found

    def live(self) -> list[Interest]:
        return [each for each in self.interests.stored.values() if each.left_at is None]


def held(revision: int = 1) -> Interest:
    return Interest(ONE, revision, "c", "Example", Contact(name="A", email="a@example.org"), "en", NOW)


def request(
    name: str = "r1", hours: int = 0, email: str = "a@example.org", organisation: str = "Example"
) -> InterestRequest:
    contact = Contact(name="Ann", email=email)
    return InterestRequest(name, "c", organisation, "GB", contact, "en", NOW + hours * HOUR)


async def test_leaving_ends_the_interest_once() -> None:
    office = Office()
    await office.interests.register([held()], "bulk", NOW)
    left = await office.leaving.leave(INTEREST)
    assert left is not None
    assert left.left_at == NOW
    office.clock.now = NOW + timedelta(days=1)
    assert await office.leaving.leave(INTEREST) == left == await office.leaving.find(INTEREST)


async def test_an_interest_that_was_never_registered_cannot_be_left() -> None:
    assert await Office().leaving.leave(INTEREST) is None


async def test_the_same_decision_told_again_does_not_register_anew_and_an_amendment_that_consents_does() -> None:
    office = Office()
    await office.interests.register([held()], "bulk", NOW)
    await office.leaving.leave(INTEREST)
    await office.interests.register([held()], "bulk", NOW)
    assert office.live() == []
    await office.interests.register([held(2)], "bulk", NOW)
    assert len(office.live()) == 1


async def test_asking_twice_is_one_interest_and_one_email() -> None:
    office = Office()
    await office.ask(request("r1"), request("r2", email="A@Example.org ", organisation="  example"))
    assert office.only().request_ids == ("r1", "r2")
    assert len(office.interests.told) == 1
    await office.ask(request("r1"))
    assert len(office.interests.told) == 1


async def test_another_organisation_or_another_address_is_another_person() -> None:
    office = Office()
    await office.ask(request("r1"), request("r2", organisation="Other"), request("r3", email="b@example.org"))
    assert len(office.live()) == len(office.interests.told) == 3
    assert person_of("ANN@example.org", "ÉCOLE  für Ｋinder") == person_of("ann@example.org", "école für kinder")


async def test_who_has_a_held_application_on_the_list_is_not_told_again_and_stays_one() -> None:
    office = Office()
    await office.interests.register([held()], "bulk", NOW)
    await office.ask(request())
    assert office.interests.told == []
    assert (await office.interests.counts())["c"] == {"live": 1, "left": 0, "told": 0}
    chosen = recipient(office.live())
    assert chosen is not None
    assert chosen.source == "application"


async def test_leaving_by_either_link_leaves_for_both() -> None:
    for which in ("application", "form"):
        office = Office()
        await office.interests.register([held()], "bulk", NOW)
        await office.ask(request())
        (link,) = [each.interest_id for each in office.live() if each.source == which]
        await office.leaving.leave(link)
        assert office.live() == []
        assert not is_told(office.interests.stored.values())
        assert recipient(list(office.interests.stored.values())) is None


async def test_who_has_left_is_back_only_by_asking_afterwards() -> None:
    office = Office()
    await office.ask(request("r1"))
    office.clock.now = NOW + 2 * HOUR
    await office.leaving.leave(office.only().interest_id)
    await office.ask(request("r1"), request("late", hours=1))
    assert office.live() == []
    await office.ask(request("r3", hours=3))
    (back,) = office.live()
    assert (back.registration, back.registered_at, back.request_ids) == (2, NOW + 3 * HOUR, ("r1", "late", "r3"))
    assert [each.registration for each in office.interests.told] == [1, 2]


async def test_what_was_erased_is_gone_and_what_was_on_its_way_does_not_bring_it_back() -> None:
    office = Office()
    await office.ask(request("r1"))
    identity = office.only().interest_id
    office.clock.now = NOW + 2 * HOUR
    assert await office.leaving.erase(identity)
    assert office.interests.stored == {}
    assert office.interests.erasures[identity].request_ids == ("r1",)
    await office.ask(request("r1"), request("late", hours=1))
    assert office.interests.stored == {}
    assert not await office.leaving.erase(identity), "there is nothing left"
    await office.ask(request("new", hours=3))
    assert office.only().interest_id != identity


async def test_erasing_by_the_form_leaves_the_list_and_not_the_application_s_record() -> None:
    office = Office()
    await office.interests.register([held()], "bulk", NOW)
    await office.ask(request())
    (form,) = [each for each in office.live() if each.source == "form"]
    assert await office.leaving.erase(form.interest_id)
    assert (office.only().source, office.only().left_at) == ("application", NOW)
    assert not await office.leaving.erase(INTEREST), "that is done on the application's own page"


async def test_a_request_that_meets_another_one_looks_again() -> None:
    class Racing(FakeInterests):
        times = 0

        async def add(self, interest: Interest, *how: object) -> bool:
            if not self.times:
                self.times += 1
                await super().add(replace(interest, request_ids=("other",)), True, "bulk", NOW)
            return await super().add(interest, True, "bulk", NOW)

    racing = Racing()
    await TakeInterestRequests(racing, Clock())([request()], "bulk")
    ((found),) = racing.stored.values()
    assert (found.request_ids, len(racing.told)) == (("other", "r1"), 1)

    class Restless(FakeInterests):
        async def add(self, *how: object) -> bool:
            return False

    with pytest.raises(Transient):
        await TakeInterestRequests(Restless(), Clock())([request()], "bulk")


def test_a_newer_request_brings_the_interest_up_to_date() -> None:
    first = asked(None, request("r1"), None, NOW)
    assert first is not None
    moved = asked(first, replace(request("r2"), category="d", country="FR"), None, NOW + HOUR)
    assert moved is not None
    assert (moved.category, moved.country, moved.registered_at, moved.registration) == ("d", "FR", NOW, 1)
    assert moved.interest_id == first.interest_id
