"""The queue of requests to the liaison."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.eligibility.domain.liaison import (
    Entry,
    LiaisonRequest,
    Wanted,
    assigned,
    closed,
    erased,
    noted,
    with_reply_by,
)
from services.eligibility.use_cases.liaison import Liaison
from shared.application import Contact
from shared.errors import Conflict, Refused
from tests.unit.eligibility.fakes import NOW, FakeClock, FakeLiaison

LATER = NOW + timedelta(days=1)


def request(request_id: str = "one") -> LiaisonRequest:
    return LiaisonRequest(
        request_id,
        "state",
        "Ministry",
        "SN",
        Contact(name="Awa", email="awa@ministry.example"),
        "We would like to join.\nHow?",
        "en",
        NOW,
        date(2022, 6, 15),
        (Entry(NOW, "received", "sender"),),
    )


def test_every_deed_is_noted_and_none_is_changed() -> None:
    found = closed(assigned(assigned(request(), "Sam", "desk", NOW), "Kim", "desk", LATER), "By email.", "kim", LATER)
    assert (found.state, found.owner) == ("closed", "Kim")
    assert [(each.what, each.by, each.detail) for each in found.history] == [
        ("received", "sender", ""),
        ("assigned", "desk", "Sam"),
        ("assigned", "desk", "Kim"),
        ("closed", "kim", "By email."),
    ]


def test_the_same_owner_again_changes_nothing() -> None:
    found = assigned(request(), "Sam", "desk", NOW)
    assert assigned(found, "Sam", "other", LATER) is found


def test_what_is_closed_or_erased_is_not_worked_off_again() -> None:
    for done in (closed(request(), "", "desk", NOW), erased(request(), NOW)):
        with pytest.raises(Conflict):
            assigned(done, "Sam", "desk", LATER)
        with pytest.raises(Conflict):
            closed(done, "", "desk", LATER)
        with pytest.raises(Conflict):
            noted(done, "", "desk", LATER)
        with pytest.raises(Conflict):
            with_reply_by(done, date(2022, 7, 1), "", "desk", LATER)


def test_who_takes_it_over_and_another_day_of_reply_are_noted_beside_what_was_before() -> None:
    found = assigned(assigned(request(), "Sam", "desk", NOW), "Kim", "desk", LATER)
    found = with_reply_by(found, date(2022, 6, 20), "The minister is away.", "kim", LATER)
    assert (found.owner, found.reply_by) == ("Kim", date(2022, 6, 20))
    assert [(each.old, each.detail, each.why) for each in found.history[1:]] == [
        ("", "Sam", ""),
        ("Sam", "Kim", ""),
        ("2022-06-15", "2022-06-20", "The minister is away."),
    ]
    assert with_reply_by(found, date(2022, 6, 20), "again", "kim", LATER) is found
    with pytest.raises(Refused):
        with_reply_by(found, date(2022, 6, 1), "too late", "kim", LATER)


def test_erasing_leaves_nothing_that_names_anybody() -> None:
    worked = with_reply_by(assigned(request(), "Sam", "desk", NOW), date(2022, 6, 20), "Awa is away.", "desk", NOW)
    found = erased(closed(noted(worked, "Awa called.", "desk", NOW), "Wrote to Awa.", "desk", NOW), LATER)
    assert not any(word in repr(found) for word in ("Ministry", "Awa", "awa@", "join"))
    assert (found.state, found.owner, found.history[-1]) == ("erased", "Sam", Entry(LATER, "erased", "sender"))
    assert erased(found, LATER + timedelta(days=1)) is found


def test_it_is_overdue_from_the_day_after_the_promised_one_while_it_is_open() -> None:
    on_the_day = NOW.replace(day=15, hour=23)
    assert not request().is_overdue(on_the_day)
    assert request().is_overdue(on_the_day + timedelta(hours=2))
    assert not closed(request(), "", "desk", NOW).is_overdue(on_the_day + timedelta(days=9))
    assert not replace(request(), reply_by=None).is_overdue(on_the_day + timedelta(days=9))


async def test_a_request_told_of_twice_is_in_the_queue_once_as_it_now_stands() -> None:
    store = FakeLiaison()
    liaison = Liaison(store, FakeClock())
    await liaison.take([request()])
    await liaison.assign("one", "Sam", "desk")
    await liaison.take([request(), request("two")])
    assert [each.owner for each in await store.page(Wanted("open"), None, 9)] == ["Sam", None]
    await liaison.erase("one")
    await liaison.erase("one")
    assert store.told == ["one"]
    assert await liaison.close("nothing", "", "desk") is None
