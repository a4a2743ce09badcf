"""`/apply/{token}/documents`: the evidence files of an application that is being filled in."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.intake.domain.actors import APPLICANT
from services.intake.domain.drafts import Draft
from services.intake.domain.evidence import Entry, require_kind
from services.intake.domain.status import Status
from services.intake.pages.evidence import DocumentsPage, Place, rows_of
from services.intake.pages.form_site import FormSite, Visit
from services.intake.use_cases.evidence import Arrived
from services.intake.use_cases.evidence_changes import EvidenceChanges
from shared.errors import Conflict


class Statuses(Protocol):
    """The statuses of applications."""

    async def find(self, application_id: str) -> Status | None: ...


def document_form_routes(
    site: FormSite, page: DocumentsPage, changes: EvidenceChanges, statuses: Statuses
) -> APIRouter:
    """The page as a part of the form. Of a draft that amends an application, the files are the application's at once."""
    router = APIRouter(include_in_schema=False)

    @router.get("/apply/{token}/documents")
    async def documents(token: str, back: str = "") -> Response:
        visit = await site.visit(token)
        return _ended(visit) or await page.show(_place(visit, back))

    @router.post("/apply/{token}/documents")
    async def add(token: str, request: Request, back: str = "") -> Response:
        visit = await site.visit(token)
        place = _place(visit, back)

        async def add_one(kind: str, file: Arrived) -> Entry:
            require_kind(place.kinds, kind)
            now = await site.visit(token)  # the form may have been on its way for long
            if _ended(now) is not None:
                raise Conflict("The application was sent meanwhile: add documents on its own page.")
            if (status := await _amended(now.draft)) is not None:
                return await changes.add(status, kind, file, APPLICANT)
            entry = await page.files.add(place.owner, kind, file, APPLICANT, draft_id=now.draft.draft_id)
            await changes.discard_if_late(place.owner)
            return entry

        answer = await page.take(request, place, add_one)
        await site.drafts.change(visit.draft, lambda each: each)  # it is kept for longer, as after any change
        return answer

    @router.get("/apply/{token}/documents/{evidence_id}")
    async def download(token: str, evidence_id: str) -> Response:
        visit = await site.visit(token)
        if visit.draft.application_id is not None:
            return visit.to("sent")
        return await page.give(visit.draft.about, evidence_id)

    @router.post("/apply/{token}/documents/{evidence_id}/removal")
    async def remove(token: str, evidence_id: str, request: Request, back: str = "") -> Response:
        visit = await site.visit(token)
        await page.ours(request, _place(visit, back))
        if (ended := _ended(visit)) is not None:
            return ended
        if (status := await _amended(visit.draft)) is not None:
            await changes.remove(status, evidence_id, APPLICANT)
        else:
            await page.files.remove(visit.draft.about, evidence_id, APPLICANT)
        return visit.to("documents" + ("?back=check" if back == "check" else ""))

    async def _amended(draft: Draft) -> Status | None:
        return await statuses.find(draft.about) if draft.amends else None

    return router


def _ended(visit: Visit) -> Response | None:
    """A draft that was sent has one page; one that is being sent, the page to send it from."""
    if visit.draft.application_id is not None:
        return visit.to("sent")
    return visit.to("check") if visit.draft.sealed else None


def _place(visit: Visit, back: str) -> Place:
    base, check = f"/apply/{visit.token}", back == "check"
    return Place(
        owner=visit.draft.about,
        token=visit.token,
        base=f"{base}/documents",
        back=f"{base}/check" if check else base,
        back_label="Back to your answers" if check else "Back to your application",
        kinds=visit.policy.evidence_for(visit.draft.category),
        policy=visit.policy,
        locale=visit.draft.locale,
        at_once=visit.draft.amends is not None,
    )


async def documents_of(visit: Visit, page: DocumentsPage) -> dict[str, Any] | None:
    """What the list of tasks and the check of the answers show; None when nothing is asked for and nothing is there."""
    folder = await page.files.folder(visit.draft.about)
    kinds = visit.policy.evidence_for(visit.draft.category)
    if not kinds and not folder.files:
        return None
    there = {each.kind for each in folder.files}
    return {
        "rows": rows_of(folder, visit.policy, visit.draft.locale),
        "missing": [each for each in kinds if each.required and each.id not in there],
    }
