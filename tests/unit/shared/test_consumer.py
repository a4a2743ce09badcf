"""Every event of a message is handled or given up; what passes is held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import pytest
from prometheus_client import REGISTRY
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from shared import retry
from shared.application import Lane
from shared.batches import Event, Failure, encode
from shared.consumer import BatchConsumer, Stopping
from shared.errors import Permanent, Transient
from shared.retry import MAX_ATTEMPTS
from shared.tracing import current_traceparent, trace_id_of
from tests.unit.shared.events import EMAIL, SUBMITTED, WITHDRAWN, submitted, withdrawn

QUEUE = "accede.eligibility.bulk"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _no_holds_and_no_output(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(retry, "FIRST_HOLD", 0.0)
    with capture_logs():  # printing tracebacks prettily takes longer than everything else
        yield


class Letters:
    """A dead-letter queue in memory, which may be away some times."""

    def __init__(self, away: int = 0) -> None:
        self.kept: list[Failure] = []
        self.away = away

    async def give_up(self, failure: Failure) -> None:
        if self.away:
            self.away -= 1
            raise Transient("the broker is away")
        self.kept.append(failure)

    @property
    def subjects(self) -> list[str]:
        return [failure.attribute("subject") for failure in self.kept]


class Handler:
    """Notes what it handled; `fail` may raise for what it is given."""

    def __init__(self, fail: Callable[[Sequence[Event]], None] = lambda events: None) -> None:
        self.handled: list[str] = []
        self.calls: list[list[str]] = []
        self._fail = fail

    async def __call__(self, events: Sequence[Event], lane: Lane) -> None:
        self.calls.append([event.subject for event in events])
        self._fail(events)
        self.handled += [event.subject for event in events]


def poisoned_by(*poison: str, error: type[Exception] = Permanent) -> Callable[[Sequence[Event]], None]:
    def fail(events: Sequence[Event]) -> None:
        if found := [event.subject for event in events if event.subject in poison]:
            raise error(f"{found[0]} is poison")

    return fail


def consumer(handler: Handler, letters: Letters) -> BatchConsumer:
    return BatchConsumer("eligibility", {WITHDRAWN: handler}, letters)


async def settle(handler: Handler, letters: Letters, *names: str) -> None:
    await consumer(handler, letters).settle(encode([withdrawn(name) for name in names]), QUEUE, "bulk")


async def test_a_whole_batch_is_handled_in_one_call() -> None:
    handler = Handler()
    await settle(handler, Letters(), "a", "b", "c")
    assert handler.calls == [["a", "b", "c"]]


async def test_a_poisonous_event_is_given_up_alone_and_its_neighbours_are_handled_once_each() -> None:
    handler, letters = Handler(poisoned_by("c")), Letters()
    await settle(handler, letters, *"abcdefgh")
    assert sorted(handler.handled) == [*"abdefgh"]
    [failure] = letters.kept
    assert failure.attribute("subject") == "c"
    assert failure.reason == "Permanent: c is poison"
    assert (failure.queue, failure.handler, failure.attempts) == (QUEUE, WITHDRAWN, 1)


async def test_finding_one_poisonous_event_among_many_takes_few_tries() -> None:
    handler, letters = Handler(poisoned_by("333")), Letters()
    await settle(handler, letters, *(str(number) for number in range(500)))
    assert len(handler.handled) == 499
    assert letters.subjects == ["333"]
    assert len(handler.calls) <= 2 * 9 + 1


async def test_several_poisonous_events_are_each_given_up() -> None:
    handler, letters = Handler(poisoned_by("a", "d", "h")), Letters()
    await settle(handler, letters, *"abcdefgh")
    assert letters.subjects == ["a", "d", "h"]
    assert sorted(handler.handled) == [*"bcefg"]


async def test_a_bug_is_tried_five_times_and_then_given_up() -> None:
    handler, letters = Handler(poisoned_by("a", error=KeyError)), Letters()
    await settle(handler, letters, "a")
    assert handler.calls == [["a"]] * MAX_ATTEMPTS
    assert letters.kept[0].attempts == MAX_ATTEMPTS


async def test_a_bug_that_passes_is_forgiven() -> None:
    errors = [KeyError("once"), KeyError("twice")]

    def fail(events: Sequence[Event]) -> None:
        if errors:
            raise errors.pop()

    handler, letters = Handler(fail), Letters()
    await settle(handler, letters, "a")
    assert handler.handled == ["a"]
    assert not letters.kept


async def test_the_world_being_away_is_waited_for_and_never_counted() -> None:
    errors: list[Exception] = [Transient("away")] * 50

    def fail(events: Sequence[Event]) -> None:
        if errors:
            raise errors.pop()

    handler, letters = Handler(fail), Letters()
    await settle(handler, letters, "a", "b")
    assert handler.handled == ["a", "b"]
    assert len(handler.calls) == 51
    assert not letters.kept


async def test_the_world_being_away_between_two_tries_of_a_bug_is_not_a_try() -> None:
    errors = [KeyError("bug"), Transient("away")] * (MAX_ATTEMPTS - 1) + [KeyError("bug")]

    def fail(events: Sequence[Event]) -> None:
        raise errors.pop(0)

    letters = Letters()
    await settle(Handler(fail), letters, "a")
    assert letters.kept[0].attempts == MAX_ATTEMPTS
    assert not errors


async def test_holds_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_HOLD", 0.001)
    errors: list[Exception] = [Transient("away")] * 4

    def fail(events: Sequence[Event]) -> None:
        if errors:
            raise errors.pop()

    with capture_logs() as logs:
        await settle(Handler(fail), Letters(), "a")
    assert [line["seconds"] for line in logs if line["event"] == "held"] == [0.001, 0.002, 0.004, 0.008]


async def test_dead_letters_that_cannot_be_kept_now_are_kept_later() -> None:
    letters = Letters(away=3)
    await settle(Handler(poisoned_by("a")), letters, "a")
    assert letters.subjects == ["a"]


async def test_one_unreadable_event_of_many_is_given_up_alone() -> None:
    handler, letters = Handler(), Letters()
    body = encode([withdrawn("a"), submitted("b"), withdrawn("c")]).replace(b'"revision":1', b'"revision":"x"', 1)
    await consumer(handler, letters).settle(body, QUEUE, "bulk")
    assert handler.handled == ["c"]
    assert [failure.handler for failure in letters.kept] == ["parse", "parse"]
    assert letters.kept[0].reason.startswith("Malformed: data of application.withdrawn.v1 does not fit: revision")
    assert letters.kept[1].reason == f"Malformed: eligibility does not consume {SUBMITTED}"
    assert EMAIL not in str([failure.reason for failure in letters.kept])


async def test_a_message_that_is_no_batch_is_kept_byte_for_byte_under_an_id_of_its_own() -> None:
    letters = Letters()
    for body in (b"\xffhello", b"\xffhello", b"other"):
        await consumer(Handler(), letters).settle(body, QUEUE, "bulk")
    first, second, third = (failure.identity for failure in letters.kept)
    assert first == second != third
    assert letters.kept[0].body == b"\xffhello"


async def test_an_empty_message_is_settled() -> None:
    handler, letters = Handler(), Letters()
    await consumer(handler, letters).settle(b"[]", QUEUE, "bulk")
    assert not handler.calls
    assert not letters.kept


async def test_stopping_ends_a_hold_at_once_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_HOLD", 600.0)
    monkeypatch.setattr(retry, "LONGEST_HOLD", 600.0)
    tried = asyncio.Event()

    def fail(events: Sequence[Event]) -> None:
        tried.set()
        raise Transient("away")

    stopped = consumer(Handler(fail), Letters())
    settling = asyncio.create_task(stopped.settle(encode([withdrawn("a")]), QUEUE, "bulk"))
    await tried.wait()
    stopped.stop()
    async with asyncio.timeout(1):
        with pytest.raises(Stopping):
            await settling


async def test_stopping_lets_what_works_end() -> None:
    handler, letters = Handler(), Letters()
    stopped = consumer(handler, letters)
    stopped.stop()
    await stopped.settle(encode([withdrawn("a")]), QUEUE, "bulk")
    assert handler.handled == ["a"]


async def test_cancelling_is_not_an_error_of_the_event() -> None:
    def fail(events: Sequence[Event]) -> None:
        raise asyncio.CancelledError

    letters = Letters()
    with pytest.raises(asyncio.CancelledError):
        await settle(Handler(fail), letters, "a")
    assert not letters.kept


async def test_logs_name_the_event_that_was_given_up_and_quote_nobody() -> None:
    def fail(events: Sequence[Event]) -> None:
        raise ValueError(f"{EMAIL} is strange")

    with capture_logs() as logs:
        await settle(Handler(fail), Letters(), "a")
    [line] = [line for line in logs if line["event"] == "dead-lettered"]
    assert line["event_id"] == withdrawn("a").id
    assert line["application_id"] == "a"
    assert EMAIL not in line["reason"]


async def test_a_handler_works_in_the_trace_of_its_event_with_its_ids_on_every_log_line() -> None:
    seen: list[tuple[str | None, dict[str, object]]] = []

    def look(events: Sequence[Event]) -> None:
        seen.append((trace_id_of(current_traceparent()), get_contextvars()))

    body = encode([withdrawn("a", TRACE)])
    await consumer(Handler(look), Letters()).settle(body, QUEUE, "interactive")
    trace, bound = seen[0]
    assert trace == trace_id_of(TRACE)
    assert bound["application_id"] == "a"
    assert bound["event_id"] == withdrawn("a").id
    assert current_traceparent() is None


def types_counted() -> set[str]:
    return {
        sample.labels["type"]
        for metric in REGISTRY.collect()
        if metric.name == "accede_events_consumed"
        for sample in metric.samples
    }


async def test_foreign_event_types_make_no_metric_of_their_own() -> None:
    for number in range(20):
        await consumer(Handler(), Letters()).settle(b'[{"type": "strange.%d"}]' % number, QUEUE, "bulk")
    assert not any("strange" in label for label in types_counted())
    assert "unknown" in types_counted()
