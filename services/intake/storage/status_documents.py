"""A status as a document, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from services.intake.domain.history import Happened
from services.intake.domain.status import Asked, DeadLetter, Decision, Email, Status
from shared.events import EntitlementNotice, PauseNotice, ReceiptLine, TwinNotice
from shared.mongo import Document

_PLAIN: Final = (
    "channel",
    "client",
    "category",
    "organisation_name",
    "locale",
    "revision",
    "received_at",
    "first_received_at",
    "state",
    "import_id",
    "row",
    "historical",
    "withdrawn_at",
    "emitted",
    "version",
)
"""Fields that are stored as they are."""


def document_of(status: Status) -> Document:
    """What is stored. `due` is left out when nothing is awaited: the index of what is due holds only what is."""
    document: Document = {"_id": status.application_id, **{name: getattr(status, name) for name in _PLAIN}}
    document["decision"] = _decision_document(status.decision) if status.decision else None
    document["link_generation"] = status.link_generation
    document["erased_at"] = status.erased_at
    document["given_up"] = status.dead_letter is not None
    document["dead_letter"] = asdict(status.dead_letter) if status.dead_letter else None
    document["emails"] = {
        "acknowledgement": _email_document(status.acknowledgement),
        "outcome": _email_document(status.outcome_email) if status.outcome_email else None,
    }
    document["asked"] = asdict(status.asked) if status.asked else None
    document["history"] = [
        {"at": each.at, "what": each.what, "detail": each.detail, "revision": each.revision, "key": each.key}
        for each in status.history
    ]
    if status.due is not None:
        document["due"] = status.due
    return document


def status_of(document: Mapping[str, Any]) -> Status:
    """The status that a document holds."""
    emails, decision, letter = document["emails"], document["decision"], document["dead_letter"]
    asked = document.get("asked")  # nothing was asked for before people worked on cases
    return Status(
        application_id=document["_id"],
        **{name: document[name] for name in _PLAIN},
        decision=_decision_of(decision) if decision else None,
        dead_letter=DeadLetter(**letter) if letter else None,
        link_generation=document.get("link_generation", 0),  # statuses of before links could be revoked have none
        erased_at=document.get("erased_at"),  # nor could they be erased
        acknowledgement=Email(**emails["acknowledgement"]),
        outcome_email=Email(**emails["outcome"]) if emails["outcome"] else None,
        asked=Asked(**{**asked, "questions": tuple(asked["questions"])}) if asked else None,
        history=tuple(Happened(**each) for each in document["history"]),
        due=document.get("due"),
    )


def _email_document(email: Email) -> Document:
    return {
        "state": email.state,
        "revision": email.revision,
        "number": email.number,
        "at": email.at,
        "reason": email.reason,
    }


def _decision_document(decision: Decision) -> Document:
    return {
        "revision": decision.revision,
        "number": decision.number,
        "stage": decision.stage,
        "outcome": decision.outcome,
        "decided_by": decision.decided_by,
        "decided_at": decision.decided_at,
        "policy_hash": decision.policy_hash,
        "unmet": [line.model_dump() for line in decision.unmet],
        "met": decision.met,
        "pause": decision.pause.model_dump() if decision.pause else None,
        **({"twin": decision.twin.model_dump()} if decision.twin else {}),
        **({"reason": decision.reason} if decision.reason else {}),
        **({"entitlements": [each.model_dump() for each in decision.entitlements]} if decision.entitlements else {}),
    }


def _decision_of(document: Mapping[str, Any]) -> Decision:
    return Decision(
        **{
            **document,
            "unmet": tuple(ReceiptLine.model_construct(**line) for line in document["unmet"]),
            "pause": PauseNotice.model_construct(**document["pause"]) if document["pause"] else None,
            "twin": TwinNotice.model_construct(**document["twin"]) if document.get("twin") else None,
            "entitlements": tuple(
                EntitlementNotice.model_construct(**each) for each in document.get("entitlements", ())
            ),
        }
    )
