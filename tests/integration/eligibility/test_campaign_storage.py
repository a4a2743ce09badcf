"""Stored campaigns, invitations, the list, and who has applied again: the fakes and MongoDB behave the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.eligibility.domain.campaigns import Campaign, Pace, Step
from services.eligibility.domain.decisions import decide
from services.eligibility.domain.interests import Interest
from services.eligibility.domain.invitations import Count, DryRun, Invitation
from services.eligibility.domain.twins import Claim
from services.eligibility.storage.campaigns import MongoCampaigns
from services.eligibility.storage.decisions import MongoDecisions
from services.eligibility.storage.interests import MongoInterests
from services.eligibility.storage.invitations import MongoInvitations
from services.eligibility.storage.reapplications import MongoReapplications
from services.eligibility.storage.twins import MongoClaims
from services.eligibility.storage.waiting import MongoWaiting
from shared.application import Contact, Lane
from shared.batches import Event
from shared.events import InterestInvited
from shared.mongo import Database
from shared.policy.identity import IdentityKey
from tests.unit.eligibility.campaign_fakes import FakeCampaigns, FakeInvitations, FakeWaiting
from tests.unit.eligibility.fakes import NOW, FakeClock, FakeInterests, Look
from tests.unit.eligibility.making import AFTER, DURING, application, pause, rulebook

LIFTED = datetime(2022, 1, 1, tzinfo=UTC)
CAMPAIGN = Campaign("break:1", pause(), 1, LIFTED, AFTER)
TECH = "technology_company"
HELD, AGAIN, OTHER = (str(UUID(int=number)) for number in (1, 2, 3))


class Published:
    """A broker that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, Lane]] = []

    async def publish(self, events: Sequence[Event], lane: Lane) -> None:
        self.events += [(event, lane) for event in events]


@dataclass
class Stores:
    campaigns: MongoCampaigns | FakeCampaigns
    interests: MongoInterests | FakeInterests
    waiting: MongoWaiting | FakeWaiting
    invitations: MongoInvitations | FakeInvitations
    published: Published


@pytest.fixture(params=["memory", "mongo"])
async def stores(request: pytest.FixtureRequest, database: Database) -> Stores:
    published = Published()
    if request.param == "memory":
        kept = FakeInterests()
        return Stores(FakeCampaigns(), kept, FakeWaiting(kept), FakeInvitations(), published)
    interests, invitations = MongoInterests(database, published, FakeClock()), MongoInvitations(database, published)
    await interests.prepare()
    await invitations.prepare()
    return Stores(MongoCampaigns(database), interests, MongoWaiting(database), invitations, published)


def interest(number: int, category: str = TECH) -> Interest:
    contact = Contact(name="Mari Tamm", email=f"mari{number}@example.org")
    return Interest(f"app-{number}", 1, category, f"Example {number}", contact, "en", DURING, country="EE")


def invitation(number: int) -> Invitation:
    of = interest(number)
    return Invitation(
        "break:1", of.interest_id, of.person, of.application_id, None, TECH, of.organisation_name, of.contact, "en",
        DURING, "old", "new", LIFTED, AFTER,
    )  # fmt: skip


async def test_a_campaign_is_opened_once_and_a_step_has_one_author(stores: Stores) -> None:
    assert await stores.campaigns.open(CAMPAIGN)
    assert not await stores.campaigns.open(replace(CAMPAIGN, opened_at=NOW))
    step = Step(1, "started", "ada", "The board.", AFTER, Pace(60, 10))
    assert await stores.campaigns.append("break:1", step)
    assert not await stores.campaigns.append("break:1", replace(step, by="olga"))
    assert await stores.campaigns.append("break:1", Step(2, "stopped", "olga", "Wait.", AFTER))
    (found,) = await stores.campaigns.all()
    assert found == replace(CAMPAIGN, steps=(step, Step(2, "stopped", "olga", "Wait.", AFTER)))


async def test_the_count_of_a_dry_run_is_wanted_when_it_is_opened_and_whenever_it_is_asked_for(stores: Stores) -> None:
    await stores.campaigns.open(CAMPAIGN)
    assert await stores.campaigns.counted("break:1") is None
    assert list(await stores.campaigns.uncounted()) == ["break:1"]
    counted = DryRun(AFTER, {TECH: Count(invited=3, left=1)})
    await stores.campaigns.keep_count("break:1", counted)
    assert (await stores.campaigns.counted("break:1"), list(await stores.campaigns.uncounted())) == (counted, [])
    await stores.campaigns.ask_count("break:1", NOW)
    assert await stores.campaigns.counted("break:1") == replace(counted, pending=True)
    assert list(await stores.campaigns.uncounted()) == ["break:1"]


async def test_of_what_intake_tells_the_latest_report_counts_whenever_it_comes(stores: Stores) -> None:
    assert await stores.campaigns.decided_before() is None
    await stores.campaigns.note_receipts(LIFTED, AFTER)
    await stores.campaigns.note_receipts(DURING, DURING)
    assert await stores.campaigns.decided_before() == LIFTED
    await stores.campaigns.note_receipts(DURING, NOW)
    assert await stores.campaigns.decided_before() == DURING, "an old receipt came in"


async def test_the_list_is_read_in_chunks_and_what_is_told_is_off_it(stores: Stores) -> None:
    three = [interest(1), interest(2), interest(3, "financial_institution")]
    await stores.interests.register(three, "bulk", NOW)
    assert list(await stores.waiting.waiting_categories()) == ["financial_institution", TECH]
    assert await stores.waiting.waiting_counts() == {"financial_institution": 1, TECH: 2}
    (first,) = await stores.waiting.waiting([TECH], 1)
    (second,) = await stores.waiting.waiting([TECH], 9, first.interest_id)
    assert {first.application_id, second.application_id} == {"app-1", "app-2"}
    await stores.waiting.tell("break:1", {first.interest_id: "invited", second.interest_id: "applied"}, AFTER)
    await stores.waiting.tell("break:2", {first.interest_id: "applied"}, NOW)
    assert list(await stores.waiting.waiting([TECH], 9)) == []
    assert await stores.waiting.told("break:1") == {(TECH, "invited"): 1, (TECH, "applied"): 1}
    found = await stores.interests.find(first.interest_id)
    assert found is not None
    assert (found.told_in, found.told_as, found.told_at) == ("break:1", "invited", AFTER)
    await stores.interests.leave_all(interest(3), Look())
    assert await stores.waiting.left_counts() == {"financial_institution": 1}
    assert (await stores.interests.counts())[TECH] == {"live": 0, "left": 0, "told": 2}


async def test_an_invitation_is_stored_once_whoever_writes_it(stores: Stores) -> None:
    assert await stores.invitations.append([invitation(1), invitation(2)], NOW) == 2
    assert await stores.invitations.append([replace(invitation(1), invited_at=NOW), invitation(3)], NOW) == 1
    people = [interest(number).person for number in (1, 9)]
    assert await stores.invitations.invited("break:1", people) == {people[0]: interest(1).interest_id}
    assert await stores.invitations.invited("break:2", people) == {}


async def test_a_wave_is_taken_once_and_the_next_is_due_later(database: Database) -> None:
    campaigns = MongoCampaigns(database)
    await campaigns.open(CAMPAIGN)
    minute = timedelta(minutes=1)
    assert await campaigns.begin_wave("break:1", minute) is None
    left = await campaigns.begin_wave("break:1", minute)
    assert left is not None
    assert timedelta(seconds=25) < left <= minute
    assert await campaigns.begin_wave("break:1", timedelta(milliseconds=1)) is None, "a faster pace counts at once"


async def test_invitations_are_told_in_bulk_paged_and_forgotten_with_their_application(database: Database) -> None:
    published = Published()
    invitations = MongoInvitations(database, published)
    await invitations.prepare()
    await invitations.append([invitation(number) for number in range(3)], NOW)
    assert {(type(event.data), lane) for event, lane in published.events} == {(InterestInvited, "bulk")}
    assert {event.subject for event, _ in published.events} == {"app-0", "app-1", "app-2"}
    first = await invitations.page("break:1", None, 2)
    rest = await invitations.page("break:1", first[-1].invitation_id, 2)
    assert sorted(each.application_id or "" for each in (*first, *rest)) == ["app-0", "app-1", "app-2"]
    await invitations.erase(["app-1"])
    stored = str(await database["invitations"].find({}).to_list(None))
    assert "Example 1" not in stored
    assert "mari1@" not in stored
    assert await invitations.count("break:1") == 3, "it still counts"


async def test_who_has_applied_again_is_found_by_contact_by_key_and_by_twin(database: Database) -> None:
    decisions, claims = MongoDecisions(database, Published()), MongoClaims(database)
    found = MongoReapplications(database)
    for each in (decisions, claims, found):
        await each.prepare()
    held = application(received_at=DURING, application_id=HELD)
    again = application(received_at=AFTER, application_id=AGAIN)
    await decisions.append([decide(each, rulebook(), decided_at=AFTER) for each in (held, again)], "bulk", NOW)
    assert (await found.decisions([HELD]))[HELD].judgement.outcome == "on_hold"
    people = await found.people({again.contact.email.upper()}, DURING)
    assert list(people.values()) == [AFTER], "and not the one that is held"
    assert await found.people({again.contact.email}, NOW) == {}
    new, old = IdentityKey("name", "EE new"), IdentityKey("name", "EE old")
    await claims.take([Claim(AGAIN, AFTER, (new,)), Claim(OTHER, DURING, (old,))])
    assert await found.organisations({new, old}, LIFTED) == {new: AFTER}
    twin: dict[str, Any] = {"twin": {"application_id": OTHER, "matched_by": "name"}}
    await database["decisions"].update_one({"application_id": AGAIN}, {"$set": twin})
    assert await found.organisations({new, old}, LIFTED) == {new: AFTER, old: AFTER}
