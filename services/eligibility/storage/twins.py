"""The collection `claims`: who holds the keys of which organisation, one document an application.

_id <application id>, received_at, revision, keys [hash], wanted [hash], freed [hash] while they are handed on

A unique index over `keys` sees to it that a key has one holder; an insert takes all keys of an application or none. Those
that it met with others are `wanted`: whoever wanted one first gets it when it is given up. A later revision takes the
place of an earlier one, never the other way round: else an application would keep the keys of every organisation that it
ever named. Keys are kept as hashes, so that nothing here names an organisation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from pymongo import UpdateOne

from services.eligibility.domain.twins import Claim
from shared.errors import Transient
from shared.mongo import Database, Document, classified, keys_taken
from shared.policy.identity import IdentityKey

CLAIMS: Final = "claims"
TRIES: Final = 20
"""Looks at keys that others are writing at the same moment: their write is visible after a few milliseconds."""


class MongoClaims:
    """Claims in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._claims = database[CLAIMS]

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._claims.create_index("keys", name="keys", unique=True, sparse=True)
            await self._claims.create_index("wanted", name="wanted", sparse=True)

    async def take(self, claims: Sequence[Claim]) -> Mapping[str, Mapping[IdentityKey, str]]:
        """Claim keys; by application id, the keys that others hold, with their holders."""
        documents = [_document(each) for each in claims]
        refused = await keys_taken(self._claims.insert_many(documents, ordered=False))
        waiting = [claims[index] for index in refused]
        found: dict[str, Mapping[IdentityKey, str]] = {}
        for _ in range(TRIES):
            if not waiting:
                return found
            waiting = await self._share_out(waiting, found)
        raise Transient("claims of others are not readable yet")

    async def _share_out(self, claims: Sequence[Claim], found: dict[str, Mapping[IdentityKey, str]]) -> list[Claim]:
        """Take what is free of each, and note what others hold in `found`; those that have to be looked at again."""
        holders = await self._holders({hash_of(key) for claim in claims for key in claim.keys})
        updates: list[UpdateOne] = []
        updated: list[Claim] = []
        for claim in claims:
            hashes = {hash_of(key): key for key in claim.keys}
            held = {key: holders[each] for each, key in hashes.items() if each in holders}
            others = {key: holder for key, holder in held.items() if holder != claim.application_id}
            if others:
                found[claim.application_id] = others
            else:
                found.pop(claim.application_id, None)
            mine = [each for each, key in hashes.items() if key not in others]
            if others or len(held) < len(hashes) or claim.revision > 1:
                updates.append(_taking(claim, mine, [each for each, key in hashes.items() if key in others]))
                updated.append(claim)
        refused = await keys_taken(self._claims.bulk_write(updates, ordered=False)) if updates else []
        await self._hand_on([each.application_id for each in updated if each.revision > 1])
        return [updated[index] for index in refused]

    async def _hand_on(self, amended: Sequence[str]) -> None:
        """What these do not name any more goes to its heirs. Done again, it is carried to its end if it broke off."""
        if not amended:
            return
        ids = {"_id": {"$in": amended}}
        with classified():
            if freed := await self._freed(ids):
                await self._bequeath(freed)
                left = {"$setDifference": [{"$ifNull": ["$freed", []]}, freed]}
                await self._claims.update_many(ids, [{"$set": {"freed": _unless_empty(left)}}])

    async def _freed(self, ids: Document) -> list[bytes]:
        return [bytes(each) async for row in self._claims.find(ids, {"freed": 1}) for each in row.get("freed", ())]

    async def _holders(self, hashes: Collection[bytes]) -> dict[bytes, str]:
        """By key, who holds it."""
        with classified():
            rows = self._claims.find({"keys": {"$in": list(hashes)}}, {"keys": 1})
            return {bytes(each): row["_id"] async for row in rows for each in row["keys"]}

    async def release(self, application_ids: Collection[str]) -> None:
        """Give up what these hold. It is set apart first, and deleted when it is with its heirs, so that this can be
        done again after it broke off in between."""
        ids = {"_id": {"$in": list(application_ids)}}
        with classified():
            apart = {"$setUnion": [{"$ifNull": ["$freed", []]}, {"$ifNull": ["$keys", []]}]}
            await self._claims.update_many(ids, [{"$set": {"freed": apart}}, {"$unset": ["keys", "wanted"]}])
            if freed := await self._freed(ids):
                await self._bequeath(freed)
            await self._claims.delete_many({**ids, "keys": {"$exists": False}})

    async def erase(self, application_ids: Collection[str]) -> None:
        """Give up what these hold, as `shared.erasing` has it."""
        await self.release(application_ids)

    async def _bequeath(self, freed: Sequence[bytes]) -> None:
        """Each key goes to the earliest of those who wanted it. One that somebody else took meanwhile stays there."""
        heirs: dict[bytes, str] = {}
        wanted = self._claims.find({"wanted": {"$in": list(freed)}}).sort([("received_at", 1), ("_id", 1)])
        async for row in wanted:
            for each in row["wanted"]:
                heirs.setdefault(bytes(each), row["_id"])
        updates = [
            UpdateOne({"_id": heirs[each], "wanted": each}, _inheriting(each)) for each in freed if each in heirs
        ]
        if updates:
            await keys_taken(self._claims.bulk_write(updates, ordered=False))


def _document(claim: Claim) -> Document:
    document = {"_id": claim.application_id, "received_at": claim.first_received_at, "revision": claim.revision}
    return {**document, "keys": list(map(hash_of, claim.keys))} if claim.keys else document


def _taking(claim: Claim, mine: Sequence[bytes], others: Sequence[bytes]) -> UpdateOne:
    """Hold `mine` and want `others`, and nothing else. A key that was inherited since the look stays. Nothing changes
    where a later revision was here."""
    before = {"$ifNull": ["$keys", []]}
    held = {"$setUnion": [{"$setIntersection": [before, [*mine, *others]]}, mine]}
    given_up = {"$setDifference": [before, [*mine, *others]]}
    values: dict[str, Document] = {
        "keys": held,
        "wanted": {"$setDifference": [others, held]},
        "freed": {"$setUnion": [{"$ifNull": ["$freed", []]}, given_up]},
    }
    current = {"$lte": [{"$ifNull": ["$revision", 1]}, claim.revision]}
    changed = {name: {"$cond": [current, _unless_empty(value), f"${name}"]} for name, value in values.items()}
    kept = {
        "received_at": {"$ifNull": ["$received_at", claim.first_received_at]},
        "revision": {"$max": ["$revision", claim.revision]},
    }
    return UpdateOne({"_id": claim.application_id}, [{"$set": changed | kept}], upsert=True)


def _inheriting(key: bytes) -> list[Document]:
    held = {"$setUnion": [{"$ifNull": ["$keys", []]}, [key]]}
    return [{"$set": {"wanted": _unless_empty({"$setDifference": ["$wanted", [key]]}), "keys": held}}]


def _unless_empty(value: Document) -> Document:
    """An empty list would count as a key of its own."""
    return {"$cond": [{"$eq": [value, []]}, "$$REMOVE", value]}


def hash_of(key: IdentityKey) -> bytes:
    """What is kept of a key: nothing here names an organisation."""
    return blake2b(f"{key.kind}\x1f{key.text}".encode(), digest_size=16).digest()
