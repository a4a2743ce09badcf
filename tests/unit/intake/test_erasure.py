"""Erasing an application: what goes, what stays, and that nothing that comes later brings anything back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain import status_changes as rules
from services.intake.domain.actors import APPLICANT
from services.intake.domain.erasure import Erasure, with_erasure, without_names
from services.intake.domain.history import Happened
from services.intake.domain.ledger import Group, ledger_of
from services.intake.domain.status import Change, Status
from services.intake.use_cases.applications import Applications, Sender
from services.intake.use_cases.erasure import EraseApplications
from services.intake.use_cases.ledger import Answers, Reconciler
from services.intake.use_cases.status import StatusProjection
from shared.application import Submission
from shared.errors import Gone, Transient
from tests.unit.deeds import FakeDeeds
from tests.unit.intake.fakes import (
    NOW,
    Collected,
    FakeClock,
    FakeErasures,
    FakeRevisions,
    FakeStatuses,
    FakeWithdrawals,
)
from tests.unit.intake.samples import application, dead_letter, decided, document, report, revision, withdrawal

AFTER = timedelta(seconds=60)
NAMES = ("Safer Screens", "Ann Example", "ann@safer.example", "1089599")
LATER: list[Change] = [
    lambda status: rules.with_revision(status, application(2)),
    lambda status: rules.with_withdrawal(status, withdrawal()),
    lambda status: rules.with_decision(status, decided()),
    lambda status: rules.with_email(status, report("acknowledgement"), "sent"),
    lambda status: rules.with_email(status, report("eligible", 1, 1), "failed", "550 no mailbox for Ann Example"),
    lambda status: rules.with_dead_letter(status, dead_letter()),
    lambda status: with_erasure(status, NOW + timedelta(days=1)),
]


def told(*changes: Change) -> Status:
    status = rules.accepted(application())
    for change in changes:
        status = change(status)
    return status


def erased(status: Status) -> Status:
    return with_erasure(status, NOW)


@pytest.mark.parametrize("later", LATER)
def test_nothing_that_comes_after_an_erasure_changes_anything(later: Callable[[Status], Status]) -> None:
    status = erased(rules.accepted(application()))
    assert later(status) is status


@pytest.mark.parametrize("before", range(len(LATER) - 1))
def test_an_erased_status_names_nobody_whatever_happened_before(before: int) -> None:
    status = erased(told(*LATER[: before + 1]))
    assert (status.state, status.outcome, status.erased_at) == ("erased", None, NOW)
    assert not any(name in repr(status) for name in NAMES)
    assert status.history[-1].what == "erased" or status.history[-1].at > NOW


def test_entries_of_the_history_that_may_name_somebody_go() -> None:
    entry = Happened(NOW, "nominated", "Ann Example was nominated.", 1, "nominated")
    status = rules.accepted(application())
    kept = erased(replace(status, history=(*status.history, entry))).history
    assert [each.what for each in kept] == ["submitted", "erased"]


def test_what_is_kept_of_a_revision_is_what_the_ledger_counts_by() -> None:
    kept = without_names(revision(application(2)), NOW)
    assert not any(name in repr(kept) for name in NAMES)
    assert (kept.id, kept.erased_at, kept.body_hash, kept.idempotency_key) == ("a:2", NOW, None, None)
    assert kept.application.category == "civil_society_organisation"
    assert kept.application.provenance == application(2).provenance
    assert (kept.application.received_at, kept.application.first_received_at) == (NOW + timedelta(minutes=1), NOW)


@pytest.mark.parametrize("acknowledgement", ["expected", "sent", "failed", "superseded"])
@pytest.mark.parametrize("outcome", [None, "expected", "sent", "failed", "superseded"])
def test_the_ledger_closes_over_erased_applications_whatever_became_of_their_emails(
    acknowledgement: str, outcome: str | None
) -> None:
    group = Group("api", "erased", False, acknowledgement, outcome, 3)  # type: ignore[arg-type]
    ledger = ledger_of({"api": 3}, {}, [group])
    assert (ledger.closes, ledger.total.gap, ledger.total.erased) == (True, 0, 3)


class World:
    """Intake without a database, with what erasing does to each store."""

    def __init__(self) -> None:
        self.clock, self.afterwards = FakeClock(), Collected()
        self.revisions, self.withdrawals = FakeRevisions(), FakeWithdrawals()
        self.statuses = FakeStatuses(AFTER)
        self.projection = StatusProjection(self.statuses, self.clock)
        self.projection.heal_from(self.revisions)
        self.erasures = FakeErasures(self.carry_out)
        self.deeds = FakeDeeds()
        record = self.deeds.recorder(self.clock, "intake")
        self.applications = Applications(
            self.revisions, self.withdrawals, self.projection, self.clock, self.afterwards.later, record
        )
        self.erasing = EraseApplications(self.erasures, self.clock, record)

    async def carry_out(self, erasures: Sequence[Erasure]) -> None:
        names = [each.application_id for each in erasures]
        await self.projection.erasures(erasures)
        await self.revisions.erase(names)
        await self.withdrawals.erase(names)

    async def submit(self, key: str | None = None) -> str:
        found = await self.applications.submit(SUBMISSION, Sender("alpha", key))
        return found.application.application_id

    async def erase(self, name: str) -> Erasure:
        return await self.erasing.erase(self.statuses.kept[name], Sender("olga"))


SUBMISSION = Submission.model_validate(document())


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.afterwards.do()


async def test_an_application_is_erased_once_and_asking_again_answers_the_same_and_tells_it_again(world: World) -> None:
    name = await world.submit()
    first = await world.erase(name)
    world.clock.move(days=1)
    assert await world.erase(name) == first
    assert world.erasures.published == [name, name]
    assert world.deeds.told() == [("application", name, "erased", "olga")]
    assert not any(text in repr((world.revisions.kept, world.statuses.kept)) for text in NAMES)


async def test_nothing_is_erased_that_could_not_be_put_on_record(world: World) -> None:
    name = await world.submit()
    world.deeds.away = 1
    with pytest.raises(Transient):
        await world.erase(name)
    assert world.statuses.kept[name].state != "erased"
    await world.erasing.erase(world.statuses.kept[name], Sender(APPLICANT))
    assert world.deeds.told() == [("application", name, "erased", "applicant")]


async def test_amending_withdrawing_and_sending_again_what_was_erased_says_that_it_is_gone(world: World) -> None:
    name = await world.submit(key="k")
    await world.erase(name)
    for attempt in (
        world.applications.amend(name, SUBMISSION, Sender("alpha")),
        world.applications.withdraw(name, Sender("alpha")),
        world.applications.submit(SUBMISSION, Sender("alpha", "k")),
    ):
        with pytest.raises(Gone, match="This application was erased"):
            await attempt
    (answer,) = await world.applications.submit_all([(SUBMISSION, Sender("alpha", "k"))])
    assert isinstance(answer, Gone)
    assert list(world.revisions.kept) == [f"{name}:1"]
    assert not world.withdrawals.kept


@pytest.mark.parametrize("what", ["amend", "withdraw"])
async def test_what_was_being_written_while_the_application_was_erased_is_erased_too(world: World, what: str) -> None:
    name = await world.submit()
    append, appended = world.withdrawals.append, world.revisions.append

    async def erase_first(*given: object) -> object:
        await world.erase(name)
        return await (append if what == "withdraw" else appended)(*given)  # type: ignore[arg-type]

    if what == "withdraw":
        world.withdrawals.append = erase_first  # type: ignore[method-assign, assignment]
        attempt = world.applications.withdraw(name, Sender("alpha"))
    else:
        world.revisions.append = erase_first  # type: ignore[method-assign, assignment]
        attempt = world.applications.amend(name, SUBMISSION, Sender("alpha"))  # type: ignore[assignment]
    with pytest.raises(Gone):
        await attempt
    assert not any(text in repr((world.revisions.kept, world.withdrawals.kept)) for text in NAMES)


async def test_a_status_that_was_lost_is_made_again_as_erased(world: World) -> None:
    name = await world.submit()
    await world.erase(name)
    world.statuses.kept.clear()
    found = await world.projection.find(name)
    assert found is not None
    assert (found.state, found.organisation_name) == ("erased", "")


async def test_the_reconciler_has_an_erasure_told_and_carried_out_three_times_more(world: World) -> None:
    """No answer comes; and what was being written when it came first is found then."""
    name = await world.submit()
    await world.erase(name)
    reconciler = Reconciler(
        world.statuses, world.revisions, world.withdrawals, world.erasures, world.clock, Answers(), AFTER
    )
    before = list(world.revisions.published)
    for _ in range(10):
        world.clock.move(hours=10)
        await reconciler.round()
    assert world.erasures.published == [name] * 4
    assert world.revisions.published == before
    assert world.statuses.kept[name].due is None
