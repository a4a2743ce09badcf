"""A small app on the shared foundation, and a client for it without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Request

from shared.application import Submission
from shared.errors import Conflict, FieldError, Malformed, Refused, Transient
from shared.web.auth import Caller, key_line, new_key, parse_keys, require
from shared.web.limits import read_bytes, read_json, read_model
from shared.web.links import LinkInvalid
from shared.web.problem import Problem, not_found
from shared.web.service import Check, create_web

KEYS = {role: new_key() for role in ("channel", "operator", "decider", "admin")}
MIB = 1 << 20


async def ready() -> Sequence[Check]:
    return [Check("policy", True, "version 1")]


def bearer(role: str) -> dict[str, str]:
    """The header of a caller with that role."""
    return {"Authorization": f"Bearer {KEYS[role]}"}


def make_app(**options: Any) -> FastAPI:
    """An app with a route for each thing that tests look at."""
    lines = "\n".join(key_line(role, role, key) for role, key in KEYS.items())  # type: ignore[arg-type]
    options = {"readiness": ready, "large_bodies": {"POST /v1/imports": 4 * MIB}, **options}
    app = create_web(title="Trial", service="trial", version="1.2.3", api_keys=parse_keys(lines), **options)

    @app.post("/v1/applications")
    async def submit(request: Request) -> dict[str, str]:
        return {"category": (await read_model(request, Submission)).category}

    @app.post("/v1/echo")
    async def echo(request: Request) -> Any:
        return (await read_json(request, max_bytes=1000)).value

    @app.post("/v1/imports")
    async def take(request: Request) -> dict[str, int]:
        return {"bytes": len(await read_bytes(request, 4 * MIB))}

    @app.get("/v1/things/{number}")
    async def thing(number: int, page: int = 1) -> int:
        return number * page

    @app.get("/v1/operators")
    async def operators(caller: Annotated[Caller, Depends(require("operator"))]) -> dict[str, str]:
        return {"name": caller.name, "role": caller.role}

    @app.get("/raise/{kind}")
    async def fail(kind: str) -> None:
        raise ERRORS[kind]()

    return app


ERRORS: dict[str, Callable[[], Exception]] = {
    "transient": lambda: Transient("mongodb://user:hunter2@db is away"),
    "bug": lambda: RuntimeError("hunter2"),
    "conflict": lambda: Conflict("The application was withdrawn."),
    "malformed": lambda: Malformed("Row 3 is not JSON."),
    "refused": lambda: Refused("Two fields.", [FieldError("/answers/a~1b", "Write text."), FieldError("/x", "No.")]),
    "refused-plain": lambda: Refused("Not while it is withdrawn."),
    "link": LinkInvalid,
    "not-found": lambda: not_found("application"),
    "own": lambda: Problem(409, "Same key", "Another body.", type="same-key", headers={"X-Seen": "1"}, extra={"n": 3}),
}


@asynccontextmanager
async def client_of(app: FastAPI, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Calls `app` in this event loop."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://accede.test", **options) as client:
        yield client
