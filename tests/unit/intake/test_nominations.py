"""Whom an eligible application names is asked once each, and can answer; nobody else is written to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest

from services.intake.domain import status_changes
from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.nominations import Nominee
from services.intake.domain.policies import KnownPolicy
from services.intake.domain.status import Status
from services.intake.use_cases.nominations import PER_APPLICATION, PER_NOMINATION, PER_NOMINEE, Decided, Nominations
from services.intake.use_cases.policies import Policies
from shared.application import Application, Provenance, application_of
from shared.errors import Conflict, Transient
from shared.events import ApplicationDecided, ApplicationSummary, Outcome
from shared.limits import Limits, TooOften
from tests.unit.intake.fakes import NOW, FakeClock, FakeCounters, FakePolicies, FakeRevisions, FakeStatuses
from tests.unit.intake.nomination_fakes import FakeReplies, FakeRequests
from tests.unit.policy.packs import complete, weprotect

ADA, BEN = "ada@example.org", "ben@example.org"


@dataclass
class Office:
    """Nominations over stand-ins."""

    clock: FakeClock = field(default_factory=FakeClock)
    requests: FakeRequests = field(default_factory=FakeRequests)
    replies: FakeReplies = field(default_factory=FakeReplies)
    revisions: FakeRevisions = field(default_factory=FakeRevisions)
    statuses: FakeStatuses = field(default_factory=lambda: FakeStatuses(timedelta(minutes=1)))
    store: FakePolicies = field(default_factory=FakePolicies)

    def __post_init__(self) -> None:
        policy = weprotect()
        self.store.policies[policy.hash] = KnownPolicy(policy.hash, policy.document.effective_from, policy.document)
        self.nominations = Nominations(
            self.requests,
            self.replies,
            self.revisions,
            self.statuses,
            Policies(self.store, self.clock),
            Limits(FakeCounters(), self.clock, "a secret of thirty-two characters"),
            self.clock,
        )

    async def accept(self, application: Application) -> None:
        """A revision is accepted."""
        await self.revisions.append([Revision(application)], "interactive", self.clock.real)
        if application.revision == 1:
            await self.statuses.insert([status_changes.accepted(application)], self.clock.real)
        else:
            name = application.application_id
            await self.statuses.change(
                {name: [lambda s: status_changes.with_revision(s, application)]}, self.clock.real
            )

    async def decide(self, application: Application, outcome: Outcome = "eligible") -> Decided:
        """A decision is heard of."""
        event = decided(application, outcome)
        name = application.application_id
        await self.statuses.change({name: [lambda s: status_changes.with_decision(s, event)]}, self.clock.real)
        await self.nominations.ask([Decided(event, "00-trace")], "bulk")
        return Decided(event, "00-trace")

    async def status(self, application: Application) -> Status:
        found = await self.statuses.find(application.application_id)
        assert found is not None
        return found

    async def nominees(self, application: Application) -> list[Nominee]:
        return await self.nominations.of(await self.status(application))

    def asked(self) -> list[str]:
        return [each.nominee.email for each in self.requests.kept.values()]


def decided(application: Application, outcome: Outcome) -> ApplicationDecided:
    return ApplicationDecided(
        application=ApplicationSummary.of(application),
        stage="automatic",
        number=1,
        outcome=outcome,
        decided_by="policy",
        decided_at=NOW,
        policy_hash=weprotect().hash,
        receipt=[],
    )


def naming(revision: int = 1, application_id: str = "", **answers: str) -> Application:
    """A complete application that names two people; `answers` change who they are."""
    return application_of(
        complete("civil_society_organisation", **answers),
        application_id=application_id or str(uuid4()),
        revision=revision,
        provenance=Provenance(channel="api", client="alpha"),
        received_at=NOW,
        first_received_at=NOW,
    )


@pytest.fixture
def office() -> Office:
    return Office()


async def test_each_nominee_of_an_eligible_application_is_asked_in_its_lane_with_who_names_them_as_what(
    office: Office,
) -> None:
    application = naming()
    await office.accept(application)
    await office.decide(application)
    assert office.asked() == [ADA, BEN]
    senior = next(iter(office.requests.kept.values()))
    assert (senior.role, senior.number, senior.nominee.name, senior.trace) == ("senior", 1, "Ada Moreno", "00-trace")
    assert senior.label["en"] == "Senior lead"
    assert "speaks for the organisation" in senior.hint["en"]
    assert senior.application.organisation_name == application.organisation.name
    assert office.requests.lanes == ["bulk"]
    assert [each.state for each in await office.nominees(application)] == ["asked", "asked"]


@pytest.mark.parametrize("outcome", ["on_hold", "referred", "not_eligible", "incomplete"])
async def test_nobody_is_written_to_for_an_application_that_is_not_eligible(office: Office, outcome: Outcome) -> None:
    application = naming()
    await office.accept(application)
    await office.decide(application, outcome)
    assert office.asked() == []


async def test_a_decision_heard_of_again_publishes_the_same_requests_and_makes_no_new_ones(office: Office) -> None:
    application = naming()
    await office.accept(application)
    heard = await office.decide(application)
    for _ in range(10):  # more often than anybody may be written to: it counts as nothing
        await office.nominations.ask([heard], "bulk")
    assert office.asked() == [ADA, BEN]
    assert len(office.requests.published) == 22


async def test_a_decision_that_was_overtaken_or_withdrawn_meanwhile_asks_nobody(office: Office) -> None:
    first = naming()
    await office.accept(first)
    await office.accept(naming(2, first.application_id))
    await office.decide(first)
    withdrawn = naming()
    await office.accept(withdrawn)
    name = withdrawn.application_id
    gone = Withdrawal(name, 1, NOW, "alpha")
    await office.statuses.change(
        {name: [lambda status: status_changes.with_withdrawal(status, gone)]}, office.clock.real
    )
    await office.decide(withdrawn)
    assert office.asked() == []


async def test_an_amendment_that_keeps_a_person_asks_once_and_one_that_changes_the_person_asks_the_new_one(
    office: Office,
) -> None:
    first = naming()
    await office.accept(first)
    await office.decide(first)
    ada, ben = await office.nominees(first)
    second = naming(2, first.application_id, nominees__working__email="cleo@example.org")
    await office.accept(second)
    await office.decide(second)
    assert office.asked() == [ADA, BEN, "cleo@example.org"]
    assert [each.nominated.email for each in await office.nominees(second)] == [ADA, "cleo@example.org"]
    still, over = await office.nominations.open(ada.nomination_id), await office.nominations.open(ben.nomination_id)
    assert still is not None
    assert still.nominee is not None
    assert over is not None
    assert over.nominee is None
    with pytest.raises(Conflict, match="does not name you any more"):
        await office.nominations.answer(over, "confirmed")


async def test_a_nominee_answers_and_may_change_their_mind(office: Office) -> None:
    application = naming()
    await office.accept(application)
    await office.decide(application)
    ada, _ = await office.nominees(application)
    for answer in ("confirmed", "confirmed", "declined"):
        opened = await office.nominations.open(ada.nomination_id)
        assert opened is not None
        await office.nominations.answer(opened, answer)
    assert [(each.number, each.answer) for each in office.replies.kept.values()] == [(1, "confirmed"), (2, "declined")]
    assert [each.state for each in await office.nominees(application)] == ["declined", "asked"]


async def test_a_nominee_who_changes_their_mind_all_day_is_asked_to_wait(office: Office) -> None:
    application = naming()
    await office.accept(application)
    await office.decide(application)
    ada, _ = await office.nominees(application)

    async def answer(number: int) -> None:
        opened = await office.nominations.open(ada.nomination_id)
        assert opened is not None
        await office.nominations.answer(opened, "declined" if number % 2 else "confirmed")

    for number in range(PER_NOMINATION.most):
        await answer(number)
    with pytest.raises(TooOften):
        await answer(PER_NOMINATION.most)
    assert len(office.replies.kept) == PER_NOMINATION.most


async def test_two_answers_at_once_are_both_kept_one_after_the_other(office: Office) -> None:
    application = naming()
    await office.accept(application)
    await office.decide(application)
    ada, _ = await office.nominees(application)
    opened = await office.nominations.open(ada.nomination_id)
    assert opened is not None
    await office.nominations.answer(opened, "declined")
    await office.nominations.answer(opened, "confirmed")  # as the page was that saw no answer yet
    assert [each.state for each in await office.nominees(application)] == ["confirmed", "asked"]


async def test_the_applicant_has_a_nominee_asked_again_until_they_answer(office: Office) -> None:
    application = naming()
    await office.accept(application)
    await office.decide(application)
    ada, ben = await office.nominees(application)
    status = await office.status(application)
    await office.nominations.ask_again(status, ada.nomination_id)
    assert office.asked() == [ADA, BEN, ADA]
    opened = await office.nominations.open(ben.nomination_id)
    assert opened is not None
    await office.nominations.answer(opened, "declined")
    with pytest.raises(Conflict, match="has answered"):
        await office.nominations.ask_again(status, ben.nomination_id)
    with pytest.raises(Conflict, match="names somebody else"):
        await office.nominations.ask_again(status, "another nomination")


async def test_nobody_is_asked_again_while_the_application_is_not_eligible(office: Office) -> None:
    first = naming()
    await office.accept(first)
    await office.decide(first)
    ada, _ = await office.nominees(first)
    await office.accept(naming(2, first.application_id))
    with pytest.raises(Conflict, match="not eligible now"):
        await office.nominations.ask_again(await office.status(first), ada.nomination_id)


async def test_one_address_gets_a_few_letters_a_day_whoever_names_it_and_the_applicant_sees_who_was_not_asked(
    office: Office,
) -> None:
    applications = [naming() for _ in range(PER_NOMINEE.most + 2)]
    for application in applications:
        await office.accept(application)
        await office.decide(application)
    assert office.asked().count(ADA) == PER_NOMINEE.most
    last = applications[-1]
    assert [each.state for each in await office.nominees(last)] == ["not_asked", "not_asked"]
    status, (ada, _) = await office.status(last), await office.nominees(last)
    with pytest.raises(TooOften):
        await office.nominations.ask_again(status, ada.nomination_id)
    office.clock.move(days=1)
    await office.nominations.ask_again(status, ada.nomination_id)
    assert [each.state for each in await office.nominees(last)] == ["asked", "not_asked"]


async def test_whoever_amends_an_application_to_name_others_each_time_reaches_only_a_few(office: Office) -> None:
    first = naming()
    for revision in range(1, 20):
        application = naming(
            revision,
            first.application_id,
            nominees__senior__email=f"senior{revision}@example.org",
            nominees__working__email=f"working{revision}@example.org",
        )
        await office.accept(application)
        await office.decide(application)
    assert len(office.asked()) == PER_APPLICATION.most


async def test_a_policy_that_is_not_known_here_yet_is_waited_for(office: Office) -> None:
    application = naming()
    await office.accept(application)
    office.store.policies.clear()
    with pytest.raises(Transient, match="not known here yet"):
        await office.decide(application)
