"""The list of what is to do in the form, with the way to come back to it; and where else a draft is looked at."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from services.intake.domain import drafts as rules
from services.intake.domain.amendments import missing_of, to_answer
from services.intake.pages.form_site import FormSite, Visit
from services.intake.pages.form_views import LOCALE, address_of, focus_of, pauses_shown, steps_of, tasks_of
from shared.policy.base import text_in

SIGN = "Read the commitments and sign them"


async def tasks_page(
    site: FormSite, visit: Visit, status: int = 200, address: str = "", error: str = "", **more: Any
) -> Response:
    """The list. `address` and `error`: what was entered to have the link sent, and what is wrong with it."""
    draft, policy = visit.draft, visit.policy
    missing = _missing(visit)
    tasks = tasks_of(draft, policy, {step.id for step, _ in missing})
    return site.draft_page(
        "form_tasks.html",
        visit,
        status,
        tasks=tasks,
        done=sum(task.progress == "done" and not task.missing for task in tasks),
        missing=[
            (f"{address_of(step)}#{focus_of(each)}", text_in(each.label, LOCALE)) if each else (address_of(step), SIGN)
            for step, each in missing
        ],
        pauses=pauses_shown(visit.scene.held_by(draft.category), policy),
        category=policy.categories.get(draft.category),
        signed_before=rules.signed_before(draft, policy),
        documents=await site.documents_of(visit),
        address=address or draft.address or str(draft.value("contact.email") or ""),
        address_error=error,
        **more,
    )


def _missing(visit: Visit) -> list[Any]:
    """What the newest decision found missing of the application that is changed, and is missing still."""
    status = visit.status
    if status is None or status.outcome is None or status.decision is None:
        return []
    found = missing_of(status.decision.unmet, visit.policy)
    return to_answer(visit.draft, steps_of(visit.draft, visit.policy), found, visit.policy) if found else []


def sent(visit: Visit) -> Response | None:
    """A draft that was sent has one page; one that is being sent, the page to send it from."""
    if visit.draft.application_id is not None:
        return visit.to("sent")
    return visit.to("check") if visit.draft.sealed else None


def elsewhere(visit: Visit) -> Response | None:
    """Where else a draft is looked at: once it was sent, or when somebody amended its application meanwhile."""
    return sent(visit) or (visit.to("newest") if visit.is_stale else None)
