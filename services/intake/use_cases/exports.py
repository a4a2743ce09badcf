"""Gathering everything intake holds of an application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.intake.domain.appeals import Appeal
from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.draft_links import DraftLinkRequest
from services.intake.domain.drafts import Draft
from services.intake.domain.evidence import Folder
from services.intake.domain.exported import Elsewhere, Export
from services.intake.domain.exports import Further, export_of
from services.intake.domain.inbound import Inbound
from services.intake.domain.links import LinkRequest, Revocation
from services.intake.domain.nominations import NominationReply, NominationRequest
from services.intake.domain.status import Status
from shared.clock import Clock

Fact = TypeVar("Fact", covariant=True)


class Revisions(Protocol):
    """The revisions of an application, oldest first."""

    async def of(self, application_id: str) -> Sequence[Revision]: ...


class Withdrawals(Protocol):
    """The withdrawal of an application."""

    async def of(self, application_id: str) -> Withdrawal | None: ...


class Revocations(Protocol):
    """The revocations of an application's links, oldest first."""

    async def of(self, application_id: str) -> Sequence[Revocation]: ...


class Requests(Protocol):
    """The requests for an application's link that were granted, oldest first."""

    async def of(self, application_id: str) -> Sequence[LinkRequest]: ...


class Evidence(Protocol):
    """The evidence files of an application."""

    async def folder(self, owner: str) -> Folder: ...


class Kept(Protocol[Fact]):
    """Facts of one kind of an application, oldest first."""

    async def of(self, application_id: str) -> Sequence[Fact]: ...


@dataclass(frozen=True, slots=True)
class FurtherFacts:
    """Where what is held of nominees is, of appeals, of drafts, and of inbound email."""

    requests: Kept[NominationRequest]
    replies: Kept[NominationReply]
    appeals: Kept[Appeal]
    drafts: Kept[Draft]
    draft_links: Kept[DraftLinkRequest]
    inbound: Kept[Inbound]

    async def of(self, application_id: str) -> Further:
        """All of it."""
        found = await self.requests.of(application_id), await self.replies.of(application_id)
        drafts = await self.drafts.of(application_id), await self.draft_links.of(application_id)
        inbound = await self.inbound.of(application_id)
        return Further(*found, await self.appeals.of(application_id), *drafts, inbound)


class Exports:
    """Gathers exports. Raises Transient when the database is away."""

    def __init__(
        self,
        revisions: Revisions,
        withdrawals: Withdrawals,
        revocations: Revocations,
        requests: Requests,
        evidence: Evidence,
        further: FurtherFacts,
        clock: Clock,
    ) -> None:
        self._revisions = revisions
        self._withdrawals = withdrawals
        self._revocations = revocations
        self._requests = requests
        self._evidence = evidence
        self._further = further
        self._clock = clock

    async def of(self, status: Status, elsewhere: Sequence[Elsewhere], documents: str) -> Export:
        """The export of an application. `elsewhere`: what others hold of it; `documents`: the address below which its
        evidence files are."""
        name = status.application_id
        return export_of(
            status,
            await self._revisions.of(name),
            await self._withdrawals.of(name),
            await self._revocations.of(name),
            await self._requests.of(name),
            elsewhere,
            (await self._clock.read()).now,
            (await self._evidence.folder(name)).entries,
            documents,
            await self._further.of(name),
        )
