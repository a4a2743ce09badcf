"""The link to a draft by email: what is kept of the wish, and how often it is granted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.intake.domain.drafts import KEPT, Draft
from services.intake.use_cases.applications import Applications
from services.intake.use_cases.draft_links import PER_ADDRESS, PER_DRAFT, DraftLinks
from services.intake.use_cases.drafts import Drafts
from services.intake.use_cases.links import PER_CLIENT
from services.intake.use_cases.status import StatusProjection
from shared.limits import Limit, Limits, TooOften
from tests.unit.deeds import FakeDeeds
from tests.unit.intake.fakes import (
    NOW,
    Collected,
    FakeClock,
    FakeCounters,
    FakeDraftLinkRequests,
    FakeDrafts,
    FakeRevisions,
    FakeStatuses,
    FakeWithdrawals,
)


class World:
    """The use case over stand-ins."""

    def __init__(self) -> None:
        self.clock, self.counters, self.requests = FakeClock(), FakeCounters(), FakeDraftLinkRequests()
        projection = StatusProjection(FakeStatuses(timedelta(minutes=1)), self.clock)
        record, later = FakeDeeds().recorder(self.clock), Collected().later
        applications = Applications(FakeRevisions(), FakeWithdrawals(), projection, self.clock, later, record)
        self.drafts = Drafts(FakeDrafts(), applications, self.clock)
        limits = Limits(self.counters, self.clock, "a secret of the tests")
        self.links = DraftLinks(self.requests, self.drafts, limits, self.clock)

    async def draft(self) -> Draft:
        return await self.drafts.begin("club")


async def test_a_link_is_asked_for_at_an_address_which_the_draft_keeps_for_the_next_time() -> None:
    world = World()
    draft = await world.draft()
    world.clock.move(days=3)
    kept = await world.links.ask(draft, "ann@safer.example", "192.0.2.1", "trace")
    assert kept.address == "ann@safer.example"
    assert kept.expires == world.clock.real + KEPT, "having it sent is a change like others"
    (request,) = world.requests.kept
    assert (request.draft_id, request.address, request.category, request.locale, request.amends) == (
        draft.draft_id, "ann@safer.example", "club", "en", False
    )  # fmt: skip
    assert (request.expires_at, request.requested_at) == (kept.expires, NOW + timedelta(days=3))
    assert request.application_id == draft.about, "by it the address is found when the application is erased"


@pytest.mark.parametrize(
    ("limit", "addresses", "clients", "drafts"),
    [
        (PER_ADDRESS, ["ann@safer.example", "Ann@Safer.Example"], 100, 100),
        (PER_DRAFT, [f"{number}@safer.example" for number in range(100)], 100, 1),
        (PER_CLIENT, [f"{number}@safer.example" for number in range(100)], 1, 100),
    ],
)
async def test_an_address_a_draft_and_a_client_are_limited_each(
    limit: Limit, addresses: list[str], clients: int, drafts: int
) -> None:
    world = World()
    begun = [await world.draft() for _ in range(drafts)]
    for number in range(limit.most):
        address, client = addresses[number % len(addresses)], f"192.0.2.{number % clients}"
        await world.links.ask(begun[number % drafts], address, client)
    with pytest.raises(TooOften):
        await world.links.ask(begun[-1], addresses[-1], "192.0.2.0")
    assert len(world.requests.kept) == limit.most


async def test_no_counter_names_an_address() -> None:
    world = World()
    await world.links.ask(await world.draft(), "ann@safer.example", "192.0.2.1")
    assert len(world.counters.kept) == 3
    assert not any("ann" in key for key in world.counters.kept)
