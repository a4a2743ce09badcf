"""Errors as RFC 9457 problem details, or as a page when a browser asks; one shape for every refusal.

{"type": "urn:accede:problem:invalid", "title": "…", "status": 422, "detail": "…", "instance": "urn:trace:…",
 "errors": [{"pointer": "/organisation/country", "detail": "…"}]}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, cast

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from shared.errors import Conflict, FieldError, Gone, Malformed, Refused, Transient
from shared.pointers import field_errors, pointer, sentence
from shared.tracing import current_traceparent, trace_id_of
from shared.web.layout import shared_pages
from shared.web.links import LinkInvalid
from shared.web.negotiation import prefers_html

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
"""`Retry-After` of a 503: about as long as a database election or a broker restart takes."""

_DETAILS: Final[dict[int, str]] = {
    401: "Send an API key in the header `Authorization: Bearer <key>`.",
    403: "Your API key is not allowed to do this.",
    404: "There is nothing at this address. Check it for typing errors.",
    405: "This address does not take that method; the Allow header lists those it takes.",
}


class FailingField(BaseModel):
    """One failing field of a problem: where (JSON pointer, RFC 6901) and what to do."""

    pointer: str
    detail: str


class ProblemDocument(BaseModel):
    """The body of every refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[FailingField] = []


class Problem(HTTPException):
    """A refusal to raise from a route. `errors` names every failing field, `type` ends the URN of the problem's kind,
    `extra` adds members to the document."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: Iterable[FieldError] = (),
        *,
        type: str = "",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.title = title
        self.errors = tuple(errors)
        self.type = f"urn:accede:problem:{type}" if type else "about:blank"
        self.extra = dict(extra or {})

    @property
    def status(self) -> int:
        return self.status_code

    def document(self) -> dict[str, Any]:
        """The RFC 9457 members; `instance` names the trace, so a report of it can be found in the logs."""
        trace_id = trace_id_of(current_traceparent())
        found = {"type": self.type, "title": self.title, "status": self.status, "detail": self.detail}
        if trace_id:
            found["instance"] = f"urn:trace:{trace_id}"
        if self.errors:
            found["errors"] = [{"pointer": error.pointer, "detail": error.message} for error in self.errors]
        return found | self.extra


def not_found(what: str) -> Problem:
    """404 for a thing that does not exist (or that the caller may not know of): `not_found("application")`."""
    return Problem(404, f"No such {what}", f"There is no {what} with this id. Check the id.", type="not-found")


def invalid(errors: Iterable[FieldError], what: str = "document", *, at_least: bool = False) -> Problem:
    """422 naming every failing field; `at_least`: there may be more than these."""
    found = tuple(errors)
    count = "1 field needs" if len(found) == 1 else f"{len(found):,} fields need"
    count = f"at least {count}" if at_least else count
    detail = f"Nothing was accepted: {count} your attention."
    return Problem(422, f"The {what} has errors", detail, found, type="invalid")


def unavailable(
    detail: str = "Something we depend on is away for the moment. Nothing was accepted; try again.",
) -> Problem:
    """503 with `Retry-After`."""
    return Problem(503, "Try again shortly", detail, type="unavailable", headers={"Retry-After": str(RETRY_SECONDS)})


def response_of(problem: Problem, accept: str = "") -> Response:
    """The problem as JSON, or as a page when `accept` (the request's Accept header) prefers HTML."""
    headers = {**(problem.headers or {}), "Cache-Control": "no-store", "Vary": "Accept"}
    if prefers_html(accept):
        body = shared_pages().render("problem.html", problem=problem.document())
        return HTMLResponse(body, problem.status, headers)
    return Response(orjson.dumps(problem.document()), problem.status, headers, MEDIA_TYPE)


def problem_of(error: Exception) -> Problem:
    """The refusal that an exception stands for; anything unknown is a 500 that says nothing of our insides."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return _of_status(error)
        case RequestValidationError():
            return invalid(_request_errors(error), "request")
        case Refused():
            return _refused(error)
        case LinkInvalid():
            return Problem(404, "This link does not work", str(error), type="link-invalid")
        case Gone():
            return Problem(410, "This was erased", str(error), type="erased")
        case Conflict():
            return Problem(409, "This contradicts what is stored", str(error), type="conflict")
        case Malformed():
            return Problem(400, "This cannot be read", str(error), type="malformed")
        case Transient():
            return unavailable()
        case _:
            detail = "The fault is ours and has been recorded. Nothing you sent was at fault; try again later."
            return Problem(500, "Something went wrong", detail, type="internal")


def install(app: FastAPI) -> None:
    """Answer every error the app's routes raise as a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        return response_of(problem_of(error), request.headers.get("accept", ""))

    for kind in (HTTPException, RequestValidationError, LinkInvalid, Refused, Conflict, Malformed, Transient):
        app.add_exception_handler(kind, answer)


def _of_status(error: HTTPException) -> Problem:
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != phrase else _DETAILS.get(error.status_code, phrase + ".")
    return Problem(error.status_code, phrase.capitalize(), detail, headers=error.headers)


def _refused(error: Refused) -> Problem:
    if error.errors:
        return invalid(error.errors)
    return Problem(422, "This is not allowed", str(error), type="refused")


def _request_errors(error: RequestValidationError) -> list[FieldError]:
    """Fields of the body by their own pointer; parameters as `/query/<name>`, `/path/<name>`, `/header/<name>`."""
    details: list[ErrorDetails] = list(error.errors())
    in_body = [cast(ErrorDetails, {**each, "loc": each["loc"][1:]}) for each in details if each["loc"][0] == "body"]
    parameters = [
        FieldError(pointer(_named(each["loc"])), sentence(each)) for each in details if each["loc"][0] != "body"
    ]
    return field_errors(in_body, error.body) + parameters


def _named(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Headers as they are written, `Idempotency-Key`, whatever the framework calls them."""
    return ("header", *(str(each).title() for each in location[1:])) if location[0] == "header" else location
