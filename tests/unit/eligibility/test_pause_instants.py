"""The pause's last second and first second, as the clocks of three places show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.eligibility.domain.decisions import decide
from shared.events import Outcome
from tests.unit.eligibility.making import application, rulebook

LONDON, TOKYO, NEW_YORK = (ZoneInfo(name) for name in ("Europe/London", "Asia/Tokyo", "America/New_York"))
SECOND = timedelta(seconds=1)


def outcome_at(instant: datetime) -> Outcome:
    received = application("technology_company", received_at=instant)
    return decide(received, rulebook(), decided_at=datetime.now(UTC)).judgement.outcome


@pytest.mark.parametrize(
    "first_after",
    [
        datetime(2022, 1, 1, 0, 0, tzinfo=LONDON),
        datetime(2022, 1, 1, 9, 0, tzinfo=TOKYO),
        datetime(2021, 12, 31, 19, 0, tzinfo=NEW_YORK),
        datetime(2022, 1, 1, 0, 0, tzinfo=UTC),
    ],
    ids=["London", "Tokyo", "New York", "UTC"],
)
def test_the_pause_ends_with_the_london_year_wherever_one_looks_from(first_after: datetime) -> None:
    """Requirement 1: [from, 2022-01-01T00:00) Europe/London; the second before is held, the second itself is not."""
    assert outcome_at(first_after - SECOND) == "on_hold"
    assert outcome_at(first_after - timedelta(milliseconds=1)) == "on_hold"
    assert outcome_at(first_after) == "eligible"
    assert outcome_at(first_after + SECOND) == "eligible"


@pytest.mark.parametrize(
    "first_held",
    [
        datetime(2021, 7, 1, 0, 0, tzinfo=LONDON),
        datetime(2021, 7, 1, 8, 0, tzinfo=TOKYO),
        datetime(2021, 6, 30, 19, 0, tzinfo=NEW_YORK),
        datetime(2021, 6, 30, 23, 0, tzinfo=UTC),
    ],
    ids=["London", "Tokyo", "New York", "UTC"],
)
def test_the_pause_begins_with_the_london_july_wherever_one_looks_from(first_held: datetime) -> None:
    """British Summer Time: midnight in London is 23:00 UTC the day before."""
    assert outcome_at(first_held - SECOND) == "eligible"
    assert outcome_at(first_held) == "on_hold"


def test_midnight_of_other_places_is_not_the_end() -> None:
    """The year ends earlier in Tokyo and later in New York; neither counts."""
    assert outcome_at(datetime(2022, 1, 1, 0, 0, tzinfo=TOKYO)) == "on_hold"
    assert outcome_at(datetime(2021, 12, 31, 23, 59, 59, tzinfo=NEW_YORK)) == "eligible"


def test_an_amendment_keeps_the_first_receipt_for_pauses() -> None:
    """Requirement 2: amended after the pause, an application of the pause stays held; one from before it goes on."""
    held_then, after = datetime(2021, 12, 1, tzinfo=UTC), datetime(2022, 2, 1, tzinfo=UTC)
    before, during = datetime(2021, 6, 1, tzinfo=UTC), datetime(2021, 8, 1, tzinfo=UTC)
    amended = application("technology_company", revision=2, received_at=after, first_received_at=held_then)
    assert decide(amended, rulebook(), decided_at=after).judgement.outcome == "on_hold"
    early = application("technology_company", revision=2, received_at=during, first_received_at=before)
    assert decide(early, rulebook(), decided_at=after).judgement.outcome == "eligible"
    anew = application("technology_company", received_at=after)
    assert decide(anew, rulebook(), decided_at=after).judgement.outcome == "eligible"


def test_a_pause_that_starts_while_submissions_arrive_holds_those_received_from_then_on() -> None:
    """However late and in whatever order they are decided: each by its own receipt."""
    start = datetime(2021, 6, 30, 23, 0, tzinfo=UTC)
    arriving = [application("financial_institution", received_at=start + SECOND * n) for n in range(-5, 5)]
    decided_at = start + timedelta(hours=1)
    found = [decide(each, rulebook(), decided_at=decided_at).judgement.outcome for each in reversed(arriving)]
    assert found[::-1] == ["eligible"] * 5 + ["on_hold"] * 5
