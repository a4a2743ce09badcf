"""The collection `decisions`: one fact a revision and stage.

_id `<application id>:<revision>:<stage>`, application {…, answers}, outcome, receipt [{criterion, answer, missing}],
evidence {name: value}, policy_hash, hold {…}|null, twin {…} where there is one, decided_by, decided_at, superseded, outbox;
where a person decided: reason, proposed_by, and granted [entitlement]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from services.eligibility.domain.applicants import Applicant
from services.eligibility.domain.decisions import Decision, Hold, Judgement, ReceiptAnswer
from services.eligibility.domain.twins import Standing, Twin
from services.eligibility.storage.entitlements import entitlement_document, entitlement_of
from services.eligibility.use_cases.decisions import Kept
from shared.application import Contact, Lane, Organisation
from shared.batches import Event
from shared.events import (
    Answer,
    ApplicationDecided,
    ApplicationSummary,
    EntitlementNotice,
    PauseNotice,
    ReceiptLine,
    TwinNotice,
    event_id,
)
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

DECISIONS: Final = "decisions"
SOURCE: Final = "/accede/eligibility"
_TYPE: Final = "application.decided.v1"
NAMELESS: Final[Document] = {
    "application.organisation": {"name": "", "country": "", "website": None},
    "application.contact": {"name": "", "email": ""},
    "application.answers": {},
    "receipt": [],
    "evidence": {},
    "reason": "",
    "outbox": {},
}
"""What stands in a decision on an application that was erased."""


class MongoDecisions:
    """Decisions in MongoDB, with their outbox."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._decisions = database[DECISIONS]
        self.outbox = Outbox(self._decisions, event_of, publisher, id_of=_event_id)

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._decisions.create_index([("application_id", 1), ("revision", 1), ("number", 1)], name="revision")
            by = [("superseded", 1), ("number", 1), ("category", 1), ("outcome", 1)]
            await self._decisions.create_index(by, name="outcomes")

    async def newest_revisions(self, application_ids: Collection[str]) -> Mapping[str, int]:
        """The highest revision decided so far, by application id."""
        newest: dict[str, int] = {}
        fields = {"_id": 0, "application_id": 1, "revision": 1}
        with classified():
            async for row in self._decisions.find({"application_id": {"$in": list(application_ids)}}, fields):
                newest[row["application_id"]] = max(newest.get(row["application_id"], 0), row["revision"])
        return newest

    async def deciders(self, application_ids: Collection[str]) -> dict[tuple[str, int], list[str]]:
        """Application id and revision → who decided about it, each once, in the order of their decisions; who proposed what
        others confirmed is among them."""
        found: dict[tuple[str, int], list[str]] = {}
        fields = {"_id": 0, "application_id": 1, "revision": 1, "decided_by": 1, "proposed_by": 1}
        with classified():
            rows = self._decisions.find({"application_id": {"$in": list(application_ids)}}, fields)
            async for row in rows.sort([("revision", 1), ("number", 1)]):
                names = found.setdefault((row["application_id"], row["revision"]), [])
                names += [each for each in (row["decided_by"], row.get("proposed_by")) if each and each not in names]
        return found

    async def standings(self, application_ids: Collection[str]) -> Mapping[str, Standing]:
        """How the newest decision about each of these came out, superseded ones left out."""
        newest: dict[str, Standing] = {}
        wanted = {"application_id": {"$in": list(application_ids)}, "superseded": False}
        fields = {"_id": 0, "application_id": 1, "outcome": 1, "decided_at": 1}
        with classified():
            async for row in self._decisions.find(wanted, fields).sort([("revision", 1), ("number", 1)]):
                newest[row["application_id"]] = Standing(row["outcome"], row["decided_at"])
        return newest

    async def append(self, decisions: Sequence[Decision], lane: Lane, real: datetime) -> Sequence[Kept]:
        """Store; in the same order, what is now stored for each revision and stage."""
        facts = [fact_of(decision) for decision in decisions]
        stored = await self.outbox.append(facts, lane, real)
        return [
            Kept(decision if item.fresh else decision_of(item.document), item.fresh, item.document)
            for decision, item in zip(decisions, stored, strict=True)
        ]

    async def publish(self, kept: Sequence[Kept]) -> None:
        """Publish the events of stored decisions; those of superseded ones have none."""
        await self.outbox.publish([each.fact for each in kept])

    async def of(self, application_id: str) -> list[Decision]:
        """All decisions about an application, by revision and number."""
        with classified():
            rows = self._decisions.find({"application_id": application_id}).sort([("revision", 1), ("number", 1)])
            return [decision_of(row) async for row in rows]

    async def of_all(self, application_ids: Collection[str]) -> dict[str, list[Decision]]:
        """Application id → all decisions about it, by revision and number."""
        found: dict[str, list[Decision]] = {}
        with classified():
            rows = self._decisions.find({"application_id": {"$in": list(application_ids)}})
            async for row in rows.sort([("application_id", 1), ("revision", 1), ("number", 1)]):
                found.setdefault(row["application_id"], []).append(decision_of(row))
        return found

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take out who applied, and what was looked at; what was decided, when and by which policy stays, for the counts.
        It is told to nobody any more. Raises Transient."""
        with classified():
            await self._decisions.update_many({"application_id": {"$in": list(application_ids)}}, {"$set": NAMELESS})

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many automatic decisions there are by (category, outcome), superseded ones left out."""
        group = {"_id": {"category": "$category", "outcome": "$outcome"}, "count": {"$sum": 1}}
        match = {"superseded": False, "number": 1}
        with classified():
            rows = await self._decisions.aggregate([{"$match": match}, {"$group": group}], hint="outcomes").to_list(
                None
            )
        return {(row["_id"]["category"], row["_id"]["outcome"]): row["count"] for row in rows}


def fact_of(decision: Decision) -> Document:
    """The document of a decision, without its outbox mark; a superseded one has no event."""
    applicant, judgement = decision.applicant, decision.judgement
    fact: Document = {
        "_id": f"{applicant.application_id}:{applicant.revision}:{decision.stage}",
        "application_id": applicant.application_id,
        "revision": applicant.revision,
        "stage": decision.stage,
        "number": decision.number,
        "category": applicant.category,
        "application": _applicant_document(applicant),
        "outcome": judgement.outcome,
        "receipt": [
            {"criterion": line.criterion, "answer": line.answer, "missing": list(line.missing)}
            for line in judgement.receipt
        ],
        "evidence": judgement.evidence,
        "policy_hash": judgement.policy_hash,
        "hold": _hold_document(judgement.hold),
        "decided_by": decision.decided_by,
        "decided_at": decision.decided_at,
        "superseded": decision.superseded,
    }
    if judgement.twin is not None:
        fact["twin"] = {"application_id": judgement.twin.application_id, "matched_by": judgement.twin.matched_by}
    if decision.reason:
        fact["reason"] = decision.reason
    if decision.proposed_by:
        fact["proposed_by"] = decision.proposed_by
    if decision.granted:
        fact["granted"] = [entitlement_document(each) for each in decision.granted]
    return {**fact, "outbox": None} if decision.superseded else fact


def decision_of(fact: Mapping[str, Any]) -> Decision:
    """The decision of a stored document."""
    hold, twin = fact["hold"], fact.get("twin")
    judgement = Judgement(
        outcome=fact["outcome"],
        receipt=tuple(
            ReceiptAnswer(line["criterion"], line["answer"], tuple(line["missing"])) for line in fact["receipt"]
        ),
        evidence=fact["evidence"],
        policy_hash=fact["policy_hash"],
        hold=None if hold is None else Hold(**{**hold, "exempt": tuple(hold["exempt"])}),
        twin=None if twin is None else Twin(**twin),
    )
    return Decision(
        applicant=_applicant(fact["application"], fact["application_id"], fact["revision"], fact["category"]),
        stage=fact["stage"],
        number=fact["number"],
        judgement=judgement,
        decided_by=fact["decided_by"],
        decided_at=fact["decided_at"],
        superseded=fact["superseded"],
        reason=fact.get("reason", ""),
        proposed_by=fact.get("proposed_by", ""),
        granted=tuple(entitlement_of(each) for each in fact.get("granted", ())),
    )


def event_of(fact: Mapping[str, Any]) -> Event:
    """The event of a stored decision. Our own data is not validated a second time."""
    hold = fact["hold"]
    data = ApplicationDecided.model_construct(
        application=summary_of(fact),
        stage=fact["stage"],
        number=fact["number"],
        outcome=fact["outcome"],
        decided_by=fact["decided_by"],
        decided_at=fact["decided_at"],
        policy_hash=fact["policy_hash"],
        receipt=[_line(line["criterion"], line["answer"], tuple(line["missing"])) for line in fact["receipt"]],
        pause=None if hold is None else _notice(hold, registered=fact["application"]["register_interest"]),
        twin=_twin_notice(fact.get("twin")),
        reason=fact.get("reason", ""),
        entitlements=[
            EntitlementNotice.model_construct(**{name: each[name] for name in ("benefit", "text", "available", "note")})
            for each in fact.get("granted", ())
        ],
    )
    return Event(_event_id(fact), fact["application_id"], fact["decided_at"], SOURCE, data)


def summary_of(fact: Mapping[str, Any]) -> ApplicationSummary:
    """Whose application a stored decision is about."""
    kept = fact["application"]
    return ApplicationSummary.model_construct(
        application_id=fact["application_id"],
        revision=fact["revision"],
        category=fact["category"],
        organisation_name=kept["organisation"]["name"],
        contact=Contact.model_construct(**kept["contact"]),
        locale=kept["locale"],
        channel=kept["channel"],
        received_at=kept["received_at"],
    )


def _event_id(fact: Mapping[str, Any]) -> str:
    return event_id(fact["_id"], fact["number"], _TYPE)


@lru_cache(maxsize=4096)
def _line(criterion: str, answer: Answer, missing: tuple[str, ...]) -> ReceiptLine:
    """A pack has a few hundred different lines, and a million decisions fifteen million of them."""
    return ReceiptLine.model_construct(criterion=criterion, answer=answer, missing=list(missing))


def _notice(hold: Mapping[str, Any], *, registered: bool) -> PauseNotice:
    return PauseNotice.model_construct(
        **{name: hold[name] for name in ("pause_id", "message", "reason", "until", "exempt")},
        interest_registered=registered,
    )


def _twin_notice(twin: Mapping[str, Any] | None) -> TwinNotice | None:
    if twin is None:
        return None
    found = Twin(**twin)
    return TwinNotice.model_construct(
        application_id=found.application_id, reference=found.reference, matched_by=found.matched_by
    )


def _applicant_document(applicant: Applicant) -> Document:
    organisation, contact = applicant.organisation, applicant.contact
    return {
        "organisation": {
            "name": organisation.name,
            "country": organisation.country,
            "website": organisation.website,
        },
        "contact": {"name": contact.name, "email": contact.email},
        "locale": applicant.locale,
        "channel": applicant.channel,
        "received_at": applicant.received_at,
        "first_received_at": applicant.first_received_at,
        "register_interest": applicant.register_interest,
        "secondary_categories": list(applicant.secondary_categories),
        "answers": applicant.answers,
    }


def _applicant(kept: Mapping[str, Any], application_id: str, revision: int, category: str) -> Applicant:
    return Applicant(
        application_id=application_id,
        revision=revision,
        category=category,
        organisation=Organisation.model_construct(**kept["organisation"]),
        contact=Contact.model_construct(**kept["contact"]),
        locale=kept["locale"],
        channel=kept["channel"],
        received_at=kept["received_at"],
        first_received_at=kept["first_received_at"],
        register_interest=kept["register_interest"],
        # what was decided before these were kept has neither
        secondary_categories=tuple(kept.get("secondary_categories", ())),
        answers=kept.get("answers"),
    )


def _hold_document(hold: Hold | None) -> Document | None:
    if hold is None:
        return None
    return {
        "pause_id": hold.pause_id,
        "version": hold.version,
        "message": hold.message,
        "reason": hold.reason,
        "until": hold.until,
        "exempt": list(hold.exempt),
    }
