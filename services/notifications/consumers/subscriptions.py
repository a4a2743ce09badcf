"""Which event goes to which use case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from services.notifications.use_cases.emails import Cause, Correspondence
from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import (
    TYPE_OF,
    ApplicationAmended,
    ApplicationAppealed,
    ApplicationDecided,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    DraftSaved,
    InboundAnswered,
    InformationRequested,
    InterestInvited,
    InterestLeft,
    InterestRegistered,
    LiaisonRequested,
    LinkRequested,
    LinkRevoked,
    NominationRequested,
    PauseChanged,
    PolicyActivated,
)


class HeadStore(Protocol):
    """Notes how far applications have come."""

    async def amended(self, revisions: dict[str, int]) -> None: ...

    async def withdrawn(self, revisions: dict[str, int], undone: Collection[str] = ()) -> None: ...

    async def left(self, left_at: dict[str, datetime]) -> None: ...

    async def revoked(self, generations: dict[str, int]) -> None: ...


class PolicyStore(Protocol):
    """Keeps what eligibility announces."""

    async def activated(self, activated: PolicyActivated) -> None: ...

    async def pause_changed(self, changed: PauseChanged) -> None: ...


def handlers(correspondence: Correspondence, heads: HeadStore, policies: PolicyStore) -> dict[str, Handler]:
    """Event type → handler."""

    async def submitted(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        pairs = [(cause, data.application) for cause, data in found if isinstance(data, ApplicationSubmitted)]
        await correspondence.acknowledge(pairs, lane)

    async def decided(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.announce([(c, data) for c, data in found if isinstance(data, ApplicationDecided)], lane)

    async def amended(events: Sequence[Event], lane: Lane) -> None:
        applications = [event.data.application for event in events if isinstance(event.data, ApplicationAmended)]
        await heads.amended(_highest((each.application_id, each.revision) for each in applications))

    async def withdrawn(events: Sequence[Event], lane: Lane) -> None:
        found = [event.data for event in events if isinstance(event.data, ApplicationWithdrawn)]
        undone = {each.application_id for each in found if each.undone}
        await heads.withdrawn(_highest((each.application_id, each.revision) for each in found), undone)
        told = [
            (_cause(event), event.data.application) for event in events if isinstance(event.data, ApplicationWithdrawn)
        ]
        await correspondence.confirm_withdrawals([(cause, each) for cause, each in told if each is not None], lane)

    async def link_requested(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.send_links([(c, data) for c, data in found if isinstance(data, LinkRequested)], lane)

    async def draft_saved(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.send_draft_links([(c, data) for c, data in found if isinstance(data, DraftSaved)], lane)

    async def inbound_answered(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.answer_inbound([(c, data) for c, data in found if isinstance(data, InboundAnswered)], lane)

    async def interest_registered(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.confirm_interests(
            [(c, data) for c, data in found if isinstance(data, InterestRegistered)], lane
        )

    async def invited(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.invite([(c, data) for c, data in found if isinstance(data, InterestInvited)], lane)

    async def left(events: Sequence[Event], lane: Lane) -> None:
        found = [event.data for event in events if isinstance(event.data, InterestLeft)]
        found.sort(key=lambda each: each.left_at)
        await heads.left({subject: each.left_at for each in found for subject in each.subjects})

    async def liaison_requested(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.confirm_liaison_requests(
            [(c, data) for c, data in found if isinstance(data, LiaisonRequested)], lane
        )

    async def nomination_requested(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.ask_nominees(
            [(c, data) for c, data in found if isinstance(data, NominationRequested)], lane
        )

    async def information_requested(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events]
        await correspondence.ask_applicants(
            [(c, data) for c, data in found if isinstance(data, InformationRequested)], lane
        )

    async def appealed(events: Sequence[Event], lane: Lane) -> None:
        found = [(_cause(event), event.data) for event in events if isinstance(event.data, ApplicationAppealed)]
        pairs = [(c, data.application) for c, data in found if isinstance(data, ApplicationAppealed)]
        await correspondence.confirm_appeals(pairs, lane)

    async def link_revoked(events: Sequence[Event], lane: Lane) -> None:
        found = [event.data for event in events if isinstance(event.data, LinkRevoked)]
        await heads.revoked(_highest((each.application_id, each.generation) for each in found))

    async def activated(events: Sequence[Event], lane: Lane) -> None:
        for event in events:
            if isinstance(event.data, PolicyActivated):
                await policies.activated(event.data)

    async def pause_changed(events: Sequence[Event], lane: Lane) -> None:
        for event in events:
            if isinstance(event.data, PauseChanged):
                await policies.pause_changed(event.data)

    return {
        TYPE_OF[ApplicationSubmitted]: submitted,
        TYPE_OF[ApplicationDecided]: decided,
        TYPE_OF[ApplicationAmended]: amended,
        TYPE_OF[ApplicationWithdrawn]: withdrawn,
        TYPE_OF[LinkRequested]: link_requested,
        TYPE_OF[DraftSaved]: draft_saved,
        TYPE_OF[InboundAnswered]: inbound_answered,
        TYPE_OF[LinkRevoked]: link_revoked,
        TYPE_OF[NominationRequested]: nomination_requested,
        TYPE_OF[InterestRegistered]: interest_registered,
        TYPE_OF[InterestInvited]: invited,
        TYPE_OF[InterestLeft]: left,
        TYPE_OF[LiaisonRequested]: liaison_requested,
        TYPE_OF[ApplicationAppealed]: appealed,
        TYPE_OF[InformationRequested]: information_requested,
        TYPE_OF[PolicyActivated]: activated,
        TYPE_OF[PauseChanged]: pause_changed,
    }


def _cause(event: Event) -> Cause:
    return Cause(event.id, event.traceparent)


def _highest(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for application_id, number in pairs:
        found[application_id] = max(number, found.get(application_id, 0))
    return found
