"""What all pages of the web form have in common: the draft behind a link, the policy and pauses of now, the form's token,
the limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.applications import reference_of
from services.intake.domain.drafts import Draft
from services.intake.domain.status import SETTLED, State, Status
from services.intake.pages.door import Erased
from services.intake.pages.form_views import LOCALE
from services.intake.pages.joining import speaker, texts_of
from services.intake.pages.links import retry
from services.intake.use_cases.drafts import Drafts
from services.intake.use_cases.policies import NoPolicyYet, Policies
from services.intake.use_cases.status import StatusProjection
from shared.limits import Limit, Limits, TooOften
from shared.policy.pack import Pause, PolicyDocument
from shared.web.clients import client_of
from shared.web.layout import Pages
from shared.web.links import DRAFT, STATUS, LinkInvalid, Links, status_subject
from shared.web.problem import unavailable

FORM: Final = "form"
"""The purpose of the token in each form: it was made by a page of ours, for this very draft."""
FORM_AGE: Final = timedelta(days=1)
MOST_FIELDS: Final = 500
ENTRIES: Final = Limit("page of the form", 600, timedelta(hours=1))
BEGINNINGS: Final = Limit("form begun", 60, timedelta(hours=1))
"""Offices share one network address, so neither is small."""


class DraftGone(Exception):
    """The link opens no draft: it was forged or damaged, or the draft has expired."""


class CannotBeChanged(Exception):
    """The application that a draft changes was withdrawn, or its organisation is admitted; `page` is its own page."""

    def __init__(self, page: str, state: State) -> None:
        super().__init__(page)
        self.page = page
        self.state = state


class FormTooOld(Exception):
    """The form was not made by a page of ours, or too long ago; `back` is where to begin again."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


@dataclass(frozen=True, slots=True)
class Scene:
    """The policy and the pauses at the time of a request."""

    policy: PolicyDocument
    pauses: tuple[Pause, ...]

    def held_by(self, category: str) -> list[Pause]:
        """The pauses that hold a category now."""
        return [pause for pause in self.pauses if pause.holds(category)]


@dataclass(frozen=True, slots=True)
class Visit:
    """A draft that was opened with its link. `status`: the application that it changes; None for a new one."""

    token: str
    draft: Draft
    scene: Scene
    status: Status | None = None

    @property
    def policy(self) -> PolicyDocument:
        return self.scene.policy

    @property
    def is_stale(self) -> bool:
        """Whether somebody amended the application since the draft was begun; nobody did that the draft was sent by."""
        amends, status = self.draft.amends, self.status
        return amends is not None and status is not None and not self.draft.sealed and status.revision > amends.revision

    def after(self, draft: Draft) -> Visit:
        """The same visit once the draft has changed."""
        return replace(self, draft=draft)

    def to(self, address: str = "") -> Response:
        """On to another page of the form."""
        return RedirectResponse(f"/apply/{self.token}" + (f"/{address}" if address else ""), 303)


Documents = Callable[[Visit], Awaitable[Mapping[str, Any] | None]]
"""What the list of tasks and the check of the answers show of a draft's documents; None leaves them out."""


class FormSite:
    """Opens drafts, shows pages, reads what browsers send."""

    def __init__(
        self,
        drafts: Drafts,
        statuses: StatusProjection,
        policies: Policies,
        limits: Limits,
        links: Links,
        pages: Pages,
    ) -> None:
        self.drafts = drafts
        self._statuses = statuses
        self.links = links
        self.documents: Documents | None = None
        self._policies = policies
        self._limits = limits
        self._pages = pages

    async def scene(self, received: datetime | None = None) -> Scene:
        """The policy of now, and the pauses that hold what was received at a time (now, of a new application); 503 while
        there is no policy."""
        book, now = await self._policies.book()
        try:
            policy = (await self._policies.current()).document
        except NoPolicyYet:
            raise unavailable("The form is being prepared. Please come back in a minute.") from None
        return Scene(policy, tuple(book.pauses_at(received or now)))

    async def visit(self, token: str) -> Visit:
        """The draft of a link, which opens for as long as the draft is kept.

        Raises:
            DraftGone: the link is forged or damaged, the draft has expired, or it was sent and the links of the application
                that it became were revoked since.
            LinkInvalid: the links of the application that it changes were revoked since.
            CannotBeChanged, Erased: that application was withdrawn or erased.
        """
        try:
            draft = await self.drafts.find(self.links.open(DRAFT, token))
        except LinkInvalid:
            raise DraftGone from None
        if draft is None:
            raise DraftGone
        if draft.amends is None:
            if draft.application_id is not None and await self._is_revoked(draft.application_id):
                raise DraftGone
            return Visit(token, draft, await self.scene())
        status = await self._amended(draft)
        return Visit(token, draft, await self.scene(status.first_received_at), status)

    async def _is_revoked(self, application_id: str) -> bool:
        """Whether the first links of an application, as old as the draft that it was, open nothing any more."""
        status = await self._statuses.find(application_id)
        return status is not None and status.link_generation > 0

    async def _amended(self, draft: Draft) -> Status:
        status = await self._statuses.find(draft.about)
        if status is None or draft.amends is None or status.link_generation != draft.amends.link_generation:
            raise LinkInvalid
        if status.state == "erased":
            raise Erased(status)
        if status.state in SETTLED and draft.application_id is None:
            raise CannotBeChanged(self.page_of(status), status.state)
        return status

    def page_of(self, status: Status) -> str:
        """The address of an application's own page."""
        return f"/status/{self.links.sign(STATUS, status_subject(status.application_id, status.link_generation))}"

    def amended(self, visit: Visit) -> Mapping[str, Any] | None:
        """What each page says of the application that a draft changes; None for a new one."""
        status = visit.status
        if status is None:
            return None
        return {
            "reference": reference_of(status.application_id),
            "organisation_name": status.organisation_name,
            "page": self.page_of(status),
        }

    def page(self, template: str, scene: Scene, subject: str, status: int = 200, **values: Any) -> Response:
        """A page of the form. `subject` is what its token is made for."""
        return self._pages.page(
            template,
            status=status,
            policy=scene.policy,
            say=speaker(LOCALE),
            text=texts_of(scene.policy, LOCALE),
            form=self.links.sign(FORM, subject),
            **{"amended": None, **values},
        )

    def draft_page(self, template: str, visit: Visit, status: int = 200, **values: Any) -> Response:
        """A page of a draft."""
        shown = {"visit": visit, "draft": visit.draft, "base": f"/apply/{visit.token}", **values}
        shown["amended"] = self.amended(visit)
        return self.page(template, visit.scene, visit.draft.draft_id, status, **shown)

    async def documents_of(self, visit: Visit) -> Mapping[str, Any] | None:
        """What is shown of a draft's documents. Raises Transient."""
        return await self.documents(visit) if self.documents else None

    async def entries(
        self, request: Request, subject: str, back: str, limit: Limit = ENTRIES
    ) -> Mapping[str, Sequence[str]]:
        """What a browser sent, by name. Raises FormTooOld, TooOften, Transient."""
        await self._limits.take(limit, client_of(request))
        data = await request.form(max_files=0, max_fields=MOST_FIELDS)
        found: dict[str, list[str]] = {}
        for name, value in data.multi_items():
            found.setdefault(name, []).append(str(value))
        if not self.links.vouches(FORM, found.get("form", [""])[0], subject, FORM_AGE):
            raise FormTooOld(back)
        return found


def answer_form_errors(web: FastAPI, pages: Pages) -> None:
    """The pages of a draft that is gone, of a form that is too old, and of too many requests."""

    async def gone(request: Request, error: Exception) -> Response:
        return pages.page("form_gone.html", status=404)

    async def closed(request: Request, error: Exception) -> Response:
        assert isinstance(error, CannotBeChanged)
        return pages.page("form_closed.html", status=409, page=error.page, state=error.state)

    async def old(request: Request, error: Exception) -> Response:
        assert isinstance(error, FormTooOld)
        return pages.page("form_old.html", status=422, back=error.back)

    async def often(request: Request, error: Exception) -> Response:
        assert isinstance(error, TooOften)
        return pages.page("form_limit.html", status=429, headers=retry(error), sentence=str(error))

    web.add_exception_handler(DraftGone, gone)
    web.add_exception_handler(CannotBeChanged, closed)
    web.add_exception_handler(FormTooOld, old)
    web.add_exception_handler(TooOften, often)
