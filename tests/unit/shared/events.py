"""Events for the platform's unit tests."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.application import Application, Consent, Contact, Organisation, Provenance
from shared.batches import Event
from shared.events import ApplicationSubmitted, ApplicationWithdrawn, event_id

NOW = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
EMAIL = "jane.doe@example.org"
WITHDRAWN = "application.withdrawn.v1"
SUBMITTED = "application.submitted.v1"


def withdrawn(name: str, traceparent: str | None = None) -> Event:
    """A withdrawal of the application `name`."""
    data = ApplicationWithdrawn(application_id=name, revision=1, withdrawn_at=NOW)
    return Event(event_id(name, 1, WITHDRAWN), name, NOW, "/accede/tests", data, traceparent)


def submitted(name: str, answer: str = "1089599") -> Event:
    """A submission, with a person in it."""
    application = Application(
        application_id=name,
        revision=1,
        category="a-category",
        organisation=Organisation(name="Example Trust", country="GB"),
        contact=Contact(name="Jane Doe", email=EMAIL),
        consent=Consent(register_interest=True),
        answers={"registration.number": answer},
        provenance=Provenance(channel="api", client="tests"),
        received_at=NOW,
        first_received_at=NOW,
    )
    return Event(
        event_id(name, 1, SUBMITTED), name, NOW, "/accede/tests", ApplicationSubmitted(application=application)
    )
