"""The end of the form: consent to be told where a pause holds, checking the answers, sending, and the reference.

Of a draft that changes an application, the check shows what it changes, and nothing is sent that changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.intake.domain import amendments
from services.intake.domain import drafts as rules
from services.intake.domain.applications import Stale, reference_of
from services.intake.domain.forms import NO, YES, Step
from services.intake.pages.form_site import BEGINNINGS, FormSite, Visit
from services.intake.pages.form_tasks import elsewhere
from services.intake.pages.form_views import (
    LOCALE,
    address_of,
    changes_shown,
    focus_of,
    in_words,
    pauses_shown,
    steps_of,
)
from services.intake.use_cases.amendments import Amendments
from shared.errors import Conflict, FieldError
from shared.policy.base import text_in
from shared.tracing import current_traceparent


def sending_routes(
    site: FormSite, changing: Amendments, status_page: Callable[[str], str], refused: Callable[[], None]
) -> APIRouter:
    """`status_page` gives the address of an application's own page; `refused` is told of each form that is refused."""
    router = APIRouter(include_in_schema=False)

    @router.get("/apply/{token}/consent")
    async def consent_page(token: str) -> Response:
        visit = await site.visit(token)
        return site.draft_page("form_consent.html", visit, pauses=_held(visit), error="")

    @router.post("/apply/{token}/consent")
    async def consent(token: str, request: Request) -> Response:
        visit = await site.visit(token)
        entries = await site.entries(request, visit.draft.draft_id, f"/apply/{token}/consent")
        answer = entries.get("consent", [""])[0]
        if answer not in (YES, NO):
            return site.draft_page("form_consent.html", visit, 422, pauses=_held(visit), error="Choose yes or no.")
        await site.drafts.change(visit.draft, lambda each: replace(each, consent=answer == YES, asked_consent=True))
        return visit.to("check")

    @router.get("/apply/{token}/check")
    async def check(token: str) -> Response:
        visit = await site.visit(token)
        if not visit.draft.sealed and (other := elsewhere(visit)) is not None:
            return other
        if visit.draft.application_id is not None:
            return visit.to("sent")
        if _held(visit) and not visit.draft.asked_consent and not visit.draft.sealed:
            return visit.to("consent")
        return await _check(site, visit, await _changes(changing, visit))

    @router.post("/apply/{token}/check")
    async def send(token: str, request: Request) -> Response:
        visit = await site.visit(token)
        await site.entries(request, visit.draft.draft_id, f"/apply/{token}/check", BEGINNINGS)
        changes = await _changes(changing, visit)
        if changes == [] and not visit.draft.sealed:
            return await _check(site, visit, changes)
        try:
            answer = await site.drafts.send(visit.draft, visit.policy, current_traceparent())
        except Stale:
            return visit.to("newest")
        except Conflict:
            if visit.draft.amends is None:
                raise
            return visit.to("check")  # withdrawn or erased in this very moment: the draft's own page says so
        if isinstance(answer, list):
            refused()
            return await _check(site, visit, changes, answer)
        return visit.to("sent")

    @router.get("/apply/{token}/sent")
    async def sent(token: str) -> Response:
        visit = await site.visit(token)
        application_id = visit.draft.application_id
        if application_id is None:
            return visit.to("check")
        page = site.page_of(visit.status) if visit.status else status_page(application_id)
        return site.draft_page("form_sent.html", visit, reference=reference_of(application_id), status_page=page)

    return router


def _held(visit: Visit) -> list[dict[str, Any]]:
    return pauses_shown(visit.scene.held_by(visit.draft.category), visit.policy)


async def _changes(changing: Amendments, visit: Visit) -> list[dict[str, str]] | None:
    """What the draft changes of its application, in words; None for a new application, and for one that was sent."""
    if visit.draft.amends is None or visit.draft.application_id is not None:
        return None
    before = (await changing.compared(visit.draft)).before
    return changes_shown(amendments.changes(visit.draft, before, visit.policy))


async def _check(
    site: FormSite, visit: Visit, changes: list[dict[str, str]] | None, refusal: list[FieldError] | None = None
) -> Response:
    draft, policy = visit.draft, visit.policy
    steps = steps_of(draft, policy)
    errors = refusal if refusal is not None else []
    category = policy.categories.get(draft.category)
    return site.draft_page(
        "form_check.html",
        visit,
        422 if errors else 200,
        sections=[_section(visit, step) for step in steps],
        errors=[_placed(steps, error) for error in errors],
        blank=rules.unanswered(draft, steps),
        sendable=not rules.errors_of(draft, steps[0], policy),
        changes=changes,
        pauses=_held(visit),
        category=text_in(category.label, LOCALE) if category else draft.category,
        signed_before=rules.signed_before(draft, policy),
        documents=await site.documents_of(visit),
        unsigned=any(step.signs and rules.progress(draft, step, policy) != "done" for step in steps),
    )


def _section(visit: Visit, step: Step) -> dict[str, Any]:
    rows = [(text_in(each.label, LOCALE), in_words(each, visit.draft.value(each.name))) for each in step.fields]
    return {"label": text_in(step.label, LOCALE), "address": address_of(step), "rows": rows}


def _placed(steps: tuple[Step, ...], error: FieldError) -> tuple[str, str]:
    """The page where an error can be mended, and what to read there."""
    for step in steps:
        for each in step.fields:
            section = f"/{each.path[0]}"
            if error.pointer.startswith(each.pointer) or error.pointer == section != "/answers":
                return (
                    f"{address_of(step)}?back=check#{focus_of(each)}",
                    f"{text_in(each.label, LOCALE)}: {error.message}",
                )
    return "category", error.message
