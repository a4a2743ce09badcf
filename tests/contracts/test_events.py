"""The golden events: what other services (and other versions of ours) may have on the wire.

A change that breaks one of these files is a new `.v2` type, not an edit of the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared import asyncapi
from shared.batches import decode, encode, parse
from shared.events import EVENTS, EmailFailed, event_id

GOLDEN = Path(__file__).parent / "golden"
DOCUMENT = asyncapi.document("0.0.0")


def golden(event_type: str) -> list[dict[str, Any]]:
    batch: list[dict[str, Any]] = json.loads((GOLDEN / f"{event_type}.json").read_text(encoding="utf-8"))
    return batch


def test_every_event_type_has_a_golden_file_and_no_file_is_left_over() -> None:
    assert {path.name.removesuffix(".json") for path in GOLDEN.glob("*.json")} == set(EVENTS)


@pytest.mark.parametrize("event_type", sorted(EVENTS))
def test_a_golden_batch_is_read_and_written_back_as_it_was(event_type: str) -> None:
    batch = golden(event_type)
    events = [parse(envelope) for envelope in decode(json.dumps(batch).encode())]
    assert json.loads(encode(events)) == batch


@pytest.mark.parametrize("event_type", sorted(EVENTS))
def test_a_golden_batch_fits_the_schema_that_the_asyncapi_document_publishes(event_type: str) -> None:
    schema = {
        "$ref": DOCUMENT["components"]["messages"][event_type]["payload"]["$ref"],
        "components": DOCUMENT["components"],
    }
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(golden(event_type))
    spoiled = [{**golden(event_type)[0], "data": {"nothing": "of it"}}]
    assert not validator.is_valid(spoiled)


def test_a_report_from_before_emails_could_be_superseded_is_still_read() -> None:
    envelope = golden("email.failed.v1")[0]
    data = {name: value for name, value in envelope["data"].items() if name != "superseded"}
    read = parse({**envelope, "data": data}).data
    assert isinstance(read, EmailFailed)
    assert not read.superseded


def test_the_same_fact_has_the_same_event_id_and_two_facts_never_share_one() -> None:
    assert event_id("app:1", 1, "application.submitted.v1") == event_id("app:1", 1, "application.submitted.v1")
    ids = {
        event_id(document, version, event_type)
        for document in ("app:1", "app:2")
        for version in (1, 2)
        for event_type in EVENTS
    }
    assert len(ids) == 2 * 2 * len(EVENTS)
    # Written down so that a change of the scheme, which would publish every old fact under a new id, is noticed.
    assert event_id("app:1", 1, "application.submitted.v1") == "84c47116-2de8-5533-b081-aac00ebd9e98"


def test_an_activation_is_numbered_and_one_of_before_they_were_counted_is_still_read() -> None:
    envelope = golden("policy.activated.v1")[0]
    numbered = {**envelope, "data": {**envelope["data"], "number": 4}}
    for each in (envelope, numbered):
        assert json.loads(encode([parse(each)])) == [each]


def test_a_reply_names_its_language_and_one_of_before_that_was_told_is_still_read() -> None:
    envelope = golden("inbound.answered.v1")[0]
    french = {**envelope, "data": {**envelope["data"], "locale": "fr"}}
    for each in (envelope, french):
        assert json.loads(encode([parse(each)])) == [each]
