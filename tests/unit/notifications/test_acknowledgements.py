"""One acknowledgement, not five: which arrivals are told of, and what becomes of the letters about the others."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from services.notifications.domain.acknowledgements import WINDOW, arrival_of
from services.notifications.use_cases.acknowledgements import OneAcknowledgement
from shared.application import Application
from shared.errors import Transient
from shared.events import ApplicationSubmitted
from shared.policy.identity import Identities
from tests.unit.notifications.fakes import FakeAcknowledged
from tests.unit.notifications.letters import NOW, POLICY
from tests.unit.notifications.test_correspondence import Service, application, event

ADA = "ada@charity.example"
MOMENT = timedelta(milliseconds=1)


def arrived(
    name: str = "Harbour Trust", address: str = ADA, at: datetime = NOW, application_id: str = ""
) -> Application:
    made = application(application_id=application_id or str(uuid4()), address=address)
    organisation = made.organisation.model_copy(update={"name": name})
    return made.model_copy(update={"organisation": organisation, "received_at": at, "first_received_at": at})


async def receive(service: Service, *applications: Application) -> None:
    await service.receive(*(event(ApplicationSubmitted(application=each)) for each in applications))


def states(service: Service) -> list[tuple[str, str]]:
    """(application, state) of the acknowledgements, in the order of writing."""
    records = [row.record for row in service.mailroom.rows.values()]
    return [(record.application_id, record.state) for record in records]


async def test_the_second_is_kept_as_superseded_with_a_reason_and_is_reported() -> None:
    """So the ledger closes: an email that is superseded is expected no longer."""
    service, first, second = Service(), arrived(), arrived("THE HARBOUR TRUST Ltd.", "ADA@Charity.example")
    await receive(service, first)
    await receive(service, second)
    assert states(service) == [(first.application_id, "pending"), (second.application_id, "superseded")]
    record = next(row.record for row in service.mailroom.rows.values() if row.record.state == "superseded")
    assert record.history[-1].detail.startswith(
        "superseded: the arrival of another application of the same organisation"
    )
    assert record.due is None
    assert service.mailroom.reports == [(record.email_id, "superseded")]


async def test_five_in_one_batch_are_acknowledged_once() -> None:
    service, several = Service(), [arrived() for _ in range(5)]
    await receive(service, *several)
    assert [state for _, state in states(service)] == ["pending", *["superseded"] * 4]


@pytest.mark.parametrize(
    "other",
    [arrived("Quay Trust"), arrived(address="ben@charity.example"), arrived(at=NOW + WINDOW), arrived(at=NOW - WINDOW)],
    ids=["another organisation", "another address", "a day later", "received a day before"],
)
async def test_who_is_not_the_same_or_not_on_the_same_day_gets_their_own(other: Application) -> None:
    service = Service()
    await receive(service, arrived())
    await receive(service, other)
    assert [state for _, state in states(service)] == ["pending", "pending"]


async def test_the_day_is_counted_to_the_moment_and_begins_anew_with_each_acknowledgement() -> None:
    service = Service()
    await receive(service, arrived())
    await receive(service, arrived(at=NOW + WINDOW - MOMENT))
    await receive(service, arrived(at=NOW + WINDOW))
    await receive(service, arrived(at=NOW + 2 * WINDOW - MOMENT))
    assert [state for _, state in states(service)] == ["pending", "superseded", "pending", "superseded"]


async def test_what_comes_again_is_neither_written_again_nor_its_own_repetition() -> None:
    service, first, second = Service(), arrived(), arrived()
    for _ in range(2):
        await receive(service, first, second)
    assert states(service) == [(first.application_id, "pending"), (second.application_id, "superseded")]
    assert [state for _, state in service.mailroom.reports] == ["superseded", "superseded"]


async def test_after_a_withdrawal_the_next_one_is_acknowledged() -> None:
    """The first one's may have been cancelled with the undo of its import, and its link shows what is over."""
    service, first, second = Service(), arrived(), arrived()
    await receive(service, first)
    service.acknowledged.withdrawn = {first.application_id}
    await receive(service, second)
    await receive(service, arrived())
    assert [state for _, state in states(service)] == ["pending", "pending", "superseded"]


async def test_a_reply_to_an_email_counts_as_acknowledgement() -> None:
    """The application that it brought is answered already; the next one, by another channel, needs no further one."""
    service, first = Service(), arrived()
    provenance = first.provenance.model_copy(update={"channel": "email", "answered": True})
    await receive(service, first.model_copy(update={"provenance": provenance}))
    await receive(service, arrived())
    assert [state for _, state in states(service)] == ["superseded"]


async def test_one_that_somebody_replaces_all_the_time_holds_the_batch() -> None:
    class Restless(FakeAcknowledged):
        async def replace(self, pairs: object) -> None:
            """Somebody else was quicker."""

    restless, first = Restless(), arrived()
    await restless.note([arrival_of(first, str.casefold)], NOW)
    restless.withdrawn = {first.application_id}
    with pytest.raises(Transient):
        await OneAcknowledgement(restless, restless)([arrival_of(arrived(), str.casefold)], NOW)


def test_spelling_does_not_matter() -> None:
    folded = Identities(POLICY.document.identity, POLICY.document.lists).name
    one = arrival_of(arrived("Kinder schützen e.V.", "ADA@Charity.example "), folded)
    other = arrival_of(arrived("KINDER SCHUTZEN EV"), folded)
    assert one.key == other.key
