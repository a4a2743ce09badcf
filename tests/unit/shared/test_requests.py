"""Requests: answered once settled, held while the world is away, set aside when nobody can read them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from shared import retry
from shared.consumer import Stopping
from shared.errors import Malformed, Transient
from shared.requests import Answer, Request, RequestConsumer

T = TypeVar("T")
ACCEPTED = Answer("accepted", {"n": 1}, "application/json", "accepted")
POISON = Answer("poison", {}, "application/json", "refused", reason="Malformed: no")
REQUEST = Request(b"{}", sender="acme", message_id="m")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_HOLD", 0.001)


@dataclass
class Scripted:
    """A desk and a counter that do, each time they are asked, what comes next; then always the last."""

    answers: list[Answer | Exception]
    replies: list[bool | Exception] = field(default_factory=lambda: [True])
    done: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Answer:
        self.done.append("answer")
        return _next(self.answers)

    def given_up(self, request: Request, reason: str) -> Answer:
        return Answer("poison", {}, "application/json", "refused", reason=reason)

    async def reply(self, request: Request, answer: Answer) -> bool:
        self.done.append(f"reply {answer.result}")
        return _next(self.replies)

    async def set_aside(self, request: Request, reason: str) -> None:
        self.done.append(f"aside {reason.partition(':')[0]}")


def _next(script: list[T | Exception]) -> T:
    found = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(found, Exception):
        raise found
    return found


async def settled(script: Scripted, request: Request = REQUEST) -> list[str]:
    await RequestConsumer(script, script).settle(request)
    return script.done


async def test_it_is_answered() -> None:
    assert await settled(Scripted([ACCEPTED])) == ["answer", "reply accepted"]


async def test_poison_is_set_aside_before_it_is_answered() -> None:
    assert await settled(Scripted([POISON])) == ["answer", "aside Malformed", "reply poison"]


async def test_what_nobody_sent_is_set_aside_and_not_answered() -> None:
    assert await settled(Scripted([POISON]), Request(b"{}")) == ["answer", "aside Malformed"]


async def test_it_is_held_while_the_world_is_away() -> None:
    script = Scripted([Transient("away"), Transient("away"), ACCEPTED], [Transient("away"), True])
    assert await settled(script) == ["answer"] * 3 + ["reply accepted"] * 2


async def test_an_answer_that_nobody_can_have_is_dropped() -> None:
    assert await settled(Scripted([ACCEPTED], [False])) == ["answer", "reply accepted"]


async def test_a_bug_is_tried_five_times_and_its_message_kept() -> None:
    assert await settled(Scripted([KeyError("x")])) == ["answer"] * 5 + ["aside KeyError", "reply poison"]


async def test_what_will_never_succeed_is_not_tried_again() -> None:
    assert await settled(Scripted([Malformed("no")])) == ["answer", "aside Malformed", "reply poison"]


async def test_a_stop_leaves_what_is_held_to_the_broker() -> None:
    script = Scripted([Transient("away")])
    consumer = RequestConsumer(script, script)
    settling = asyncio.create_task(consumer.settle(REQUEST))
    consumer.stop()
    with pytest.raises(Stopping):
        await settling
    assert not any(step.startswith("reply") for step in script.done)
