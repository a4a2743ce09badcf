"""Sending the link to a draft to whoever fills it in, at the address they enter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol
from uuid import uuid4

from services.intake.domain.draft_links import DraftLinkRequest
from services.intake.domain.drafts import Draft
from services.intake.use_cases.drafts import Drafts
from services.intake.use_cases.links import PER_CLIENT
from shared.clock import Clock
from shared.limits import Limit, Limits

PER_ADDRESS: Final = Limit("link to a draft for an address", 5, timedelta(hours=1))
PER_DRAFT: Final = Limit("link to a draft of a draft", 10, timedelta(days=1))
"""However many addresses are entered: nobody writes to strangers with a draft."""


class Requests(Protocol):
    """Where requests are kept; `append` publishes too, or leaves it to the sweeper."""

    async def append(self, request: DraftLinkRequest) -> None: ...


class DraftLinks:
    """Sends the links of drafts."""

    def __init__(self, requests: Requests, drafts: Drafts, limits: Limits, clock: Clock) -> None:
        self._requests = requests
        self._drafts = drafts
        self._limits = limits
        self._clock = clock

    async def ask(self, draft: Draft, address: str, client: str, trace: str | None = None) -> Draft:
        """Have the link sent; the draft as it is then, kept for longer, with the address for the next time. Nothing is said
        of the address: whether anybody knows it is never looked up.

        Raises:
            TooOften: for this address, of this draft, or by this client.
            Transient: it could not be counted or stored.
        """
        await self._limits.take(PER_CLIENT, client)
        await self._limits.take(PER_DRAFT, draft.draft_id)
        await self._limits.take(PER_ADDRESS, address.casefold())
        now = (await self._clock.read()).now
        kept = await self._drafts.change(draft, lambda each: replace(each, address=address))
        request = DraftLinkRequest(
            request_id=str(uuid4()),
            draft_id=kept.draft_id,
            application_id=kept.about,
            amends=kept.amends is not None,
            category=kept.category,
            address=address,
            locale=kept.language,
            expires_at=kept.expires,
            requested_at=now,
            trace=trace,
        )
        await self._requests.append(request)
        return kept
