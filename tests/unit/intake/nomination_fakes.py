"""Nominations and appeals in memory; the storage tests run against these and the real ones alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from services.intake.domain.appeals import Appeal
from services.intake.domain.nominations import NominationReply, NominationRequest
from shared.application import Lane


class FakeRequests:
    """Requests to nominees in memory. `published` has the keys whose events went out."""

    def __init__(self) -> None:
        self.kept: dict[str, NominationRequest] = {}
        self.published: list[str] = []
        self.lanes: list[Lane] = []

    async def append(self, requests: Sequence[NominationRequest], lane: Lane) -> None:
        for each in requests:
            self.kept.setdefault(each.id, each)
            self.published.append(each.id)
        self.lanes.append(lane)

    async def known(self, ids: Collection[str]) -> Collection[str]:
        return {each for each in ids if each in self.kept}

    async def of(self, application_id: str) -> list[NominationRequest]:
        return [each for each in self.kept.values() if each.application.application_id == application_id]

    async def erase(self, application_ids: Collection[str]) -> None:
        self.kept = {
            name: each for name, each in self.kept.items() if each.application.application_id not in application_ids
        }

    async def newest(self, nomination_id: str) -> NominationRequest | None:
        found = [each for each in self.kept.values() if each.nomination_id == nomination_id]
        return max(found, key=lambda each: each.number, default=None)


class FakeReplies:
    """Answers of nominees in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, NominationReply] = {}

    async def append(self, reply: NominationReply) -> bool:
        fresh = reply.id not in self.kept
        self.kept.setdefault(reply.id, reply)
        return fresh

    async def of(self, application_id: str) -> list[NominationReply]:
        return [each for each in self.kept.values() if each.application_id == application_id]

    async def erase(self, application_ids: Collection[str]) -> None:
        self.kept = {name: each for name, each in self.kept.items() if each.application_id not in application_ids}


class FakeAppeals:
    """Appeals in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Appeal] = {}

    async def append(self, appeal: Appeal, real: datetime) -> Appeal:
        return self.kept.setdefault(appeal.id, appeal)

    async def erase(self, application_ids: Collection[str]) -> None:
        self.kept = {
            name: each for name, each in self.kept.items() if each.application.application_id not in application_ids
        }

    async def of(self, application_id: str) -> Sequence[Appeal]:
        return [each for each in self.kept.values() if each.application.application_id == application_id]
