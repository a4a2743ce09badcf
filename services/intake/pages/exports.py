"""`/status/{token}/export`, `/status/{token}/export.json`: everything held of an application, to read and to keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from services.intake.domain.evidence import label_of as label_of_kind
from services.intake.domain.evidence import megabytes
from services.intake.domain.exported import Export, ExportedRevision
from services.intake.domain.exports import held_elsewhere
from services.intake.domain.status import Status
from services.intake.pages.door import Door
from services.intake.pages.status import Elsewhere
from services.intake.use_cases.exports import Exports
from services.intake.use_cases.policies import Policies
from shared.application import Application
from shared.policy.base import text_in
from shared.policy.pack import PolicyDocument
from shared.policy.receipt import label_of, text_of
from shared.web.layout import Pages


class Said(NamedTuple):
    """One thing an applicant sent, for a reader."""

    label: str
    text: str


class ShownRevision(NamedTuple):
    """A revision for a reader."""

    revision: ExportedRevision
    envelope: list[Said]
    answers: list[Said]


def export_routes(
    door: Door, exports: Exports, policies: Policies, pages: Pages, elsewhere: Elsewhere, public_url: str
) -> APIRouter:
    """The page and the document."""
    router = APIRouter(include_in_schema=False)

    async def gathered(token: str) -> tuple[Status, Export, PolicyDocument | None]:
        status = await door.open(token)
        book, now = await policies.book()
        known = book.in_force(now)
        contact = known.document.texts.get("contact.email", {}).get("en", "") if known else ""
        name = status.application_id
        export = await exports.of(
            status,
            held_elsewhere(status, elsewhere.receipt(name), elsewhere.interest(name), contact),
            f"{public_url.rstrip('/')}/status/{token}/documents",
        )
        return status, export, known.document if known else None

    @router.get("/status/{token}/export.json")
    async def export_document(token: str) -> Response:
        status, export, _ = await gathered(token)
        name = f"application-{status.application_id[:8]}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(export.model_dump_json(indent=2), headers=headers, media_type="application/json")

    @router.get("/status/{token}/export")
    async def export_page(token: str) -> HTMLResponse:
        status, export, document = await gathered(token)
        shown = [shown_revision(each, document) for each in export.revisions]
        return pages.page(
            "export.html",
            locale=status.locale,
            token=token,
            application=status,
            export=export,
            shown=shown,
            kind_of=lambda kind: text_in(label_of_kind(document, kind), status.locale),
            size_of=megabytes,
        )

    return router


def shown_revision(exported: ExportedRevision, document: PolicyDocument | None) -> ShownRevision:
    """A revision in the words of a policy; of questions it does not have, and without one, the ids stand for themselves."""
    application = exported.application
    return ShownRevision(
        exported,
        list(_envelope(application, document)),
        [_said(name, value, document, application.locale) for name, value in application.answers.items()],
    )


def _envelope(application: Application, document: PolicyDocument | None) -> Iterator[Said]:
    organisation, contact, locale = application.organisation, application.contact, application.locale
    for name, value in (
        ("category", application.category),
        ("organisation.name", organisation.name),
        ("organisation.country", organisation.country),
        ("organisation.website", organisation.website),
        ("contact.name", contact.name),
        ("contact.email", contact.email),
    ):
        if value is not None:
            yield _said(name, value, document, locale)
    if application.secondary_categories:
        found = [_said("category", each, document, locale).text for each in application.secondary_categories]
        yield Said("Other kinds it is of", ", ".join(found))
    yield Said("Language", locale)
    wanted = application.consent.register_interest
    yield Said("Wants to be told when a pause is over", "Yes" if wanted else "No")


def _said(name: str, value: str | bool | list[str], document: PolicyDocument | None, locale: str) -> Said:
    if document is None:
        return Said(name, str(value))
    return Said(label_of(document, name, locale), text_of(document, name, value, locale) or "Nothing")
