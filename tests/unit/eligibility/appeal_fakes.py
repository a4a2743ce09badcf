"""The stores of appeals and of nominees' answers in memory; the storage tests run against these and the real ones alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from services.eligibility.domain.appeals import Appeal, Ending, Hearing, State
from services.eligibility.domain.nominations import Answered


class FakeAppeals:
    """Appeals by id."""

    def __init__(self) -> None:
        self.stored: dict[str, Appeal] = {}

    async def append(self, appeals: Sequence[Appeal]) -> None:
        for each in appeals:
            self.stored.setdefault(each.appeal_id, each)

    async def close(self, endings: Sequence[Ending]) -> None:
        for ending in endings:
            for each in list(self.stored.values()):
                ended = ending.revision is None or each.decision_revision < ending.revision
                if each.state == "received" and each.application.application_id == ending.application_id and ended:
                    closed = replace(each, state="closed", closed_at=ending.at, closed_because=ending.because)
                    self.stored[each.appeal_id] = closed

    async def find(self, appeal_id: str) -> Appeal | None:
        return self.stored.get(appeal_id)

    async def hear(self, hearings: Sequence[Hearing]) -> None:
        for hearing in hearings:
            about = (hearing.application_id, hearing.revision, hearing.number)
            for each in list(self.stored.values()):
                mine = (each.application.application_id, each.decision_revision, each.decision_number)
                if mine == about and each.heard_at is None:
                    self.stored[each.appeal_id] = replace(
                        each, state="heard", heard_at=hearing.at, heard_by=hearing.by, accepted=hearing.accepted
                    )

    async def list(self, state: State | None, limit: int) -> Sequence[Appeal]:
        found = [each for each in self.stored.values() if state in (None, each.state)]
        return sorted(found, key=lambda each: each.appealed_at, reverse=True)[:limit]

    async def erase(self, application_ids: Collection[str]) -> None:
        kept = {
            name: each for name, each in self.stored.items() if each.application.application_id not in application_ids
        }
        self.stored = kept


class FakeNominations:
    """Answers by nomination."""

    def __init__(self) -> None:
        self.stored: dict[str, Answered] = {}

    async def keep(self, answers: Sequence[Answered]) -> None:
        for each in answers:
            known = self.stored.get(each.nomination_id)
            if known is None or known.answered_at < each.answered_at:
                self.stored[each.nomination_id] = each

    async def of(self, application_id: str) -> Sequence[Answered]:
        return [each for each in self.stored.values() if each.application_id == application_id]

    async def erase(self, application_ids: Collection[str]) -> None:
        self.stored = {name: each for name, each in self.stored.items() if each.application_id not in application_ids}
