"""The same organisation arriving twice: who is decided, who is referred to whom, and who stands in nobody's way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.eligibility.domain.decisions import Decision, beside, decide, recompute
from services.eligibility.domain.twins import Claim, Twin
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.decisions import DecideApplications
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.twins import FindTwins
from services.eligibility.use_cases.withdrawals import TakeWithdrawals
from shared.application import Application, Organisation
from shared.errors import Transient
from shared.policy.identity import IdentityKey
from tests.unit.eligibility.case_fakes import FakeCaseKeeper
from tests.unit.eligibility.fakes import (
    NOW,
    FakeClaims,
    FakeClock,
    FakeDecisions,
    FakeInterests,
    FakePauses,
    FakePolicies,
    FakeWithdrawals,
    Look,
)
from tests.unit.eligibility.making import AFTER, DURING, alliance, application, pauses_of, rulebook
from tests.unit.policy.packs import complete, weprotect

HOUR = timedelta(hours=1)


class Office:
    """The use cases over stores in memory."""

    def __init__(self) -> None:
        self.decisions, self.withdrawals, self.interests = FakeDecisions(), FakeWithdrawals(), FakeInterests()
        self.claims, self.clock = FakeClaims(), FakeClock(Look(now=AFTER))
        rules = Rules(FakePolicies([alliance()]), FakePauses(pauses_of(weprotect())))
        twins = FindTwins(self.claims, self.decisions, self.withdrawals)
        stores = (self.decisions, self.withdrawals, self.interests)
        self._decide = DecideApplications(rules, self.clock, *stores, twins, FakeCaseKeeper())
        self._withdraw = TakeWithdrawals(self.withdrawals, self.interests, self.claims)

    async def decide(self, *revisions: Application) -> list[tuple[str, str | None, str | None]]:
        """What is decided about each."""
        return [said_of(each.decision) for each in await self._decide(revisions, "bulk")]

    async def withdraw(self, application: Application) -> None:
        await self._withdraw([Withdrawal(application.application_id, application.revision, NOW)])


def said_of(decision: Decision) -> tuple[str, str | None, str | None]:
    """The outcome, the twin and by what it was recognised."""
    judgement = decision.judgement
    if judgement.twin is None:
        return judgement.outcome, None, None
    return judgement.outcome, judgement.twin.application_id, judgement.twin.matched_by


def applied(
    name: str = "Harbour Trust",
    *,
    website: str | None = None,
    number: str | None = None,
    category: str = "technology_company",
    application_id: str = "",
    revision: int = 1,
    received_at: datetime = AFTER,
    first_received_at: datetime | None = None,
    country: str = "GB",
    **answers: Any,
) -> Application:
    """An application of an organisation; the number tells them apart unless it is given."""
    identity = application_id or str(uuid4())
    made = complete(category, registration__number=number or f"R{identity}", **answers)
    organisation = Organisation(name=name, country=country, website=website)
    return application(
        made.model_copy(update={"organisation": organisation}),
        application_id=identity,
        revision=revision,
        received_at=received_at,
        first_received_at=first_received_at,
    )


ALONE = ("eligible", None, None)


def beside_of(first: Application, matched_by: str = "name") -> tuple[str, str, str]:
    return ("referred", first.application_id, matched_by)


async def test_the_first_is_decided_and_the_others_are_referred_to_it() -> None:
    office = Office()
    first = applied()
    assert await office.decide(first) == [ALONE]
    assert await office.decide(applied("The Harbour Trust Ltd"), applied("HARBOUR-TRUST")) == [beside_of(first)] * 2


async def test_the_same_organisation_twice_in_one_batch() -> None:
    """Rows of one file: the first row is decided."""
    office = Office()
    first = applied()
    assert await office.decide(first, applied("Quay Trust"), applied()) == [ALONE, ALONE, beside_of(first)]


@pytest.mark.parametrize("matched_by", ["registration", "website", "name"])
async def test_each_of_the_three_ways_is_enough(matched_by: str) -> None:
    number = "HRB 104117" if matched_by == "registration" else None
    website = "https://harbour.co.uk" if matched_by == "website" else None
    office = Office()
    first = applied("Harbour Trust", number=number, website=website)
    second = applied("Harbour Trust" if matched_by == "name" else "Quay Trust", number=number, website=website)
    assert await office.decide(first, second) == [ALONE, beside_of(first, matched_by)]


async def test_of_several_matches_the_strongest_is_named() -> None:
    office = Office()
    named, registered = applied("Harbour Trust"), applied("Quay Trust", number="HRB 104117")
    await office.decide(named, registered)
    assert await office.decide(applied("Harbour Trust", number="HRB 104117")) == [beside_of(registered, "registration")]


async def test_two_ministries_of_one_state_are_two_and_one_ministry_is_one() -> None:
    office = Office()
    justice = applied("Ministry of Justice", country="UG", category="un_member_state")
    education = applied("Ministry of Education", country="UG", category="un_member_state")
    again = applied("MINISTRY OF JUSTICE", country="UG", category="un_member_state")
    assert await office.decide(justice, education, again) == [ALONE, ALONE, beside_of(justice)]


async def test_two_ministries_that_apply_as_the_state_are_twins() -> None:
    office = Office()
    first, second = (applied("Republic of Uganda", country="UG", category="un_member_state") for _ in range(2))
    assert await office.decide(first, second) == [ALONE, beside_of(first)]


async def test_what_comes_again_is_not_its_own_twin_and_keeps_its_twin() -> None:
    office = Office()
    first, second = applied(), applied()
    await office.decide(first, second)
    takes = office.claims.takes
    assert await office.decide(second, first) == [beside_of(first), ALONE]
    assert office.claims.takes == takes, "what is decided claims nothing again"


async def test_a_crash_between_claim_and_decision_changes_nothing() -> None:
    office = Office()
    first, second = applied(), applied()
    await office.decide(first, second)
    office.decisions.stored.clear()
    assert await office.decide(second, first) == [beside_of(first), ALONE]


async def test_an_amendment_keeps_what_it_still_names_takes_what_is_new_and_gives_up_the_rest() -> None:
    office = Office()
    first = applied("Harbour Trust", website="https://harbour.co.uk")
    amended = applied("Quay Trust", website="https://harbour.co.uk", application_id=first.application_id, revision=2)
    assert await office.decide(first) == await office.decide(amended) == [ALONE]
    others = applied("Harbour Trust"), applied("Quay Trust"), applied("Pier Trust", website="https://harbour.co.uk")
    assert await office.decide(*others) == [ALONE, beside_of(first), beside_of(first, "website")]


async def test_an_application_cannot_block_organisations_by_naming_one_after_the_other() -> None:
    """It names two victims in turn and then itself again; both, and whoever is like itself, are seen as they are."""
    office = Office()
    first = applied("Harbour Trust")
    alpha, beta = "https://victimalpha.org", "https://victimbeta.org"
    again = first.application_id
    revisions = (
        first,
        applied("Victim Trust Alpha", website=alpha, revision=2, application_id=again),
        applied("Victim Trust Beta", website=beta, revision=3, application_id=again),
        applied("Harbour Trust", revision=4, application_id=again),
    )
    for each in revisions:
        assert await office.decide(each) == [ALONE]
    await office.decide(*reversed(revisions))
    victims = applied("Victim Trust Alpha", website=alpha), applied("Victim Trust Beta", website=beta)
    assert await office.decide(*victims, applied("Harbour Trust")) == [ALONE, ALONE, beside_of(first)]


async def test_an_amendment_without_any_key_gives_up_all() -> None:
    office = Office()
    first = applied("Harbour Trust")
    amended = applied("n/a", number="12345", application_id=first.application_id, revision=2)
    assert await office.decide(first) == [ALONE]
    await office.decide(amended)
    assert await office.decide(applied("Harbour Trust")) == [ALONE]


async def test_what_an_amendment_gives_up_goes_to_whoever_was_referred_for_it() -> None:
    office = Office()
    first, second = applied("Harbour Trust"), applied("Harbour Trust")
    await office.decide(first, second)
    await office.decide(applied("Quay Trust", application_id=first.application_id, revision=2))
    assert await office.decide(applied("Harbour Trust")) == [beside_of(second)]


async def test_a_crash_between_claim_and_decision_does_not_bring_back_what_an_amendment_gave_up() -> None:
    """The first revision comes again while the second has claimed and is not decided yet."""
    office = Office()
    first = applied("Harbour Trust")
    amended = applied("Quay Trust", application_id=first.application_id, revision=2)
    await office.decide(first, amended)
    office.decisions.stored.clear()
    assert await office.decide(first) == [ALONE]
    assert await office.decide(applied("Harbour Trust"), applied("Quay Trust")) == [ALONE, beside_of(first)]


async def test_an_amendment_that_turns_out_to_be_another_organisation_s_is_referred() -> None:
    office = Office()
    harbour, quay = applied("Harbour Trust"), applied("Quay Trust")
    await office.decide(harbour, quay)
    amended = applied("Harbour Trust", application_id=quay.application_id, revision=2)
    assert await office.decide(amended) == [beside_of(harbour)]


async def test_a_late_lower_revision_claims_nothing() -> None:
    office = Office()
    newest = applied("Quay Trust", revision=2)
    await office.decide(newest)
    await office.decide(applied("Harbour Trust", application_id=newest.application_id))
    assert await office.decide(applied("Harbour Trust")) == [ALONE]


async def test_a_withdrawn_application_stands_in_nobody_s_way() -> None:
    office = Office()
    first = applied()
    await office.decide(first)
    await office.withdraw(first)
    assert await office.decide(applied()) == [ALONE]


async def test_a_claim_made_while_the_withdrawal_was_noted_is_out_of_the_way_too() -> None:
    """The withdrawal found nothing to release yet; whoever meets the claim looks for the withdrawal."""
    office = Office()
    first = applied()
    await office.withdraw(first)
    await office.claims.take([Claim(first.application_id, first.first_received_at, alliance().identity_keys(first))])
    assert await office.decide(applied()) == [ALONE]


async def test_what_is_given_up_goes_to_whoever_was_referred_first() -> None:
    """They wait for a person, who has to see that a third one is there."""
    office = Office()
    first, second, third = (applied(received_at=AFTER + HOUR * number) for number in range(3))
    await office.decide(first)
    await office.decide(third)
    await office.decide(second)
    await office.withdraw(first)
    assert await office.decide(applied(received_at=AFTER + 3 * HOUR)) == [beside_of(second)]
    await office.withdraw(second)
    assert await office.decide(applied()) == [beside_of(third)]


async def test_an_erased_application_stands_in_nobody_s_way() -> None:
    office = Office()
    first = applied()
    await office.decide(first)
    await office.claims.erase({first.application_id})
    assert await office.decide(applied()) == [ALONE]


CHARITY = "civil_society_organisation"


async def test_no_verdict_during_a_pause_also_for_twins() -> None:
    office = Office()
    held = [applied(category=CHARITY, received_at=DURING) for _ in range(2)]
    assert await office.decide(*held) == [("on_hold", None, None)] * 2
    assert office.claims.holders == {}


async def test_a_held_organisation_that_applies_anew_after_the_pause_is_no_twin() -> None:
    """It was invited to. Its second new application is."""
    office = Office()
    await office.decide(applied(category=CHARITY, received_at=DURING))
    anew = applied(category=CHARITY)
    assert await office.decide(anew, applied(category=CHARITY)) == [ALONE, beside_of(anew)]


async def test_an_amendment_into_a_pause_gives_up_its_claims() -> None:
    """A government that turns out to be a charity is on hold, and may apply anew after the pause."""
    office = Office()
    first = applied(category="un_member_state", received_at=DURING)
    assert await office.decide(first) == [ALONE]
    amended = applied(category=CHARITY, application_id=first.application_id, revision=2, received_at=DURING)
    assert await office.decide(amended) == [("on_hold", None, None)]
    assert await office.decide(applied(category=CHARITY)) == [ALONE]


def declined(received_at: datetime = AFTER) -> Application:
    return applied(received_at=received_at, reputation__attested=False)


async def test_an_organisation_that_was_declined_may_apply_again() -> None:
    office = Office()
    office.clock.look = Look(now=AFTER + HOUR)
    assert await office.decide(declined()) == [("not_eligible", None, None)]
    again = applied(received_at=AFTER + 2 * HOUR)
    assert await office.decide(again) == [ALONE]
    assert await office.decide(applied(received_at=AFTER + 3 * HOUR)) == [beside_of(again)]


async def test_one_that_came_in_before_the_other_was_declined_is_the_same_application_twice() -> None:
    office = Office()
    office.clock.look = Look(now=AFTER + HOUR)
    first = declined()
    await office.decide(first)
    assert await office.decide(applied(received_at=AFTER + HOUR / 2)) == [beside_of(first)]


async def test_one_that_is_incomplete_is_to_be_completed_and_not_sent_again() -> None:
    office = Office()
    first = applied(aims__accepted=None)
    assert await office.decide(first) == [("incomplete", None, None)]
    assert await office.decide(applied(received_at=AFTER + HOUR)) == [beside_of(first)]


async def test_claims_that_change_hands_all_the_time_hold_the_batch() -> None:
    class Restless(FakeClaims):
        async def release(self, application_ids: object) -> None:
            """Somebody else of no standing takes them at once."""

    office = Office()
    claims = Restless()
    first, second = applied(), applied()
    await office.withdraw(first)
    await claims.take([claim_of(first)])
    with pytest.raises(Transient):
        await FindTwins(claims, office.decisions, office.withdrawals)([claim_of(second)])


def claim_of(made: Application) -> Claim:
    return Claim(made.application_id, made.first_received_at, alliance().identity_keys(made))


def decisions(*made: Application) -> Sequence[Decision]:
    return [decide(each, rulebook(), decided_at=NOW) for each in made]


def test_a_referred_twin_keeps_its_receipt_and_can_be_recomputed() -> None:
    (alone,) = decisions(applied())
    twin = Twin("11111111-1111-4111-8111-111111111111", "website")
    referred = beside(alone, twin)
    assert referred.judgement.receipt == alone.judgement.receipt
    assert (referred.judgement.outcome, referred.judgement.twin) == ("referred", twin)
    assert twin.reference == "11111111"
    assert recompute(referred, alliance(), rulebook().pauses) == referred.judgement


def test_beside_nobody_a_decision_stays_as_it_is_and_a_held_one_beside_anybody() -> None:
    alone, held = decisions(applied(), applied(category=CHARITY, received_at=DURING))
    assert beside(alone, None) == alone
    assert beside(held, Twin("11111111-1111-4111-8111-111111111111", "name")) == held


def test_the_strongest_key_comes_first() -> None:
    made = applied(website="https://harbour.co.uk", number="HRB 104117")
    assert [key.kind for key in alliance().identity_keys(made)] == ["registration", "website", "name"]
    key = IdentityKey("name", "GB harbour")
    assert Claim("a", NOW, (key,)).contested_by({}) is None
