"""The pages: a list with search and paging, and one message. No script, nothing from elsewhere."""

from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from deploy.local.mailbox.behaviour import Behaviour
from deploy.local.mailbox.messages import Messages, Search
from deploy.local.mailbox.view import SHOWN_HEADERS, parsed

PAGE_SIZE = 50
_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
# The sender's HTML: no script, no form, no request to anywhere, whoever opens it.
_EMAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def add_pages(app: FastAPI, messages: Messages, behaviour: Behaviour) -> None:
    """Add `/`, `/messages/{id}` and `/messages/{id}/html` to the application."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
        text = templates.get_template(template).render(**values)
        headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return HTMLResponse(text, status, headers)

    @app.get("/", include_in_schema=False)
    def inbox(to: str = "", subject: str = "", page_number: int = 1) -> HTMLResponse:
        return page("inbox.html", **_inbox(messages, behaviour, to.strip(), subject.strip(), max(1, page_number)))

    @app.get("/messages/{number}", include_in_schema=False)
    def message(number: int) -> HTMLResponse:
        stored = messages.get(number)
        if stored is None:
            return page("missing.html", 404, number=number)
        view = parsed(messages.raw(stored))
        shown = [(name, value) for name, value in view.headers if name.title() in _SHOWN]
        return page("message.html", stored=stored, view=view, shown=shown)

    @app.get("/messages/{number}/html", include_in_schema=False)
    def html(number: int, request: Request) -> Response:
        stored = messages.get(number)
        view = parsed(messages.raw(stored)) if stored else None
        if view is None or view.html is None:
            return page("missing.html", 404, number=number)
        return HTMLResponse(
            view.html, headers={"Content-Security-Policy": _EMAIL_POLICY, "X-Content-Type-Options": "nosniff"}
        )


_SHOWN = {name.title() for name in SHOWN_HEADERS}


def _inbox(messages: Messages, behaviour: Behaviour, to: str, subject: str, number: int) -> dict[str, Any]:
    everything = not (to or subject)
    found = messages.search(Search(to=to, subject=subject))
    # Without a search the total is known, and only the messages of this page are looked at.
    matches = list(islice(found, number * PAGE_SIZE)) if everything else list(found)
    total = len(messages) if everything else len(matches)

    def link(to_page: int) -> str:
        return "/?" + urlencode({"to": to, "subject": subject, "page_number": to_page})

    pages = max(1, -(-total // PAGE_SIZE))
    return {
        "to": to,
        "subject": subject,
        "total": total,
        "stored": matches[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
        "number": number,
        "pages": pages,
        "newer": link(number - 1) if number > 1 else None,
        "older": link(number + 1) if number < pages else None,
        "counts": dict(behaviour.counts),
        "switches": behaviour.switches.model_dump(exclude_defaults=True),
    }
