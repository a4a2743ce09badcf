"""The AsyncAPI 3.0 document of everything the services exchange, built from the events and the topology.

It is exported by `make docs`. (FastStream can generate one, but its subscribers take raw batches, so theirs would say
nothing about the events; and its served version carries a route that can publish to any queue.)
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from shared.events import EVENTS
from shared.topology import BATCH_CONTENT_TYPE, CONSUMED, LANES, MAX_BATCH, Topology

PUBLISHED_BY = {
    "application.submitted.v1": "intake",
    "application.amended.v1": "intake",
    "application.withdrawn.v1": "intake",
    "link.requested.v1": "intake",
    "link.revoked.v1": "intake",
    "application.decided.v1": "eligibility",
    "interest.registered.v1": "eligibility",
    "policy.activated.v1": "eligibility",
    "pause.changed.v1": "eligibility",
    "email.sent.v1": "notifications",
    "email.failed.v1": "notifications",
    "event.dead-lettered.v1": "intake, eligibility or notifications",
}
"""Event type → the service that publishes it."""


def document(version: str, topology: Topology | None = None) -> dict[str, Any]:
    """The AsyncAPI document, plain JSON. `version` is Accede's."""
    topology = topology or Topology()
    refs, definitions = models_json_schema(
        [(model, "validation") for model in EVENTS.values()], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = dict(definitions["$defs"])
    schemas["CloudEvent"] = _envelope_schema()
    for event_type, model in EVENTS.items():
        schemas[_batch_name(event_type)] = _batch_schema(event_type, refs[(model, "validation")])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Accede events",
            "version": version,
            "description": (
                "What the services tell each other, as CloudEvents 1.0 JSON batches on one topic exchange. "
                "The routing key is the lane and the event type. Deliveries are at least once: an event's id says "
                "whether it was seen before."
            ),
        },
        "defaultContentType": BATCH_CONTENT_TYPE,
        "channels": {f"{lane}.{name}": _channel(topology, lane, name) for name in EVENTS for lane in LANES},
        "operations": _operations(),
        "components": {"messages": {name: _message(name) for name in EVENTS}, "schemas": schemas},
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
