"""`/v1/applications`: submit, read, amend, withdraw."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from services.intake.api.shapes import (
    EXAMPLE_SUBMISSION,
    AcceptedApplication,
    ApplicationList,
    ApplicationShown,
    WithdrawnApplication,
)
from services.intake.api.showing import Addresses, shown
from services.intake.domain.applications import Revision, Stale
from services.intake.domain.status import State, Status
from services.intake.domain.submissions import MAX_ERRORS, read
from services.intake.use_cases.applications import Applications, Sender
from services.intake.use_cases.policies import NoPolicyYet, Policies
from services.intake.use_cases.status import StatusProjection
from shared.application import Channel, Submission
from shared.errors import FieldError
from shared.tracing import current_traceparent
from shared.web.auth import Caller, require
from shared.web.limits import read_json
from shared.web.openapi import json_body
from shared.web.problem import Problem, invalid, not_found, unavailable

KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
IDEMPOTENCY: Final = (
    "1 to 200 visible ASCII characters that you choose, such as a UUID. The same key with the same document gets the same "
    "answer, however often it is sent; with another document it is refused with 409."
)

_WHERE_QUESTIONS_ARE: Final = (
    "Categories and questions are those of the policy in force: `GET /v1/form` lists them, and `GET /` shows them to "
    "people. Those in the example are stand-ins."
)


def _header(name: str, description: str) -> dict[str, Any]:
    return {"headers": {name: {"description": description, "schema": {"type": "string"}}}}


_LOCATION: Final[dict[int | str, dict[str, Any]]] = {202: _header("Location", "Where the application is read.")}
_ETAG: Final[dict[int | str, dict[str, Any]]] = {
    200: _header("ETag", 'The newest revision, quoted, such as "1": send it as If-Match to amend just that one.')
}

ChannelCaller = Annotated[Caller, Depends(require("channel"))]
Operator = Annotated[Caller, Depends(require("operator"))]
IdempotencyKey = Annotated[str | None, Header(description=IDEMPOTENCY, max_length=200)]
ApplicationId = Annotated[str, Path(description="The application's id.", max_length=36)]


def checked_key(key: str | None) -> str | None:
    """The idempotency key. Problem 422 when it has other characters than it may."""
    if key is not None and not KEY.fullmatch(key):
        raise invalid([FieldError("/header/Idempotency-Key", "Send 1 to 200 visible ASCII characters.")], "request")
    return key


class SubmissionReader:
    """Reads a request's body as a submission; `refused` is told of every one that cannot be."""

    def __init__(self, policies: Policies, refused: Callable[[], None]) -> None:
        self._policies = policies
        self._refused = refused

    async def __call__(self, request: Request) -> Submission:
        """The submission. Problem 400, 413, 415, 422 with every failing field, 503 while there is no policy."""
        try:
            policy = await self._policies.current()
        except NoPolicyYet:
            raise unavailable(
                "No policy is in force here yet, so nothing can be checked. Nothing was accepted; try again shortly."
            ) from None
        try:
            body = await read_json(request)
            submission = read(body.value, policy.document)
            if isinstance(submission, list):
                raise invalid(submission, at_least=len(submission) >= MAX_ERRORS)
        except Problem:
            self._refused()
            raise
        return submission


def application_routes(
    applications: Applications, statuses: StatusProjection, reader: SubmissionReader, addresses: Addresses
) -> APIRouter:
    """What channels do with applications."""
    router = APIRouter(prefix="/v1/applications", tags=["applications"])
    own = owned(statuses)

    @router.post(
        "",
        status_code=202,
        summary="Submit an application",
        response_description="Accepted, stored safely, and decided next.",
        responses=_LOCATION,
        openapi_extra=_submission_body("The application."),
    )
    async def submit_application(
        request: Request, response: Response, caller: ChannelCaller, idempotency_key: IdempotencyKey = None
    ) -> AcceptedApplication:
        sender = Sender(caller.name, checked_key(idempotency_key), current_traceparent())
        revision = await applications.submit(await reader(request), sender)
        return _accepted(revision, addresses, response)

    @router.get(
        "/{application_id}", summary="Read an application's status, outcome, history and emails", responses=_ETAG
    )
    async def read_application(
        response: Response, caller: ChannelCaller, application_id: ApplicationId
    ) -> ApplicationShown:
        status = await own(application_id, caller)
        response.headers["ETag"] = f'"{status.revision}"'
        return shown(status, addresses, to_operator=caller.may("operator"))

    @router.post(
        "/{application_id}/amendments",
        status_code=202,
        summary="Amend an application: send it whole, as its next revision",
        responses=_LOCATION,
        openapi_extra=_submission_body("The application as it is to be from now on, whole."),
    )
    async def amend_application(
        request: Request,
        response: Response,
        caller: ChannelCaller,
        application_id: ApplicationId,
        idempotency_key: IdempotencyKey = None,
        if_match: Annotated[str | None, Header(description='The ETag that was read, such as "1"; else 412.')] = None,
        expected_revision: Annotated[
            int | None, Query(ge=1, le=2**31 - 1, description="The newest revision; else 409.")
        ] = None,
    ) -> AcceptedApplication:
        sender = Sender(caller.name, checked_key(idempotency_key), current_traceparent())
        status = await own(application_id, caller)
        matched = _revision_of(if_match)
        submission = await reader(request)
        expected = matched if matched is not None else expected_revision
        try:
            revision = await applications.amend(application_id, submission, sender, expected)
        except Stale as error:
            code = 412 if matched is not None else 409
            raise Problem(code, "Somebody amended it meanwhile", str(error), type="stale") from None
        return _accepted(revision, addresses, response, status.link_generation)

    @router.post("/{application_id}/withdrawal", summary="Withdraw an application, for good")
    async def withdraw_application(caller: ChannelCaller, application_id: ApplicationId) -> WithdrawnApplication:
        status = await own(application_id, caller)
        withdrawal = await applications.withdraw(application_id, Sender(caller.name, trace=current_traceparent()))
        return WithdrawnApplication(
            application_id=application_id,
            revision=withdrawal.revision,
            withdrawn_at=withdrawal.withdrawn_at,
            **addresses.of(application_id, status.link_generation),
        )

    return router


ListStatuses = Callable[[dict[str, Any], str | None, int], Awaitable[list[Status]]]


def application_list_routes(find: ListStatuses, addresses: Addresses) -> APIRouter:
    """The list of all applications, for operators."""
    router = APIRouter(prefix="/v1/applications", tags=["applications"])

    @router.get("", summary="List applications")
    async def list_applications(
        caller: Operator,
        state: State | None = None,
        channel: Channel | None = None,
        category: Annotated[str | None, Query(max_length=300)] = None,
        import_id: Annotated[str | None, Query(max_length=36)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.", max_length=36)] = None,
    ) -> ApplicationList:
        wanted = {"state": state, "channel": channel, "category": category, "import_id": import_id}
        found = await find({name: value for name, value in wanted.items() if value is not None}, after, limit)
        following = found[-1].application_id if len(found) == limit else None
        return ApplicationList(
            applications=[shown(each, addresses, to_operator=True) for each in found], next=following
        )

    return router


def _submission_body(description: str) -> dict[str, Any]:
    body = json_body(Submission, f"{description} {_WHERE_QUESTIONS_ARE}")
    body["requestBody"]["content"]["application/json"]["example"] = EXAMPLE_SUBMISSION
    return body


def owned(statuses: StatusProjection) -> Callable[[str, Caller], Awaitable[Status]]:
    """Finds an application for a caller who may know of it; Problem 404 otherwise."""

    async def own(application_id: str, caller: Caller) -> Status:
        status = await statuses.find(application_id)
        # What belongs to another client does not exist for this one; what came by the public form belongs to no key, even
        # if one has the form's name.
        if status is None or not (
            caller.may("operator") or (status.client == caller.name and status.channel != "form")
        ):
            raise not_found("application")
        return status

    return own


def _revision_of(etag: str | None) -> int | None:
    if etag is None or etag.strip() == "*":
        return None
    number = etag.strip().removeprefix("W/").strip('"')
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def _accepted(revision: Revision, addresses: Addresses, response: Response, generation: int = 0) -> AcceptedApplication:
    # A repeated submission is answered as it was the first time, with the link of then.
    application = revision.application
    response.headers["Location"] = f"/v1/applications/{application.application_id}"
    return AcceptedApplication(
        application_id=application.application_id,
        revision=application.revision,
        received_at=application.received_at,
        **addresses.of(application.application_id, generation),
    )
