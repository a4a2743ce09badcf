"""Deeds: what is recorded, that asking twice is one deed, and how they travel."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.eligibility.consumers.deeds import RECORDED, handlers
from services.eligibility.domain.audit_entries import of_deed
from shared.batches import Event
from shared.deeds import _event_of, deed_of
from shared.errors import Transient
from shared.events import DeedRecorded, deed_id
from tests.unit.deeds import FakeDeeds
from tests.unit.eligibility.fakes import FakeClock

NOW = datetime(2022, 6, 1, 12, 0, tzinfo=UTC)
"""What the clock of the fakes shows."""


async def test_a_deed_says_who_did_what_when_and_what_is_otherwise_since() -> None:
    deeds = FakeDeeds()
    record = deeds.recorder(FakeClock(), "intake")
    old, new = {"link_generation": 0}, {"link_generation": 1}
    await record("application", "a", "links_revoked", "olga", once=[1], old=old, new=new)
    (deed,) = deeds.kept.values()
    assert deed == DeedRecorded(
        deed_id=deed_id("intake", "application", "a", "links_revoked", 1),
        service="intake",
        about="application",
        subject_id="a",
        what="links_revoked",
        by="olga",
        at=NOW,
        old=old,
        new=new,
    )


async def test_what_is_one_deed_is_recorded_once_as_it_was_the_first_time_and_others_each_time() -> None:
    deeds = FakeDeeds()
    record = deeds.recorder(FakeClock(), "intake")
    for by in ("olga", "ada"):
        await record("application", "a", "erased", by, once=["a"])
        await record("dead_letters", "intake", "replayed", by)
    assert deeds.told() == [
        ("application", "a", "erased", "olga"),
        ("dead_letters", "intake", "replayed", "olga"),
        ("dead_letters", "intake", "replayed", "ada"),
    ]


async def test_what_cannot_be_recorded_is_raised_so_that_it_is_not_done() -> None:
    deeds = FakeDeeds()
    deeds.away = 1
    with pytest.raises(Transient):
        await deeds.recorder(FakeClock())("import", "i", "undone", "olga")


class Kept:
    """Keeps deeds by id, as the collection does."""

    def __init__(self) -> None:
        self.deeds: dict[str, DeedRecorded] = {}

    async def keep(self, deeds: list[DeedRecorded]) -> None:
        for each in deeds:
            self.deeds.setdefault(each.deed_id, each)


async def test_a_deed_told_twice_is_kept_once_and_shown_as_it_was_recorded() -> None:
    deeds, kept = FakeDeeds(), Kept()
    await deeds.recorder(FakeClock(), "intake")("import", "i", "undone", "olga", new={"rows": 3})
    (deed,) = deeds.kept.values()
    fact = {"_id": deed.deed_id, **deed.model_dump(exclude={"deed_id"}), "outbox": {"event": "e"}}
    assert deed_of(fact) == deed
    event = _event_of(fact)
    assert (event.subject, event.source, event.time) == (deed.deed_id, "/accede/intake", NOW)
    assert event.subject != deed.subject_id, "events about what was erased are passed over; this one is not"
    handle = handlers(kept)[RECORDED]  # type: ignore[arg-type]
    again = Event(event.id, event.subject, event.time, event.source, event.data)
    await handle([event, again], "interactive")
    await handle([again], "interactive")
    (told,) = (of_deed(each) for each in kept.deeds.values())
    assert (told.place.about, told.subject_id, told.what, told.by, told.at) == ("import", "i", "undone", "olga", NOW)
    assert (told.old, told.new, told.why) == ({}, {"rows": 3}, "")
