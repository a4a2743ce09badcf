"""Leaving the list of those who are told when a pause is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from services.eligibility.domain.interests import Interest, Leaving
from services.eligibility.use_cases.interests import LeaveInterests
from shared.application import Contact
from shared.clock import Reading
from shared.errors import Transient
from tests.unit.eligibility.fakes import NOW, FakeInterests

ONE = "11111111-1111-4111-8111-111111111111"


class Clock:
    """A clock that tests move."""

    now: datetime = NOW

    async def read(self) -> Reading:
        return Reading(self.now, self.now)


def interest(revision: int = 1) -> Interest:
    return Interest(ONE, revision, "c", "Example", Contact(name="A", email="a@example.org"), "en", NOW)


class Amended(FakeInterests):
    """Interests of an applicant who amends, consenting anew, just before each of the first `times` leavings."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def leave(self, leavings: Sequence[Leaving]) -> None:
        if self.times:
            self.times -= 1
            await self.register([interest(leavings[0].revision + 1)], "bulk", NOW)
        await super().leave(leavings)


async def test_leaving_ends_the_interest_once() -> None:
    interests, clock = FakeInterests(), Clock()
    await interests.register([interest()], "bulk", NOW)
    use_case = LeaveInterests(interests, clock)
    left = await use_case.leave(ONE)
    assert left is not None
    assert left.left_at == NOW
    clock.now = NOW + timedelta(days=1)
    assert await use_case.leave(ONE) == left == await use_case.find(ONE)


async def test_an_interest_that_was_never_registered_cannot_be_left() -> None:
    use_case = LeaveInterests(FakeInterests(), Clock())
    assert await use_case.leave(ONE) is None


async def test_a_revision_that_comes_in_between_is_left_as_well() -> None:
    interests = Amended(2)
    await interests.register([interest()], "bulk", NOW)
    left = await LeaveInterests(interests, Clock()).leave(ONE)
    assert left is not None
    assert (left.revision, left.left_at) == (3, NOW)
    restless = Amended(99)
    await restless.register([interest()], "bulk", NOW)
    with pytest.raises(Transient):
        await LeaveInterests(restless, Clock()).leave(ONE)


async def test_the_same_decision_told_again_does_not_register_anew() -> None:
    interests = FakeInterests()
    await interests.register([interest()], "bulk", NOW)
    await LeaveInterests(interests, Clock()).leave(ONE)
    await interests.register([interest()], "bulk", NOW)
    found = await interests.find(ONE)
    assert found is not None
    assert found.left_at == NOW
