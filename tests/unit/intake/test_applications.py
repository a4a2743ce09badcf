"""Accepting, amending, withdrawing: decided by rules alone, with storage in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.applications import Revision, Stale, Withdrawal, body_hash
from services.intake.use_cases.applications import Applications, Sender, Stored
from services.intake.use_cases.status import StatusProjection
from shared.application import Submission, id_of
from shared.errors import Conflict, Transient
from shared.events import ApplicationSummary
from tests.unit.deeds import FakeDeeds
from tests.unit.intake.fakes import NOW, Collected, FakeClock, FakeRevisions, FakeStatuses, FakeWithdrawals
from tests.unit.intake.samples import document


class World:
    """Intake without a database."""

    def __init__(self) -> None:
        self.clock, self.afterwards = FakeClock(), Collected()
        self.revisions, self.withdrawals = FakeRevisions(), FakeWithdrawals()
        self.statuses = FakeStatuses(timedelta(seconds=60))
        self.projection = StatusProjection(self.statuses, self.clock)
        self.projection.heal_from(self.revisions)
        self.deeds = FakeDeeds()
        record = self.deeds.recorder(self.clock, "intake")
        self.applications = Applications(
            self.revisions, self.withdrawals, self.projection, self.clock, self.afterwards.later, record
        )

    async def submit(self, key: str | None = None, **changes: object) -> str:
        """The id of an accepted application."""
        revision = await self.applications.submit(submission(**changes), Sender("alpha", key, "00-trace"))
        return revision.application.application_id

    async def amend(self, name: str, expected: int | None = None, key: str | None = None, **changes: object) -> int:
        """The number of an accepted amendment."""
        revision = await self.applications.amend(name, submission(**changes), Sender("alpha", key), expected)
        return revision.application.revision


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.afterwards.do()


def submission(**changes: object) -> Submission:
    return Submission.model_validate(document(**changes))


async def test_an_accepted_application_is_stored_with_its_status_and_published_after_the_answer(world: World) -> None:
    name = await world.submit()
    assert (list(world.revisions.kept), list(world.statuses.kept)) == ([f"{name}:1"], [name])
    assert world.revisions.kept[f"{name}:1"].trace == "00-trace"
    assert world.revisions.published == []
    await world.afterwards.do()
    assert world.revisions.published == [f"{name}:1"]


async def test_the_id_of_an_application_follows_from_client_and_key(world: World) -> None:
    assert await world.submit("k") == id_of("application", "alpha", "k") == await world.submit("k")
    assert await world.submit() != await world.submit()
    with pytest.raises(Conflict, match="another document"):
        await world.submit("k", locale="fr")


async def test_concurrent_submissions_share_writes(world: World) -> None:
    names = await asyncio.gather(*(world.submit() for _ in range(100)))
    assert len(set(names)) == len(world.revisions.kept) == 100
    assert len(world.revisions.lanes) == 1


async def test_what_could_not_be_stored_is_not_accepted(world: World) -> None:
    world.revisions.fails = 1
    with pytest.raises(Transient):
        await world.submit()
    assert not world.revisions.kept
    assert not world.statuses.kept


async def test_once_the_fact_is_stored_it_is_accepted_though_its_status_could_not_be_written(world: World) -> None:
    world.statuses.fails = 1
    name = await world.submit()
    assert world.statuses.kept == {}
    await world.afterwards.do()
    assert world.revisions.published == []  # the sweeper writes the status, then publishes
    status = await world.projection.find(name)
    assert status is not None
    assert status.state == "pending"


def test_white_space_and_the_order_of_keys_do_not_make_another_document() -> None:
    plain = document(locale="en")
    turned = dict(reversed(plain.items())) | {"contact": {"email": " ann@safer.example ", "name": "Ann Example"}}
    assert body_hash(submission()) == body_hash(Submission.model_validate(turned))


async def test_an_amendment_has_its_own_receipt_time_and_inherits_the_first(world: World) -> None:
    name = await world.submit()
    world.clock.move(days=90)
    assert await world.amend(name, locale="fr") == 2
    amended = world.revisions.kept[f"{name}:2"].application
    assert (amended.received_at, amended.first_received_at) == (NOW + timedelta(days=90), NOW)
    assert world.statuses.kept[name].locale == "fr"


async def test_a_repeated_amendment_is_the_same_revision(world: World) -> None:
    name = await world.submit()
    assert [await world.amend(name, key="k"), await world.amend(name, key="k")] == [2, 2]
    with pytest.raises(Conflict, match="another document"):
        await world.amend(name, key="k", locale="fr")


async def test_the_key_of_the_submission_does_not_amend(world: World) -> None:
    name = await world.submit("k")
    with pytest.raises(Conflict, match="nothing was amended"):
        await world.amend(name, key="k")
    assert await world.amend(name, key="k2") == 2


async def test_an_amendment_that_a_withdrawal_overtakes_is_refused_though_it_is_stored(world: World) -> None:
    """The withdrawal comes between the look for one and the write; a repeated request is refused as well."""
    name = await world.submit()
    append = world.revisions.append

    async def withdrawn_first(*arguments: Any) -> list[Stored]:
        world.revisions.append = append  # type: ignore[method-assign]
        withdrawal = await world.applications.withdraw(name, Sender("alpha"))
        await world.projection.withdrawals([withdrawal])
        return await append(*arguments)

    world.revisions.append = withdrawn_first  # type: ignore[method-assign, assignment]
    for _ in range(2):
        with pytest.raises(Conflict, match="was withdrawn"):
            await world.amend(name, key="k")
    assert (world.statuses.kept[name].state, world.withdrawals.kept[name].revision) == ("withdrawn", 1)


async def test_an_amendment_that_came_before_the_withdrawal_stays_accepted(world: World) -> None:
    name = await world.submit()
    assert await world.amend(name, key="k") == 2
    await world.applications.withdraw(name, Sender("alpha"))
    assert await world.amend(name, key="k") == 2


async def test_a_stale_amendment_is_refused(world: World) -> None:
    name = await world.submit()
    assert await world.amend(name, expected=1) == 2
    with pytest.raises(Stale, match="newest revision is 2, not 1"):
        await world.amend(name, expected=1)


async def test_amendments_that_never_find_a_free_number_are_told_to_come_back(world: World) -> None:
    name = await world.submit()
    real = world.revisions.of

    async def behind(application_id: str) -> list[Revision]:
        return (await real(application_id))[:1]

    world.revisions.of = behind  # type: ignore[method-assign]
    assert await world.amend(name) == 2
    with pytest.raises(Transient, match="all the time"):
        await world.amend(name)


async def test_a_withdrawn_application_cannot_be_amended_and_is_withdrawn_once(world: World) -> None:
    name = await world.submit()
    first = await world.applications.withdraw(name, Sender("alpha"))
    world.clock.move(days=1)
    assert await world.applications.withdraw(name, Sender("alpha")) == first
    assert world.deeds.told() == [("application", name, "withdrawn", "alpha")]
    summary = ApplicationSummary.of(world.revisions.kept[f"{name}:1"].application)
    assert first == Withdrawal(name, 1, NOW, "alpha", application=summary)
    with pytest.raises(Conflict, match="was withdrawn"):
        await world.amend(name)
