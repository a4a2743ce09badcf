"""`/v1/templates`: which templates there are, and what each makes of sample data, for operators."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from services.notifications.use_cases.previews import Previews
from shared.web.auth import Caller, require
from shared.web.problem import not_found

Operator = Annotated[Caller, Depends(require("operator"))]
EMAIL_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""Content security of an email shown on its own: its style sheet, and nothing else."""
VERSION_HEADER: Final = "Accede-Template-Version"
"""The version of the template that a preview is made with, as every email made with it has it."""


class TemplateShown(BaseModel):
    """A template pair. `version` is a hash of its sources and stands on every email made with it."""

    name: str
    locale: str
    version: str


class TemplateList(BaseModel):
    """Every template pair there is."""

    templates: list[TemplateShown]


def template_routes(previews: Previews) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/templates", tags=["templates"])

    @router.get("", summary="The templates there are")
    async def list_templates(caller: Operator) -> TemplateList:
        found = [
            TemplateShown(name=each.name, locale=each.locale, version=each.version) for each in previews.versions()
        ]
        return TemplateList(templates=found)

    @router.get(
        "/{name}/preview",
        summary="A template filled with sample data, in the words of the policy in force",
        response_class=Response,
        responses={200: {"content": {"text/html": {}, "text/plain": {}}}},
    )
    async def preview_template(
        caller: Operator,
        name: str,
        locale: Annotated[str, Query(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en",
        format: Literal["html", "text"] = "html",
        category: Annotated[str, Query(max_length=64, description="Of the applicant; else the policy's first.")] = "",
        asked: Annotated[
            str, Query(max_length=64, description="Policy version under which somebody asked who is invited.")
        ] = "",
    ) -> Response:
        rendered = await previews.preview(name, locale, category, asked)
        if rendered is None:
            raise not_found("template")
        headers = {
            "Content-Language": rendered.locale,
            "Content-Security-Policy": EMAIL_POLICY,
            VERSION_HEADER: rendered.template_version,
        }
        if format == "html":
            return Response(rendered.html, media_type="text/html", headers=headers)
        return Response(f"{rendered.subject}\n\n{rendered.text}", media_type="text/plain", headers=headers)

    return router
