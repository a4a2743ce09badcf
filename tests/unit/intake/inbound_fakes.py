"""Inbound mail in memory. It passes the same suite as the real storage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.domain.inbound import Begun, Inbound, InboundState, Reply, Thread, Verdict


class FakeInbound:
    """Messages, their bytes, and the replies to them. `now` is the real time by which old ones are forgotten."""

    def __init__(self) -> None:
        self.messages: dict[str, Inbound] = {}
        self.bytes: dict[str, bytes] = {}
        self.replies: dict[str, Reply] = {}
        self.forgotten: set[str] = set()

    async def add(self, message: Inbound, raw: bytes) -> bool:
        if message.inbound_id not in self.forgotten:
            self.bytes.setdefault(message.inbound_id, raw)
        return self.messages.setdefault(message.inbound_id, message) is message

    async def find(self, inbound_id: str) -> Inbound | None:
        return self.messages.get(inbound_id)

    async def raw(self, inbound_id: str) -> bytes | None:
        return self.bytes.get(inbound_id)

    async def unread(self, limit: int = 50) -> list[Inbound]:
        waiting = [each for each in self.messages.values() if each.state == "received"]
        return sorted(waiting, key=lambda each: each.received_at)[:limit]

    async def page(self, state: InboundState | None, after: str | None, limit: int) -> list[Inbound]:
        found = [each for each in self.messages.values() if state is None or each.state == state]
        found.sort(key=lambda each: (each.received_at, each.inbound_id), reverse=True)
        if after is not None:
            found = found[[each.inbound_id for each in found].index(after) + 1 :]
        return found[:limit]

    async def begin(self, inbound_id: str, thread: Thread, begun: Begun) -> Begun:
        message = self.messages[inbound_id]
        if message.begun is None:
            self.messages[inbound_id] = replace(message, begun=begun, thread=thread)
        return self.messages[inbound_id].begun or begun

    async def conclude(self, message: Inbound, verdict: Verdict, reply: Reply | None, real: datetime) -> bool:
        fresh = True
        if reply is not None:
            fresh = message.inbound_id not in self.replies
            verdict = self.replies.setdefault(message.inbound_id, reply).verdict
        current = self.messages[message.inbound_id]
        if current.state != "received":
            return False
        self.messages[message.inbound_id] = replace(current, state=verdict.state, verdict=verdict)
        return fresh

    async def spare_attempt(self, inbound_id: str) -> None:
        message = self.messages[inbound_id]
        self.messages[inbound_id] = replace(message, failures=max(0, message.failures - 1))

    async def count_attempt(self, inbound_id: str) -> int:
        message = self.messages[inbound_id]
        self.messages[inbound_id] = replace(message, failures=message.failures + 1)
        return self.messages[inbound_id].failures

    async def erase(self, application_ids: Collection[str]) -> None:
        self._forget(
            [
                each.inbound_id
                for each in self.messages.values()
                if each.verdict and {one.application_id for one in each.verdict.accepted} & set(application_ids)
            ]
        )

    def _forget(self, ids: Sequence[str]) -> None:
        for name in ids:
            message = self.messages[name]
            assert message.verdict is not None
            accepted = tuple(replace(each, organisation_name="") for each in message.verdict.accepted)
            verdict = replace(message.verdict, accepted=accepted, refused=(), problems=(), notes=())
            self.messages[name] = replace(message, sender="", recipients=(), thread=Thread(), verdict=verdict)
            self.bytes.pop(name, None)
            self.forgotten.add(name)
