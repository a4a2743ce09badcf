"""What people decide and ask for, in the status of an application, in whatever order it is told."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from services.intake.domain.appeals import appealable
from services.intake.domain.erasure import with_erasure
from services.intake.domain.status import Change, Status, is_open
from services.intake.domain.status_changes import (
    accepted,
    with_decision,
    with_email,
    with_request,
    with_revision,
    with_withdrawal,
)
from services.intake.storage.status_documents import document_of, status_of
from shared.events import ApplicationDecided, ApplicationSummary, EntitlementNotice, InformationRequested
from tests.unit.intake.fakes import NOW
from tests.unit.intake.samples import application, decided, report, withdrawal

LATER = NOW + timedelta(days=1)


def fresh() -> Status:
    return accepted(application())


def admitted(revision: int = 1) -> ApplicationDecided:
    portal = EntitlementNotice(benefit="portal", text={"en": "A portal."}, available=False)
    return decided(revision, 2, "admitted").model_copy(update={"stage": "review", "entitlements": [portal]})


def asked(number: int = 1, revision: int = 1) -> InformationRequested:
    summary = ApplicationSummary.of(application(revision))
    return InformationRequested(application=summary, number=number, text="Which?", questions=["q"], requested_at=LATER)


def test_who_is_admitted_stays_so_whatever_is_sent_meanwhile_and_in_every_order() -> None:
    """An amendment that crosses the admission is kept and judged no more: eligibility tells nobody about it."""
    news: tuple[Change, ...] = (
        lambda status: with_decision(status, decided(1, 1)),
        lambda status: with_decision(status, admitted()),
        lambda status: with_revision(status, application(2)),
        lambda status: with_email(status, report(template="admitted", number=2), "sent"),
    )
    for order in permutations(news):
        status = fresh()
        for change in order:
            status = change(status)
        assert (status.state, status.outcome, status.revision) == ("admitted", "admitted", 2)
        assert status.decision is not None
        assert [each.benefit for each in status.decision.entitlements] == ["portal"]
        assert status_of(document_of(status)) == status
    assert with_withdrawal(status, withdrawal()).state == "withdrawn"


def test_the_welcome_is_awaited_like_every_email_about_an_outcome() -> None:
    status = with_email(with_decision(fresh(), admitted()), report(template="acknowledgement"), "sent")
    assert is_open(status)
    assert not is_open(with_email(status, report(template="admitted", number=2), "sent"))


def test_what_is_asked_for_is_shown_until_the_applicant_amends_or_people_decide() -> None:
    status = with_request(with_decision(fresh(), decided(1, 1, "referred")), asked())
    assert status.asks is not None
    assert (status.asks.text, status.state) == ("Which?", "referred")
    assert with_request(status, asked()) is status
    assert status_of(document_of(status)) == status
    assert with_revision(status, application(2)).asks is None
    declined = decided(1, 2, "declined").model_copy(update={"decided_at": LATER + timedelta(hours=1), "reason": "No."})
    after = with_decision(status, declined)
    assert after.asks is None
    assert (
        with_request(with_decision(with_decision(fresh(), decided(1, 1, "referred")), declined), asked()).asks is None
    )
    assert appealable(after) is not None
    again = with_request(with_request(status, asked(3)), asked(2))
    assert again.asked is not None
    assert again.asked.number == 3
    assert "asked" in [each.what for each in again.history]


def test_an_erasure_takes_what_people_wrote() -> None:
    status = with_request(with_decision(fresh(), admitted().model_copy(update={"reason": "Dear Ada"})), asked())
    erased = with_erasure(status, LATER)
    assert "Ada" not in str(document_of(erased))
    assert "Which?" not in str(document_of(erased))
