"""How far applications have come, as notifications keeps it."""

from __future__ import annotations

from services.notifications.storage.heads import Heads
from shared.mongo import Database


async def test_the_generation_of_links_only_grows_and_is_there_where_links_were_revoked(database: Database) -> None:
    heads = Heads(database)
    await heads.amended({"a": 2, "c": 2})
    await heads.revoked({"a": 2, "b": 1})
    await heads.revoked({"a": 1})  # told late
    assert await heads.link_generations(["a", "b", "c", "d"]) == {"a": 2, "b": 1}
    head = await database["heads"].find_one({"_id": "a"})
    assert head is not None
    assert (head["revision"], head["link_generation"]) == (2, 2)
