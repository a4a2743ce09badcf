"""`/apply`: the membership form, a page for each group of questions, with a list of what is to do. Works without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain import drafts as rules
from services.intake.domain.drafts import Draft
from services.intake.domain.forms import ORGANISATION, Step
from services.intake.pages.form_site import BEGINNINGS, FormSite, Scene, Visit
from services.intake.pages.form_tasks import elsewhere, sent, tasks_page
from services.intake.pages.form_views import FieldView, address_of, field_views, pauses_shown, steps_of
from shared.web.links import DRAFT
from shared.web.problem import not_found

START: Final = "start"
"""What the token of the first page is made for: there is no draft yet."""


def begin_routes(site: FormSite) -> APIRouter:
    """The first page, and changing what was chosen on it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/apply")
    async def apply() -> Response:
        return _choose(site, await site.scene(), START, "/apply")

    @router.post("/apply")
    async def begin(request: Request) -> Response:
        entries = await site.entries(request, START, "/apply", BEGINNINGS)
        scene = await site.scene()
        category = entries.get("category", [""])[0].strip()
        if errors := rules.errors_of_category(category, scene.policy):
            return _choose(site, scene, START, "/apply", category, errors)
        draft = await site.drafts.begin(category)
        return RedirectResponse(f"/apply/{site.links.sign(DRAFT, draft.draft_id)}", 303)

    @router.get("/apply/{token}/category")
    async def category_page(token: str) -> Response:
        visit = await site.visit(token)
        return sent(visit) or _choose_again(site, visit, visit.draft.category)

    @router.post("/apply/{token}/category")
    async def change_category(token: str, request: Request) -> Response:
        visit = await site.visit(token)
        entries = await site.entries(request, visit.draft.draft_id, f"/apply/{token}")
        category = entries.get("category", [""])[0].strip()
        if errors := rules.errors_of_category(category, visit.policy):
            return _choose_again(site, visit, category, errors)
        await site.drafts.change(visit.draft, lambda each: replace(each, category=category))
        return visit.to()

    return router


def _choose_again(site: FormSite, visit: Visit, category: str, errors: list[str] | None = None) -> Response:
    base = f"/apply/{visit.token}"
    amended = site.amended(visit)
    return _choose(site, visit.scene, visit.draft.draft_id, f"{base}/category", category, errors, base, amended)


def _choose(
    site: FormSite,
    scene: Scene,
    subject: str,
    action: str,
    chosen: str = "",
    errors: list[str] | None = None,
    back: str = "",
    amended: Mapping[str, Any] | None = None,
) -> Response:
    return site.page(
        "form_start.html",
        scene,
        subject,
        422 if errors else 200,
        action=action,
        back=back,
        chosen=chosen,
        errors=errors or [],
        pauses=pauses_shown(scene.pauses, scene.policy),
        held=lambda category: bool(scene.held_by(category)),
        amended=amended,
    )


def step_routes(site: FormSite) -> APIRouter:
    """The list of what is to do, and each of its pages."""
    router = APIRouter(include_in_schema=False)

    @router.get("/apply/{token}")
    async def tasks(token: str) -> Response:
        visit = await site.visit(token)
        return elsewhere(visit) or await tasks_page(site, visit)

    @router.get("/apply/{token}/organisation")
    @router.get("/apply/{token}/questions/{group}")
    async def step_page(token: str, group: str = ORGANISATION, back: str = "") -> Response:
        visit = await site.visit(token)
        step = _step(visit, group)
        if (other := elsewhere(visit) or _unread(visit, step)) is not None:
            return other
        return _show(site, visit, step, field_views(step, visit.draft.values), back)

    @router.post("/apply/{token}/organisation")
    @router.post("/apply/{token}/questions/{group}")
    async def save_step(token: str, request: Request, group: str = ORGANISATION, back: str = "") -> Response:
        visit = await site.visit(token)
        step = _step(visit, group)
        entries = await site.entries(request, visit.draft.draft_id, f"/apply/{token}/{address_of(step)}")
        if (other := sent(visit) or _unread(visit, step)) is not None:
            return other
        values = rules.entered(step, entries)
        if errors := rules.errors_of(rules.with_values(visit.draft, step, values), step, visit.policy):
            return _show(site, visit, step, field_views(step, values, errors), back, 422)

        def change(draft: Draft) -> Draft:
            changed = rules.with_values(draft, step, values)
            return rules.with_signature(changed, visit.policy) if step.signs else changed

        visit = visit.after(await site.drafts.change(visit.draft, change))
        return visit.to("check" if back == "check" else _next(visit, step))

    @router.get("/apply/{token}/questions/{group}/{number}")
    async def commitment_page(token: str, group: str, number: int, back: str = "") -> Response:
        visit = await site.visit(token)
        items = visit.policy.commitments.items
        if not _step(visit, group).signs or not 1 <= number <= len(items):
            raise not_found("page")
        return sent(visit) or site.draft_page(
            "form_commitment.html", visit, commitment=items[number - 1], number=number, most=len(items), group=group,
            back=back,
        )  # fmt: skip

    @router.post("/apply/{token}/questions/{group}/{number}")
    async def commitment_read(token: str, group: str, number: int, request: Request, back: str = "") -> Response:
        visit = await site.visit(token)
        address = f"questions/{group}/{number}"
        entries = await site.entries(request, visit.draft.draft_id, f"/apply/{token}/{address}")
        if entries.get("text", [""])[0] != visit.policy.commitments.hash:
            return visit.to(f"questions/{group}/1")  # the text has changed while it was read
        await site.drafts.change(visit.draft, lambda each: rules.with_read(each, visit.policy, number))
        following = f"/{number + 1}" if number < len(visit.policy.commitments.items) else ""
        return visit.to(f"questions/{group}{following}" + ("?back=check" if back == "check" else ""))

    return router


def _show(site: FormSite, visit: Visit, step: Step, fields: list[FieldView], back: str, status: int = 200) -> Response:
    steps = steps_of(visit.draft, visit.policy)
    number = next(index for index, each in enumerate(steps, start=1) if each.id == step.id)
    return site.draft_page(
        "form_step.html",
        visit,
        status,
        step=step,
        fields=fields,
        number=number,
        most=len(steps),
        action=f"/apply/{visit.token}/{address_of(step)}" + ("?back=check" if back == "check" else ""),
    )


def _step(visit: Visit, group: str) -> Step:
    for step in steps_of(visit.draft, visit.policy):
        if step.id == group:
            return step
    raise not_found("page")


def _unread(visit: Visit, step: Step) -> Response | None:
    """Nobody signs what they have not read: on to the first commitment that was not."""
    if not step.signs or rules.all_read(visit.draft, visit.policy):
        return None
    return visit.to(f"questions/{step.id}/{rules.read_of(visit.draft, visit.policy) + 1}")


def _next(visit: Visit, step: Step) -> str:
    """The next page that is not done; else the list."""
    steps = list(steps_of(visit.draft, visit.policy))
    after = steps[[each.id for each in steps].index(step.id) + 1 :]
    for each in after:
        if rules.progress(visit.draft, each, visit.policy) != "done":
            return address_of(each)
    return ""
