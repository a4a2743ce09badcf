"""Links: who may ask for one, how often, and what revoking comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.links import beginning_of, is_address_of
from services.intake.domain.status_changes import accepted, with_revoked_links
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.links import PER_ADDRESS, PER_CLIENT, StatusLinks
from services.intake.use_cases.status import StatusProjection
from shared.limits import Limit, Limits, TooOften
from shared.web.links import read_status_subject, status_subject
from tests.unit.deeds import FakeDeeds
from tests.unit.intake.fakes import (
    NOW,
    Collected,
    FakeClock,
    FakeCounters,
    FakeLinkRequests,
    FakeRevisions,
    FakeRevocations,
    FakeStatuses,
)
from tests.unit.intake.samples import application, revision

ID = "2f1f3d1e-0c34-5d8e-9a59-6f3d1f2f4b6a"
OTHER = "2f1f3d1e-ffff-5d8e-9a59-6f3d1f2f4b6a"


class World:
    """The use case over stand-ins, with one application, and a second one whose reference is the same."""

    def __init__(self) -> None:
        self.clock, self.counters, self.afterwards = FakeClock(), FakeCounters(), Collected()
        self.revisions, self.revocations, self.requests = FakeRevisions(), FakeRevocations(), FakeLinkRequests()
        self.statuses = FakeStatuses(timedelta(minutes=1))
        self.projection = StatusProjection(self.statuses, self.clock)
        self.limits = Limits(self.counters, self.clock, "a secret of the tests")
        self.deeds = FakeDeeds()
        self.links = StatusLinks(
            self.revocations,
            self.requests,
            self.revisions,
            self.projection,
            self.limits,
            self.clock,
            self.afterwards.later,
            self.deeds.recorder(self.clock, "intake"),
        )

    async def begin(self) -> None:
        for name in (ID, OTHER):
            one = application(name=name)
            if name == OTHER:
                one = one.model_copy(update={"contact": one.contact.model_copy(update={"email": "bo@other.example"})})
            await self.revisions.append([revision(one)], "interactive", self.clock.real)
            await self.statuses.insert([accepted(one)], self.clock.real)

    async def ask(self, address: str, reference: str, client: str = "192.0.2.1") -> list[tuple[str, int]]:
        """What was granted so far, after asking."""
        await self.links.ask(address, reference, client)
        await self.afterwards.do()
        return [(each.application.application_id, each.generation) for each in self.requests.kept]


@pytest.fixture
async def world() -> World:
    made = World()
    await made.begin()
    return made


@pytest.mark.parametrize("reference", ["2F1F3D1E", " 2f1f 3d1e ", ID, ID.upper()])
async def test_the_contact_gets_the_link_however_the_reference_is_written(world: World, reference: str) -> None:
    assert await world.ask(" Ann@Safer.Example ", reference) == [(ID, 0)]
    assert world.requests.kept[0].application.contact.email == "ann@safer.example"


@pytest.mark.parametrize(
    ("address", "reference"),
    [
        ("bo@other.example", ID),  # a reference alone is not enough
        ("nobody@safer.example", "2F1F3D1E"),
        ("ann@safer.example", "00000000"),
        ("ann@safer.example", "2F1F"),
        ("ann@safer.example", "2f1f3d1e~"),
        ("", "2F1F3D1E"),
    ],
)
async def test_who_does_not_know_both_gets_nothing_and_no_other_answer(
    world: World, address: str, reference: str
) -> None:
    assert await world.ask(address, reference) == []


async def test_nothing_is_looked_up_before_the_answer(world: World) -> None:
    await world.links.ask("ann@safer.example", ID, "192.0.2.1")
    assert world.requests.kept == []
    await world.afterwards.do()
    assert len(world.requests.kept) == 1


async def test_an_address_is_limited_alike_whether_it_is_known_or_not(world: World) -> None:
    for address in ("ann@safer.example", "nobody@safer.example"):
        for _ in range(PER_ADDRESS.most):
            await world.ask(address, ID)
        with pytest.raises(TooOften, match="Try again in 60 minutes"):
            await world.ask(address.upper(), ID)
    assert len(world.requests.kept) == PER_ADDRESS.most
    world.clock.move(hours=1)
    await world.ask("ann@safer.example", ID)


async def test_a_client_that_tries_many_addresses_is_stopped_and_others_are_not(world: World) -> None:
    for number in range(PER_CLIENT.most):
        await world.ask(f"{number}@guess.example", ID)
    with pytest.raises(TooOften):
        await world.ask("one-more@guess.example", ID)
    await world.ask("one-more@guess.example", ID, client="192.0.2.2")


async def test_no_counter_names_an_address(world: World) -> None:
    await world.ask("ann@safer.example", ID)
    assert len(world.counters.kept) == 2
    assert all(len(key) == 64 for key in world.counters.kept)
    assert not any("ann" in key for key in world.counters.kept)


async def test_revoking_raises_the_generation_and_a_new_link_has_it(world: World) -> None:
    for generation in (1, 2):
        status = await world.projection.find(ID)
        assert status is not None
        revoked = await world.links.revoke(status, Sender("olga"))
        assert (revoked.generation, revoked.client) == (generation, "olga")
    assert [(each.what, each.by, each.old, each.new) for each in world.deeds.kept.values()] == [
        ("links_revoked", "olga", {"link_generation": before}, {"link_generation": before + 1}) for before in (0, 1)
    ]
    assert await world.ask("ann@safer.example", ID) == [(ID, 2)]


async def test_two_who_revoke_at_once_have_revoked_once(world: World) -> None:
    status = await world.projection.find(ID)
    assert status is not None
    first = await world.links.revoke(status, Sender("olga"))
    assert await world.links.revoke(status, Sender("otto")) == first
    found = await world.projection.find(ID)
    assert found is not None
    assert found.link_generation == 1


def test_a_revocation_that_is_told_late_changes_nothing() -> None:
    status = with_revoked_links(accepted(application()), 2)
    assert with_revoked_links(status, 1) is status
    assert with_revoked_links(status, 2) is status


def test_a_link_names_its_application_and_generation() -> None:
    for generation in (0, 1, 12):
        assert read_status_subject(status_subject(ID, generation)) == (ID, generation)
    assert status_subject(ID, 0) == ID
    assert read_status_subject(f"{ID}.x") == (ID, 0)


def test_references_and_addresses_are_compared_as_people_write_them() -> None:
    assert beginning_of("2F1F-3D1E") is None
    assert beginning_of(ID + "0") is None
    assert is_address_of("A@B.example", "a@b.example ")
    assert not is_address_of(" ", "")


def test_windows_begin_at_multiples_of_their_length() -> None:
    limit = Limit("x", 1, timedelta(hours=1))
    at = NOW + timedelta(minutes=59, seconds=59, milliseconds=500)
    assert (limit.begin(at), limit.end(at)) == (NOW, datetime(2021, 10, 4, 10, tzinfo=UTC))
    assert limit.seconds_left(at) == 1
    assert limit.seconds_left(NOW) == 3600
