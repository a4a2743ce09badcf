"""What the applicant does that moves a case: an appeal brings it before people, a withdrawal ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from services.eligibility.use_cases.cases import KeepCases
from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import TYPE_OF, ApplicationAppealed, ApplicationWithdrawn

APPEALED: Final = TYPE_OF[ApplicationAppealed]
WITHDRAWN: Final = TYPE_OF[ApplicationWithdrawn]


def with_cases(known: Mapping[str, Handler], cases: KeepCases) -> Mapping[str, Handler]:
    """The handlers of applications and appeals, after which the queue shows what they changed."""

    async def appealed(events: Sequence[Event], lane: Lane) -> None:
        await known[APPEALED](events, lane)
        await cases.refresh({event.subject for event in events})

    async def withdrawn(events: Sequence[Event], lane: Lane) -> None:
        await known[WITHDRAWN](events, lane)
        await cases.withdrawn({event.subject for event in events})

    return {**known, APPEALED: appealed, WITHDRAWN: withdrawn}
