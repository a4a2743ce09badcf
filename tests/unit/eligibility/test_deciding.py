"""Batches of revisions: decided once, in any order, with the interests that follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

import pytest

from services.eligibility.domain.interests import interest_id
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.decisions import DecideApplications
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.twins import FindTwins
from services.eligibility.use_cases.withdrawals import TakeWithdrawals
from shared.application import Application
from shared.errors import Permanent, Transient
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
from tests.unit.eligibility.making import AFTER, DURING, alliance, application, pauses_of
from tests.unit.policy.packs import submission, weprotect

ID = "11111111-1111-4111-8111-111111111111"
INTEREST = interest_id(ID)


class Office:
    """The use cases over stores in memory."""

    def __init__(self) -> None:
        self.decisions = FakeDecisions()
        self.withdrawals = FakeWithdrawals()
        self.interests = FakeInterests()
        self.claims = FakeClaims()
        self.cases = FakeCaseKeeper()
        self.clock = FakeClock()
        self.policies = FakePolicies([alliance()])
        rules = Rules(self.policies, FakePauses(pauses_of(weprotect())))
        self.twins = FindTwins(self.claims, self.decisions, self.withdrawals)
        stores = (self.decisions, self.withdrawals, self.interests)
        self._decide = DecideApplications(rules, self.clock, *stores, self.twins, self.cases)
        self._withdraw = TakeWithdrawals(self.withdrawals, self.interests, self.claims)

    async def decide(self, *revisions: Application) -> list[str]:
        """What is decided about each: the outcome, in brackets when it is superseded."""
        kept = await self._decide(revisions, "bulk")
        return [
            f"({each.decision.judgement.outcome})" if each.decision.superseded else each.decision.judgement.outcome
            for each in kept
        ]

    async def withdraw(self, revision: int = 1) -> None:
        await self._withdraw([Withdrawal(ID, revision, NOW)])

    def published(self) -> list[tuple[int, str]]:
        return [(each.applicant.revision, each.judgement.outcome) for each in self.decisions.published]


def held(revision: int = 1, *, consent: bool = True, name: str = "Example") -> Application:
    made = application(application_id=ID, revision=revision, consent=consent)
    return made.model_copy(update={"organisation": made.organisation.model_copy(update={"name": name})})


def judged(revision: int = 1) -> Application:
    return application("technology_company", application_id=ID, revision=revision, received_at=AFTER)


async def test_a_revision_that_comes_again_is_not_decided_again_but_published_as_it_was() -> None:
    office = Office()
    await office.decide(judged())
    first = office.decisions.stored[ID, 1, "automatic"]
    office.clock.look = Look(now=NOW + timedelta(days=1))
    assert await office.decide(judged()) == ["eligible"]
    assert office.decisions.published == [first, first]
    assert first.decided_at == NOW


async def test_a_broker_that_is_away_holds_the_batch_and_nothing_is_decided_twice() -> None:
    office = Office()
    office.decisions.broker_away = 1
    with pytest.raises(Transient):
        await office.decide(judged())
    assert await office.decide(judged()) == ["eligible"]
    assert office.published() == [(1, "eligible")]


async def test_a_lower_revision_that_comes_late_is_kept_and_nobody_is_told() -> None:
    office = Office()
    assert await office.decide(judged(3)) == ["eligible"]
    assert await office.decide(judged(2)) == ["(eligible)"]
    assert await office.decide(judged(1), judged(4)) == ["(eligible)", "eligible"]
    assert office.published() == [(3, "eligible"), (4, "eligible")]
    assert len(office.decisions.stored) == 4


async def test_of_two_revisions_in_one_batch_the_higher_one_holds() -> None:
    office = Office()
    assert await office.decide(judged(3), judged(2)) == ["eligible", "(eligible)"]


async def test_after_a_withdrawal_decisions_are_kept_and_nobody_is_told() -> None:
    office = Office()
    await office.withdraw()
    assert await office.decide(judged(), judged(2)) == ["(eligible)", "(eligible)"]
    assert office.published() == []


async def test_one_that_cannot_be_judged_leaves_nothing_of_the_batch_behind() -> None:
    """The consumer then tries each alone, so that its neighbours are decided."""
    office = Office()
    with pytest.raises(Permanent, match="no such category"):
        await office.decide(judged(), application(submission("guild")))
    assert office.decisions.stored == {}


async def test_the_rules_are_read_once_for_a_batch() -> None:
    office = Office()
    await office.decide(*(application(received_at=DURING) for _ in range(50)))
    assert office.policies.reads == 1


async def test_an_answer_the_policy_does_not_ask_for_is_not_looked_at() -> None:
    """It may be one of another version; and a fact cannot be claimed."""
    office = Office()
    claims = judged().model_copy(
        update={"answers": judged().answers | {"no.such.question": "x", "commitments.current": True}}
    )
    old = claims.model_copy(update={"answers": claims.answers | {"commitments.text_hash": "0" * 64}})
    assert await office.decide(old) == ["incomplete"]
    evidence = office.decisions.published[0].judgement.evidence
    assert "no.such.question" not in evidence
    assert evidence["commitments.current"] is False


async def test_a_held_applicant_who_consented_has_an_interest() -> None:
    """Requirement 4."""
    office = Office()
    assert await office.decide(held()) == ["on_hold"]
    interest = office.interests.stored[INTEREST]
    assert (interest.application_id, interest.category, interest.left_at) == (ID, "civil_society_organisation", None)
    assert office.decisions.published[0].interest_registered


async def test_without_consent_or_without_a_hold_there_is_no_interest() -> None:
    office = Office()
    await office.decide(held(consent=False), application("technology_company", received_at=AFTER))
    assert office.interests.stored == {}
    assert not any(each.interest_registered for each in office.decisions.published)


async def test_the_interest_follows_the_newest_revision() -> None:
    office = Office()
    await office.decide(held(1, name="Old name"))
    await office.decide(held(2, name="New name"))
    assert office.interests.stored[INTEREST].organisation_name == "New name"
    await office.decide(held(3, consent=False))
    assert office.interests.stored[INTEREST].left_at is not None
    await office.decide(held(2))
    assert office.interests.stored[INTEREST].left_at is not None, "an earlier revision that comes again changes nothing"
    assert office.interests.left == [([ID], NOW)], "an invitation of theirs may wait to be sent"
    await office.decide(held(4))
    assert office.interests.stored[INTEREST].left_at is None


async def test_an_applicant_who_withdraws_leaves_the_list() -> None:
    """Requirement 5: nobody is written to who left."""
    office = Office()
    await office.decide(held())
    await office.withdraw()
    assert office.interests.stored[INTEREST].left_at == NOW
    await office.decide(held())
    assert office.interests.stored[INTEREST].left_at == NOW, "a redelivery does not bring the interest back"


class WithdrawnMeanwhile(FakeWithdrawals):
    """A withdrawal is stored just after the decision looked for one."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    async def among(self, application_ids: Collection[str]) -> Collection[str]:
        self.looks += 1
        found = await super().among(application_ids)
        if self.looks == 1:
            await self.append([Withdrawal(ID, 1, NOW)])
        return found


async def test_a_withdrawal_that_races_the_decision_still_ends_the_interest() -> None:
    """Whoever writes second sees the other: here the withdrawal found no interest to end yet."""
    office = Office()
    racing = WithdrawnMeanwhile()
    rules = Rules(office.policies, FakePauses(pauses_of(weprotect())))
    decide = DecideApplications(
        rules, office.clock, office.decisions, racing, office.interests, office.twins, office.cases
    )
    await decide([held()], "interactive")
    assert office.published() == [(1, "on_hold")], (
        "the decision had been made; the dispatcher looks again before mailing"
    )
    assert office.interests.stored[INTEREST].left_at is not None


class AmendedMeanwhile(FakeDecisions):
    """Another replica decides revision 2 just after this one looked for a higher revision."""

    def __init__(self, amended: Application, office: Office) -> None:
        super().__init__()
        self.amended = amended
        self.office = office
        self.looks = 0

    async def newest_revisions(self, application_ids: Collection[str]) -> Mapping[str, int]:
        self.looks += 1
        found = await super().newest_revisions(application_ids)
        if self.looks == 1:
            await self.office.decide(self.amended)
            self.stored |= self.office.decisions.stored
        return found


async def test_an_amendment_without_consent_that_races_the_first_revision_ends_the_interest() -> None:
    office = Office()
    racing = AmendedMeanwhile(held(2, consent=False), office)
    rules = Rules(office.policies, FakePauses(pauses_of(weprotect())))
    decide = DecideApplications(
        rules, office.clock, racing, office.withdrawals, office.interests, office.twins, office.cases
    )
    await decide([held(1)], "interactive")
    assert office.interests.stored[INTEREST].left_at is not None


async def test_what_an_admitted_organisation_sends_later_is_kept_and_judged_no_more() -> None:
    office = Office()
    assert await office.decide(judged()) == ["eligible"]
    office.cases.admitted.add(ID)
    assert await office.decide(judged(2)) == ["(eligible)"]
    assert office.published() == [(1, "eligible")]
    assert [each.applicant.revision for each in office.cases.decisions] == [1, 2]


async def test_a_revision_that_comes_again_has_told_again_what_people_decided() -> None:
    office = Office()
    await office.decide(judged())
    assert office.cases.told == []
    await office.decide(judged())
    assert office.cases.told == [ID]
