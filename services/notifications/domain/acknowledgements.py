"""One acknowledgement, not five: an organisation that sends its application several times within a day is told once, at each
address, that it has arrived. The outcome of each is mailed all the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.application import Application

WINDOW: Final = timedelta(hours=24)
"""Between the receipts of two applications. After a day without a word people wonder whether theirs has arrived."""
REPEATED: Final = (
    "superseded: the arrival of another application of the same organisation had been acknowledged to the same address"
    " within 24 hours"
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An application whose arrival is to be acknowledged. `key` is the same for one organisation at one address."""

    application_id: str
    received_at: datetime
    key: str


def arrival_of(application: Application, folded: Callable[[str], str]) -> Arrival:
    """The arrival of a first revision; `folded` makes one of an organisation's spellings."""
    address = unicodedata.normalize("NFKC", application.contact.email).strip().casefold()
    organisation = folded(application.organisation.name)
    return Arrival(application.application_id, application.received_at, f"{address}\x1f{organisation}")


def repeats(arrival: Arrival, before: Arrival) -> bool:
    """Whether what was written about `before` stands for this one too."""
    return abs(arrival.received_at - before.received_at) < WINDOW


def follows(arrival: Arrival, before: Arrival) -> bool:
    """Whether this one is the one to look at from now on; a file may bring what was received long ago."""
    return arrival.received_at > before.received_at
