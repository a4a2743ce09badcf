"""Appeals, and what ends them: an application that is amended or withdrawn leaves no decision to appeal against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from services.eligibility.domain.appeals import Appeal, Ending
from services.eligibility.use_cases.appeals import TakeAppeals
from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import TYPE_OF, ApplicationAmended, ApplicationAppealed, ApplicationWithdrawn

AMENDED: Final = TYPE_OF[ApplicationAmended]
WITHDRAWN: Final = TYPE_OF[ApplicationWithdrawn]


def with_appeals(known: Mapping[str, Handler], appeals: TakeAppeals) -> Mapping[str, Handler]:
    """The handlers of applications with those of appeals. An amendment or withdrawal is noted first, then ends appeals:
    an appeal that comes meanwhile looks for either after it is written."""

    async def appealed(events: Sequence[Event], lane: Lane) -> None:
        await appeals([_appeal(each.data) for each in events if isinstance(each.data, ApplicationAppealed)])

    async def amended(events: Sequence[Event], lane: Lane) -> None:
        await known[AMENDED](events, lane)
        found = [each.data.application for each in events if isinstance(each.data, ApplicationAmended)]
        await appeals.end([Ending(each.application_id, "amended", each.received_at, each.revision) for each in found])

    async def withdrawn(events: Sequence[Event], lane: Lane) -> None:
        await known[WITHDRAWN](events, lane)
        found = [each.data for each in events if isinstance(each.data, ApplicationWithdrawn)]
        await appeals.end([Ending(each.application_id, "withdrawn", each.withdrawn_at) for each in found])

    return {**known, AMENDED: amended, WITHDRAWN: withdrawn, TYPE_OF[ApplicationAppealed]: appealed}


def _appeal(told: ApplicationAppealed) -> Appeal:
    return Appeal(
        appeal_id=told.appeal_id,
        application=told.application,
        stage=told.stage,
        statement=told.statement,
        decision_revision=told.decision_revision,
        decision_number=told.decision_number,
        appealed_at=told.appealed_at,
    )
