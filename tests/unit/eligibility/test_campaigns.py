"""Campaigns: their steps, whom they may invite, and how each person is invited once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

import pytest

from services.eligibility.domain import campaigns as rules
from services.eligibility.domain.campaigns import Campaign, Pace, Reach, after
from services.eligibility.domain.interests import Interest, InterestRequest, asked
from services.eligibility.domain.invitations import wave_of
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import LEAD, PolicyVersion
from services.eligibility.use_cases.campaign_views import ShowCampaigns
from services.eligibility.use_cases.campaign_waves import FRESH, CountCampaigns, PlanWaves, RunCampaigns
from services.eligibility.use_cases.campaigns import ChangeCampaigns, NoSuchCampaign, OpenCampaigns
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.reapplications import FindReapplications, submission_of
from shared.application import Contact
from shared.errors import Conflict, Refused
from tests.unit.eligibility.campaign_fakes import FakeCampaigns, FakeInvitations, FakeReapplications, FakeWaiting
from tests.unit.eligibility.fakes import FakeClock, FakeInterests, FakePauses, FakePolicies, Look
from tests.unit.eligibility.making import AFTER, DURING, EARLY, alliance, pause
from tests.unit.policy.packs import weprotect

ADA = Author("ada", "The board decided.")
DAY = timedelta(days=1)
LIFTED = DURING + DAY
PAUSE = pause()
TECH, CSO = "technology_company", "civil_society_organisation"


def campaign(name: str = "break:1", lifted_at: datetime = LIFTED, covers: tuple[str, ...] = ()) -> Campaign:
    return Campaign(name, pause(covers=covers), 1, lifted_at, lifted_at)


def running(**more: Any) -> Campaign:
    made = campaign(**more)
    return after(made, rules.started(made, Pace(), AFTER, ADA))


def interest(number: int, category: str = TECH, **more: Any) -> Interest:
    named: dict[str, Any] = {
        "application_id": f"app-{number}",
        "revision": 1,
        "category": category,
        "organisation_name": f"Example {number}",
        "contact": Contact(name="Mari Tamm", email=f"mari{number}@example.org"),
        "locale": "en",
        "registered_at": DURING,
        "country": "EE",
    }
    return Interest(**named | more)


def by_form(number: int, category: str = TECH, **more: Any) -> Interest:
    return interest(number, category, application_id=None, source="form", request_ids=(f"r{number}",), **more)


# --- steps ---


def test_each_state_allows_its_steps_and_no_other() -> None:
    draft = campaign()
    with pytest.raises(Conflict, match="This campaign is draft, so it cannot be stopped"):
        rules.stopped(draft, AFTER, ADA)
    started = after(draft, rules.started(draft, Pace(60, 10), AFTER, ADA))
    assert (started.state, started.pace, started.steps[0].by) == ("running", Pace(60, 10), "ada")
    with pytest.raises(Conflict):
        rules.started(started, Pace(), AFTER, ADA)
    stopped = after(started, rules.stopped(started, AFTER, ADA))
    assert (stopped.state, stopped.pace) == ("stopped", Pace(60, 10))
    resumed = after(stopped, rules.resumed(stopped, Reach(), stopped.pace, AFTER, ADA))
    assert (resumed.state, resumed.pace, [each.number for each in resumed.steps]) == (
        "running",
        Pace(60, 10),
        [1, 2, 3],
    )
    faster = after(resumed, rules.paced(resumed, Pace(600, 10), AFTER, ADA))
    assert (faster.state, faster.pace) == ("running", Pace(600, 10))
    with pytest.raises(Conflict, match="already"):
        rules.paced(faster, Pace(600, 10), AFTER, ADA)


@pytest.mark.parametrize(("pace", "field"), [(Pace(0, 1), "/per_minute"), (Pace(1, 501), "/wave")])
def test_a_pace_out_of_bounds_is_refused_by_its_field(pace: Pace, field: str) -> None:
    with pytest.raises(Refused) as refused:
        rules.started(campaign(), pace, AFTER, ADA)
    assert [each.pointer for each in refused.value.errors] == [field]


def test_a_pause_that_holds_all_that_is_left_halts_it_and_it_cannot_go_on_under_it() -> None:
    on = PauseVersion(1, EARLY, pause("again", until=AFTER + DAY))
    reach = rules.reach(running(), [TECH], [running()], [on], AFTER)
    assert (reach.open, set(reach.held)) == ((), {TECH})
    step = rules.next_step(running(), reach, True, AFTER)
    assert step is not None
    assert (step.what, step.by, step.why) == ("halted", "accede", "The pause again is on.")
    halted = after(running(), step)
    assert rules.next_step(halted, reach, True, AFTER) is None
    with pytest.raises(Conflict, match="the pause again is on"):
        rules.resumed(halted, reach, halted.pace, AFTER, ADA)
    assert rules.resumed(halted, Reach(open=(TECH,)), halted.pace, AFTER, ADA).what == "resumed"


def test_a_pause_of_some_categories_leaves_the_others_to_be_invited() -> None:
    on = PauseVersion(1, EARLY, pause("again", until=AFTER + DAY, covers=(TECH,)))
    reach = rules.reach(running(), [TECH, CSO], [running()], [on], AFTER)
    assert (reach.open, set(reach.held)) == ((CSO,), {TECH})
    assert rules.next_step(running(), reach, True, AFTER) is None


def test_nobody_is_invited_in_the_last_moments_before_a_pause_begins() -> None:
    """A change is known that long before it counts."""
    coming = PauseVersion(1, EARLY, pause("again", start=AFTER + LEAD, until=AFTER + DAY))
    assert rules.reach(running(), [TECH], [], [coming], AFTER).open == ()
    assert rules.reach(running(), [TECH], [], [coming], AFTER - timedelta(milliseconds=1)).open == (TECH,)


def test_it_is_done_only_when_every_receipt_before_the_lift_is_decided() -> None:
    assert rules.next_step(running(), Reach(), False, AFTER) is None
    step = rules.next_step(running(), Reach(), True, AFTER)
    assert step is not None
    assert step.what == "done"
    done = after(running(), step)
    assert (done.state, done.finished_at, done.invites) == ("done", AFTER, True), (
        "who is heard of late is invited still"
    )
    assert rules.next_step(done, Reach(), True, AFTER) is None


def test_what_a_later_lift_opens_again_belongs_to_its_campaign() -> None:
    old, new = running(), campaign("break:3", AFTER, covers=(TECH,))
    reach = rules.reach(old, [TECH, CSO], [old, new], [], AFTER)
    assert (reach.open, reach.elsewhere) == ((CSO,), {TECH: "break:3"})
    assert rules.reach(new, [TECH, CSO], [old, new], [], AFTER).open == (TECH,)
    step = rules.next_step(old, rules.reach(old, [TECH], [old, new], [], AFTER), False, AFTER)
    assert step is not None
    assert (step.what, "break:3" in step.why) == ("overtaken", True)


def test_the_end_is_estimated_from_the_pace() -> None:
    assert rules.estimated_end(running(), 1200, AFTER) == AFTER + timedelta(minutes=2)
    assert rules.estimated_end(campaign(), 1200, AFTER) is None
    assert rules.estimated_end(running(), 0, AFTER) is None


# --- who is invited ---


def test_a_person_who_asked_in_two_ways_is_invited_once_by_their_application() -> None:
    both = [by_form(1), interest(1), interest(2)]
    wave = wave_of(both, [TECH], {}, set())
    assert [each.application_id for each in wave.invite] == ["app-1", "app-2"]
    assert wave.told == {
        both[0].interest_id: "same_person",
        both[1].interest_id: "invited",
        both[2].interest_id: "invited",
    }


def test_who_left_was_told_or_is_of_another_category_is_left_alone() -> None:
    others = [interest(1, left_at=DURING), interest(2, told_in="old"), interest(3, CSO)]
    assert wave_of(others, [TECH], {}, set()) == wave_of([], [TECH], {}, set())


def test_who_applied_again_is_noted_and_not_invited() -> None:
    wave = wave_of([interest(1), interest(2)], [TECH], {}, {interest(1).person})
    assert [each.application_id for each in wave.invite] == ["app-2"]
    assert wave.told[interest(1).interest_id] == "applied"


def test_an_invitation_that_is_there_already_is_not_written_again_and_marks_its_interest() -> None:
    """As after a kill between writing it and marking the interest; even when the person has applied meanwhile."""
    mine, other = interest(1), by_form(1)
    wave = wave_of([mine, other], [TECH], {mine.person: mine.interest_id}, {mine.person})
    assert wave.invite == ()
    assert wave.told == {mine.interest_id: "invited", other.interest_id: "same_person"}


# --- at work ---


class Desk:
    """Everything campaigns need, in memory, with the pause `break` over."""

    def __init__(self, *interests: Interest, installed: datetime = EARLY) -> None:
        self.interests, self.campaigns, self.invitations = FakeInterests(), FakeCampaigns(), FakeInvitations()
        self.interests.stored = {each.interest_id: each for each in interests}
        self.reapplications, self.pauses = FakeReapplications(), FakePauses([PauseVersion(1, EARLY, PAUSE)])
        self.clock = FakeClock(Look(now=AFTER, real=AFTER))
        version = PolicyVersion(weprotect(), weprotect().document.effective_from, stored_at=installed)
        self.ticks: Iterator[float] = iter(range(0, 10_000, 10))
        rulebook = Rules(FakePolicies([version]), self.pauses, monotonic=lambda: next(self.ticks))
        waiting = FakeWaiting(self.interests)
        plan = PlanWaves(self.interests, self.invitations, FindReapplications(self.reapplications))
        opening = OpenCampaigns(self.campaigns, waiting, rulebook, self.clock)
        self.round = RunCampaigns(opening, self.campaigns, waiting, plan, self.invitations, rulebook, self.clock)
        self.count = CountCampaigns(self.campaigns, waiting, plan, rulebook, self.clock)
        self.change = ChangeCampaigns(self.campaigns, waiting, rulebook, self.clock)
        self.show = ShowCampaigns(self.campaigns, waiting, rulebook, self.clock)

    def state(self, name: str = "break:1") -> str:
        return self.campaigns.stored[name].state

    def told(self) -> dict[str, str | None]:
        return {each.application_id or each.request_ids[0]: each.told_as for each in self.interests.stored.values()}


async def test_a_lift_opens_one_campaign_that_invites_nobody_until_it_is_started() -> None:
    desk = Desk(interest(1))
    for _ in range(3):
        assert await desk.round() is None
    assert list(desk.campaigns.stored) == ["break:1"]
    assert desk.invitations.stored == {}
    with pytest.raises(NoSuchCampaign):
        await desk.change.start("break:2", Pace(), ADA)


async def test_a_lift_of_before_the_installation_that_nobody_waits_for_opens_none() -> None:
    desk = Desk(installed=AFTER)
    await desk.round()
    assert desk.campaigns.stored == {}
    desk.interests.stored = {interest(1).interest_id: interest(1)}
    await desk.round()
    assert list(desk.campaigns.stored) == ["break:1"]


async def test_waves_invite_everybody_once_and_then_it_waits_for_the_last_receipts() -> None:
    desk = Desk(*(interest(number) for number in range(5)), by_form(1), by_form(7))
    await desk.round()
    await desk.change.start("break:1", Pace(600, 2), ADA)
    while await desk.round() is not None:
        pass
    assert len(desk.invitations.stored) == 6
    assert len(desk.campaigns.waves) <= 4
    assert desk.state() == "running", "a held application may be on its way still"
    desk.campaigns.before = LIFTED
    await desk.round()
    assert desk.state() == "done"
    assert desk.told()["r1"] == "same_person"


async def test_the_invitation_says_under_which_policy_they_asked_and_which_is_in_force() -> None:
    desk = Desk(by_form(7))
    await desk.round()
    await desk.change.start("break:1", Pace(), ADA)
    await desk.round()
    (made,) = desk.invitations.stored.values()
    assert (made.asked_policy, made.policy) == (alliance().hash, alliance().hash)
    assert (made.request_id, made.asked_at, made.lifted_at) == ("r7", DURING, LIFTED)


async def test_a_wave_is_left_to_the_replica_that_took_it() -> None:
    desk = Desk(interest(1))
    await desk.round()
    await desk.change.start("break:1", Pace(), ADA)
    desk.campaigns.next_wave = timedelta(seconds=7)
    assert await desk.round() == timedelta(seconds=7)
    assert desk.invitations.stored == {}


async def test_who_applied_again_is_not_invited_by_person_or_by_organisation() -> None:
    """After the lift, or before it in a way that no pause held, as between two lifts; but not before they asked."""
    desk = Desk(interest(1), by_form(2), by_form(3), interest(4), interest(5))
    desk.reapplications.sent = [
        ("MARI1@example.org", "Example 1", AFTER),
        ("mari4@example.org", "Example 4", DURING - DAY),
    ]
    desk.reapplications.sent.append(("mari5@example.org", "Example 5", DURING + timedelta(hours=1)))
    (key,) = (each for each in alliance().identity_keys(submission_of(by_form(2), {})) if each.kind == "name")
    desk.reapplications.claimed = {key: AFTER}
    await desk.round()
    await desk.change.start("break:1", Pace(), ADA)
    await desk.round()
    assert desk.told() == {"app-1": "applied", "r2": "applied", "r3": "invited", "app-4": "invited", "app-5": "applied"}


async def test_a_pause_that_is_reinstated_halts_it_and_its_next_lift_invites_the_others_alone() -> None:
    desk = Desk(*(interest(number) for number in range(4)))
    await desk.round()
    await desk.change.start("break:1", Pace(600, 2), ADA)
    await desk.round()
    assert len(desk.invitations.stored) == 2
    again = PAUSE.model_copy(update={"from_": AFTER + DAY, "until": AFTER + 9 * DAY})
    desk.pauses.stored["break", 2] = PauseVersion(2, AFTER + DAY, again)
    desk.clock.look = Look(now=AFTER + 2 * DAY, real=AFTER)
    await desk.round()
    assert desk.state() == "halted"
    desk.clock.look = Look(now=AFTER + 9 * DAY, real=AFTER)
    await desk.round()
    assert desk.state() == "overtaken"
    await desk.change.start("break:2", Pace(), ADA)
    await desk.round()
    assert len({each.person for each in desk.invitations.stored.values()}) == len(desk.invitations.stored) == 4


async def test_a_replica_that_stood_still_in_a_wave_looks_again_before_it_invites() -> None:
    """A pause may have begun meanwhile: what it saw of the pauses holds for so long and no longer."""
    desk = Desk(interest(1))
    await desk.round()
    await desk.change.start("break:1", Pace(), ADA)
    stopped = iter([0.0, FRESH.total_seconds() + 0.1, 100.0, 100.0 + FRESH.total_seconds()])
    desk.round._monotonic = lambda: next(stopped)
    assert await desk.round() == timedelta(0)
    assert desk.invitations.stored == {}
    assert desk.told() == {"app-1": None}
    await desk.round()
    assert len(desk.invitations.stored) == 1


async def test_whom_a_changed_pause_lets_go_is_invited_then_and_the_others_when_it_is_lifted() -> None:
    """An exemption that is granted while the pause goes on: whoever asked was promised to hear of it."""
    desk = Desk(interest(1, TECH), interest(2, CSO))
    granted = PAUSE.model_copy(update={"exempt": (TECH,)})
    change_at = PAUSE.until - DAY / 2
    desk.pauses.stored["break", 2] = PauseVersion(2, change_at, granted)
    desk.clock.look = Look(now=change_at, real=AFTER)
    await desk.round()
    await desk.change.start("break:1", Pace(), ADA)
    await desk.round()
    assert [each.category for each in desk.invitations.stored.values()] == [TECH]
    await desk.round()
    assert desk.state() == "halted", "the pause holds all that are left"
    desk.clock.look = Look(now=AFTER, real=AFTER)
    await desk.round()
    assert desk.state() == "overtaken"
    await desk.change.start("break:2", Pace(), ADA)
    await desk.round()
    assert sorted(each.category for each in desk.invitations.stored.values()) == [CSO, TECH]


async def test_who_asks_again_after_an_invitation_is_on_the_list_again() -> None:
    told = by_form(1, told_in="break:1", told_as="invited", told_at=AFTER)
    request = InterestRequest("r9", TECH, "Example 1", "EE", told.contact, "en", AFTER + DAY)
    back = asked(told, request, None, AFTER + DAY)
    assert back is not None
    assert (back.waits, back.registration, back.interest_id) == (True, 2, told.interest_id)
    late = asked(told, replace(request, requested_at=DURING), None, AFTER + DAY)
    assert late is not None
    assert not late.waits, "a request of before the invitation that comes late is answered by it"


async def test_the_dry_run_counts_as_the_waves_would_and_writes_nothing() -> None:
    desk = Desk(interest(1), by_form(1), interest(2), interest(3, left_at=DURING), interest(4, CSO))
    desk.reapplications.sent = [("mari2@example.org", "Example 2", AFTER)]
    await desk.round()
    before = dict(desk.interests.stored)
    await desk.count()
    assert desk.interests.stored == before
    shown = await desk.show.show("break:1")
    assert shown is not None
    assert shown.dry_run is not None
    found = shown.dry_run.categories
    assert (found[TECH].invited, found[TECH].applied, found[TECH].same_person, found[TECH].left) == (1, 1, 1, 1)
    assert (found[CSO].invited, shown.dry_run.pending) == (1, False)
    desk.clock.look = Look(now=AFTER + DAY, real=AFTER)
    await desk.change.count_again("break:1")
    shown = await desk.show.show("break:1")
    assert shown is not None
    assert shown.dry_run is not None
    assert shown.dry_run.pending
    assert shown.progress[TECH].waiting == 3


async def test_a_replica_that_has_not_heard_of_the_pause_yet_resumes_nothing_under_it() -> None:
    """The other one has, a moment before, and halted the campaign."""
    desk = Desk(interest(1), interest(2))
    await desk.round()
    await desk.change.start("break:1", Pace(600, 1), ADA)
    desk.ticks = repeat(100_000.0)  # no time passes: what this one read is not old
    await desk.show.show("break:1")
    again = PAUSE.model_copy(update={"from_": AFTER - DAY, "until": AFTER + 9 * DAY})
    version = desk.pauses.stored["break", 2] = PauseVersion(2, AFTER - DAY, again)
    halted = rules.next_step(desk.campaigns.stored["break:1"], Reach(held={TECH: version}), True, AFTER)
    assert halted is not None
    assert await desk.campaigns.append("break:1", halted)
    with pytest.raises(Conflict, match="Nobody can be invited"):
        await desk.change.resume("break:1", ADA)


async def test_who_is_heard_of_after_the_end_is_invited_all_the_same() -> None:
    """A request that was sent in time, and came late; but not by a campaign that was stopped."""
    desk = Desk(interest(1))
    await desk.round()
    await desk.change.start("break:1", Pace(), ADA)
    desk.campaigns.before = LIFTED
    while desk.state() != "done":
        await desk.round()
    desk.interests.stored |= {interest(2).interest_id: interest(2)}
    await desk.round()
    assert (len(desk.invitations.stored), desk.state()) == (2, "done")
    stopped = Desk(interest(1), interest(2))
    await stopped.round()
    await stopped.change.start("break:1", Pace(600, 1), ADA)
    await stopped.round()
    await stopped.change.stop("break:1", ADA)
    await stopped.round()
    assert len(stopped.invitations.stored) == 1
    await stopped.change.resume("break:1", ADA)
    await stopped.round()
    assert len(stopped.invitations.stored) == 2
