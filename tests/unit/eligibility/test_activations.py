"""Putting versions of the policy in force, at a date, and rolling that back: the rules alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.eligibility.domain import activations as rules
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.policies import LEAD, Activation
from shared.errors import Conflict, Refused
from tests.unit.eligibility.fakes import NOW

DAY = timedelta(days=1)
AT = NOW + LEAD
OLGA = Author("olga", "The board decided.")
INSTALLED = Activation(1, "old", NOW - 9 * DAY, NOW - 9 * DAY)


def activated(
    history: list[Activation], name: str, when: datetime | None = None, dated: datetime = NOW - DAY
) -> list[Activation]:
    return [*history, rules.activated(history, name, when, dated, AT, OLGA, NOW)]


def in_force(history: list[Activation], instant: datetime) -> str | None:
    found = rules.standing_at(history, instant)
    return found.policy_hash if found else None


def test_a_version_comes_into_force_as_soon_as_can_be_at_the_date_of_its_pack_or_at_the_one_given() -> None:
    for when, dated, start in (
        (None, NOW - DAY, AT),
        (None, NOW + DAY, NOW + DAY),
        (NOW + 2 * DAY, NOW, NOW + 2 * DAY),
    ):
        (*_, made) = activated([INSTALLED], "new", when, dated)
        assert made == Activation(2, "new", start, NOW, "olga", "The board decided.")
        assert in_force([INSTALLED, made], start - timedelta(milliseconds=1)) == "old"
        assert in_force([INSTALLED, made], start) == "new"


def test_nothing_comes_into_force_in_the_past() -> None:
    with pytest.raises(Refused) as caught:
        activated([INSTALLED], "new", AT - timedelta(milliseconds=1))
    assert caught.value.errors[0].pointer == "/effective_from"


def test_what_is_in_force_then_anyway_is_not_activated_again() -> None:
    with pytest.raises(Conflict, match="already"):
        activated([INSTALLED], "old")
    planned = activated([INSTALLED], "new", NOW + DAY)
    with pytest.raises(Conflict, match="already"):
        activated(planned, "new", NOW + 2 * DAY)
    assert in_force(activated(planned, "new", NOW + DAY / 2), NOW + DAY / 2) == "new", "sooner is something else"


def test_rolling_back_brings_the_version_before_back_and_again_undoes_that() -> None:
    history = activated([INSTALLED], "new")
    later = AT + DAY
    back = rules.rolled_back(history, later, OLGA, later)
    assert (back.number, back.policy_hash, back.effective_from) == (3, "old", later)
    assert in_force([*history, back], later - timedelta(milliseconds=1)) == "new", "what was decided so far stays"
    assert rules.rolled_back([*history, back], later + DAY, OLGA, later).policy_hash == "new"


def test_a_rolling_back_that_is_asked_for_again_for_want_of_an_answer_is_told_from_another_one() -> None:
    history = activated([INSTALLED], "new")
    assert rules.rolled_back_just_now(history, OLGA, NOW) is None, "that was an activation"
    back = rules.rolled_back(history, AT + DAY, OLGA, AT)
    history.append(back)
    minute = timedelta(minutes=1)
    assert rules.rolled_back_just_now(history, OLGA, AT + minute) == back
    assert rules.rolled_back_just_now(history, OLGA, AT + 9 * minute) is None
    assert rules.rolled_back_just_now(history, Author("olga", "Undo that."), AT + minute) is None
    assert rules.rolled_back_just_now(history, Author("piet", OLGA.why), AT + minute) is None
    assert rules.rolled_back_just_now([], OLGA, NOW) is None


def test_rolling_back_what_is_only_planned_means_that_it_never_comes_into_force() -> None:
    planned = activated([INSTALLED], "new", NOW + DAY)
    history = [*planned, rules.rolled_back(planned, AT, OLGA, NOW)]
    assert {in_force(history, instant) for instant in (NOW, AT, NOW + DAY, NOW + 2 * DAY)} == {"old"}


def test_without_an_earlier_version_there_is_nothing_to_go_back_to() -> None:
    for history in ([], [INSTALLED]):
        with pytest.raises(Conflict, match="no earlier version"):
            rules.rolled_back(history, AT, OLGA, NOW)


def test_who_has_seen_an_earlier_activation_is_told_to_look_again() -> None:
    history = activated([INSTALLED], "new")
    rules.require_seen(history, None)
    rules.require_seen(history, 2)
    with pytest.raises(Conflict, match="number 2, not 1"):
        rules.require_seen(history, 1)


def test_an_activation_in_one_word() -> None:
    history = activated([INSTALLED], "new")
    history.append(rules.rolled_back(history, AT + DAY, OLGA, AT))
    words = [rules.what_happened(each, history[:index]) for index, each in enumerate(history)]
    assert words == ["installed", "activated", "reactivated"]
