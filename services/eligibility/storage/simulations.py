"""Simulations, in three collections of their own; they name nobody.

`simulations`: _id, supposition {policy_hash, pauses, pause}, selection {…}, note, by, asked_at, total, state, fault,
    removed?
`simulation_chunks`: one fact a chunk, _id `<simulation>:<number, eight digits>`, number, upto, began, at, last, seen,
    partial, moved [[category, old, new, count]], turned [[category, because, criterion, old, new, count]],
    skipped {why: count}, flips [{application_id, revision, category, old, new, because, changes [{criterion, old, new}]}]
`simulated_policies`: _id hash, document: what was supposed and is no version of the policy
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final, get_args

from services.eligibility.domain.simulation_tallies import Chunk, Flip, FlipFilter, Moved, Tally, Turned
from services.eligibility.domain.simulations import Change, Selection, Simulation, Skipped, State, Supposition
from shared.mongo import Database, Document, classified, keys_taken
from shared.policy.pack import Pause, Policy, PolicyDocument

SIMULATIONS: Final = "simulations"
CHUNKS: Final = "simulation_chunks"
POLICIES: Final = "simulated_policies"
_THERE: Final[Document] = {"removed": {"$ne": True}}


class MongoSimulations:
    """Simulations in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._simulations = database[SIMULATIONS]
        self._chunks = database[CHUNKS]
        self._policies = database[POLICIES]

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._simulations.create_index([("state", 1), ("asked_at", 1)], name="state")
            await self._simulations.create_index([("asked_at", -1)], name="asked")

    async def add(self, simulation: Simulation, policy: Policy | None) -> None:
        """Store one; with `policy`, if it is supposed and no version of the policy."""
        if policy is not None:
            document = {"_id": policy.hash, "document": policy.document.model_dump(mode="json")}
            await keys_taken(self._policies.insert_many([document], ordered=False))
        with classified():
            await self._simulations.insert_one(_document_of(simulation))

    async def find(self, simulation_id: str) -> Simulation | None:
        """One simulation."""
        with classified():
            row = await self._simulations.find_one({"_id": simulation_id, **_THERE})
        return None if row is None else simulation_of(row)

    async def newest(self, limit: int) -> list[Simulation]:
        """The newest first."""
        with classified():
            rows = self._simulations.find(_THERE).sort("asked_at", -1).limit(limit)
            return [simulation_of(row) async for row in rows]

    async def unfinished(self, limit: int) -> list[Simulation]:
        """Those that are open, the oldest first."""
        with classified():
            rows = self._simulations.find({"state": "open"}).sort("asked_at", 1).limit(limit)
            return [simulation_of(row) async for row in rows]

    async def end(self, simulation_id: str, state: State, fault: str = "") -> bool:
        """Make an open one end so; whether it was open."""
        with classified():
            done = await self._simulations.update_one(
                {"_id": simulation_id, "state": "open"}, {"$set": {"state": state, "fault": fault}}
            )
        return bool(done.modified_count)

    async def delete(self, simulation_id: str) -> None:
        """Remove what it found, and have it shown no more; last itself, so that whoever is stopped half-way can do it
        again. Who asked for it stays: the audit reads it here."""
        with classified():
            await self._chunks.delete_many({"_id": _range(simulation_id)})
            await self._simulations.update_one({"_id": simulation_id}, {"$set": {"removed": True}})

    async def policy(self, policy_hash: str) -> Policy | None:
        """A supposed policy that is no version."""
        with classified():
            row = await self._policies.find_one({"_id": policy_hash})
        return None if row is None else Policy(document=PolicyDocument.model_validate(row["document"]), hash=row["_id"])

    async def append(self, chunk: Chunk) -> Chunk:
        """Store a chunk; what is now stored under its number, without its flips."""
        document = _chunk_document(chunk)
        if await keys_taken(self._chunks.insert_many([document], ordered=False)):
            with classified():
                stored = await self._chunks.find_one({"_id": document["_id"]}, {"flips": 0})
            return chunk if stored is None else _chunk_of(stored)
        return chunk

    async def reached(self, simulation_ids: Collection[str]) -> dict[str, Chunk]:
        """The newest chunk of each that has one, without its flips."""
        with classified():
            found = await asyncio.gather(
                *(
                    self._chunks.find_one({"_id": _range(each)}, {"flips": 0}, sort=[("_id", -1)])
                    for each in simulation_ids
                )
            )
        return {name: _chunk_of(row) for name, row in zip(simulation_ids, found, strict=True) if row is not None}

    async def flips(self, simulation_id: str, wanted: FlipFilter, after: str, limit: int) -> Sequence[Flip]:
        """Flips, in the order of their applications' ids, after this one. No more chunks are read than these are in."""
        which: Document = {"flips.application_id": {"$gt": after}}
        which |= {
            f"flips.{name}": value
            for name, value in (("category", wanted.category), ("old", wanted.old), ("new", wanted.new))
            if value is not None
        }
        if wanted.criterion is not None:
            which["flips.changes.criterion"] = wanted.criterion
        steps: list[Mapping[str, Any]] = [
            {"$match": {"_id": _range(simulation_id), "upto": {"$gt": after}, **which}},
            {"$sort": {"_id": 1}},
            {"$project": {"flips": 1}},
            {"$unwind": "$flips"},
            {"$match": which},
            {"$limit": limit},
        ]
        with classified():
            return [_flip_of(row["flips"]) async for row in self._chunks.aggregate(steps)]

    async def every_flip(self, simulation_id: str) -> AsyncIterator[Sequence[Flip]]:
        """All flips, chunk after chunk."""
        with classified():
            rows = self._chunks.find({"_id": _range(simulation_id)}, {"flips": 1}, batch_size=4).sort("_id", 1)
            async for row in rows:
                yield [_flip_of(each) for each in row["flips"]]


def _range(simulation_id: str) -> Document:
    """The ids of a simulation's chunks: a semicolon comes after the colon."""
    return {"$gt": f"{simulation_id}:", "$lt": f"{simulation_id};"}


def _document_of(simulation: Simulation) -> Document:
    supposition, selection = simulation.supposition, simulation.selection
    return {
        "_id": simulation.simulation_id,
        "supposition": {
            "policy_hash": supposition.policy_hash,
            "pauses": supposition.pauses,
            "pause": supposition.pause.model_dump(mode="json") if supposition.pause else None,
        },
        "selection": {
            "categories": list(selection.categories),
            "outcomes": list(selection.outcomes),
            "channels": list(selection.channels),
            "received_from": selection.received_from,
            "received_until": selection.received_until,
        },
        "note": simulation.note,
        "by": simulation.by,
        "asked_at": simulation.asked_at,
        "total": simulation.total,
        "state": simulation.state,
        "fault": simulation.fault,
    }


def simulation_of(row: Mapping[str, Any]) -> Simulation:
    """The simulation of a stored document."""
    supposed, chosen = row["supposition"], row["selection"]
    pause = supposed["pause"]
    return Simulation(
        simulation_id=row["_id"],
        supposition=Supposition(
            supposed["policy_hash"], supposed["pauses"], None if pause is None else Pause.model_validate(pause)
        ),
        selection=Selection(
            tuple(chosen["categories"]),
            tuple(chosen["outcomes"]),
            tuple(chosen["channels"]),
            chosen["received_from"],
            chosen["received_until"],
        ),
        **{name: row[name] for name in ("note", "by", "asked_at", "total", "state", "fault")},
    )


def _chunk_document(chunk: Chunk) -> Document:
    tally = chunk.tally
    return {
        "_id": f"{chunk.simulation_id}:{chunk.number:08}",
        "simulation_id": chunk.simulation_id,
        "number": chunk.number,
        "upto": chunk.upto,
        "began": chunk.began,
        "at": chunk.at,
        "last": chunk.last,
        "seen": tally.seen,
        "partial": tally.partial,
        "moved": [[*moved, count] for moved, count in tally.moved.items()],
        "turned": [[*turned, count] for turned, count in tally.turned.items()],
        "skipped": dict(tally.skipped),
        "flips": [_flip_document(each) for each in chunk.flips],
    }


def _chunk_of(row: Mapping[str, Any]) -> Chunk:
    tally = Tally(
        seen=row["seen"],
        partial=row["partial"],
        moved=Counter({Moved(*each[:-1]): each[-1] for each in row["moved"]}),
        turned=Counter({Turned(*each[:-1]): each[-1] for each in row["turned"]}),
        skipped=Counter({why: row["skipped"][why] for why in get_args(Skipped) if why in row["skipped"]}),
    )
    number, upto = row["number"], row["upto"]
    return Chunk(row["simulation_id"], number, upto, tally, (), row["began"], row["at"], row["last"])


def _flip_document(flip: Flip) -> Document:
    return {
        "application_id": flip.application_id,
        "revision": flip.revision,
        "category": flip.category,
        "old": flip.old,
        "new": flip.new,
        "because": flip.because,
        "changes": [{"criterion": each.criterion, "old": each.old, "new": each.new} for each in flip.changes],
    }


def _flip_of(row: Mapping[str, Any]) -> Flip:
    return Flip(**{**row, "changes": tuple(Change(**each) for each in row["changes"])})
