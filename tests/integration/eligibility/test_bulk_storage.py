"""Bulk actions, kept by the fake and the real store alike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.eligibility.domain.bulk import Action, Ending, Item, Person, Result
from services.eligibility.storage.bulk import MongoBulk
from shared.mongo import Database
from shared.tombstones import Tombstones
from tests.unit.eligibility.bulk_fakes import FakeBulk
from tests.unit.eligibility.fakes import NOW

KIM, ADA = Person("kim", "decider"), Person("ada", "admin")
HOUR = timedelta(hours=1)


def action(name: str, hours: int = 0) -> Action:
    items = (Item("a", 1, 0), Item("b", 2, 3, "Not every nominee has confirmed yet: Ada Moreno."), Item("c", 1, 1))
    return Action(
        name,
        "admit",
        KIM,
        NOW + hours * HOUR,
        items,
        "",
        "Welcome.",
        ("registration.number",),
        {"state": "open", "q": "Moreno"},
    )


@pytest.mark.parametrize("kind", ["fake", "real"])
async def test_each_fact_is_stored_once_and_what_names_somebody_can_be_erased(kind: str, database: Database) -> None:
    store = FakeBulk() if kind == "fake" else MongoBulk(database)
    if isinstance(store, MongoBulk):
        await store.prepare()
    first, second = action("one"), action("two", 1)
    for each in (first, second, first):
        await store.propose(each)
    assert [each.action for each in await store.newest(9)] == [second, first]
    assert len(await store.newest(1)) == 1
    assert await store.find("nothing") is None
    confirmed = Ending("one", "confirmed", ADA, NOW)
    assert await store.end(confirmed) == confirmed
    assert await store.end(Ending("one", "dropped", KIM, NOW)) == confirmed
    await store.end(Ending("two", "dropped", ADA, NOW))
    assert list(await store.unfinished()) == ["one"]
    await store.note(Result("one", "a", NOW))
    await store.note(Result("one", "a", NOW, "Somebody else."))
    await store.note(Result("one", "c", NOW + HOUR, "Ada Moreno declined."))
    found = await store.find("one")
    assert found is not None
    assert (found.state, [each.why for each in found.results]) == ("done", ["", "Ada Moreno declined."])
    await store.finish("one")
    assert list(await store.unfinished()) == []
    await store.erase(["a", "b"])
    kept = await store.find("one")
    assert kept is not None
    assert kept.action.text == "Welcome.", "it was written to somebody who is still there"
    for _ in range(2):
        await store.erase(["a", "b", "c"])
    found = await store.find("one")
    assert "Moreno" not in repr(found)
    assert "Welcome" not in repr(found)
    assert found is not None
    assert [bool(each.why) for each in found.action.items] == [False, True, False]


async def test_what_was_written_to_several_goes_with_the_last_of_them(database: Database) -> None:
    store, erasures = MongoBulk(database), Tombstones(database)
    await store.propose(action("one"))
    for name in "abc":
        await erasures.append({name: NOW})
        await store.erase([name])
        found = await store.find("one")
        assert found is not None
        assert found.action.text == ("" if name == "c" else "Welcome.")
