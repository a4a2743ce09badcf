"""`/nominations/{token}`: a nominee says whether they agree. And the panel by which an applicant sees who did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, get_args

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.nominations import asks_nominees
from services.intake.domain.status import ENDED, Status
from services.intake.pages.door import Door
from services.intake.pages.joining import texts_of
from services.intake.pages.links import retry
from services.intake.use_cases.nominations import Nominations, Opened
from services.intake.use_cases.policies import Policies
from shared.errors import Conflict
from shared.events import NominationAnswer
from shared.limits import TooOften
from shared.policy.pack import PolicyDocument
from shared.tracing import current_traceparent
from shared.web.languages import marked
from shared.web.layout import Pages
from shared.web.links import NOMINATION, LinkInvalid, Links

MAX_AGE: Final = timedelta(days=90)
"""How long a nominee's link opens. The applicant can have a new one sent."""
CONFIRMATION: Final = "nominee answers"
ASKING: Final = "nominee asked again"
"""The purposes of the tokens in forms: each says that the page was seen that this link opened."""
FORM_AGE: Final = timedelta(hours=2)
ANSWERS: Final[tuple[NominationAnswer, ...]] = get_args(NominationAnswer)


class NomineePages:
    """A nominee's page."""

    def __init__(self, nominations: Nominations, policies: Policies, links: Links, pages: Pages) -> None:
        self._nominations = nominations
        self._policies = policies
        self._links = links
        self._pages = pages

    async def opened(self, token: str) -> Opened | None:
        """What a nominee's link opens; None of one that is forged, too old, or of something that was erased."""
        try:
            return await self._nominations.open(self._links.open(NOMINATION, token, MAX_AGE))
        except LinkInvalid:
            return None

    def old(self) -> Response:
        """The page of a link that opens nothing: it says the same whatever the reason."""
        return self._pages.page("nomination_old.html", status=404)

    async def show(self, token: str, opened: Opened, fault: str = "", status: int = 422) -> Response:
        """The page: what is asked and of whom, the answer so far, and nothing else of the application."""
        document, locale = await self._document(), opened.request.application.locale
        return self._pages.page(
            "nomination.html",
            status=status if fault else 200,
            token=token,
            request=opened.request,
            nominee=opened.nominee,
            label=marked(opened.request.label, locale),
            hint=marked(opened.request.hint, locale),
            text=texts_of(document, locale, marked) if document else (lambda name: ""),
            write_to=texts_of(document, locale)("contact.email") if document else "",
            form=self._links.sign(CONFIRMATION, token),
            fault=fault,
        )

    async def _document(self) -> PolicyDocument | None:
        book, now = await self._policies.book()
        known = book.in_force(now)
        return known.document if known else None


def nomination_routes(site: NomineePages, nominations: Nominations, links: Links) -> APIRouter:
    """A nominee's page, and what its buttons do."""
    router = APIRouter(include_in_schema=False)

    @router.get("/nominations/{token}")
    async def nomination_page(token: str) -> Response:
        opened = await site.opened(token)
        return site.old() if opened is None else await site.show(token, opened)

    @router.post("/nominations/{token}")
    async def answer_nomination(token: str, request: Request) -> Response:
        if (opened := await site.opened(token)) is None:
            return site.old()
        entries = await request.form(max_files=0, max_fields=10)
        chosen = next((each for each in ANSWERS if each == entries.get("answer")), None)
        if not links.vouches(CONFIRMATION, str(entries.get("form", "")), token, FORM_AGE):
            return await site.show(token, opened, "This page had been open for too long. Answer again, please.")
        if chosen is None:
            return await site.show(token, opened, "Choose one of the two answers.")
        if opened.nominee is not None:  # else the page says that nothing is asked of them any more
            try:
                await nominations.answer(opened, chosen, current_traceparent())
            except TooOften as error:
                return await site.show(token, opened, str(error), 429)
        return RedirectResponse(f"/nominations/{token}", 303)

    return router


def asking_routes(door: Door, nominations: Nominations, links: Links, pages: Pages) -> APIRouter:
    """The button on the applicant's page that has a nominee written to once more."""
    router = APIRouter(include_in_schema=False)

    @router.post("/status/{token}/nominees")
    async def ask_again(token: str, request: Request) -> Response:
        status = await door.open(token)
        entries = await request.form(max_files=0, max_fields=10)
        if links.vouches(ASKING, str(entries.get("form", "")), token, FORM_AGE):
            try:
                await nominations.ask_again(status, str(entries.get("nominee", "")), current_traceparent())
            except TooOften as error:
                headers = retry(error)
                return pages.page("nominee_limit.html", status=429, headers=headers, token=token, sentence=str(error))
            except Conflict:
                pass  # answered, amended or withdrawn meanwhile: the page shows how it stands
        return RedirectResponse(f"/status/{token}#nominees", 303)

    return router


class NomineesPanel:
    """'Your nominees' on the applicant's page."""

    template: Final = "panel_nominees.html"

    def __init__(self, nominations: Nominations, links: Links) -> None:
        self._nominations = nominations
        self._links = links

    async def show(
        self, status: Status, token: str, document: PolicyDocument | None, locale: str
    ) -> Mapping[str, Any] | None:
        """Who is nominated and where each stands, once anybody is asked. Raises Transient."""
        if status.state in ENDED:
            return None
        nominees, asking = await self._nominations.of(status), asks_nominees(status)
        if not nominees or not (asking or any(each.requests for each in nominees)):
            return None
        return {
            "nominees": [(each, marked(each.nominated.label, locale)) for each in nominees],
            "asking": asking,
            "form": self._links.sign(ASKING, token),
        }
