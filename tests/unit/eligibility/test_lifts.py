"""When pauses were lifted: once for each stretch in which they were on, at the right instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.eligibility.domain.lifts import lifts, opened
from services.eligibility.domain.pauses import PauseVersion
from tests.unit.eligibility.making import DURING, EARLY, pause

DAY = timedelta(days=1)
PAUSE = pause(exempt=("state",))
FIRST = PauseVersion(1, EARLY, PAUSE)
LATE = DURING + 99 * DAY


def seen(versions: list[PauseVersion], now: datetime = LATE) -> list[tuple[str, datetime]]:
    return [(each.name, each.at) for each in lifts(versions, now)]


def later(version: int, at: datetime, **fields: Any) -> PauseVersion:
    return PauseVersion(version, at, PAUSE.model_copy(update=fields), "ada", "because")


def test_a_pause_is_lifted_at_the_first_moment_after_it() -> None:
    assert seen([FIRST], PAUSE.until - timedelta(milliseconds=1)) == []
    assert seen([FIRST], PAUSE.until) == [("break:1", PAUSE.until)]


def test_one_that_is_lifted_early_is_lifted_then_and_not_again_at_its_old_end() -> None:
    lifted = later(2, DURING, until=DURING)
    assert seen([lifted, FIRST]) == [("break:1", DURING)]


def test_one_that_is_extended_is_lifted_at_its_new_end_alone() -> None:
    assert seen([FIRST, later(2, DURING, until=DURING + 9 * DAY)]) == [("break:2", DURING + 9 * DAY)]


def test_one_that_is_reinstated_is_lifted_twice() -> None:
    again = later(2, DURING + 3 * DAY, from_=DURING + 3 * DAY, until=DURING + 5 * DAY)
    assert seen([FIRST, again]) == [("break:1", PAUSE.until), ("break:2", DURING + 5 * DAY)]
    assert seen([FIRST, again], DURING + 4 * DAY) == [("break:1", PAUSE.until)]


def test_one_that_never_began_is_never_lifted() -> None:
    cancelled = later(2, DURING - 2 * DAY, until=PAUSE.from_)
    assert seen([FIRST, cancelled]) == []


def test_other_words_for_a_pause_that_is_over_lift_nothing() -> None:
    assert seen([FIRST, PauseVersion(2, DURING + 9 * DAY, PAUSE)]) == [("break:1", PAUSE.until)]


def test_a_pause_that_ends_at_a_wall_clock_time_is_lifted_at_that_instant_across_a_change_of_the_clocks() -> None:
    """02:30 on the last Sunday of October comes twice in Berlin; the loader has chosen one of them, and it is an instant."""
    end = datetime(2021, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1).astimezone(UTC)
    version = PauseVersion(1, EARLY, pause(start=DURING, until=end))
    assert seen([version], end - timedelta(hours=1)) == []
    assert seen([version], end) == [("break:1", end)]


def test_a_category_that_another_pause_still_holds_is_not_opened() -> None:
    other = PauseVersion(1, EARLY, pause("other", until=DURING + 5 * DAY, covers=("club",)))
    (lift,) = (each for each in lifts([FIRST, other], LATE) if each.pause.id == "break")
    assert opened(lift, [FIRST, other], ["club", "company", "state"]) == ["company"], "states were exempt"
    (last,) = (each for each in lifts([FIRST, other], LATE) if each.pause.id == "other")
    assert opened(last, [FIRST, other], ["club", "company"]) == ["club"]


@pytest.mark.parametrize(
    "change",
    [{"exempt": ("state", "club")}, {"covers": ("company",)}, {"covers": ("company", "guild"), "exempt": ()}],
)
def test_who_is_let_go_while_the_pause_goes_on_is_opened_the_way_then_and_the_others_at_its_end(
    change: dict[str, Any],
) -> None:
    versions = [FIRST, later(2, DURING, **change)]
    assert seen(versions) == [("break:1", DURING), ("break:2", PAUSE.until)]
    early, late = lifts(versions, LATE)
    assert opened(early, versions, ["club", "company"]) == ["club"]
    assert opened(late, versions, ["club", "company"]) == ["company"]


def test_other_words_or_more_categories_open_nobody_the_way() -> None:
    words = [FIRST, later(2, DURING, message={"en": "Still on hold."})]
    assert seen(words) == [("break:2", PAUSE.until)]
    more = [FIRST, later(2, DURING, exempt=())]
    first, last = lifts(more, LATE)
    assert opened(first, more, ["club", "company", "state"]) == []
    assert opened(last, more, ["club", "company", "state"]) == ["club", "company", "state"]
