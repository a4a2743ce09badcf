"""The form of somebody who was invited, and the report by which campaigns know that nobody is still to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.intake.domain.drafts import all_read, signed_before, submission_of
from services.intake.domain.enquiries import InterestRequest
from services.intake.domain.forms import hash_question
from services.intake.domain.invitations import Asked, prefilled
from services.intake.use_cases.receipts import IN_FLIGHT, ReportReceipts
from shared.application import Application, Contact, Organisation, Submission
from shared.events import ReceiptsDecided
from tests.publishing import Published
from tests.unit.intake.fakes import NOW, REAL, FakeClock
from tests.unit.intake.samples import POLICY, document
from tests.unit.intake.test_amendments import sent

DOCUMENT = POLICY.document
HASH = str(hash_question(DOCUMENT))
BROKEN = {"registration.number": ["a", "list"], "registration.authority": "Commission"}


def test_a_held_application_s_form_has_all_that_was_sent_and_no_consent() -> None:
    application = sent(
        consent={"register_interest": True}, answers=document()["answers"] | {HASH: DOCUMENT.commitments.hash}
    )
    draft = prefilled(Asked(application=application), REAL, DOCUMENT)
    found = submission_of(draft, DOCUMENT)
    assert isinstance(found, Submission)
    assert found.answers == application.answers
    assert (found.organisation, found.contact) == (application.organisation, application.contact)
    assert (draft.consent, draft.asked_consent, draft.amends) == (False, False, None)
    assert all_read(draft, DOCUMENT), "the text is the same, so the signature stays"
    assert draft.about != application.application_id, "it is an application of its own"


def test_commitments_with_another_text_are_to_be_signed_anew() -> None:
    application = sent(answers=document()["answers"] | {HASH: "0" * 64})
    draft = prefilled(Asked(application=application), REAL, DOCUMENT)
    assert signed_before(draft, DOCUMENT)
    assert not all_read(draft, DOCUMENT)


def test_what_the_policy_of_now_would_refuse_is_left_blank_and_the_rest_stays() -> None:
    application = Application.model_construct(**{**dict(sent()), "answers": BROKEN})
    draft = prefilled(Asked(application=application), REAL, DOCUMENT)
    assert "registration.number" not in draft.values
    assert draft.values["registration.authority"] == "Commission"
    assert draft.values["organisation.name"] == application.organisation.name


def test_the_short_form_s_form_has_who_asked() -> None:
    entry = Submission(
        category=next(iter(DOCUMENT.categories)),
        organisation=Organisation(name="Children First", country="GB"),
        contact=Contact(name="Ann", email="ann@children-first.example"),
        locale="fr",
    )
    asked = Asked(request=InterestRequest("r1", entry, NOW, "public"))
    draft = prefilled(asked, REAL, DOCUMENT)
    assert draft.values == {
        "organisation.name": "Children First",
        "organisation.country": "GB",
        "contact.name": "Ann",
        "contact.email": "ann@children-first.example",
    }
    assert (draft.category, draft.locale, draft.draft_id) == (entry.category, "fr", asked.draft_id)
    assert asked.draft_id != Asked(request=replace(asked.request, request_id="r2")).draft_id  # type: ignore[type-var]


class Open:
    def __init__(self, oldest: datetime | None) -> None:
        self._oldest = oldest

    async def oldest_open(self) -> datetime | None:
        return self._oldest


@pytest.mark.parametrize(
    ("oldest", "before"),
    [
        (None, NOW - IN_FLIGHT),
        (NOW - timedelta(hours=1), NOW - timedelta(hours=1)),
        (NOW - timedelta(seconds=1), NOW - IN_FLIGHT),
    ],
)
async def test_every_receipt_before_the_oldest_open_one_is_decided_and_none_that_may_still_be_written(
    oldest: datetime | None, before: datetime
) -> None:
    published = Published()
    assert not await ReportReceipts(Open(oldest), published, FakeClock())()
    (event,) = published.events
    assert isinstance(event.data, ReceiptsDecided)
    assert event.data.before == before
