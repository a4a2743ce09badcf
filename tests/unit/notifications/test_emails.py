"""The states of an email: what a try makes of it, and when it must not go out any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifications.domain.emails import (
    Accepted,
    Deferred,
    Kind,
    Lost,
    Rejected,
    Result,
    RetryRules,
    Standing,
    Transition,
    Untried,
    settle,
    superseded,
)

RULES = RetryRules(first=timedelta(seconds=30), longest=timedelta(minutes=10), give_up_after=timedelta(days=3))
YOUNG, OLD = timedelta(minutes=1), timedelta(days=3)


@pytest.mark.parametrize(
    ("result", "attempts", "age", "expected"),
    [
        (Accepted("250 ok"), 0, YOUNG, Transition("sent", "250 ok", None)),
        (Accepted("250 ok"), 9, OLD, Transition("sent", "250 ok", None)),
        (Rejected("550 no"), 0, YOUNG, Transition("failed", "550 no", None)),
        (Deferred("451 later"), 0, YOUNG, Transition("pending", "451 later", timedelta(seconds=30))),
        (Deferred("451 later"), 2, YOUNG, Transition("pending", "451 later", timedelta(seconds=120))),
        (Deferred("451 later"), 40, YOUNG, Transition("pending", "451 later", timedelta(minutes=10))),
        (Deferred("451 later"), 40, OLD, Transition("failed", "given up after 41 tries: 451 later", None)),
        (Lost("no reply"), 0, YOUNG, Transition("unknown", "no reply", timedelta(seconds=30))),
        (
            Lost("no reply"),
            4,
            OLD,
            Transition("failed", "given up after 5 tries; it may have been delivered: no reply", None),
        ),
        (Untried("away"), 7, OLD, Transition("pending", "away", timedelta(0), tries=0)),
    ],
)
def test_a_try_makes_of_an_email_what_the_reply_says(
    result: Result, attempts: int, age: timedelta, expected: Transition
) -> None:
    assert settle(result, attempts, age, RULES) == expected


@pytest.mark.parametrize(
    ("kind", "standing", "goes_out"),
    [
        ("outcome", Standing(), True),
        ("outcome", Standing(revision=2, newest=(2, 1)), True),
        ("outcome", Standing(revision=3, newest=(2, 1)), False),
        ("outcome", Standing(withdrawn=True), False),
        ("outcome", Standing(newest=(2, 2)), False),
        ("outcome", Standing(newest=(3, 1)), False),
        ("outcome", Standing(newest=(1, 9)), True),
        ("acknowledgement", Standing(revision=9, withdrawn=True, newest=(9, 9)), True),
        ("acknowledgement", Standing(withdrawn=True, undone=True), False),
        ("outcome", Standing(withdrawn=True, undone=True), False),
        ("notice", Standing(revision=9, withdrawn=True, newest=(9, 9)), True),
        ("notice", Standing(erased=True), False),
        ("acknowledgement", Standing(erased=True), False),
        ("outcome", Standing(revision=2, newest=(2, 1), erased=True), False),
    ],
)
def test_an_outcome_goes_out_only_while_it_is_the_newest_word_on_its_application(
    kind: Kind, standing: Standing, goes_out: bool
) -> None:
    assert (superseded(kind, 2, 1, standing) is None) is goes_out


def test_why_an_email_is_superseded_is_said() -> None:
    assert superseded("outcome", 1, 1, Standing(withdrawn=True)) == "superseded: the application was withdrawn"
    assert superseded("outcome", 1, 1, Standing(revision=2)) == "superseded: the application was amended (revision 2)"
    assert superseded("outcome", 1, 1, Standing(newest=(1, 2))) == "superseded: there is a newer decision"
