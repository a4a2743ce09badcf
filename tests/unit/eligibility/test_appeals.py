"""Appeals are kept with who decided, and closed once there is no decision that they could be about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.eligibility.consumers.appeals import with_appeals
from services.eligibility.domain.appeals import Appeal
from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.appeals import TakeAppeals
from shared.application import Application, Lane
from shared.batches import Event
from shared.events import (
    TYPE_OF,
    ApplicationAmended,
    ApplicationAppealed,
    ApplicationSummary,
    ApplicationWithdrawn,
)
from tests.unit.eligibility.appeal_fakes import FakeAppeals
from tests.unit.eligibility.fakes import FakeClock, FakeWithdrawals
from tests.unit.eligibility.making import AFTER, application


class Decided:
    """What is decided, as far as appeals ask."""

    def __init__(self) -> None:
        self.newest: dict[str, int] = {}

    async def newest_revisions(self, application_ids: object) -> Mapping[str, int]:
        return dict(self.newest)

    async def deciders(self, application_ids: object) -> Mapping[tuple[str, int], Sequence[str]]:
        return {(name, revision): ["policy", "olga"] for name, revision in self.newest.items()}


class Office:
    """The handlers over stand-ins: amending decides, withdrawing notes it, as the real ones do."""

    def __init__(self) -> None:
        self.decided, self.withdrawals, self.appeals = Decided(), FakeWithdrawals(), FakeAppeals()
        take = TakeAppeals(self.appeals, self.decided, self.withdrawals, FakeClock())
        known = {TYPE_OF[ApplicationAmended]: self._amended, TYPE_OF[ApplicationWithdrawn]: self._withdrawn}
        self.handlers = with_appeals(known, take)

    async def _amended(self, events: Sequence[Event], lane: Lane) -> None:
        for event in events:
            assert isinstance(event.data, ApplicationAmended)
            self.decided.newest[event.data.application.application_id] = event.data.application.revision

    async def _withdrawn(self, events: Sequence[Event], lane: Lane) -> None:
        for event in events:
            assert isinstance(event.data, ApplicationWithdrawn)
            name = event.data.application_id
            await self.withdrawals.append([Withdrawal(name, event.data.revision, event.data.withdrawn_at)])

    async def hear(self, data: ApplicationAppealed | ApplicationAmended | ApplicationWithdrawn) -> None:
        kind = TYPE_OF[type(data)]
        await self.handlers[kind]([Event("id", "subject", datetime.now(UTC), "/test", data)], "interactive")

    def only(self) -> Appeal:
        (found,) = self.appeals.stored.values()
        return found


def appealed(about: Application) -> ApplicationAppealed:
    return ApplicationAppealed(
        application=ApplicationSummary.of(about),
        appeal_id=f"appeal of {about.revision}",
        stage="appeal-1",
        statement="We are registered.",
        decision_revision=about.revision,
        decision_number=1,
        appealed_at=AFTER + timedelta(days=1),
    )


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def first(office: Office) -> Application:
    made = application(received_at=AFTER)
    office.decided.newest[made.application_id] = 1
    return made


async def test_an_appeal_is_kept_once_with_who_decided(office: Office, first: Application) -> None:
    await office.hear(appealed(first))
    await office.hear(appealed(first))
    found = office.only()
    assert (found.state, found.stage, found.statement) == ("received", "appeal-1", "We are registered.")
    assert found.deciders == ("policy", "olga")


@pytest.mark.parametrize("appeal_first", [True, False])
async def test_an_amendment_closes_it_in_whichever_order_they_come(
    office: Office, first: Application, appeal_first: bool
) -> None:
    second = application(application_id=first.application_id, revision=2, received_at=AFTER + timedelta(days=2))
    told: list[ApplicationAppealed | ApplicationAmended] = [appealed(first), ApplicationAmended(application=second)]
    for data in told if appeal_first else reversed(told):
        await office.hear(data)
    assert (office.only().state, office.only().closed_because) == ("closed", "amended")


@pytest.mark.parametrize("appeal_first", [True, False])
async def test_a_withdrawal_closes_it_in_whichever_order_they_come(
    office: Office, first: Application, appeal_first: bool
) -> None:
    gone = ApplicationWithdrawn(application_id=first.application_id, revision=1, withdrawn_at=AFTER)
    told: list[ApplicationAppealed | ApplicationWithdrawn] = [appealed(first), gone]
    for data in told if appeal_first else reversed(told):
        await office.hear(data)
    assert (office.only().state, office.only().closed_because) == ("closed", "withdrawn")


async def test_a_redelivered_amendment_does_not_close_an_appeal_against_the_decision_on_it(
    office: Office, first: Application
) -> None:
    second = application(application_id=first.application_id, revision=2, received_at=AFTER + timedelta(days=2))
    await office.hear(ApplicationAmended(application=second))
    await office.hear(appealed(second))
    await office.hear(ApplicationAmended(application=second))
    assert office.only().state == "received"
