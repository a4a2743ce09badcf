"""Policy versions and pauses, as eligibility announces them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.intake.use_cases.policies import Policies
from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import PauseChanged, PolicyActivated


def policy_handlers(policies: Policies) -> Mapping[str, Handler]:
    """Event type → handler."""

    async def activated(events: Sequence[Event], lane: Lane) -> None:
        await policies.activated([event.data for event in events if isinstance(event.data, PolicyActivated)])

    async def changed(events: Sequence[Event], lane: Lane) -> None:
        await policies.changed([event.data for event in events if isinstance(event.data, PauseChanged)])

    return {"policy.activated.v1": activated, "pause.changed.v1": changed}
