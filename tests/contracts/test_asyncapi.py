"""The AsyncAPI document: valid, complete, and the one that is committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from shared import asyncapi
from shared.events import EVENTS
from shared.topology import CONSUMED, LANES

DOCUMENT = asyncapi.document("0.0.0")


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in references(value)]
    if isinstance(node, list):
        return [ref for value in node for ref in references(value)]
    return []


def test_it_is_an_asyncapi_3_document() -> None:
    """FastStream's own model of AsyncAPI 3 accepts it."""
    parsed = ApplicationSchema.model_validate(DOCUMENT)
    assert parsed.asyncapi == "3.0.0"
    assert len(parsed.channels) == len(EVENTS) * len(LANES) + len((asyncapi.INBOUND, asyncapi.REPLIES))


def test_every_reference_in_it_leads_somewhere() -> None:
    found = references(DOCUMENT)
    assert found
    for reference in found:
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_each_event_type_has_a_publisher_and_what_is_consumed_is_published() -> None:
    assert set(asyncapi.PUBLISHED_BY) == set(EVENTS)
    for service, types in CONSUMED.items():
        for event_type in types:
            assert event_type in EVENTS
            for lane in LANES:
                assert f"{service}.receive.{lane}.{event_type}" in DOCUMENT["operations"]


@pytest.mark.parametrize("name", ["asyncapi.json"])
def test_the_committed_document_is_the_current_one(name: str) -> None:
    committed = json.loads((Path("docs/api") / name).read_text(encoding="utf-8"))
    assert committed == asyncapi.document(committed["info"]["version"]), "run `make docs`"
