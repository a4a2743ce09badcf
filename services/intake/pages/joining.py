"""`/`: who may join, what members commit to, what they get, and whether a pause is on. Every word is the policy's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.intake.pages.words import listed, until_in_words
from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared.policy.base import DEFAULT_LOCALE, text_in
from shared.policy.pack import Pause, PolicyDocument
from shared.policy.receipt import Say
from shared.web.layout import Pages
from shared.web.problem import unavailable


def joining_routes(policies: Policies, pages: Pages) -> APIRouter:
    """The public page; anybody may look."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def joining() -> HTMLResponse:
        book, now = await policies.book()
        try:
            document = (await policies.current()).document
        except NoPolicyYet:
            raise unavailable("This page is being prepared. Please come back in a minute.") from None
        pauses = book.pauses_at(now)
        return pages.page(
            "joining.html",
            policy=document,
            say=speaker(DEFAULT_LOCALE),
            text=texts_of(document, DEFAULT_LOCALE),
            pauses=[(pause, until_in_words(pause.until, pause.timezone), exempt(pause, document)) for pause in pauses],
            held=lambda category: any(pause.holds(category) for pause in pauses),
        )

    return router


def speaker(locale: str) -> Callable[[Mapping[str, str]], str]:
    """Says a localised text in a locale."""
    return lambda localised: text_in(localised, locale)


def texts_of(document: PolicyDocument, locale: str, say: Say = text_in) -> Callable[[str], str]:
    """Says the policy's text of a name, or nothing when it has none."""
    return lambda name: say(document.texts[name], locale) if name in document.texts else ""


def exempt(pause: Pause, document: PolicyDocument, locale: str = DEFAULT_LOCALE) -> str:
    """The kinds of organisation that a pause lets through, in words; empty when there are none."""
    return listed(
        [text_in(document.categories[each].label, locale) for each in pause.exempt if each in document.categories]
    )
