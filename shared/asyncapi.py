"""The AsyncAPI 3.0 document of everything the services exchange, built from the events and the topology.

It is exported by `make docs`. (FastStream can generate one, but its subscribers take raw batches, so theirs would say
nothing about the events; and its served version carries a route that can publish to any queue.)
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.application import Submission
from shared.events import EVENTS
from shared.partners import ACCEPTED, REFUSED, SubmissionAccepted, SubmissionRefused
from shared.topology import BATCH_CONTENT_TYPE, CONSUMED, LANES, MAX_BATCH, Topology

PUBLISHED_BY = {
    "application.submitted.v1": "intake",
    "application.amended.v1": "intake",
    "application.withdrawn.v1": "intake",
    "application.erased.v1": "intake",
    "draft.saved.v1": "intake",
    "link.requested.v1": "intake",
    "link.revoked.v1": "intake",
    "nomination.requested.v1": "intake",
    "nomination.answered.v1": "intake",
    "application.appealed.v1": "intake",
    "application.decided.v1": "eligibility",
    "case.information_requested.v1": "eligibility",
    "interest.requested.v1": "intake",
    "receipts.decided.v1": "intake",
    "interest.registered.v1": "eligibility",
    "interest.invited.v1": "eligibility",
    "interest.left.v1": "eligibility",
    "interest.erased.v1": "eligibility",
    "liaison.requested.v1": "intake",
    "liaison.erased.v1": "eligibility",
    "policy.activated.v1": "eligibility",
    "pause.changed.v1": "eligibility",
    "inbound.answered.v1": "intake",
    "email.sent.v1": "notifications",
    "email.failed.v1": "notifications",
    "event.dead-lettered.v1": "intake, eligibility or notifications",
    "ledger.reported.v1": "intake",
    "deed.recorded.v1": "intake or notifications",
}
"""Event type → the service that publishes it."""


SUBMISSION: Final = "submission"
PARTNERS: Final[dict[str, tuple[type[BaseModel], str]]] = {
    SUBMISSION: (Submission, "application/json"),
    ACCEPTED: (SubmissionAccepted, "application/json"),
    REFUSED: (SubmissionRefused, "application/problem+json"),
}
"""What partners send and are answered: message → its model and content type."""
INBOUND: Final = "partners.inbound"
REPLIES: Final = "partners.replies"


def document(version: str, topology: Topology | None = None) -> dict[str, Any]:
    """The AsyncAPI document, plain JSON. `version` is Accede's."""
    topology = topology or Topology()
    refs, definitions = models_json_schema(
        [(model, "validation") for model in (*EVENTS.values(), *(model for model, _ in PARTNERS.values()))],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = dict(definitions["$defs"])
    schemas["CloudEvent"] = _envelope_schema()
    for event_type, model in EVENTS.items():
        schemas[_batch_name(event_type)] = _batch_schema(event_type, refs[(model, "validation")])
    channels = {f"{lane}.{name}": _channel(topology, lane, name) for name in EVENTS for lane in LANES}
    messages = {name: _message(name) for name in EVENTS}
    for name, (model, content_type) in PARTNERS.items():
        messages[name] = _partner_message(name, model, content_type, refs[(model, "validation")])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Accede events",
            "version": version,
            "description": (
                "What the services tell each other, as CloudEvents 1.0 JSON batches on one topic exchange. "
                "The routing key is the lane and the event type. Deliveries are at least once: an event's id says "
                "whether it was seen before. Partners send one submission in each message and are answered in their "
                "own reply queue."
            ),
        },
        "defaultContentType": BATCH_CONTENT_TYPE,
        "channels": {**channels, **_partner_channels(topology)},
        "operations": {**_operations(), **_partner_operations()},
        "components": {"messages": messages, "schemas": schemas},
    }


def _channel(topology: Topology, lane: str, event_type: str) -> dict[str, Any]:
    return {
        "address": topology.routing_key(event_type, lane),  # type: ignore[arg-type]
        "description": f"{lane} lane; published by {PUBLISHED_BY[event_type]}",
        "messages": {event_type: {"$ref": f"#/components/messages/{event_type}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": topology.exchange, "type": "topic", "durable": True, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for lane in LANES:
        for event_type, publisher in PUBLISHED_BY.items():
            operations[f"{publisher.split(',')[0]}.send.{lane}.{event_type}"] = _operation("send", lane, event_type)
        for service, types in CONSUMED.items():
            for event_type in types:
                operations[f"{service}.receive.{lane}.{event_type}"] = _operation("receive", lane, event_type)
    return operations


def _operation(action: str, lane: str, event_type: str) -> dict[str, Any]:
    channel = f"#/channels/{lane}.{event_type}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event_type}"}],
    }


def _message(event_type: str) -> dict[str, Any]:
    return {
        "name": event_type,
        "title": event_type,
        "summary": " ".join((EVENTS[event_type].__doc__ or "").split()),
        "contentType": BATCH_CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{_batch_name(event_type)}"},
    }


def _partner_channels(topology: Topology) -> dict[str, Any]:
    inbound, replies = topology.partner_queue, topology.reply_queue("{partner}")
    return {
        INBOUND: {
            "address": inbound,
            "description": (
                f"Partners publish to the exchange {topology.partner_exchange} (fanout: any routing key), which leads "
                "here, with `user_id` set to their own broker user; the broker refuses any other. `message_id` is the "
                "idempotency key: the same id with the same document gets the same answer."
            ),
            "messages": _messages_of(SUBMISSION),
            "bindings": _queue_binding(inbound),
        },
        REPLIES: {
            "address": replies,
            "description": (
                "Each message is answered here, at least once, with its correlation id (its message id, when it has "
                "none). An answer is dropped when the queue is not there; what was accepted stays accepted."
            ),
            "parameters": {"partner": {"description": "The partner's broker user."}},
            "messages": _messages_of(ACCEPTED, REFUSED),
            "bindings": _queue_binding(replies),
        },
    }


def _partner_operations() -> dict[str, Any]:
    return {
        f"intake.receive.{SUBMISSION}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{INBOUND}"},
            "messages": [{"$ref": f"#/channels/{INBOUND}/messages/{SUBMISSION}"}],
            "reply": {
                "channel": {"$ref": f"#/channels/{REPLIES}"},
                "messages": [{"$ref": f"#/channels/{REPLIES}/messages/{name}"} for name in (ACCEPTED, REFUSED)],
            },
        }
    }


def _messages_of(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _queue_binding(name: str) -> dict[str, Any]:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False}
    return {"amqp": {"is": "queue", "queue": queue, "bindingVersion": "0.3.0"}}


def _partner_message(name: str, model: type[BaseModel], content_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": " ".join((model.__doc__ or "").split()),
        "contentType": content_type,
        "payload": schema,
    }


def _batch_name(event_type: str) -> str:
    return f"Batch-{event_type}"


def _batch_schema(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_BATCH,
        "items": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEvent"},
                {"type": "object", "properties": {"type": {"const": event_type}, "data": data}, "required": ["data"]},
            ]
        },
    }


def _envelope_schema() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "description": "The CloudEvents 1.0 envelope.",
        "required": ["specversion", "id", "type", "source", "subject", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**text, "format": "uuid", "description": "The same fact always has the same id."},
            "type": text,
            "source": {**text, "format": "uri-reference"},
            "subject": {**text, "description": "The application id, or what the event is about."},
            "time": {**text, "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "traceparent": {**text, "description": "W3C trace context of the request that began it."},
            "data": {"type": "object"},
        },
    }
