"""Who has applied again: decisions by their contact, and claims by their keys, as a campaign looks for them.

Two indexes of `decisions` are this module's: `contact` (capitals do not count) and `twin` (the few that have one).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from pymongo.collation import Collation

from services.eligibility.domain.decisions import AUTOMATIC, Decision
from services.eligibility.domain.interests import person_of
from services.eligibility.storage.decisions import DECISIONS, decision_of
from services.eligibility.storage.twins import CLAIMS, hash_of
from shared.mongo import Database, Document, classified
from shared.policy.identity import IdentityKey

_CAPITALS_DO_NOT_COUNT: Final = Collation(locale="en", strength=2)
_CONTACT: Final = "application.contact.email"
_TWIN: Final = "twin.application_id"
_FIRST: Final = "application.first_received_at"


class MongoReapplications:
    """Looks into decisions and claims; writes nothing."""

    def __init__(self, database: Database) -> None:
        self._decisions = database[DECISIONS]
        self._claims = database[CLAIMS]

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._decisions.create_index(_CONTACT, name="contact", collation=_CAPITALS_DO_NOT_COUNT)
            await self._decisions.create_index(_TWIN, name="twin", sparse=True)

    async def decisions(self, application_ids: Collection[str]) -> Mapping[str, Decision]:
        """The automatic decision about the newest revision of each of these."""
        wanted = {"application_id": {"$in": list(application_ids)}, "stage": AUTOMATIC}
        with classified():
            rows = self._decisions.find(wanted).sort("revision", 1)
            return {row["application_id"]: decision_of(row) async for row in rows}

    async def people(self, addresses: Collection[str], since: datetime) -> Mapping[str, datetime]:
        """The persons with these addresses who sent an application that was first received at `since` or later and is not
        on hold, with its first receipt, the latest."""
        wanted = {_CONTACT: {"$in": list(addresses)}, **_not_held(since)}
        fields = {_CONTACT: 1, "application.organisation.name": 1, _FIRST: 1}
        found: dict[str, datetime] = {}
        with classified():
            async for row in self._decisions.find(wanted, fields, collation=_CAPITALS_DO_NOT_COUNT):
                sent = row["application"]
                person = person_of(sent["contact"]["email"], sent["organisation"]["name"])
                found[person] = max(sent["first_received_at"], found.get(person, sent["first_received_at"]))
        return found

    async def organisations(self, keys: Collection[IdentityKey], since: datetime) -> Mapping[IdentityKey, datetime]:
        """Of these keys, those of organisations for which an application was first received at `since` or later, with its
        first receipt, the latest: the one that holds the key, or one that was found to be its twin. Neither is on hold."""
        hashes = {hash_of(key): key for key in keys}
        with classified():
            rows = self._claims.find({"keys": {"$in": list(hashes)}}, {"keys": 1, "received_at": 1})
            holders = {row["_id"]: row async for row in rows}
            latest = {name: row["received_at"] for name, row in holders.items()}
            wanted = {_TWIN: {"$in": list(holders)}, **_not_held(since)}
            async for row in self._decisions.find(wanted, {_TWIN: 1, _FIRST: 1}):
                name = row["twin"]["application_id"]
                latest[name] = max(latest[name], row["application"]["first_received_at"])
        return {
            hashes[bytes(each)]: latest[name]
            for name, row in holders.items()
            for each in row["keys"]
            if bytes(each) in hashes and latest[name] >= since
        }


def _not_held(since: datetime) -> Document:
    return {_FIRST: {"$gte": since}, "outcome": {"$ne": "on_hold"}}
