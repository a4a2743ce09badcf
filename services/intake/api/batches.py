"""`POST /v1/applications:batch`: many submissions in one request, each answered on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from services.intake.api.applications import ChannelCaller, IdempotencyKey, checked_key
from services.intake.api.shapes import EXAMPLE_SUBMISSION
from services.intake.api.showing import Addresses
from services.intake.domain.applications import Revision
from services.intake.domain.submissions import read
from services.intake.use_cases.applications import Applications, Sender
from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared import strict_json
from shared.application import Submission
from shared.errors import FieldError, Malformed, Permanent
from shared.tracing import current_traceparent
from shared.web.limits import read_bytes
from shared.web.negotiation import is_json
from shared.web.openapi import schema_of
from shared.web.problem import Problem, ProblemDocument, invalid, problem_of, unavailable

PATH: Final = "/v1/applications:batch"
MAX_ITEMS: Final = 500
MAX_BATCH_BYTES: Final = 16 << 20
MAX_VALUES: Final = 100_000


class BatchItem(BaseModel):
    """What became of one submission: accepted (`application_id` and where its status is), or refused (`problem`)."""

    index: int = Field(description="Its place in the array, from 0.")
    status: int = Field(description="The status with which it would have been answered alone: 202, 409 or 422.")
    application_id: str | None = None
    revision: int | None = None
    status_url: str | None = None
    status_page: str | None = None
    problem: ProblemDocument | None = None


class BatchAnswer(BaseModel):
    """The answer to a batch: every submission in its order."""

    accepted: int
    refused: int
    results: list[BatchItem]


def _body() -> dict[str, Any]:
    schema = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": schema_of(Submission)}
    content = {"application/json": {"schema": schema, "example": [EXAMPLE_SUBMISSION]}}
    return {"requestBody": {"required": True, "description": "The applications.", "content": content}}


def batch_routes(
    applications: Applications, policies: Policies, addresses: Addresses, refused: Callable[[], None]
) -> APIRouter:
    """Many submissions at once. `refused` is told of every one that is not accepted."""
    router = APIRouter(tags=["applications"])

    @router.post(
        PATH,
        summary="Submit up to 500 applications, each answered on its own",
        response_description="Every submission's own answer, in the order of the array.",
        response_model_exclude_none=True,
        openapi_extra=_body(),
        description="With an `Idempotency-Key`, each submission has a key of its own: the batch's with its place in the "
        "array. Send a batch again with what was refused corrected and the rest as it was, in the same order: what was "
        "accepted is answered as the first time. Accepted ones travel in the lane of bulk work.",
    )
    async def submit_applications(
        request: Request, caller: ChannelCaller, idempotency_key: IdempotencyKey = None
    ) -> BatchAnswer:
        key = checked_key(idempotency_key)
        try:
            policy = await policies.current()
        except NoPolicyYet:
            raise unavailable(
                "No policy is in force here yet, so nothing can be checked. Nothing was accepted."
            ) from None
        found: list[Submission | list[FieldError]] = []
        for item in await _items(request):
            found.append(read(item, policy.document))
            if len(found) % 50 == 0:
                await asyncio.sleep(0)  # a person at a form does not wait for all of them
        wanted = {index: each for index, each in enumerate(found) if isinstance(each, Submission)}
        senders = [_sender(caller.name, key, index) for index in wanted]
        stored = await applications.submit_all(list(zip(wanted.values(), senders, strict=True)))
        outcomes: dict[int, Revision | Permanent] = dict(zip(wanted, stored, strict=True))
        results = [
            _answered(index, invalid(each) if isinstance(each, list) else outcomes[index], addresses)
            for index, each in enumerate(found)
        ]
        accepted = sum(each.problem is None for each in results)
        for _ in range(len(results) - accepted):
            refused()
        return BatchAnswer(accepted=accepted, refused=len(results) - accepted, results=results)

    return router


async def _items(request: Request) -> list[Any]:
    """The array. Problem 400, 413, 415, 422 when it is none of 1 to 500 items: then nothing was accepted."""
    if not is_json(request.headers.get("content-type", "")):
        detail = "Send the applications as a JSON array with the header `Content-Type: application/json`."
        raise Problem(
            415, "Not a JSON document", detail, type="media-type", headers={"Accept-Post": "application/json"}
        )
    raw = await read_bytes(request, MAX_BATCH_BYTES)
    try:
        value = strict_json.loads(raw, max_values=MAX_VALUES)
    except Malformed as error:
        raise Problem(400, "The document cannot be read", str(error), type="malformed") from None
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_ITEMS:
        raise invalid(
            [FieldError("", f"Send an array of 1 to {MAX_ITEMS} applications; more as a file to /v1/imports.")]
        )
    return value


def _sender(client: str, key: str | None, index: int) -> Sender:
    # a space: no single submission's key has one
    return Sender(client, f"{key} {index}" if key else None, current_traceparent())


def _answered(index: int, outcome: Revision | Exception, addresses: Addresses) -> BatchItem:
    if isinstance(outcome, Exception):
        problem = problem_of(outcome)
        document = ProblemDocument.model_validate(problem.document())
        return BatchItem(index=index, status=problem.status, problem=document)
    name = outcome.application.application_id
    return BatchItem(
        index=index,
        status=202,
        application_id=name,
        revision=outcome.application.revision,
        **addresses.of(name),
    )
