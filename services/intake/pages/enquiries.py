"""`/interest` and `/liaison`: the short forms for those whom a pause holds, and for those whom it exempts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.drafts import PUBLIC, entered
from services.intake.domain.enquiries import exempt_categories, held_categories
from services.intake.domain.enquiry_forms import INTEREST, LIAISON, document_of, errors_of, interest_form, liaison_form
from services.intake.domain.forms import Step
from services.intake.pages.form_site import FormSite, Scene
from services.intake.pages.form_views import field_views, pauses_shown
from services.intake.pages.links import retry
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.enquiries import Enquiries
from shared.application import AnswerValue
from shared.errors import FieldError
from shared.limits import TooOften
from shared.tracing import current_traceparent
from shared.web.clients import client_of

Values = Mapping[str, AnswerValue | None]
Document = dict[str, Any]
StepIn = Callable[[Scene], Step | None]
Send = Callable[[Document, str], Awaitable[object]]
"""Sends a document from a network address; a list of errors, or anything else."""
INSTEAD = "/apply"
"""Where those are sent whom no pause concerns."""


def enquiry_routes(site: FormSite, enquiries: Enquiries) -> APIRouter:
    """Both forms, and the pages after them, which say the same whether an address is known or not."""
    router = APIRouter(include_in_schema=False)

    async def register(document: Document, client: str) -> object:
        sender = Sender(PUBLIC, trace=current_traceparent(), channel="form")
        return await enquiries.register(document, sender, client)

    async def write(document: Document, client: str) -> object:
        return await enquiries.write(document, client, current_traceparent())

    _add_form(router, site, INTEREST, _interest_step, register)
    _add_form(router, site, LIAISON, _liaison_step, write)
    return router


def _add_form(router: APIRouter, site: FormSite, name: str, step_in: StepIn, send: Send) -> None:
    """The form `/<name>`, where `step_in` makes one, and the page after it. `send` gives errors as a list."""

    @router.get(f"/{name}")
    async def form() -> Response:
        scene = await site.scene()
        step = step_in(scene)
        return _show(site, scene, step) if step else RedirectResponse(INSTEAD, 303)

    @router.post(f"/{name}")
    async def sent(request: Request) -> Response:
        entries = await site.entries(request, name, f"/{name}")
        scene = await site.scene()
        step = step_in(scene)
        if step is None:
            return RedirectResponse(INSTEAD, 303)
        values = entered(step, entries)
        try:
            found = await send(document_of(values), client_of(request))
        except TooOften as error:
            return _too_often(site, scene, step, error)
        if isinstance(found, list):
            return _show(site, scene, step, values, found)
        return RedirectResponse(f"/{name}/sent", 303)

    @router.get(f"/{name}/sent")
    async def afterwards() -> Response:
        return site.page(f"{name}_sent.html", await site.scene(), name)


def _interest_step(scene: Scene) -> Step | None:
    held = held_categories(scene.policy, scene.pauses)
    return interest_form(scene.policy, held) if held else None


def _liaison_step(scene: Scene) -> Step | None:
    exempt = exempt_categories(scene.policy, scene.pauses)
    return liaison_form(scene.policy, exempt) if exempt else None


def _show(
    site: FormSite, scene: Scene, step: Step, values: Values | None = None, errors: Sequence[FieldError] = ()
) -> Response:
    placed = errors_of(step, errors)
    return site.page(
        f"{step.id}_form.html",
        scene,
        step.id,
        422 if errors else 200,
        step=step,
        fields=field_views(step, values or {}, placed),
        pauses=pauses_shown(scene.pauses, scene.policy),
    )


def _too_often(site: FormSite, scene: Scene, step: Step, error: TooOften) -> Response:
    shown: dict[str, Any] = {"sentence": str(error), "back": f"/{step.id}"}
    response = site.page("enquiry_limit.html", scene, step.id, 429, **shown)
    response.headers.update(retry(error))
    return response
