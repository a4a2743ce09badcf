"""Policy versions and pauses in Mongo, as announced.

policies  _id "<hash>:<number>", hash, number, effective_from, document {…}; of before they were counted, _id <hash> alone
pauses    _id "<pause>:<version>", pause_id, version, effective_from, pause {…}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymongo import ReplaceOne

from services.intake.domain.policies import KnownPause, KnownPolicy, PolicyBook
from shared.mongo import Collection, Database, Document, classified
from shared.policy.pack import Pause, PolicyDocument


class MongoPolicies:
    """The collections `policies` and `pauses`."""

    def __init__(self, database: Database) -> None:
        self._policies = database["policies"]
        self._pauses = database["pauses"]

    async def keep_policies(self, policies: Sequence[KnownPolicy]) -> None:
        """Store activations; the same hash is the same document."""
        await self._replace(
            self._policies,
            [
                {
                    "_id": each.id,
                    "hash": each.hash,
                    "number": each.number,
                    "effective_from": each.effective_from,
                    # question ids are keys with dots, which nested keys of Mongo documents may have
                    "document": each.document.model_dump(mode="json"),
                }
                for each in policies
            ],
        )

    async def keep_pauses(self, pauses: Sequence[KnownPause]) -> None:
        """Store versions of pauses."""
        await self._replace(
            self._pauses,
            [
                {
                    "_id": each.id,
                    "pause_id": each.pause_id,
                    "version": each.version,
                    "effective_from": each.effective_from,
                    "pause": each.pause.model_dump(mode="json"),
                }
                for each in pauses
            ],
        )

    async def book(self, known: Mapping[str, KnownPolicy]) -> PolicyBook:
        """All versions; documents of those in `known` are not read again. Raises Transient."""
        with classified():
            since = {row["_id"]: row["effective_from"] async for row in self._policies.find({}, {"effective_from": 1})}
            unread = [name for name, start in since.items() if name not in known or known[name].effective_from != start]
            rows = await self._policies.find({"_id": {"$in": unread}}).to_list(None) if unread else []
            pauses = await self._pauses.find({}).to_list(None)
        read = {
            row["_id"]: KnownPolicy(
                str(row.get("hash", row["_id"])),
                row["effective_from"],
                PolicyDocument.model_validate(row["document"]),
                row.get("number", 0),
            )
            for row in rows
        }
        return PolicyBook(
            {name: read.get(name) or known[name] for name in since},
            tuple(
                KnownPause(row["pause_id"], row["version"], row["effective_from"], Pause.model_validate(row["pause"]))
                for row in pauses
            ),
        )

    async def _replace(self, collection: Collection, documents: Sequence[Document]) -> None:
        with classified():
            await collection.bulk_write(
                [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents], ordered=False
            )
