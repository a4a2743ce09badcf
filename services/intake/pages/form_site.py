"""What all pages of the web form have in common: the draft behind a link, the policy and pauses of now, the form's token,
the limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.drafts import KEPT, Draft
from services.intake.domain.limits import Limit, TooOften
from services.intake.pages.form_views import LOCALE
from services.intake.pages.joining import speaker, texts_of
from services.intake.pages.links import client_of, retry
from services.intake.use_cases.drafts import Drafts
from services.intake.use_cases.limits import Limits
from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared.policy.pack import Pause, PolicyDocument
from shared.web.layout import Pages
from shared.web.links import LinkInvalid, Links
from shared.web.problem import unavailable

DRAFT: Final = "draft"
"""The purpose of the link to a draft."""
FORM: Final = "form"
"""The purpose of the token in each form: it was made by a page of ours, for this very draft."""
FORM_AGE: Final = timedelta(days=1)
MOST_FIELDS: Final = 500
ENTRIES: Final = Limit("page of the form", 600, timedelta(hours=1))
BEGINNINGS: Final = Limit("form begun", 60, timedelta(hours=1))
"""Offices share one network address, so neither is small."""


class DraftGone(Exception):
    """The link opens no draft: it was forged or damaged, or the draft has expired."""


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
    """A draft that was opened with its link."""

    token: str
    draft: Draft
    scene: Scene

    @property
    def policy(self) -> PolicyDocument:
        return self.scene.policy

    def after(self, draft: Draft) -> Visit:
        """The same visit once the draft has changed."""
        return replace(self, draft=draft)

    def to(self, address: str = "") -> Response:
        """On to another page of the form."""
        return RedirectResponse(f"/apply/{self.token}" + (f"/{address}" if address else ""), 303)


class FormSite:
    """Opens drafts, shows pages, reads what browsers send."""

    def __init__(self, drafts: Drafts, policies: Policies, limits: Limits, links: Links, pages: Pages) -> None:
        self.drafts = drafts
        self.links = links
        self._policies = policies
        self._limits = limits
        self._pages = pages

    async def scene(self) -> Scene:
        """The policy and pauses of now; 503 while there is no policy."""
        book, now = await self._policies.book()
        try:
            policy = (await self._policies.current()).document
        except NoPolicyYet:
            raise unavailable("The form is being prepared. Please come back in a minute.") from None
        return Scene(policy, tuple(book.pauses_at(now)))

    async def visit(self, token: str) -> Visit:
        """The draft of a link. Raises DraftGone."""
        try:
            draft = await self.drafts.find(self.links.open(DRAFT, token, KEPT))
        except LinkInvalid:
            raise DraftGone from None
        if draft is None:
            raise DraftGone
        return Visit(token, draft, await self.scene())

    def page(self, template: str, scene: Scene, subject: str, status: int = 200, **values: Any) -> Response:
        """A page of the form. `subject` is what its token is made for."""
        return self._pages.page(
            template,
            status=status,
            policy=scene.policy,
            say=speaker(LOCALE),
            text=texts_of(scene.policy, LOCALE),
            form=self.links.sign(FORM, subject),
            **values,
        )

    def draft_page(self, template: str, visit: Visit, status: int = 200, **values: Any) -> Response:
        """A page of a draft."""
        shown = {"visit": visit, "draft": visit.draft, "base": f"/apply/{visit.token}", **values}
        return self.page(template, visit.scene, visit.draft.draft_id, status, **shown)

    async def entries(
        self, request: Request, subject: str, back: str, limit: Limit = ENTRIES
    ) -> Mapping[str, Sequence[str]]:
        """What a browser sent, by name. Raises FormTooOld, TooOften, Transient."""
        await self._limits.take(limit, client_of(request))
        data = await request.form(max_files=0, max_fields=MOST_FIELDS)
        found: dict[str, list[str]] = {}
        for name, value in data.multi_items():
            found.setdefault(name, []).append(str(value))
        try:
            if self.links.open(FORM, found.get("form", [""])[0], FORM_AGE) != subject:
                raise LinkInvalid
        except LinkInvalid:
            raise FormTooOld(back) from None
        return found


def answer_form_errors(web: FastAPI, pages: Pages) -> None:
    """The pages of a draft that is gone, of a form that is too old, and of too many requests."""

    async def gone(request: Request, error: Exception) -> Response:
        return pages.page("form_gone.html", status=404)

    async def old(request: Request, error: Exception) -> Response:
        assert isinstance(error, FormTooOld)
        return pages.page("form_old.html", status=422, back=error.back)

    async def often(request: Request, error: Exception) -> Response:
        assert isinstance(error, TooOften)
        return pages.page("form_limit.html", status=429, headers=retry(error), sentence=str(error))

    web.add_exception_handler(DraftGone, gone)
    web.add_exception_handler(FormTooOld, old)
    web.add_exception_handler(TooOften, often)
