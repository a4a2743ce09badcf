"""The collection `case_steps`: what was done about cases, one fact a step; nothing but an erasure ever changes one.

_id `<application>:<number>`, application_id, number, revision, what, by, at, text, old, new, questions [id], outbox;
of one that is part of a bulk action also action_id and proposed_by; of one that tells the applicant something also told (how
often it was told again) and application {…}, or, of one that decides, decision {…}

What follows from a deciding step is carried out before it is told: the decision is stored beside the automatic one, and
the entitlements of an admission, and that an appeal was heard. If a process dies on the way, the sweeper of any replica
goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.eligibility.domain.appeals import Hearing
from services.eligibility.domain.cases import HEARS, Step
from services.eligibility.domain.decisions import Decision
from services.eligibility.storage import decisions
from services.eligibility.storage.appeals import MongoAppeals
from services.eligibility.storage.decisions import DECISIONS, NAMELESS, SOURCE
from services.eligibility.storage.entitlements import MongoEntitlements
from shared.batches import Event
from shared.events import ApplicationSummary, InformationRequested, event_id
from shared.mongo import Database, Document, classified, keys_taken
from shared.outbox import Outbox, Publisher

STEPS: Final = "case_steps"
_ASKED: Final = "case.information_requested.v1"
TOLD: Final = 3
"""How often something is told again."""
REMIND_AFTER: Final = timedelta(minutes=10)
"""After so long, then after twice and four times as long."""
_PLAIN: Final = ("application_id", "number", "revision", "what", "by", "at", "text", "old", "new")
_THROUGH: Final = ("action_id", "proposed_by")


class MongoCaseSteps:
    """Steps in MongoDB, with their outbox."""

    def __init__(self, database: Database, publisher: Publisher, entitlements: MongoEntitlements) -> None:
        self._steps = database[STEPS]
        self._appeals = MongoAppeals(database)
        self._decisions = database[DECISIONS]
        self._entitlements = entitlements
        self.outbox = Outbox(self._steps, event_of, publisher, before_publish=self._carry_out)

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._steps.create_index([("application_id", 1), ("number", 1)], name="application")
            await self._steps.create_index([("at", 1)], name="at")
            await self._steps.create_index([("at", -1), ("_id", -1)], name="audit")
            await self._steps.create_index(
                "outbox.published_at", name="told", partialFilterExpression={"told": {"$lt": TOLD}}
            )

    async def append(self, step: Step, about: Decision, decision: Decision | None, real: datetime) -> bool:
        """Store a step, then carry it out and tell it; whether it was stored: False when there is another step of that
        number. What could not be done now is done by the sweeper. Raises Transient when it is not known to be stored.

        Args:
            about: the decision that the step is about, which says whose application it is.
            decision: what it decides, if it does.
        """
        fact = _document(step, about, decision)
        (kept,) = await self.outbox.append([fact], "interactive", real)
        if not kept.fresh and step_of(kept.document) != step:
            return False
        await self.outbox.publish_or_leave([kept.document])
        return True

    async def of(self, application_ids: Collection[str]) -> dict[str, list[Step]]:
        """Application id → its steps, in their order; only of those that have some. Raises Transient."""
        found: dict[str, list[Step]] = {}
        with classified():
            rows = self._steps.find({"application_id": {"$in": list(application_ids)}}, {"decision": 0})
            async for row in rows.sort([("application_id", 1), ("number", 1)]):
                found.setdefault(row["application_id"], []).append(step_of(row))
        return found

    async def since(self, at: datetime) -> set[str]:
        """The applications about which something was done since then. Raises Transient."""
        with classified():
            return set(await self._steps.distinct("application_id", {"at": {"$gte": at}}))

    async def tell_again(self, application_ids: Collection[str]) -> None:
        """Publish what these applicants were told, under the same ids. Raises Transient."""
        told = {"application_id": {"$in": list(application_ids)}, "outbox": {"$ne": None}}
        with classified():
            facts = await self._steps.find(told).to_list(None)
        await self.outbox.publish(facts)

    async def remind(self, limit: int) -> int:
        """Publish again what was told some time ago and not often enough; how many. Raises Transient."""
        often = {"$pow": [2, "$told"]}
        wait = {"$toLong": {"$multiply": [REMIND_AFTER / timedelta(milliseconds=1), often]}}
        due = {"$lt": [{"$add": ["$outbox.published_at", wait]}, "$$NOW"]}
        with classified():
            rows = self._steps.find({"told": {"$lt": TOLD}, "outbox.published_at": {"$exists": True}, "$expr": due})
            facts = await rows.limit(limit).to_list(None)
            await self.outbox.publish(facts)
            await self._steps.update_many({"_id": {"$in": [each["_id"] for each in facts]}}, {"$inc": {"told": 1}})
        return len(facts)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take out what was written and whom it was about; what was done, by whom and when stays. Raises Transient."""
        mine = {"application_id": {"$in": list(application_ids)}}
        nameless = {f"decision.{name}": value for name, value in NAMELESS.items() if name != "outbox"}
        with classified():
            await self._steps.update_many(mine, {"$set": {"text": "", "questions": []}})
            await self._steps.update_many({**mine, "application": {"$exists": True}}, {"$unset": {"application": ""}})
            await self._steps.update_many({**mine, "decision": {"$exists": True}}, {"$set": nameless})
            await self._steps.update_many({**mine, "outbox": {"$ne": None}}, {"$set": {"outbox": {}}})

    async def _carry_out(self, facts: Sequence[Document]) -> None:
        """Store the decisions and the entitlements that follow. Idempotent."""
        made = [{**each["decision"], "outbox": None} for each in facts if "decision" in each]
        if not made:
            return
        await keys_taken(self._decisions.insert_many(made, ordered=False))
        await self._appeals.hear([_hearing(each) for each in facts if each["what"] in HEARS])
        await self._entitlements.grant([each for decision in made for each in decision.get("granted", ())])


def _hearing(fact: Mapping[str, Any]) -> Hearing:
    """What the step says of the appeal: it was against the decision before the one it is."""
    return Hearing(
        fact["application_id"],
        fact["revision"],
        fact["decision"]["number"] - 1,
        fact["what"] == "appeal_accepted",
        fact["by"],
        fact["at"],
    )


def step_of(row: Mapping[str, Any]) -> Step:
    """The step of a stored document."""
    through = {name: row[name] for name in _THROUGH if name in row}
    return Step(**{name: row[name] for name in _PLAIN}, questions=tuple(row["questions"]), **through)


def event_of(fact: Mapping[str, Any]) -> Event:
    """What the applicant is told: the decision, or what they are asked for."""
    if "decision" in fact:
        return decisions.event_of(fact["decision"])
    data = InformationRequested.model_construct(
        application=ApplicationSummary.model_validate(fact["application"]),
        number=fact["number"],
        text=fact["text"],
        questions=list(fact["questions"]),
        requested_at=fact["at"],
    )
    identity = event_id(fact["_id"], fact["number"], _ASKED)
    return Event(identity, fact["application_id"], fact["at"], SOURCE, data)


def _document(step: Step, about: Decision, decision: Decision | None) -> Document:
    fact: Document = {
        "_id": step.step_id,
        **{name: getattr(step, name) for name in _PLAIN},
        "questions": list(step.questions),
        **({name: getattr(step, name) for name in _THROUGH} if step.action_id else {}),
    }
    if decision is not None:
        return {**fact, "told": 0, "decision": decisions.fact_of(decision)}
    if step.what == "information_requested":
        return {**fact, "told": 0, "application": decisions.summary_of(decisions.fact_of(about)).model_dump()}
    return {**fact, "outbox": None}
