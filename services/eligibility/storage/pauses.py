"""The collection `pauses`: one fact a version of a pause, under `<pause id>:<version>`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.eligibility.domain.pauses import BY_POLICY, PauseVersion
from services.eligibility.storage.decisions import SOURCE
from shared.batches import Event
from shared.clock import Reading
from shared.events import PauseChanged, event_id
from shared.mongo import Database, classified
from shared.outbox import LEASE, Outbox, Publisher
from shared.policy.pack import Pause

PAUSES: Final = "pauses"
_TYPE: Final = "pause.changed.v1"


class MongoPauses:
    """Pause versions in MongoDB, with their outbox."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._pauses = database[PAUSES]
        self.outbox = Outbox(self._pauses, event_of, publisher)

    async def all(self) -> Sequence[PauseVersion]:
        """Every version of every pause."""
        with classified():
            return [version_of(row) async for row in self._pauses.find({})]

    async def append(self, versions: Sequence[PauseVersion], stored: Reading) -> Sequence[PauseVersion]:
        """Store versions that are not there yet; what is now stored, in the same order. Their events are due at once."""
        facts = [
            {
                "_id": f"{each.pause_id}:{each.version}",
                "pause_id": each.pause_id,
                "version": each.version,
                "effective_from": each.effective_from,
                "pause": each.pause.model_dump(mode="json"),
                "stored_at": stored.now,
                "by": each.by,
                "why": each.why,
            }
            for each in versions
        ]
        kept = await self.outbox.append(facts, "interactive", stored.real - LEASE)
        return [version_of(each.document) for each in kept]

    async def emit_again(self, ids: Sequence[str]) -> int:
        """Publish the events of these versions again, under the same ids."""
        return await self.outbox.emit_again(ids)


def version_of(fact: Mapping[str, Any]) -> PauseVersion:
    """The pause version of a stored document."""
    return PauseVersion(
        fact["version"],
        fact["effective_from"],
        Pause.model_validate(fact["pause"]),
        fact.get("by", BY_POLICY),  # versions of before people could change pauses have no author
        fact.get("why", ""),
    )


def event_of(fact: Mapping[str, Any]) -> Event:
    """The event of a stored pause version."""
    data = PauseChanged(
        pause_id=fact["pause_id"],
        version=fact["version"],
        effective_from=fact["effective_from"],
        pause=fact["pause"],
    )
    identity = event_id(fact["_id"], fact["version"], _TYPE)
    return Event(identity, fact["pause_id"], fact["stored_at"], SOURCE, data)
