"""Names of exchanges, queues, headers and routing keys; the one place where they are written.

One topic exchange carries every event; the routing key is `<lane>.<type>`. Each service has a queue for each lane and a
dead-letter queue. Every service declares the whole topology, so an event is never dropped because its consumer has not
started yet, and a publish that is returned unroutable means that somebody removed a queue.

Quorum queues carry `x-delivery-limit: 1000`: unlimited (-1) dead-letters at once on RabbitMQ 3.10, and the default of 20
on RabbitMQ 4 counts crashes against innocent neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from shared.application import Lane

DEFAULT_NAMESPACE: Final = "accede"
LANES: Final[tuple[Lane, ...]] = ("interactive", "bulk")
BATCH_CONTENT_TYPE: Final = "application/cloudevents-batch+json"
DELIVERY_LIMIT: Final = 1000
MAX_BATCH: Final = 500
"""The most events of one AMQP message."""
MAX_BATCH_BYTES: Final = 4 << 20
"""The most bytes of one AMQP message, unless a single event is larger. RabbitMQ 4 refuses messages beyond 16 MiB."""

HEADER_REASON: Final = "x-accede-reason"
HEADER_QUEUE: Final = "x-accede-queue"
HEADER_HANDLER: Final = "x-accede-handler"
HEADER_ATTEMPTS: Final = "x-accede-attempts"
HEADER_FAILED_AT: Final = "x-accede-failed-at"
HEADER_PARTNER: Final = "x-accede-partner"
HEADER_MESSAGE_ID: Final = "x-accede-message-id"

PARTNERS: Final = "partners"
"""Routing key, in the dead-letter exchange, of what partners sent and nobody can read."""

CONSUMED: Final[dict[str, tuple[str, ...]]] = {
    "intake": (
        "application.decided.v1",
        "case.information_requested.v1",
        "email.sent.v1",
        "email.failed.v1",
        "policy.activated.v1",
        "pause.changed.v1",
        "event.dead-lettered.v1",
        "interest.erased.v1",
        "liaison.erased.v1",
    ),
    "eligibility": (
        "application.submitted.v1",
        "application.amended.v1",
        "application.withdrawn.v1",
        "application.erased.v1",
        "receipts.decided.v1",
        "interest.requested.v1",
        "interest.erased.v1",
        "liaison.requested.v1",
        "liaison.erased.v1",
        "application.appealed.v1",
        "nomination.answered.v1",
        "ledger.reported.v1",
        "deed.recorded.v1",
    ),
    "notifications": (
        "application.submitted.v1",
        "application.amended.v1",
        "application.withdrawn.v1",
        "application.erased.v1",
        "application.decided.v1",
        "case.information_requested.v1",
        "draft.saved.v1",
        "link.requested.v1",
        "link.revoked.v1",
        "interest.registered.v1",
        "interest.invited.v1",
        "interest.left.v1",
        "interest.erased.v1",
        "liaison.requested.v1",
        "liaison.erased.v1",
        "inbound.answered.v1",
        "policy.activated.v1",
        "pause.changed.v1",
        "nomination.requested.v1",
        "application.appealed.v1",
    ),
}
"""Service → the event types it consumes. An event type nobody consumes goes to no queue and is not published."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The names of one installation. `namespace` keeps installations (and tests) on one broker apart."""

    namespace: str = DEFAULT_NAMESPACE

    @property
    def exchange(self) -> str:
        return f"{self.namespace}.events"

    @property
    def dead_letter_exchange(self) -> str:
        return f"{self.namespace}.dead-letters"

    def queue(self, service: str, lane: Lane) -> str:
        return f"{self.namespace}.{service}.{lane}"

    def dead_letter_queue(self, service: str) -> str:
        return f"{self.namespace}.{service}.dead-letters"

    @property
    def partner_exchange(self) -> str:
        """Where partners publish. An exchange of their own: the right to publish through the default exchange is the
        right to publish to every queue. It is a fanout, so no routing key is wrong."""
        return self._for_partners("membership.partners")

    @property
    def partner_queue(self) -> str:
        """Where partners' submissions wait for intake."""
        return self._for_partners("membership.inbound")

    @property
    def partner_dead_letter_queue(self) -> str:
        return self._for_partners("membership.inbound.dead-letters")

    def reply_queue(self, partner: str) -> str:
        """The one queue a partner reads. Its name follows from the user name: answers go nowhere else."""
        return self._for_partners(f"membership.replies.{partner}")

    def _for_partners(self, name: str) -> str:
        # Partners are told these names; only a second installation on the same broker has others.
        return name if self.namespace == DEFAULT_NAMESPACE else f"{self.namespace}.{name}"

    def routing_key(self, event_type: str, lane: Lane) -> str:
        return f"{lane}.{event_type}"

    def bindings(self, service: str, lane: Lane) -> Iterator[str]:
        """The routing keys bound to a service's queue of that lane."""
        return (self.routing_key(event_type, lane) for event_type in CONSUMED[service])

    def queue_arguments(self, service: str) -> dict[str, Any]:
        """Arguments of a service's working queues."""
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": self.dead_letter_exchange,
            "x-dead-letter-routing-key": service,
        }

    def partner_queue_arguments(self) -> dict[str, Any]:
        """Arguments of the partners' queue: those of a working queue, with dead letters of its own."""
        return self.queue_arguments(PARTNERS)

    def dead_letter_queue_arguments(self) -> dict[str, Any]:
        """Arguments of the dead-letter queues. They have no dead-letter exchange of their own, so what is delivered and
        returned more often than the limit is gone: the default of 20 on RabbitMQ 4 is 20 replays that failed."""
        return {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT}


def is_consumed(event_type: str) -> bool:
    """Whether any service consumes this event type."""
    return event_type in _CONSUMED


_CONSUMED: Final = frozenset(event_type for types in CONSUMED.values() for event_type in types)
