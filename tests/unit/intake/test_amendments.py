"""Drafts that change an application: what they are filled in with, what they change, how they are carried over and sent."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.amendments import (
    amending,
    as_sent,
    carried_over,
    changes,
    changes_between,
    missing_of,
    to_answer,
)
from services.intake.domain.applications import Stale, Withdrawal
from services.intake.domain.drafts import KEPT, LONGEST, Draft, all_read, signed_before, submission_of
from services.intake.domain.forms import hash_question, organisation_step, question_steps
from services.intake.domain.status import Status
from services.intake.domain.status_changes import accepted
from services.intake.pages.form_views import changes_shown
from services.intake.use_cases.amendments import Amendments
from services.intake.use_cases.applications import Applications, Sender
from services.intake.use_cases.drafts import Drafts
from services.intake.use_cases.status import StatusProjection
from shared.application import Application, Submission
from shared.errors import Conflict
from shared.events import ReceiptLine
from tests.unit.deeds import FakeDeeds
from tests.unit.intake.fakes import (
    NOW,
    REAL,
    FakeClock,
    FakeDrafts,
    FakeRevisions,
    FakeStatuses,
    FakeWithdrawals,
)
from tests.unit.intake.samples import POLICY, document

DOCUMENT = POLICY.document
HASH = str(hash_question(DOCUMENT))
SIGNED = {"commitments.signatory": "Ann", "commitments.role": "Director", "commitments.signed_on": "2021-09-30"}


def sent(revision: int = 1, **changes: Any) -> Application:
    """A revision that was sent so."""
    submission = Submission.model_validate(document(**changes))
    return Application.model_validate(
        {
            **submission.model_dump(),
            "application_id": "a",
            "revision": revision,
            "provenance": {"channel": "api", "client": "alpha"},
            "received_at": NOW,
            "first_received_at": NOW,
        }
    )


def begun(application: Application, held: bool = False) -> Draft:
    return amending(application, "d", 0, REAL, DOCUMENT, held)


def test_an_answer_to_what_is_another_question_now_is_left_blank_to_be_answered_anew() -> None:
    """The version that let the application in asked for a list; what a decision then finds missing is asked for."""
    broken = {"registration.number": ["a", "list"], "registration.authority": "Commission"}
    draft = begun(Application.model_construct(**{**dict(sent()), "answers": broken}))
    assert draft.value("registration.number") is None
    assert draft.value("registration.authority") == "Commission"
    steps = question_steps(DOCUMENT, draft.category)
    asked = to_answer(draft, steps, {"registration.number"}, DOCUMENT)
    assert [each.name for _, each in asked if each] == ["registration.number"]


def test_sending_what_is_filled_in_sends_what_was_sent() -> None:
    application = sent(
        locale="fr",
        consent={"register_interest": True},
        secondary_categories=["financial_institution"],
        organisation={"name": "S", "country": "GB", "website": "https://s.example"},
        answers={**SIGNED, "collaboration.attested": False, "registration.number": "1"},
    )
    draft = begun(application)
    assert submission_of(draft, DOCUMENT) == application.submission()
    assert changes(draft, application, DOCUMENT) == []
    assert draft.asked_consent, "whoever consented was asked"


def test_who_was_held_was_asked_for_consent_and_others_are_asked_where_a_pause_holds_them_now() -> None:
    assert begun(sent(), held=True).asked_consent
    assert not begun(sent(), held=False).asked_consent


def test_a_signature_under_the_commitments_of_now_stays_and_another_is_dated_anew() -> None:
    now = begun(sent(answers={**SIGNED, HASH: DOCUMENT.commitments.hash}))
    assert all_read(now, DOCUMENT)
    assert now.value("commitments.signed_on") == "2021-09-30"
    before = begun(sent(answers={**SIGNED, HASH: "0" * 64}))
    assert signed_before(before, DOCUMENT)
    assert not all_read(before, DOCUMENT)
    assert before.value("commitments.signed_on") is None
    assert before.value("commitments.signatory") == "Ann"


def test_changes_are_listed_with_what_stood_there_before() -> None:
    application = sent(answers={"registration.number": "1", "registration.country": "GB", HASH: "0" * 64})
    draft = begun(application)
    values = {**draft.values, "registration.number": "2", "response.statement": "New.", HASH: DOCUMENT.commitments.hash}
    del values["registration.country"]
    shown = changes_shown(changes(replace(draft, values=values, consent=True), application, DOCUMENT))
    found = {each["label"]: (each["before"], each["after"]) for each in shown}
    labels = DOCUMENT.questions
    assert found == {
        labels["registration.number"].label["en"]: ("1", "2"),
        labels["registration.country"].label["en"]: ("United Kingdom", ""),
        labels["response.statement"].label["en"]: ("", "New."),
        "The commitments that were signed": ("An earlier text", "The text as it is now"),
        "Be told when a pause is over": ("No", "Yes"),
    }
    assert {each["address"] for each in shown} == {"questions/kind", "questions/response", "questions/commitments", ""}


def test_another_kind_comes_first_and_what_is_not_asked_any_more_comes_last() -> None:
    application = sent()
    found = changes(replace(begun(application), category="un_member_state"), application, DOCUMENT)
    assert [each.field.name for each in found] == ["category", "registration.number"]
    assert (found[-1].before, found[-1].after, found[-1].step) == ("1089599", None, None)


def test_carried_over_it_keeps_what_it_changes_and_takes_all_else_from_the_newest() -> None:
    before = sent(answers={"registration.number": "1", "registration.authority": "A", "response.statement": "Old."})
    newest = sent(
        2,
        category="financial_institution",
        organisation={"name": "Renamed", "country": "GB"},
        answers={"registration.number": "theirs", "financial.licence": "L"},
        consent={"register_interest": True},
    )
    draft = begun(before)
    draft = replace(draft, values={**draft.values, "registration.number": "mine", "response.statement": "Mine."})
    after = carried_over(replace(draft, sealed=True), before, newest, DOCUMENT)
    assert after.amends is not None
    assert (after.amends.revision, after.sealed, after.category, after.consent) == (
        2, False, "financial_institution", True
    )  # fmt: skip
    assert dict(after.values) == {
        "locale": "en",
        "organisation.name": "Renamed",
        "organisation.country": "GB",
        "contact.name": "Ann Example",
        "contact.email": "ann@safer.example",
        "registration.number": "mine",
        "response.statement": "Mine.",
        "financial.licence": "L",
    }
    assert "Renamed" in [each.after for each in changes_between(before, newest, DOCUMENT)]


def test_what_a_decision_found_missing_is_to_be_answered_until_it_is() -> None:
    kind = "civil_society_organisation"
    steps = (organisation_step(DOCUMENT, kind), *question_steps(DOCUMENT, kind))
    lines = [
        ReceiptLine(criterion="x", answer="missing", missing=["registration.authority", "commitments.current"]),
        ReceiptLine(criterion="y", answer="not_met", missing=["registration.number"]),
    ]
    missing = missing_of(lines, DOCUMENT)
    assert missing == {"registration.authority", HASH}
    draft = begun(sent())
    found = to_answer(draft, steps, missing, DOCUMENT)
    assert [(step.id, each.name if each else None) for step, each in found] == [
        ("kind", "registration.authority"), ("commitments", None)
    ]  # fmt: skip
    answered = {**draft.values, "registration.authority": "A", HASH: DOCUMENT.commitments.hash}
    assert to_answer(replace(draft, values=answered), steps, missing, DOCUMENT) == []


def unwanted(work: Coroutine[Any, Any, None]) -> None:
    """What would be done after the answer is not looked at here."""
    work.close()


class World:
    """The use cases over stand-ins, with one application."""

    def __init__(self) -> None:
        self.clock, self.store, self.revisions = FakeClock(), FakeDrafts(), FakeRevisions()
        self.withdrawals = FakeWithdrawals()
        projection = StatusProjection(FakeStatuses(timedelta(minutes=1)), self.clock)
        record = FakeDeeds().recorder(self.clock)
        self.applications = Applications(self.revisions, self.withdrawals, projection, self.clock, unwanted, record)
        self.drafts = Drafts(self.store, self.applications, self.clock)
        self.amendments = Amendments(self.drafts, self.store, self.revisions, self.clock)

    async def apply(self) -> Status:
        submission = Submission.model_validate(document())
        revision = await self.applications.submit(submission, Sender("alpha"))
        return accepted(revision.application)

    async def changed(self, status: Status, number: str) -> Draft:
        """A draft of the application with another registration number."""
        draft = await self.amendments.begin(status, DOCUMENT, held=False)
        return await self.drafts.change(
            draft, lambda each: replace(each, values={**each.values, "registration.number": number})
        )


async def test_a_draft_is_sent_as_the_next_revision_under_its_own_id_once() -> None:
    world = World()
    status = await world.apply()
    draft = await world.changed(status, "2")
    for _ in range(2):  # the second time as if the first answer had been lost
        assert await world.drafts.send(draft, DOCUMENT, None) == status.application_id
    first, second = await world.revisions.of(status.application_id)
    assert second.idempotency_key == draft.draft_id
    assert (second.application.provenance.channel, second.application.provenance.client) == ("form", "the applicant")
    assert first.application.provenance.channel == "api"
    kept = world.store.kept[draft.draft_id]
    assert (dict(kept.values), kept.application_id) == ({}, status.application_id)


async def test_who_was_overtaken_may_go_on_from_the_newest() -> None:
    world = World()
    status = await world.apply()
    draft = await world.changed(status, "mine")
    theirs = Submission.model_validate(document(answers={"registration.number": "theirs"}))
    await world.applications.amend(status.application_id, theirs, Sender("alpha"))
    with pytest.raises(Stale):
        await world.drafts.send(draft, DOCUMENT, None)
    stopped = world.store.kept[draft.draft_id]
    assert not stopped.sealed
    assert (await world.amendments.compared(stopped)).is_stale
    again = await world.amendments.begin_again(stopped, DOCUMENT)
    assert not (await world.amendments.compared(again)).is_stale
    assert await world.amendments.begin_again(again, DOCUMENT) == again, "once is enough"
    await world.drafts.send(again, DOCUMENT, None)
    newest = (await world.revisions.of(status.application_id))[-1].application
    assert (newest.revision, newest.answers["registration.number"]) == (3, "mine")


async def test_a_withdrawn_application_takes_no_draft_and_no_changes() -> None:
    world = World()
    status = await world.apply()
    draft = await world.changed(status, "2")
    await world.withdrawals.append(Withdrawal(status.application_id, 1, NOW, "alpha"), REAL)
    with pytest.raises(Conflict):
        await world.drafts.send(draft, DOCUMENT, None)
    with pytest.raises(Conflict):
        await world.amendments.begin(replace(status, state="withdrawn"), DOCUMENT, held=False)


async def test_the_draft_that_was_begun_last_is_gone_on_with_while_its_link_opens() -> None:
    world = World()
    status = await world.apply()
    assert await world.amendments.begun(status) is None
    first = await world.changed(status, "1")
    world.clock.move(days=1)
    last = await world.changed(status, "2")
    assert await world.amendments.begun(status) == last
    assert await world.amendments.begun(replace(status, link_generation=1)) is None, "links were revoked since"
    await world.drafts.send(last, DOCUMENT, None)
    assert await world.amendments.begun(status) == first
    world.clock.move(days=40)
    assert await world.amendments.begun(status) is None


async def test_a_draft_opens_for_longer_with_each_change_and_for_a_year_at_most() -> None:
    world = World()
    draft = await world.drafts.begin("civil_society_organisation")
    begun_at = world.clock.real
    assert draft.expires == begun_at + KEPT
    while world.clock.real + timedelta(days=20) < begun_at + LONGEST:
        world.clock.move(days=20)
        draft = await world.drafts.change(draft, lambda each: each)
        assert draft.expires == min(world.clock.real + KEPT, begun_at + LONGEST)
    assert draft.expires == begun_at + LONGEST
    world.clock.move(days=20)
    assert await world.drafts.find(draft.draft_id) is None


async def test_a_draft_from_before_it_was_noted_when_they_are_begun_is_still_renewed() -> None:
    world = World()
    draft = replace(await world.drafts.begin("civil_society_organisation"), begun=None)
    world.store.kept[draft.draft_id] = draft
    world.clock.move(days=10)
    changed = await world.drafts.change(draft, lambda each: each)
    assert changed.expires == world.clock.real + KEPT


def test_a_draft_knows_the_application_it_will_become() -> None:
    draft = as_sent(sent(), "d", REAL)
    assert draft.about == replace(draft, category="other").about != replace(draft, draft_id="e").about
    assert begun(sent()).about == "a"
