"""Whoever is found not eligible appeals, once for each decision; an amendment or a withdrawal closes the appeal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.intake.domain.appeals import (
    MOST,
    Appeal,
    appeal_against,
    in_lines,
    is_final,
    state_of,
    with_appeal,
)
from services.intake.domain.erasure import with_erasure
from services.intake.domain.status import Status
from services.intake.domain.status_changes import accepted, with_decision, with_email, with_revision, with_withdrawal
from services.intake.use_cases.appeals import Appeals
from services.intake.use_cases.applications import Sender
from shared.errors import Conflict, Gone, Refused
from shared.events import ApplicationDecided, Outcome
from tests.unit.intake.fakes import NOW, FakeClock, FakeRevisions
from tests.unit.intake.nomination_fakes import FakeAppeals
from tests.unit.intake.samples import application, decided, report, revision, withdrawal

WHY = "We are registered: the number has a dash in it."


def refused(outcome: Outcome = "not_eligible", number: int = 1) -> Status:
    """The status of an application with that outcome."""
    return with_decision(accepted(application()), decided(1, number, outcome))


def appealed(status: Status, statement: str = WHY) -> Appeal:
    """The appeal against its decision."""
    assert status.decision is not None
    return appeal_against(status.decision, application(), statement, NOW + timedelta(hours=1), "alpha", None, None)


def hearing(outcome: Outcome) -> ApplicationDecided:
    """The decision on the appeal against the first one."""
    return decided(1, 2, outcome).model_copy(
        update={"stage": "appeal-1", "decided_by": "ben", "decided_at": NOW + timedelta(days=1)}
    )


def told(status: Status) -> list[str]:
    """What the history says of appeals, oldest first."""
    return [each.what for each in status.history if each.what.startswith("appeal")]


class Found:
    """What is found of the application while its appeal is taken; nothing newer than what is known, unless it is said."""

    def __init__(self, *found: Status) -> None:
        self.found = list(found)

    async def find(self, application_id: str) -> Status | None:
        return self.found.pop(0) if self.found else None


@pytest.fixture
async def office() -> tuple[Appeals, FakeAppeals]:
    store, revisions = FakeAppeals(), FakeRevisions()
    await revisions.append([revision(application())], "interactive", NOW)
    return Appeals(store, revisions, Found(), FakeClock()), store


async def test_an_appeal_names_the_decision_and_the_stage_of_the_one_to_come(
    office: tuple[Appeals, FakeAppeals],
) -> None:
    found = await office[0].appeal(refused(), f"  {WHY}\r\nSee the register.\r\n", Sender("alpha", "k1", "00-trace"))
    assert (found.revision, found.number, found.stage, found.client) == (1, 1, "appeal-1", "alpha")
    assert found.statement == f"{WHY}\nSee the register."
    assert found.application.contact.email == "ann@safer.example"
    assert (found.appealed_at, found.trace) == (NOW, "00-trace")


async def test_a_heard_appeal_is_the_end_unless_people_decide_anew(office: tuple[Appeals, FakeAppeals]) -> None:
    first = appealed(refused())
    status = with_appeal(refused(), first)
    rejected = with_decision(status, hearing("not_eligible"))
    assert (state_of(first, rejected), is_final(rejected)) == ("heard", True)
    assert rejected.history[-1].detail == "The appeal was heard, and the decision stands."
    with pytest.raises(Conflict, match="final"):
        await office[0].appeal(rejected, WHY, Sender("alpha"))
    accepted_ = with_decision(status, hearing("referred"))
    assert (state_of(first, accepted_), is_final(accepted_), accepted_.state) == ("heard", False, "referred")
    declined = with_decision(accepted_, decided(1, 3, "declined"))
    second = await office[0].appeal(declined, WHY, Sender("alpha"))
    assert (second.number, second.stage, state_of(second, declined)) == (3, "appeal-3", "received")


def test_the_email_about_a_heard_appeal_is_the_one_about_that_decision() -> None:
    status = with_decision(with_appeal(refused(), appealed(refused())), hearing("referred"))
    assert status.outcome_email is not None
    assert (status.outcome_email.state, status.outcome_email.pair) == ("expected", (1, 2))
    sent = with_email(status, report("appeal_heard", 1, 2), "sent")
    assert sent.outcome_email is not None
    assert sent.outcome_email.state == "sent"
    assert "The email about the appeal was sent." in [each.detail for each in sent.history]


@pytest.mark.parametrize("outcome", ["on_hold", "referred", "incomplete", "eligible"])
async def test_only_a_refusal_can_be_appealed_against(office: tuple[Appeals, FakeAppeals], outcome: Outcome) -> None:
    with pytest.raises(Conflict, match=f"this application's is {outcome}"):
        await office[0].appeal(refused(outcome), WHY, Sender("alpha"))


async def test_nothing_is_appealed_against_before_it_is_decided_or_after_it_was_withdrawn(
    office: tuple[Appeals, FakeAppeals],
) -> None:
    with pytest.raises(Conflict, match="not decided yet"):
        await office[0].appeal(accepted(application()), WHY, Sender("alpha"))
    with pytest.raises(Conflict, match="was withdrawn"):
        await office[0].appeal(with_withdrawal(refused(), withdrawal()), WHY, Sender("alpha"))
    assert not office[1].kept


async def test_the_same_words_again_are_the_same_appeal_and_others_are_refused(
    office: tuple[Appeals, FakeAppeals],
) -> None:
    first = await office[0].appeal(refused(), WHY, Sender("alpha", "k1"))
    assert await office[0].appeal(refused(), WHY, Sender("alpha", "k1")) == first
    assert await office[0].appeal(refused(), WHY, Sender("alpha")) == first
    with pytest.raises(Conflict, match="Idempotency-Key was used for another appeal"):
        await office[0].appeal(refused(), "Something else.", Sender("alpha", "k1"))
    with pytest.raises(Conflict, match="was appealed against before"):
        await office[0].appeal(refused(), "Something else.", Sender("alpha", "k2"))


async def test_a_repeated_request_gets_its_answer_also_after_an_amendment(office: tuple[Appeals, FakeAppeals]) -> None:
    first = await office[0].appeal(refused(), WHY, Sender("alpha", "k1"))
    amended = with_revision(refused(), application(2))
    assert await office[0].appeal(amended, WHY, Sender("alpha", "k1")) == first


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("", "is empty"),
        (" \u200b\n ", "is empty"),
        ("x" * (MOST + 1), "is longer than 4000"),
        ("a\x00b", "control character"),
    ],
)
async def test_a_statement_that_says_nothing_or_cannot_be_kept_is_refused(
    office: tuple[Appeals, FakeAppeals], statement: str, fault: str
) -> None:
    with pytest.raises(Refused) as caught:
        await office[0].appeal(refused(), statement, Sender("alpha"))
    assert [each.pointer for each in caught.value.errors] == ["/statement"]
    assert fault in caught.value.errors[0].message


def test_line_ends_of_browsers_and_programs_are_the_same_words() -> None:
    assert in_lines("one\r\n\r\ntwo\r\n") == in_lines("\none\n\ntwo") == "one\n\ntwo"


def test_the_history_says_that_an_appeal_was_received_once() -> None:
    status = refused()
    once = with_appeal(status, appealed(status))
    assert told(once) == ["appealed"]
    assert with_appeal(once, appealed(status)) is once
    assert state_of(appealed(status), once) == "received"


@pytest.mark.parametrize("appeal_first", [True, False])
def test_an_amendment_closes_the_appeal_visibly_in_whichever_order_it_is_told(appeal_first: bool) -> None:
    status = refused()
    appeal, amendment = appealed(status), application(2, at=NOW + timedelta(hours=3))
    if appeal_first:
        after = with_revision(with_appeal(status, appeal), amendment)
    else:
        after = with_appeal(with_revision(status, amendment), appeal)
    assert told(after) == ["appealed", "appeal_closed"]
    assert "closed: the application was amended" in after.history[-1].detail
    assert state_of(appeal, after) == "closed"


@pytest.mark.parametrize("appeal_first", [True, False])
def test_a_withdrawal_closes_the_appeal_visibly_in_whichever_order_it_is_told(appeal_first: bool) -> None:
    status = refused()
    appeal = appealed(status)
    if appeal_first:
        after = with_withdrawal(with_appeal(status, appeal), withdrawal())
    else:
        after = with_appeal(with_withdrawal(status, withdrawal()), appeal)
    assert told(after) == ["appealed", "appeal_closed"]
    assert "closed: the application was withdrawn" in after.history[-1].detail
    assert state_of(appeal, after) == "closed"


def test_an_appeal_that_an_amendment_closed_is_not_closed_again_by_a_withdrawal() -> None:
    status = refused()
    amended = with_revision(with_appeal(status, appealed(status)), application(2, at=NOW + timedelta(hours=1)))
    assert told(with_withdrawal(amended, withdrawal(2))) == ["appealed", "appeal_closed"]


def test_of_an_erased_application_no_appeal_is_noted() -> None:
    status = refused()
    erased = with_erasure(with_appeal(status, appealed(status)), NOW)
    assert told(erased) == ["appealed"]
    assert with_appeal(erased, appealed(status)) is erased


@pytest.mark.parametrize("seen_open", [0, 1], ids=["before it is stored", "while it is stored"])
async def test_an_appeal_against_what_is_erased_meanwhile_is_not_kept(seen_open: int) -> None:
    store, revisions, status = FakeAppeals(), FakeRevisions(), refused()
    await revisions.append([revision(application())], "interactive", NOW)
    found = Found(*[status] * seen_open, with_erasure(status, NOW))
    with pytest.raises(Gone):
        await Appeals(store, revisions, found, FakeClock()).appeal(status, WHY, Sender("alpha"))
    assert not store.kept
