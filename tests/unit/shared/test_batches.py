"""Events become CloudEvents 1.0 batches and come back; what is none is said without quoting it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.batches import Event, Failure, batches_of, decode, encode, parse
from shared.errors import Malformed
from tests.unit.shared.events import EMAIL, NOW, SUBMITTED, submitted, withdrawn

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Envelope = dict[str, Any]


def envelope_of(event: Event) -> Envelope:
    envelope: Envelope = json.loads(encode([event]))[0]
    return envelope


def test_an_event_has_the_attributes_of_cloudevents() -> None:
    envelope = envelope_of(withdrawn("a", TRACE))
    assert envelope.pop("data") == {"application_id": "a", "revision": 1, "withdrawn_at": "2021-10-04T09:00:00Z"}
    assert envelope == {
        "specversion": "1.0",
        "id": withdrawn("a").id,
        "type": "application.withdrawn.v1",
        "source": "/accede/tests",
        "subject": "a",
        "time": "2021-10-04T09:00:00Z",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
    }


def test_an_event_outside_any_trace_has_no_traceparent() -> None:
    assert "traceparent" not in envelope_of(withdrawn("a"))


def test_what_is_encoded_comes_back_the_same_in_the_same_order() -> None:
    events = [withdrawn("a", TRACE), submitted("b"), withdrawn("c")]
    assert [parse(envelope) for envelope in decode(encode(events))] == events


def test_an_empty_batch_is_an_empty_list() -> None:
    assert encode([]) == b"[]"
    assert decode(b"[]") == []
    assert list(batches_of([], 10, 1000)) == []


def test_a_lone_event_that_is_in_no_list_is_a_batch_of_one() -> None:
    assert decode(json.dumps(envelope_of(withdrawn("a"))).encode()) == [envelope_of(withdrawn("a"))]


def test_batches_are_cut_by_number_and_by_bytes_and_nothing_is_lost_or_moved() -> None:
    events = [submitted(str(number), "x" * 1000 * (number % 3)) for number in range(20)]
    for most, size in ((3, 1 << 20), (500, 4000), (1, 1), (500, 1 << 20)):
        cut = list(batches_of(events, most, size))
        assert [event for batch, _ in cut for event in batch] == events
        assert all(len(batch) <= most for batch, _ in cut)
        assert all(len(body) <= size for batch, body in cut if len(batch) > 1)
        assert all([parse(each) for each in decode(body)] == batch for batch, body in cut)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{", b"1", b'"text"', b"[1]", b"[[]]", b"[{}, null]", b"null", b"[" * 100_000]
)
def test_a_message_that_is_no_list_of_objects_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(body)


def without(name: str) -> Callable[[Envelope], object]:
    return lambda envelope: envelope.pop(name)


def with_(name: str, value: object) -> Callable[[Envelope], object]:
    return lambda envelope: envelope.update({name: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("specversion"), "specversion"),
        (with_("specversion", "0.3"), "specversion"),
        (without("type"), "no event type"),
        (with_("type", ["application.submitted.v1"]), "no event type"),
        (with_("type", "application.submitted.v99"), "v99"),
        (without("id"), "id must be a text"),
        (with_("id", ""), "id must be a text"),
        (with_("id", 7), "id must be a text"),
        (with_("id", "x" * 201), "id must be a text"),
        (without("subject"), "subject"),
        (without("source"), "source"),
        (with_("time", "yesterday"), "time"),
        (with_("time", "2021-10-04T09:00:00"), "offset"),
        (without("data"), "data"),
        (with_("data", EMAIL), "data"),
    ],
)
def test_an_event_that_is_wrong_says_what_and_quotes_nobody(change: Callable[[Envelope], object], said: str) -> None:
    envelope = envelope_of(submitted("a"))
    change(envelope)
    with pytest.raises(Malformed, match=said) as caught:
        parse(envelope)
    assert EMAIL not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_wrong_data_names_its_fields_and_not_their_values() -> None:
    envelope = envelope_of(submitted("a"))
    envelope["data"]["application"]["contact"] = {"name": "Jane Doe", "email": [EMAIL], "phone": "0123"}
    with pytest.raises(Malformed) as caught:
        parse(envelope)
    said = str(caught.value)
    assert "application.contact.email" in said
    assert "application.contact.phone (extra_forbidden)" in said
    assert "jane" not in said.lower()
    assert "0123" not in said


def test_very_wrong_data_is_told_shortly() -> None:
    envelope = envelope_of(submitted("a"))
    envelope["data"]["application"]["answers"] = {f"question.{number}": 1.5 for number in range(150)}
    with pytest.raises(Malformed, match="more") as caught:
        parse(envelope)
    assert len(str(caught.value)) < 1000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["specversion", "id", "type", "time", "data", "subject", "source"]), json_values)
)
def test_whatever_comes_is_an_event_or_malformed(changes: Envelope) -> None:
    envelope = {**envelope_of(withdrawn("a")), **changes}
    try:
        assert parse(envelope).time.tzinfo is not None
    except Malformed:
        assert changes


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_envelopes_or_malformed(body: bytes) -> None:
    try:
        assert all(isinstance(envelope, dict) for envelope in decode(body))
    except Malformed:
        return


def test_a_failure_tells_attributes_as_short_texts_whatever_came() -> None:
    failure = Failure({"id": "x" * 500, "subject": {"name": "Jane"}, "type": SUBMITTED}, "why", "queue", "handler", 1)
    assert failure.attribute("id") == "x" * 200
    assert failure.attribute("subject") == failure.attribute("nothing") == ""
    assert failure.attribute("type") == SUBMITTED


def test_times_are_told_in_utc() -> None:
    assert parse(envelope_of(withdrawn("a"))).time == NOW
