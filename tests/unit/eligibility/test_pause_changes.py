"""What people do to pauses: each change counts from its own instant on, and no earlier instant is judged otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.eligibility.domain import pause_changes as rules
from services.eligibility.domain.pause_changes import Author, what_changed
from services.eligibility.domain.pauses import BY_POLICY, PauseVersion, changes, in_force
from shared.errors import Conflict, Refused
from tests.unit.eligibility.making import pause

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
"""The instant from which a change counts."""
MARIA = Author("maria", "The board asked for it.")
RUNNING = PauseVersion(1, AT - 30 * DAY, pause(start=AT - 30 * DAY, until=AT + 30 * DAY))
OVER = PauseVersion(1, AT - 30 * DAY, pause(start=AT - 30 * DAY, until=AT - DAY))
TO_COME = PauseVersion(1, AT - 30 * DAY, pause(start=AT + DAY, until=AT + 30 * DAY))


def fields(error: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [each.pointer for each in error.value.errors]


def test_a_pause_starts_with_its_author_and_reason() -> None:
    version = rules.started(pause(start=AT, until=AT + DAY), AT, MARIA)
    assert (version.version, version.effective_from) == (1, AT)
    assert (version.by, version.why) == ("maria", "The board asked for it.")


def test_no_pause_starts_in_the_past() -> None:
    """Whoever applied before it was known would be held by what nobody could know."""
    with pytest.raises(Refused, match="The pause was not changed") as error:
        rules.started(pause(start=AT - HOUR, until=AT + DAY), AT, MARIA)
    assert fields(error) == ["/from"]


def test_a_pause_ends_after_it_begins() -> None:
    with pytest.raises(Refused) as error:
        rules.started(pause(start=AT + DAY, until=AT + DAY), AT, MARIA)
    assert fields(error) == ["/until"]


def test_lifting_at_once_ends_it_when_the_change_counts() -> None:
    lifted = rules.lifted(RUNNING, None, AT, MARIA)
    assert lifted.pause.until == AT
    assert in_force([RUNNING, lifted], AT) == []
    assert in_force([RUNNING, lifted], AT - timedelta(milliseconds=1)) == [RUNNING]


def test_lifting_can_be_set_for_a_time() -> None:
    lifted = rules.lifted(RUNNING, AT + DAY, AT, MARIA)
    assert in_force([RUNNING, lifted], AT + DAY - HOUR) == [lifted]
    assert in_force([RUNNING, lifted], AT + DAY) == []


def test_lifting_one_that_has_not_begun_keeps_it_from_beginning() -> None:
    lifted = rules.lifted(TO_COME, None, AT, MARIA)
    assert all(in_force([TO_COME, lifted], AT + days * DAY) == [] for days in range(40))


def test_one_that_never_begins_is_over_and_not_lifted_again() -> None:
    """Asked twice, as after a lost answer, there is nothing more to do; it comes back by being reinstated."""
    cancelled = rules.lifted(TO_COME, None, AT, MARIA)
    with pytest.raises(Conflict, match="needs no lifting: it never begins"):
        rules.lifted(cancelled, None, AT + HOUR, MARIA)
    with pytest.raises(Conflict, match="over"):
        rules.extended(cancelled, AT + 40 * DAY, AT + HOUR, MARIA)
    again = rules.reinstated(cancelled, AT + DAY, AT + HOUR, MARIA)
    assert in_force([TO_COME, cancelled, again], AT + HOUR) == [again]
    assert what_changed(cancelled, again) == "reinstated"


def test_one_that_was_lifted_early_is_not_lifted_again() -> None:
    lifted = rules.lifted(RUNNING, None, AT, MARIA)
    with pytest.raises(Conflict, match="needs no lifting: it ends at 2021-10-04T10:00:00 Europe/London"):
        rules.lifted(lifted, None, AT + timedelta(seconds=1), MARIA)
    with pytest.raises(Conflict, match="needs no lifting"):
        rules.lifted(lifted, AT + DAY, AT + HOUR, MARIA)


@pytest.mark.parametrize("when", [AT - HOUR, RUNNING.pause.until, RUNNING.pause.until + DAY])
def test_lifting_is_neither_in_the_past_nor_an_extension(when: datetime) -> None:
    with pytest.raises(Refused) as error:
        rules.lifted(RUNNING, when, AT, MARIA)
    assert fields(error) == ["/when"]


def test_extending_only_makes_it_longer() -> None:
    assert rules.extended(RUNNING, AT + 60 * DAY, AT, MARIA).pause.until == AT + 60 * DAY
    with pytest.raises(Refused) as error:
        rules.extended(RUNNING, AT + DAY, AT, MARIA)
    assert fields(error) == ["/until"]


def test_reinstating_lets_one_that_is_over_hold_again_from_now_on() -> None:
    """The days between its end and its return stay open."""
    again = rules.reinstated(OVER, AT + DAY, AT, MARIA)
    assert in_force([OVER, again], AT - HOUR) == []
    assert in_force([OVER, again], AT) == [again]
    assert in_force([OVER, again], AT + DAY) == []


def test_what_is_over_is_not_changed_and_what_lasts_is_not_reinstated() -> None:
    with pytest.raises(Conflict, match="over"):
        rules.changed(OVER, {"exempt": ("state",)}, AT, MARIA)
    with pytest.raises(Conflict, match="not over"):
        rules.reinstated(RUNNING, AT + DAY, AT, MARIA)
    with pytest.raises(Conflict, match="needs no lifting"):
        rules.lifted(OVER, None, AT, MARIA)


def test_a_begun_pause_keeps_its_beginning() -> None:
    with pytest.raises(Refused) as error:
        rules.changed(RUNNING, {"from_": AT + DAY}, AT, MARIA)
    assert fields(error) == ["/from"]
    assert rules.changed(TO_COME, {"from_": AT + 2 * DAY}, AT, MARIA).pause.from_ == AT + 2 * DAY


def test_a_change_of_nothing_is_no_version() -> None:
    with pytest.raises(Conflict, match="already"):
        rules.changed(RUNNING, {"exempt": RUNNING.pause.exempt}, AT, MARIA)


def test_a_version_waits_for_the_one_before_it() -> None:
    """Versions count in their order: a change made while the one before is not in effect yet counts no earlier."""
    later = PauseVersion(2, AT + HOUR, RUNNING.pause)
    assert rules.lifted(later, AT + DAY, AT, MARIA).effective_from == AT + HOUR


@pytest.mark.parametrize(
    ("before", "change", "word"),
    [
        (RUNNING, lambda newest: rules.lifted(newest, None, AT, MARIA), "lifted"),
        (RUNNING, lambda newest: rules.lifted(newest, AT + DAY, AT, MARIA), "shortened"),
        (TO_COME, lambda newest: rules.lifted(newest, None, AT, MARIA), "lifted"),
        (RUNNING, lambda newest: rules.extended(newest, AT + 60 * DAY, AT, MARIA), "extended"),
        (OVER, lambda newest: rules.reinstated(newest, AT + DAY, AT, MARIA), "reinstated"),
        (RUNNING, lambda newest: rules.changed(newest, {"exempt": ("state",)}, AT, MARIA), "changed"),
    ],
)
def test_each_version_is_named_in_a_word(
    before: PauseVersion, change: Callable[[PauseVersion], PauseVersion], word: str
) -> None:
    assert what_changed(None, before) == "started"
    assert what_changed(before, change(before)) == word


def test_a_pause_names_categories_there_are_and_holds_somebody() -> None:
    with pytest.raises(Refused) as error:
        rules.require_known(pause(covers=("club", "moon"), exempt=("sun",)), {"club", "state"})
    assert fields(error) == ["/covers/1", "/exempt/0"]
    with pytest.raises(Refused) as error:
        rules.require_known(pause(covers=("state",), exempt=("state",)), {"club", "state"})
    assert fields(error) == ["/exempt"]
    rules.require_known(pause(exempt=("state",)), {"club", "state"})


def test_no_policy_changes_what_a_person_decided() -> None:
    """A pause of the desk is not in any pack; a pack that comes into force must not end it."""
    persons = rules.started(pause("desk", start=AT, until=AT + DAY), AT, MARIA)
    lifted = rules.lifted(RUNNING, None, AT, MARIA)
    assert changes([persons, RUNNING, lifted], [RUNNING.pause], AT + HOUR) == []
    assert RUNNING.by == BY_POLICY


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["lift", "lift at", "extend", "reinstate", "exempt"]), st.integers(1, 48), st.integers(1, 90)
    ),
    max_size=8,
)


@settings(deadline=None)
@given(STEPS)
def test_no_change_rewrites_an_earlier_instant(steps: list[Step]) -> None:
    """Against a model that knows nothing of versions: a list of hours, each on or off, of which a change only ever
    writes the hours from its own instant on."""
    versions = [PauseVersion(1, AT, pause(start=AT, until=AT + 24 * HOUR))]
    hours = {hour: 0 <= hour < 24 for hour in range(-2, 2000)}
    now = 0
    for what, wait, length in steps:
        now += wait
        at = AT + now * HOUR
        try:
            version = _step(what, versions[-1], at, length)
        except (Conflict, Refused):
            continue
        versions.append(version)
        begin, end = ((each - AT) // HOUR for each in (version.pause.from_, version.pause.until))
        hours |= {hour: begin <= hour < end for hour in hours if hour >= now}
    assert {hour: bool(in_force(versions, AT + hour * HOUR)) for hour in hours} == hours


def _step(what: str, newest: PauseVersion, at: datetime, length: int) -> PauseVersion:
    later: dict[str, Callable[[], Any]] = {
        "lift": lambda: rules.lifted(newest, None, at, MARIA),
        "lift at": lambda: rules.lifted(newest, at + length * HOUR, at, MARIA),
        "extend": lambda: rules.extended(newest, at + length * HOUR, at, MARIA),
        "reinstate": lambda: rules.reinstated(newest, at + length * HOUR, at, MARIA),
        "exempt": lambda: rules.changed(newest, {"exempt": (f"c{length}",)}, at, MARIA),
    }
    version: PauseVersion = later[what]()
    return version
