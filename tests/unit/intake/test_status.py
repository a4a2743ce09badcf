"""The status projection: which news counts, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from services.intake.domain.status import Status, emitted_again, is_open, scheduled
from services.intake.domain.status_changes import (
    accepted,
    with_dead_letter,
    with_decision,
    with_email,
    with_revision,
    with_withdrawal,
)
from shared.events import ApplicationDecided, EmailFailed, TwinNotice
from tests.unit.intake.fakes import REAL
from tests.unit.intake.samples import application, dead_letter, decided, report, withdrawal

AFTER = timedelta(seconds=60)


def fresh() -> Status:
    return accepted(application())


def test_an_application_begins_pending_with_one_entry_of_history() -> None:
    status = fresh()
    assert (status.state, status.outcome, status.acknowledgement.state) == ("pending", None, "expected")
    assert [entry.detail for entry in status.history] == ["The application came in over the API."]


def test_a_decision_gives_the_outcome_and_awaits_its_email() -> None:
    status = with_decision(fresh(), decided(outcome="incomplete"))
    assert (status.state, status.outcome) == ("incomplete", "incomplete")
    assert status.decision is not None
    assert ([line.criterion for line in status.decision.unmet], status.decision.met) == (["c2"], 1)
    assert status.outcome_email is not None
    assert (status.outcome_email.state, status.outcome_email.pair) == ("expected", (1, 1))


def test_news_that_comes_twice_changes_nothing() -> None:
    once = with_decision(fresh(), decided())
    assert with_decision(once, decided()) is once
    assert with_revision(once, application()) is once
    withdrawn = with_withdrawal(once, withdrawal())
    assert with_withdrawal(withdrawn, withdrawal()) is withdrawn


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([decided(1, 1, "incomplete"), decided(1, 2, "eligible")], "eligible"),
        ([decided(1, 2, "eligible"), decided(1, 1, "incomplete")], "eligible"),
        ([decided(2, 1, "eligible"), decided(1, 9, "referred")], "eligible"),
        ([decided(1, 9, "referred"), decided(2, 1, "eligible")], "eligible"),
    ],
)
def test_only_a_greater_pair_of_revision_and_number_wins(events: list[ApplicationDecided], wanted: str) -> None:
    status = fresh()
    for event in events:
        status = with_decision(status, event)
    assert status.state == wanted


def test_an_amended_application_is_pending_until_its_own_decision() -> None:
    status = with_revision(with_decision(fresh(), decided(1, 1, "incomplete")), application(2))
    assert (status.state, status.outcome, status.outcome_email, status.revision) == ("pending", None, None, 2)
    assert with_decision(status, decided(1, 2)).state == "pending"
    assert with_decision(status, decided(2, 1)).state == "eligible"


def test_a_decision_may_be_known_before_the_revision_it_is_about() -> None:
    status = with_revision(with_decision(fresh(), decided(2, 1)), application(2))
    assert (status.state, status.revision) == ("eligible", 2)


def test_a_late_lower_revision_is_history_alone() -> None:
    status = with_revision(with_revision(fresh(), application(3)), application(2))
    assert (status.revision, status.state) == (3, "pending")
    assert [entry.revision for entry in status.history] == [1, 2, 3]


def test_withdrawn_beats_all() -> None:
    status = with_withdrawal(with_decision(fresh(), decided()), withdrawal())
    for later in (with_decision(status, decided(1, 2)), with_revision(status, application(2))):
        assert (later.state, later.outcome) == ("withdrawn", None)


def test_emails_are_followed_and_one_that_was_sent_stays_sent() -> None:
    status = with_decision(fresh(), decided())
    status = with_email(status, report("acknowledgement"), "sent")
    status = with_email(status, report("eligible", number=1), "failed", "550 no such person")
    assert status.outcome_email is not None
    assert (status.outcome_email.state, status.outcome_email.reason) == ("failed", "550 no such person")
    status = with_email(status, report("eligible", number=1), "sent")
    status = with_email(status, report("eligible", number=1), "failed")
    status = with_email(status, report("acknowledgement"), "failed")
    assert status.outcome_email is not None
    assert (status.acknowledgement.state, status.outcome_email.state) == ("sent", "sent")


def test_an_email_reported_before_its_decision_is_not_forgotten() -> None:
    status = with_decision(with_email(fresh(), report("eligible", number=1), "sent"), decided())
    assert status.outcome_email is not None
    assert status.outcome_email.state == "sent"


def test_the_email_of_a_superseded_revision_says_nothing_about_the_newest() -> None:
    status = with_revision(with_decision(fresh(), decided()), application(2))
    status = with_email(status, report("eligible", number=1), "sent")
    assert status.outcome_email is None
    assert with_email(fresh(), report("something_new"), "sent").outcome_email is None


def test_an_email_that_was_left_out_is_no_failure() -> None:
    """It says what happened, nothing more is awaited, and a newer decision has an email of its own."""
    status = with_email(with_decision(fresh(), decided()), report("acknowledgement"), "sent")
    status = with_email(status, report("eligible", number=1), "superseded", "superseded: there is a newer decision")
    assert status.outcome_email is not None
    assert status.outcome_email.state == "superseded"
    assert (status.history[-1].what, is_open(status)) == ("email_superseded", False)
    assert status.history[-1].detail == (
        "The email about the outcome was left out: the application was amended, withdrawn or decided anew before it "
        "went out."
    )
    newer = with_decision(status, decided(1, 2))
    assert newer.outcome_email is not None
    assert newer.outcome_email.state == "expected"


def test_an_acknowledgement_that_was_left_out_says_why_and_is_awaited_no_more() -> None:
    """The same organisation had one at the same address: then the status closes without it."""
    status = with_email(with_decision(fresh(), decided()), report("eligible", number=1), "sent")
    told = report("acknowledgement").model_dump()
    failed = EmailFailed(**told, reason="superseded: it was acknowledged before", superseded=True)
    status = with_email(status, failed, "superseded", failed.reason)
    assert (status.acknowledgement.state, is_open(status)) == ("superseded", False)
    assert "The acknowledgement was left out: it was acknowledged before." in [each.detail for each in status.history]


def test_a_twin_is_kept_for_operators_and_the_history_says_only_that_there_is_one() -> None:
    twin = TwinNotice(application_id="b" * 36, reference="BBBBBBBB", matched_by="website")
    status = with_decision(fresh(), decided(outcome="referred").model_copy(update={"twin": twin}))
    assert status.decision is not None
    assert status.decision.twin == twin
    assert status.history[-1].detail == (
        "It was referred to a person: an application for this organisation has reached us before."
    )


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("withdrawn", "The confirmation of the withdrawal was sent."),
        ("status_link", "An email with a new link to this page was sent."),
    ],
)
def test_a_notice_is_history_alone_so_that_the_ledger_expects_none(template: str, sentence: str) -> None:
    for status in (fresh(), with_withdrawal(fresh(), withdrawal())):
        after = with_email(status, report(template), "sent")
        assert sentence in [entry.detail for entry in after.history]
        assert (after.acknowledgement, after.outcome_email) == (status.acknowledgement, status.outcome_email)
        assert is_open(after) == is_open(status)


def test_an_application_came_in_first_though_another_clock_is_behind() -> None:
    event = decided().model_copy(update={"decided_at": application().received_at - timedelta(seconds=1)})
    assert [entry.what for entry in with_decision(fresh(), event).history] == ["submitted", "decided"]


def test_every_order_of_the_same_news_ends_in_the_same_state() -> None:
    news: list[Callable[[Status], Status]] = [
        lambda status: with_revision(status, application(2)),
        lambda status: with_decision(status, decided(1, 1, "incomplete")),
        lambda status: with_decision(status, decided(2, 1, "eligible")),
        lambda status: with_email(status, report("acknowledgement"), "sent"),
        lambda status: with_email(status, report("eligible", revision=2, number=1), "sent"),
    ]
    ends = set()
    for order in permutations(news):
        status = fresh()
        for change in order:
            status = change(status)
        assert status.decision is not None
        assert status.outcome_email is not None
        ends.add((status.state, status.revision, status.decision.pair, status.outcome_email.state, is_open(status)))
    assert ends == {("eligible", 2, (2, 1), "sent", False)}


def test_a_dead_letter_marks_an_application_until_a_decision_shows_otherwise() -> None:
    status = with_dead_letter(fresh(), dead_letter())
    assert status.dead_letter is not None
    assert with_decision(status, decided()).dead_letter is None
    decided_before = with_decision(fresh(), decided())
    assert with_dead_letter(decided_before, dead_letter()) is decided_before


def test_a_dead_letter_of_notifications_stays_until_an_email_is_reported() -> None:
    status = with_decision(with_dead_letter(fresh(), dead_letter("notifications")), decided())
    assert status.dead_letter is not None
    assert with_email(status, report("eligible", number=1), "sent").dead_letter is None


def test_the_reconciler_looks_at_what_is_open_and_at_nothing_else() -> None:
    status = scheduled(None, fresh(), REAL, AFTER)
    assert status.due == REAL + AFTER
    decided_at = scheduled(status, with_decision(status, decided()), REAL + AFTER, AFTER)
    assert decided_at.due == status.due
    done = with_email(decided_at, report("eligible", number=1), "sent")
    done = with_email(done, report("acknowledgement"), "failed")
    assert scheduled(decided_at, done, REAL, AFTER).due is None


def test_each_time_it_is_emitted_again_the_next_is_twice_as_far() -> None:
    status = scheduled(None, fresh(), REAL, AFTER)
    distances = []
    for _ in range(12):
        status = emitted_again(status, REAL, AFTER)
        assert status.due is not None
        distances.append((status.due - REAL) / AFTER)
    assert distances == [2, 4, 8, 16, 32, 64, 128, 256, 256, 256, 256, 256]
    given_up = emitted_again(with_dead_letter(fresh(), dead_letter()), REAL, AFTER)
    assert given_up.due == REAL + AFTER * 256


def test_a_withdrawal_is_said_once_more_and_then_nothing_is_awaited() -> None:
    before = fresh()
    status = scheduled(before, with_withdrawal(before, withdrawal()), REAL, AFTER)
    assert status.due == REAL + AFTER
    assert emitted_again(status, REAL, AFTER).due is None
