"""Versions of pauses: what was in effect when, and what a new policy changes."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.eligibility.domain.pauses import PauseVersion, changes, exempts, holding, in_force, newest_at, strange_to
from tests.unit.eligibility.making import DURING, EARLY, pause

DAY = timedelta(days=1)
PAUSE = pause(exempt=("state",))
LIFTED = PauseVersion(2, DURING, PAUSE.model_copy(update={"until": DURING}))
FIRST = PauseVersion(1, EARLY, PAUSE)


def ids(versions: list[PauseVersion]) -> list[tuple[str, int]]:
    return [(version.pause_id, version.version) for version in versions]


def test_each_instant_is_judged_by_the_version_of_that_instant() -> None:
    """Requirement 1: lifting early never rewrites what was held before."""
    second = timedelta(seconds=1)
    assert ids(in_force([LIFTED, FIRST], DURING - second)) == [("break", 1)]
    assert ids(in_force([LIFTED, FIRST], DURING)) == []


def test_extending_does_not_reach_back() -> None:
    """Who came between the old end and the extension was not held, and is not held afterwards."""
    extended = PauseVersion(2, DURING + 2 * DAY, PAUSE.model_copy(update={"until": DURING + 9 * DAY}))
    assert in_force([FIRST, extended], DURING + 1.5 * DAY) == []
    assert ids(in_force([FIRST, extended], DURING + 3 * DAY)) == [("break", 2)]


def test_of_equal_dates_the_higher_version_counts() -> None:
    again = PauseVersion(2, EARLY, PAUSE)
    assert newest_at([again, FIRST], DURING) == newest_at([FIRST, again], DURING) == [again]


def test_of_several_pauses_the_one_that_ends_last_is_named() -> None:
    """That is the date the applicant waits for."""
    longer = PauseVersion(1, EARLY, pause("longer", until=DURING + 5 * DAY))
    assert holding([FIRST, longer], "club") == longer
    assert holding([FIRST, longer], "state") == longer, "an exemption from one pause is none from the other"
    assert holding([FIRST], "state") is None
    assert exempts([FIRST], "state")
    assert not exempts([FIRST], "club")


def test_a_policy_that_says_the_same_changes_nothing() -> None:
    assert changes([FIRST], [PAUSE], DURING) == []


def test_a_changed_pause_is_a_new_version_and_a_new_one_its_first() -> None:
    shorter = pause(until=DURING + timedelta(hours=1))
    other = pause("other")
    assert changes([FIRST], [shorter, other], DURING) == [
        PauseVersion(2, DURING, shorter),
        PauseVersion(1, DURING, other),
    ]


def until_of_the_next_version(effective_from: datetime) -> datetime | None:
    added = changes([FIRST], [], effective_from)
    return added[0].pause.until if added else None


def test_a_pause_that_is_no_longer_declared_ends_when_the_policy_comes_into_force() -> None:
    assert until_of_the_next_version(DURING) == DURING
    assert until_of_the_next_version(PAUSE.until + DAY) is None, "what is over stays as it was"
    assert until_of_the_next_version(PAUSE.from_ - DAY) == PAUSE.from_, "what has not begun never begins"


def test_a_pause_is_found_that_names_what_a_policy_does_not_know_unless_it_is_over() -> None:
    versions = [
        PauseVersion(1, EARLY, pause("on", covers=("club", "guild"), exempt=("order",))),
        PauseVersion(1, EARLY, pause("fine", exempt=("club",))),
        PauseVersion(1, EARLY, pause("mended", covers=("guild",))),
        PauseVersion(2, EARLY, pause("mended", covers=("club",))),
        PauseVersion(1, EARLY, pause("over", until=DURING, covers=("guild",))),
    ]
    assert strange_to(versions, {"club"}, DURING) == {"on": ["guild", "order"]}
    assert strange_to(versions, {"club", "guild", "order"}, DURING) == {}
