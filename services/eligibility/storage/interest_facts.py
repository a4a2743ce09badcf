"""The documents of interests and of their erasures, and the events that they are told of with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.eligibility.domain.interests import Interest
from services.eligibility.storage.decisions import SOURCE
from shared.application import Contact, Lane
from shared.batches import Event
from shared.events import InterestErased, InterestRegistered, event_id
from shared.mongo import Document
from shared.outbox import LEASE
from shared.tracing import current_traceparent

INTERESTS: Final = "interests"
_REGISTERED: Final = "interest.registered.v1"
_ERASED: Final = "interest.erased.v1"


def event_of(fact: Mapping[str, Any]) -> Event:
    """The event of a form's interest: that it was registered, with what is known of it now."""
    data = InterestRegistered.model_construct(
        interest_id=fact["_id"],
        application_id=fact["application_id"],
        category=fact["category"],
        organisation_name=fact["organisation_name"],
        contact=Contact.model_construct(**fact["contact"]),
        locale=fact["locale"],
        registered_at=fact["registered_at"],
        source=fact["source"],
        country=fact["country"],
    )
    return Event(_event_id_of(fact), fact["_id"], fact["registered_at"], SOURCE, data)


def _event_id_of(fact: Mapping[str, Any]) -> str:
    return event_id(fact["_id"], fact["registration"], _REGISTERED)


def mark_of(fact: Mapping[str, Any], lane: Lane, real: datetime) -> Document:
    """The outbox's mark of one that is to be told of."""
    return {
        "event": _event_id_of(fact),
        "lane": lane,
        "trace": current_traceparent(),
        "due": real + LEASE,
        "tries": 0,
    }


def event_of_erasure(fact: Mapping[str, Any]) -> Event:
    """The event of an erasure."""
    data = InterestErased.model_construct(
        interest_id=fact["_id"], request_ids=fact["request_ids"], erased_at=fact["erased_at"]
    )
    return Event(event_id(fact["_id"], 1, _ERASED), fact["_id"], fact["erased_at"], SOURCE, data)


def fact_of(interest: Interest) -> Document:
    """The document of an interest, without its mark."""
    return {
        "_id": interest.interest_id,
        "source": interest.source,
        "application_id": interest.application_id,
        "revision": interest.revision,
        "category": interest.category,
        "organisation_name": interest.organisation_name,
        "country": interest.country,
        "contact": {"name": interest.contact.name, "email": interest.contact.email},
        "locale": interest.locale,
        "person": interest.person,
        "request_ids": list(interest.request_ids),
        "registration": interest.registration,
        "registered_at": interest.registered_at,
        "left_at": interest.left_at,
        "told_in": interest.told_in,
        "told_as": interest.told_as,
        "told_at": interest.told_at,
    }


def interest_of(fact: Mapping[str, Any]) -> Interest:
    """The interest of a document; those of before there was a short form have fewer fields."""
    return Interest(
        application_id=fact["application_id"],
        revision=fact["revision"],
        category=fact["category"],
        organisation_name=fact["organisation_name"],
        contact=Contact.model_construct(**fact["contact"]),
        locale=fact["locale"],
        registered_at=fact["registered_at"],
        left_at=fact["left_at"],
        source=fact.get("source", "application"),
        country=fact.get("country"),
        request_ids=tuple(fact.get("request_ids", ())),
        registration=fact.get("registration", 1),
        told_in=fact.get("told_in"),
        told_as=fact.get("told_as"),
        told_at=fact.get("told_at"),
    )
