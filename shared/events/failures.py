"""What a service could not take in."""

from __future__ import annotations

from pydantic import AwareDatetime

from shared.application import Published


class EventDeadLettered(Published):
    """A service gave up on one event. The event itself waits in that service's dead-letter queue."""

    event_id: str
    event_type: str
    application_id: str
    service: str
    queue: str
    reason: str
    at: AwareDatetime
