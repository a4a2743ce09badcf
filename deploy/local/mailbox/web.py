"""The HTTP side: a JSON API for tests and scripts, and pages for people."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Response
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from pydantic import AwareDatetime, BaseModel
from starlette.middleware.trustedhost import TrustedHostMiddleware

from deploy.local.mailbox.behaviour import Behaviour, Switches
from deploy.local.mailbox.messages import Messages, Search, Stored, bare
from deploy.local.mailbox.pages import add_pages
from deploy.local.mailbox.view import parsed

HERE = Path(__file__).parent
LARGEST_PAGE = 5_000


class Summary(BaseModel):
    """One message in a list."""

    id: int
    received_at: datetime
    sender: str
    recipients: list[str]
    subject: str
    message_id: str
    size: int


class Listing(BaseModel):
    """Messages, the newest first. With `next`, ask again with `before=next` for older ones."""

    total: int
    messages: list[Summary]
    next: int | None


class Full(Summary):
    """One message, parsed."""

    headers: list[tuple[str, str]]
    text: str | None
    html: str | None
    attachments: list[str]


def create_app(messages: Messages, behaviour: Behaviour, allowed_hosts: list[str]) -> FastAPI:
    """The mailbox's web application; `allowed_hosts` are the names it answers to."""
    app = FastAPI(title="Local mailbox", docs_url=None, redoc_url=None)
    # A page elsewhere could otherwise point its own name at this machine and read the mail through the browser.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    _add_reading(app, messages)
    _add_control(app, messages, behaviour)
    add_pages(app, messages, behaviour)
    return app


def _add_reading(app: FastAPI, messages: Messages) -> None:
    @app.get("/api/messages")
    def listed(search: Annotated[SearchQuery, Query()]) -> Listing:
        found = list(messages.search(search.search()))
        older = [stored for stored in found if search.before is None or stored.id < search.before]
        page = older[: search.limit]
        more = page[-1].id if len(older) > len(page) and page else None
        return Listing(total=len(found), messages=[Summary(**_summary(stored)) for stored in page], next=more)

    @app.get("/api/messages/{number}")
    def one(number: int) -> Full:
        stored = _wanted(messages, number)
        view = parsed(messages.raw(stored))
        return Full(
            **_summary(stored), headers=view.headers, text=view.text, html=view.html, attachments=view.attachments
        )

    @app.get("/api/messages/{number}/raw")
    def raw(number: int) -> Response:
        return PlainTextResponse(messages.raw(_wanted(messages, number)))

    @app.get("/api/count")
    def count(search: Annotated[SearchQuery, Query()]) -> dict[str, int]:
        wanted = search.search()
        return {"count": len(messages) if wanted == Search() else sum(1 for _ in messages.search(wanted))}


def _add_control(app: FastAPI, messages: Messages, behaviour: Behaviour) -> None:
    @app.delete("/api/messages")
    def clear() -> dict[str, int]:
        behaviour.forget()
        return {"deleted": messages.clear()}

    @app.get("/api/behaviour")
    def switches() -> dict[str, Any]:
        return {**behaviour.switches.model_dump(), "counts": dict(behaviour.counts)}

    @app.put("/api/behaviour")
    def switch(wanted: Switches) -> Switches:
        behaviour.switches = wanted
        return wanted

    @app.get("/healthz")
    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ok"}


class SearchQuery(BaseModel):
    """What a list can be asked for; empty fields match everything."""

    to: str = ""
    subject: str = ""
    message_id: str = ""
    since: AwareDatetime | None = None
    before: int | None = None
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50

    def search(self) -> Search:
        """The part of it that says what matches."""
        return Search(self.to.strip(), self.subject.strip(), bare(self.message_id), self.since)


def _wanted(messages: Messages, number: int) -> Stored:
    stored = messages.get(number)
    if stored is None:
        raise HTTPException(404, f"There is no message {number} here.")
    return stored


def _summary(stored: Stored) -> dict[str, Any]:
    return {
        "id": stored.id,
        "received_at": stored.received,
        "sender": stored.sender,
        "recipients": list(stored.recipients),
        "subject": stored.subject,
        "message_id": stored.message_id,
        "size": stored.size,
    }
