"""News of applications that have no status yet: the status is made from the facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pydantic import BaseModel

from services.intake.domain.applications import Revision
from services.intake.use_cases.status import StatusProjection
from shared.batches import Event
from shared.events import EmailFailed, EmailSent, EventDeadLettered, InterestRegistered
from tests.unit.intake.fakes import NOW, REAL, FakeClock, FakeRevisions, FakeStatuses
from tests.unit.intake.samples import application, dead_letter, decided, report, withdrawal


def event(data: BaseModel) -> Event:
    return Event(str(uuid4()), "a", datetime.now(UTC), "/tests", data)


def projection(revisions: FakeRevisions | None = None) -> tuple[StatusProjection, FakeStatuses]:
    statuses = FakeStatuses(timedelta(seconds=60))
    made = StatusProjection(statuses, FakeClock())
    if revisions is not None:
        made.heal_from(revisions)
    return made, statuses


async def test_everything_in_one_batch_is_applied_in_its_order() -> None:
    made, statuses = projection()
    await made.revisions([Revision(application()), Revision(application(2))])
    await made.told(
        [
            event(decided(2)),
            event(EmailSent(**report("acknowledgement").model_dump())),
            event(EmailFailed(**report("eligible", 2, 1).model_dump(), reason="550")),
        ]
    )
    status = statuses.kept["a"]
    assert status.outcome_email is not None
    assert (status.state, status.acknowledgement.state, status.outcome_email.reason) == ("eligible", "sent", "550")
    assert status.due is None


async def test_an_email_that_notifications_left_out_is_told_apart_from_one_that_failed() -> None:
    made, statuses = projection()
    await made.revisions([Revision(application())])
    left_out = EmailFailed(**report("eligible", 1, 1).model_dump(), reason="superseded: withdrawn", superseded=True)
    await made.told([event(decided(1)), event(left_out)])
    email = statuses.kept["a"].outcome_email
    assert email is not None
    assert (email.state, email.reason) == ("superseded", "superseded: withdrawn")


async def test_a_decision_about_an_application_without_a_status_makes_it_from_the_facts() -> None:
    revisions = FakeRevisions()
    await revisions.append([Revision(application()), Revision(application(2))], "interactive", REAL)
    made, statuses = projection(revisions)
    await made.told([event(decided(2))])
    assert (statuses.kept["a"].state, statuses.kept["a"].revision) == ("eligible", 2)


async def test_a_status_that_is_missing_is_made_when_it_is_asked_for() -> None:
    revisions = FakeRevisions()
    await revisions.append([Revision(application())], "interactive", REAL)
    made, _ = projection(revisions)
    found = await made.find("a")
    assert found is not None
    assert found.received_at == NOW
    assert await made.find("nobody") is None


async def test_news_of_an_application_that_was_never_accepted_here_is_passed_over() -> None:
    made, statuses = projection(FakeRevisions())
    await made.told([event(decided())])
    await made.withdrawals([withdrawal()])
    assert statuses.kept == {}


async def test_what_is_about_no_application_changes_nothing() -> None:
    made, statuses = projection()
    await made.revisions([Revision(application())])
    nowhere = EventDeadLettered.model_validate({**dead_letter().model_dump(), "application_id": ""})
    interest = InterestRegistered(
        interest_id="i",
        application_id="a",
        category="c",
        organisation_name="o",
        contact=application().contact,
        locale="en",
        registered_at=NOW,
    )
    await made.told([event(nowhere), event(interest)])
    assert statuses.kept["a"].version == 1


async def test_a_dead_letter_marks_its_application() -> None:
    made, statuses = projection()
    await made.revisions([Revision(application())])
    await made.told([event(dead_letter())])
    assert statuses.kept["a"].dead_letter is not None
