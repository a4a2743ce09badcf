"""Email records: collection `emails`, one document an email, with its bytes, its state and its history.

    {_id, application_id, revision, number, kind, template, template_version, locale, policy_hash, to, subject, message_id,
     mime, invited_at?, lane, trace, state, due, attempts, claim?, queued_at, created_at, history: [{at, state, detail}],
     outbox}

`due` is the real time at which a dispatcher has to look at it next: when to try, or when the claim runs out; None in a
final state. `outbox` is None until the email is in a final state, which is what its event reports.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from bson.binary import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel

from services.notifications.domain.emails import FINAL, LANE_ORDER
from services.notifications.domain.letters import UNREPORTED
from services.notifications.use_cases.emails import NewEmail
from shared import metrics
from shared.application import Lane
from shared.batches import Event
from shared.clock import Reading
from shared.events import EmailFailed, EmailReported, EmailSent, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import LEASE, Outbox, Publisher

EMAILS: Final = "emails"
SOURCE: Final = "/accede/notifications"
ERASED: Final = "erased"
"""What stands where a server's reply, or our sentence, may have named somebody."""
LANES: Final[dict[int, Lane]] = {0: "interactive", 1: "bulk"}


class Emails:
    """Adds email records. `outbox` publishes what became of them, and is swept like any other."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._emails = database[EMAILS]
        self.outbox = Outbox(self._emails, event_of, publisher)

    async def prepare(self) -> None:
        """Make the indexes: the dispatcher's queue (which also serves the counts), an application's emails, the list."""
        with classified():
            await self._emails.create_indexes(
                [
                    IndexModel([("state", 1), ("lane", 1), ("due", 1), ("kind", 1)], name="queue"),
                    IndexModel(
                        [("application_id", 1), ("revision", 1), ("number", 1), ("kind", 1)], name="application"
                    ),
                    IndexModel([("queued_at", DESCENDING), ("_id", DESCENDING)], name="newest"),
                    IndexModel([("about", ASCENDING)], name="about", sparse=True),
                    IndexModel([("to", ASCENDING), ("queued_at", DESCENDING)], name="recipient"),
                ]
            )

    async def add(self, emails: Sequence[NewEmail], lane: Lane, reading: Reading) -> None:
        """Store those that are new; publish again what became of those that are there and in a final state.

        Raises Transient.
        """
        documents = [_document(email, lane, reading) for email in emails]
        stored = await self.outbox.append(documents, lane, reading.real)
        for item in stored:
            if item.fresh:
                metrics.EMAILS.labels(item.document["state"]).inc()
        await self.outbox.publish(item.document for item in stored if item.document["state"] in FINAL)

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take out to whom emails of these applications went and what they said. What was not sent is left out from now
        on; what is just being sent keeps its state. Raises Transient."""
        unsent = {"$in": ["$state", ["pending", "unknown", "claimed"]]}
        nameless = {
            "$map": {"input": "$history", "as": "entry", "in": {"$mergeObjects": ["$$entry", {"detail": ERASED}]}}
        }
        left_out = [{"at": "$$NOW", "state": "superseded", "detail": "superseded: the application was erased"}]
        changed: Document = {
            "to": "",
            "subject": "",
            "mime": {"$literal": Binary(b"")},
            "history": {"$concatArrays": [nameless, {"$cond": [unsent, left_out, []]}]},
            "state": {"$cond": [unsent, "superseded", "$state"]},
            "due": {"$cond": [unsent, None, "$due"]},
            "outbox": {"$cond": [unsent, None, "$outbox"]},
            "claim": {"$cond": [unsent, "$$REMOVE", "$claim"]},
        }
        with classified():
            for name in ("application_id", "about"):
                await self._emails.update_many({name: {"$in": list(application_ids)}}, [{"$set": changed}])


def _document(email: NewEmail, lane: Lane, reading: Reading) -> Document:
    letter, composed = email.letter, email.composed
    ended = composed.failure or email.left_out
    state = "failed" if composed.failure else "superseded" if email.left_out else "pending"
    document: Document = {
        "_id": email.email_id,
        "application_id": letter.application_id,
        **({"about": list(letter.about)} if letter.about else {}),
        "revision": letter.revision,
        "number": letter.number,
        "kind": letter.kind,
        "template": letter.template,
        "template_version": composed.template_version,
        "locale": composed.locale,
        "policy_hash": letter.policy_hash,
        "to": composed.to,
        "subject": composed.subject,
        "message_id": composed.message_id,
        "mime": Binary(composed.mime),
        **({"invited_at": letter.invited.invited_at} if letter.invited else {}),
        "lane": LANE_ORDER[lane],
        "trace": email.trace,
        "state": state,
        "due": None if ended else reading.real,
        "attempts": 0,
        "queued_at": reading.real,
        "created_at": reading.now,
        "history": [{"at": reading.now, "state": state, "detail": ended or "written"}],
    }
    return {**document, "outbox": outbox_mark(document, reading) if ended else None}


def outbox_mark(document: Mapping[str, Any], reading: Reading) -> Document | None:
    """The mark of an email that has just reached a final state; None for one that is about no application, or none
    yet, which nobody waits to be told of."""
    if document["template"] in UNREPORTED:
        return None
    return {
        "event": _event_id(document),
        "lane": LANES[document["lane"]],
        "trace": document["trace"],
        "due": reading.real + LEASE,
        "tries": 0,
    }


def _event_id(document: Mapping[str, Any]) -> str:
    kind = "email.sent.v1" if document["state"] == "sent" else "email.failed.v1"
    return event_id(document["_id"], document["attempts"], kind)


def event_of(document: Mapping[str, Any]) -> Event:
    """The event of an email in a final state."""
    last = document["history"][-1]
    common = {
        "email_id": document["_id"],
        "application_id": document["application_id"],
        "revision": document["revision"],
        "number": document["number"],
        "template": document["template"],
        "at": last["at"],
    }
    data: EmailReported
    if document["state"] == "sent":
        data = EmailSent(**common)
    else:
        data = EmailFailed(**common, reason=last["detail"], superseded=document["state"] == "superseded")
    return Event(
        id=_event_id(document),
        subject=document["application_id"],
        time=last["at"],
        source=SOURCE,
        data=data,
        traceparent=document["trace"],
    )
