"""The collection `interest_leavings`: {_id, interest_id, subjects, left_at, forget, outbox}.

One fact for each time that somebody left the list. It names nobody, and is deleted at `forget`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from services.eligibility.storage.decisions import SOURCE
from shared.application import id_of
from shared.batches import Event
from shared.events import InterestLeft, event_id
from shared.mongo import Document

LEAVINGS: Final = "interest_leavings"
_TYPE: Final = "interest.left.v1"


def fact_of_leaving(interest_id: str, ended: Iterable[Mapping[str, Any]], at: datetime, forget: datetime) -> Document:
    """That a person left by the link of one interest, with which all that `ended` are theirs."""
    return {
        "_id": id_of("leaving", interest_id, at.isoformat()),
        "interest_id": interest_id,
        "subjects": sorted(each["application_id"] or each["_id"] for each in ended),
        "left_at": at,
        "forget": forget,
    }


def event_of_leaving(fact: Mapping[str, Any]) -> Event:
    """The event of a leaving."""
    data = InterestLeft.model_construct(
        interest_id=fact["interest_id"], subjects=fact["subjects"], left_at=fact["left_at"]
    )
    return Event(event_id(fact["_id"], 1, _TYPE), fact["interest_id"], fact["left_at"], SOURCE, data)
