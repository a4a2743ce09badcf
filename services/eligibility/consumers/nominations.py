"""What nominees answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.eligibility.domain.nominations import Answered
from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import TYPE_OF, NominationAnswered


class Answers(Protocol):
    """Keeps answers; idempotent."""

    async def keep(self, answers: Sequence[Answered]) -> None: ...


def handlers(answers: Answers) -> Mapping[str, Handler]:
    """Event type → its handler."""

    async def answered(events: Sequence[Event], lane: Lane) -> None:
        told = [each.data for each in events if isinstance(each.data, NominationAnswered)]
        await answers.keep(
            [
                Answered(each.nomination_id, each.application_id, each.role, each.answer, each.answered_at)
                for each in told
            ]
        )

    return {TYPE_OF[NominationAnswered]: answered}
