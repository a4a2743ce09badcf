"""The sources of the audit: the collections of the facts themselves, read alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, get_args

from services.eligibility.domain.audit import About, Entry, Place, Wanted, newest
from services.eligibility.domain.audit_entries import (
    of_accounts,
    of_action,
    of_activations,
    of_campaign,
    of_deed,
    of_draft,
    of_ending,
    of_liaison,
    of_pauses,
    of_simulation,
    of_step,
)
from services.eligibility.storage.accounts import MongoAccounts
from services.eligibility.storage.bulk import ACTIONS, ENDINGS, action_of, ending_of
from services.eligibility.storage.campaigns import MongoCampaigns
from services.eligibility.storage.case_steps import STEPS, step_of
from services.eligibility.storage.drafts import MongoDrafts
from services.eligibility.storage.liaison import REQUESTS, request_of
from services.eligibility.storage.pauses import PAUSES, version_of
from services.eligibility.storage.policies import MongoPolicies
from services.eligibility.storage.simulations import SIMULATIONS, simulation_of
from services.eligibility.use_cases.audit import Source
from shared.deeds import DEEDS, deed_of
from shared.events import DeedAbout
from shared.mongo import Database, Document, classified

_KEY: Final = {"$concat": ["$_id", ":", {"$substrBytes": ["$$digits", 1, 6]}]}


class FewFacts:
    """A collection that stays small, such as the versions of pauses: what changed needs the fact before, so all are read."""

    def __init__(self, about: About, read: Callable[[], Awaitable[Iterable[Entry]]]) -> None:
        self.about = about
        self._read = read

    async def entries(self, wanted: Wanted, limit: int) -> Sequence[Entry]:
        """The newest that are wanted. Raises Transient."""
        return newest(filter(wanted.covers, await self._read()), limit)


class ManyFacts:
    """A collection in which each fact says itself what was before. `at` and `subject` are the names of fields; there is an
    index on `at`. `only`: what the facts of this kind have, where there are others beside them."""

    def __init__(
        self,
        about: About,
        database: Database,
        collection: str,
        entry_of: Callable[[Mapping[str, Any]], Entry],
        *,
        at: str = "at",
        subject: str = "_id",
        only: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.about = about
        self._facts = database[collection]
        self._entry_of = entry_of
        self._at = at
        self._subject = subject
        self._only = only

    async def entries(self, wanted: Wanted, limit: int) -> Sequence[Entry]:
        """The newest that are wanted. Raises Transient."""
        query: Document = {**self._only} | ({} if wanted.subject_id is None else {self._subject: wanted.subject_id})
        query |= {} if wanted.by is None else {"by": wanted.by}
        query |= {self._at: times} if (times := _within(wanted)) else {}
        if wanted.before is not None:
            # a key may be longer than the id, so the last one shown may be found once more
            query = {"$and": [query, _before(self._at, "_id", wanted.before, self.about)]}
        with classified():
            rows = self._facts.find(query, {"decision": 0}).sort([(self._at, -1), ("_id", -1)]).limit(limit + 1)
            return newest(filter(wanted.covers, [self._entry_of(row) async for row in rows]), limit)


class LiaisonFacts:
    """What was done about requests to the liaison. The index `history` finds those at which something happened lately."""

    about: Final[About] = "liaison_request"

    def __init__(self, database: Database) -> None:
        self._requests = database[REQUESTS]

    async def entries(self, wanted: Wanted, limit: int) -> Sequence[Entry]:
        """The newest that are wanted. Raises Transient."""
        query: Document = {} if wanted.subject_id is None else {"_id": wanted.subject_id}
        deed: Document = {} if wanted.by is None else {"by": wanted.by}
        deed |= {"at": times} if (times := _within(wanted)) else {}
        query |= {"history": {"$elemMatch": deed}} if deed else {}
        keyed = {"$let": {"vars": {"digits": {"$toString": {"$add": [1000000, "$index"]}}}, "in": _KEY}}
        before = _before("deed.at", "key", wanted.before, self.about) if wanted.before else {}
        unwound: list[Document] = [
            {"$match": query},
            {"$set": {"deed": "$history"}},
            {"$unwind": {"path": "$deed", "includeArrayIndex": "index"}},
            {"$match": {f"deed.{name}": value for name, value in deed.items()}},
            {"$set": {"key": keyed}},
            {"$match": before},
            {"$sort": {"deed.at": -1, "key": -1}},
            {"$limit": limit},
            {"$project": {"_id": 1, "index": 1}},
        ]
        with classified():
            places = await self._requests.aggregate(unwound).to_list(limit)
            ids = sorted({each["_id"] for each in places})
            rows = await self._requests.find({"_id": {"$in": ids}}).to_list(None)
        return _picked(rows, {(each["_id"], each["index"]) for each in places})


def audit_of(
    database: Database,
    policies: MongoPolicies,
    campaigns: MongoCampaigns,
    accounts: MongoAccounts,
) -> Sequence[Source]:
    """Every source there is."""

    drafts = MongoDrafts(database)

    async def pauses() -> Iterable[Entry]:
        with classified():
            rows = await database[PAUSES].find({}).to_list(None)
        return of_pauses((version_of(row), row["stored_at"]) for row in rows)

    async def activations() -> Iterable[Entry]:
        return of_activations(await policies.activations())

    async def drafted() -> Iterable[Entry]:
        return [of_draft(each) for each in await drafts.headings()]

    async def campaign_steps() -> Iterable[Entry]:
        return [entry for each in await campaigns.all() for entry in of_campaign(each)]

    async def account_versions() -> Iterable[Entry]:
        return of_accounts(await accounts.all())

    return (
        FewFacts("pause", pauses),
        FewFacts("policy", activations),
        FewFacts("policy_draft", drafted),
        FewFacts("campaign", campaign_steps),
        FewFacts("account", account_versions),
        LiaisonFacts(database),
        ManyFacts("case", database, STEPS, lambda row: of_step(step_of(row)), subject="application_id"),
        ManyFacts("bulk_action", database, ACTIONS, lambda row: of_action(action_of(row))),
        ManyFacts("bulk_action", database, ENDINGS, lambda row: of_ending(ending_of(row))),
        ManyFacts("simulation", database, SIMULATIONS, lambda row: of_simulation(simulation_of(row)), at="asked_at"),
        *(_deeds_about(database, each) for each in get_args(DeedAbout)),
    )


def _deeds_about(database: Database, about: DeedAbout) -> Source:
    """Deeds of one kind: in what this service and the others have put on record."""
    return ManyFacts(
        about, database, DEEDS, lambda row: of_deed(deed_of(row)), subject="subject_id", only={"about": about}
    )


def _picked(rows: Sequence[Mapping[str, Any]], places: set[tuple[str, int]]) -> list[Entry]:
    """The entries at these places of the histories, the newest first."""
    found = [
        entry
        for row in rows
        for index, entry in enumerate(of_liaison(request_of(row)))
        if (row["_id"], index) in places
    ]
    return newest(found, len(found))


def _within(wanted: Wanted) -> Document:
    """The condition on the time of a fact."""
    return {} | ({"$gte": wanted.since} if wanted.since else {}) | ({"$lt": wanted.until} if wanted.until else {})


def _before(at: str, key: str, place: Place, about: About) -> Document:
    """The condition of coming before a place, or at it, for facts of one kind with their time and key in these fields."""
    if about > place.about:
        return {at: {"$lt": place.at}}
    if about < place.about:
        return {at: {"$lte": place.at}}
    return {"$or": [{at: {"$lt": place.at}}, {at: place.at, key: {"$lt": place.key}}]}
