"""The collection `decisions`: one fact a revision and stage.

_id `<application id>:<revision>:<stage>`, application {…}, outcome, receipt [{criterion, answer, missing}],
evidence {name: value}, policy_hash, hold {…}|null, decided_by, decided_at, superseded, outbox
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from services.eligibility.domain.applicants import Applicant
from services.eligibility.domain.decisions import Decision, Hold, Judgement, ReceiptAnswer
from services.eligibility.use_cases.decisions import Kept
from shared.application import Contact, Lane, Organisation
from shared.batches import Event
from shared.events import Answer, ApplicationDecided, ApplicationSummary, PauseNotice, ReceiptLine, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher

DECISIONS: Final = "decisions"
SOURCE: Final = "/accede/eligibility"
_TYPE: Final = "application.decided.v1"


class MongoDecisions:
    """Decisions in MongoDB, with their outbox."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._decisions = database[DECISIONS]
        self.outbox = Outbox(self._decisions, event_of, publisher, id_of=_event_id)

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._decisions.create_index([("application_id", 1), ("revision", 1), ("number", 1)], name="revision")
            await self._decisions.create_index([("superseded", 1), ("category", 1), ("outcome", 1)], name="counts")

    async def newest_revisions(self, application_ids: Collection[str]) -> Mapping[str, int]:
        """The highest revision decided so far, by application id."""
        newest: dict[str, int] = {}
        fields = {"_id": 0, "application_id": 1, "revision": 1}
        with classified():
            async for row in self._decisions.find({"application_id": {"$in": list(application_ids)}}, fields):
                newest[row["application_id"]] = max(newest.get(row["application_id"], 0), row["revision"])
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

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many automatic decisions there are by (category, outcome), superseded ones left out."""
        group = {"_id": {"category": "$category", "outcome": "$outcome"}, "count": {"$sum": 1}}
        with classified():
            rows = await self._decisions.aggregate(
                [{"$match": {"superseded": False}}, {"$group": group}], hint="counts"
            ).to_list(None)
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
    return {**fact, "outbox": None} if decision.superseded else fact


def decision_of(fact: Mapping[str, Any]) -> Decision:
    """The decision of a stored document."""
    hold = fact["hold"]
    judgement = Judgement(
        outcome=fact["outcome"],
        receipt=tuple(
            ReceiptAnswer(line["criterion"], line["answer"], tuple(line["missing"])) for line in fact["receipt"]
        ),
        evidence=fact["evidence"],
        policy_hash=fact["policy_hash"],
        hold=None if hold is None else Hold(**{**hold, "exempt": tuple(hold["exempt"])}),
    )
    return Decision(
        applicant=_applicant(fact["application"], fact["application_id"], fact["revision"], fact["category"]),
        stage=fact["stage"],
        number=fact["number"],
        judgement=judgement,
        decided_by=fact["decided_by"],
        decided_at=fact["decided_at"],
        superseded=fact["superseded"],
    )


def event_of(fact: Mapping[str, Any]) -> Event:
    """The event of a stored decision. Our own data is not validated a second time."""
    kept, hold = fact["application"], fact["hold"]
    summary = ApplicationSummary.model_construct(
        application_id=fact["application_id"],
        revision=fact["revision"],
        category=fact["category"],
        organisation_name=kept["organisation"]["name"],
        contact=Contact.model_construct(**kept["contact"]),
        locale=kept["locale"],
        channel=kept["channel"],
        received_at=kept["received_at"],
    )
    data = ApplicationDecided.model_construct(
        application=summary,
        stage=fact["stage"],
        number=fact["number"],
        outcome=fact["outcome"],
        decided_by=fact["decided_by"],
        decided_at=fact["decided_at"],
        policy_hash=fact["policy_hash"],
        receipt=[_line(line["criterion"], line["answer"], tuple(line["missing"])) for line in fact["receipt"]],
        pause=None if hold is None else _notice(hold, registered=kept["register_interest"]),
    )
    return Event(_event_id(fact), fact["application_id"], fact["decided_at"], SOURCE, data)


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
