"""`/v1/form/template.csv`, `.xlsx`, `.txt`: blank templates of an application, for files and for emails."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response

from services.intake.domain import templates
from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared.errors import FieldError, Refused
from shared.policy.pack import PolicyDocument
from shared.web.problem import unavailable

Kind = Literal["csv", "xlsx", "txt"]
KINDS: Final[Mapping[Kind, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "txt": "text/plain; charset=utf-8",
}
Workbook = Callable[[Mapping[str, Sequence[Sequence[str]]]], bytes]
"""Writes a workbook: names of sheets → their rows of texts."""
Wanted = Annotated[
    str | None, Query(max_length=300, description="The id of a category; the policy's first one if none is given.")
]


def template_routes(policies: Policies, workbook: Workbook, addresses: Sequence[str]) -> APIRouter:
    """The templates; they need no key, as the form needs none. `addresses`: where emails are taken in."""
    router = APIRouter(prefix="/v1/form", tags=["applications"])
    for kind in KINDS:
        _add(router, kind, policies, workbook, tuple(sorted(addresses)))
    return router


def _add(router: APIRouter, kind: Kind, policies: Policies, workbook: Workbook, addresses: tuple[str, ...]) -> None:
    async def read_template(category: Wanted = None) -> Response:
        try:
            document = (await policies.current()).document
        except NoPolicyYet:
            raise unavailable("No policy is in force here yet. Try again shortly.") from None
        wanted = category or next(iter(document.categories))
        if wanted not in document.categories:
            kinds = ", ".join(document.categories)
            raise Refused("There is no such category.", [FieldError("/category", f"Choose one of {kinds}.")])
        content = await asyncio.to_thread(_content, kind, document, wanted, workbook, addresses)
        name = f'attachment; filename="application-{wanted}.{kind}"'
        return Response(content, media_type=KINDS[kind], headers={"Content-Disposition": name})

    router.add_api_route(
        f"/template.{kind}",
        read_template,
        methods=["GET"],
        name=f"read_template_{kind}",
        operation_id=f"read_template_{kind}",
        summary=f"A blank template of an application (.{kind}); needs no key",
        response_class=Response,
        responses={200: {"content": {KINDS[kind]: {"schema": {"type": "string", "format": "binary"}}}}},
    )


def _content(
    kind: Kind, document: PolicyDocument, category: str, workbook: Workbook, addresses: tuple[str, ...]
) -> bytes:
    if kind == "txt":
        return templates.text_of(document, category, addresses).encode()
    if kind == "xlsx":
        rows = templates.rows_of(document, category, signed=True)
        return workbook({"Application": rows, "Help": templates.help_of(document, category)})
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(templates.rows_of(document, category, signed=False))
    return b"\xef\xbb\xbf" + text.getvalue().encode()  # without the mark Excel takes it for Windows-1252
