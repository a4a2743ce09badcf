"""`/v1/inbound`: the emails that came in, and what became of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.intake.api.applications import Operator
from services.intake.domain.inbound import Inbound, InboundState
from shared.policy.base import DEFAULT_LOCALE
from shared.web.problem import not_found

InboundId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="The id that the mail server was told.")]


class FaultShown(BaseModel):
    """A failing field; `label` is empty for the whole application."""

    label: str
    message: str


class AcceptedShown(BaseModel):
    """An application that the email brought."""

    application_id: str
    organisation_name: str
    place: str = Field(description="Where in the email it stood.")


class RefusedShown(BaseModel):
    """An application in the email that was refused."""

    place: str
    faults: list[FaultShown]


class InboundShown(BaseModel):
    """An email. `sender` and `subject` are empty once it is kept no longer, or an application of it was erased."""

    inbound_id: str
    state: InboundState
    received_at: AwareDatetime
    sender: str = Field(description="By its mail server's word: anybody can write any sender. Empty for bounces.")
    subject: str
    message_id: str
    size: int = Field(description="Bytes.")
    sha256: str
    reason: str = Field(description="Why it was ignored, or why its sender was not answered.")
    locale: str = Field(description="In which its sender was told, as an application in the email names it.")
    accepted: list[AcceptedShown]
    refused: list[RefusedShown]
    problems: list[str] = Field(description="What was wrong with the email as a whole, as its sender was told.")
    notes: list[str] = Field(description="What was passed over.")


class InboundList(BaseModel):
    """Emails, the newest first; `next` is the value of `after` for the page that follows, if there is one."""

    inbound: list[InboundShown]
    next: str | None


Page = Callable[[InboundState | None, str | None, int], Awaitable[list[Inbound]]]
Find = Callable[[str], Awaitable[Inbound | None]]


def inbound_routes(page: Page, find: Find) -> APIRouter:
    """Inbound email, for operators."""
    router = APIRouter(prefix="/v1/inbound", tags=["inbound email"])

    @router.get("", summary="List the emails that came in, with what became of each")
    async def list_inbound(
        caller: Operator,
        state: InboundState | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.", max_length=36)] = None,
    ) -> InboundList:
        found = await page(state, after, limit)
        following = found[-1].inbound_id if len(found) == limit else None
        return InboundList(inbound=[shown(each) for each in found], next=following)

    @router.get("/{inbound_id}", summary="Read what became of an email")
    async def read_inbound(caller: Operator, inbound_id: InboundId) -> InboundShown:
        message = await find(inbound_id)
        if message is None:
            raise not_found("email")
        return shown(message)

    return router


def shown(message: Inbound) -> InboundShown:
    """A message as the API shows it."""
    verdict = message.verdict
    said: dict[str, Any] = (
        {
            "accepted": [AcceptedShown.model_validate(each, from_attributes=True) for each in verdict.accepted],
            "refused": [RefusedShown.model_validate(each, from_attributes=True) for each in verdict.refused],
            "problems": list(verdict.problems),
            "notes": list(verdict.notes),
            "reason": verdict.reason,
            "locale": verdict.locale,
        }
        if verdict
        else {"accepted": [], "refused": [], "problems": [], "notes": [], "reason": "", "locale": DEFAULT_LOCALE}
    )
    return InboundShown(
        inbound_id=message.inbound_id,
        state=message.state,
        received_at=message.received_at,
        sender=message.sender,
        subject=message.thread.subject,
        message_id=message.thread.message_id,
        size=message.size,
        sha256=message.sha256,
        **said,
    )
