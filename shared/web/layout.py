"""Pages: Jinja2 with autoescape, one shared layout, and no script or font from anywhere.

Templates of a package lie in its folder `templates/` and begin with `{% extends "layout.html" %}`; blocks: `title`,
`main`, `nav`. Macros for tags, summary lists and tables: `{% import "parts.html" as parts %}`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

PRODUCT: Final = "Accede"
TONES: Final[dict[str, str]] = {
    "eligible": "good",
    "met": "good",
    "sent": "good",
    "admitted": "good",
    "declined": "bad",
    "on_hold": "wait",
    "pending": "wait",
    "claimed": "wait",
    "sending": "wait",
    "referred": "ask",
    "needs_human": "ask",
    "incomplete": "info",
    "missing": "info",
    "unknown": "info",
    "not_eligible": "bad",
    "not_met": "bad",
    "failed": "bad",
    "dead_lettered": "bad",
}
"""Outcome, criterion answer or email state → tone of its tag (good, wait, ask, info, bad; else plain)."""
WORDS: Final[dict[str, str]] = {"needs_human": "Needs a person", "admin": "Administrator"}
"""What identifiers are called on pages, where capitals and spaces are not enough."""


class Pages:
    """The pages of one package."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def render(self, template: str, **values: Any) -> str:
        """The HTML of a template; an undefined name is an error."""
        return self.environment.get_template(template).render(**values)

    def page(
        self, template: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """A response with the rendered template. It is not cached, unless `headers` say otherwise."""
        return HTMLResponse(self.render(template, **values), status, headers)


def pages(package: str, **globals_: Any) -> Pages:
    """The pages of `package` (`"services.intake.pages"`), on top of the shared layout. `globals_` are seen by all."""
    return _pages([PackageLoader(package), PackageLoader("shared.web")], globals_)


@cache
def shared_pages() -> Pages:
    """The pages all services share: the layout, its macros, the page of a problem."""
    return _pages([PackageLoader("shared.web")], {})


def _pages(loaders: list[PackageLoader], globals_: dict[str, Any]) -> Pages:
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update({"product": PRODUCT, **globals_})
    environment.filters.update({"day": day, "moment": moment, "words": words, "tone": tone})
    return Pages(environment)


def day(value: date) -> str:
    """4 October 2021"""
    return f"{value.day} {value:%B %Y}"


def moment(value: datetime, zone: str = "UTC") -> str:
    """4 October 2021, 09:00 UTC — in `zone`, an IANA name."""
    local = value.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    return f"{day(local)}, {local:%H:%M %Z}"


def words(identifier: str) -> str:
    """`not_eligible` → Not eligible"""
    return WORDS.get(identifier) or identifier.replace("_", " ").replace("-", " ").capitalize()


def tone(identifier: str) -> str:
    """The tone of an outcome, a criterion answer or an email state."""
    return TONES.get(identifier, "plain")
