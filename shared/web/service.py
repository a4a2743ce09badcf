"""The web application every service starts from: `create_web`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from shared.web import problem
from shared.web.access import Access
from shared.web.auth import ApiKeys
from shared.web.limits import MAX_BODY, Limits
from shared.web.methods import Methods
from shared.web.openapi import PROBLEM_RESPONSES
from shared.web.problem import Problem
from shared.web.security import SecurityHeaders

READY_SECONDS: Final = 5.0
"""A readiness check that takes longer has failed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a service needs to be ready, and whether it is there. `detail` is a sentence without secrets."""

    name: str
    ok: bool
    detail: str = ""


Readiness = Callable[[], Awaitable[Sequence[Check]]]


def create_web(
    *,
    title: str,
    service: str,
    version: str,
    readiness: Readiness,
    api_keys: ApiKeys,
    description: str = "",
    max_body: int = MAX_BODY,
    large_bodies: Mapping[str, int] | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """A FastAPI app with problem details, limits, security headers, access log, metrics, `/static`, and the routes
    `/healthz`, `/readyz`, `/metrics`, `/openapi.json`.

    `large_bodies` maps `"POST /v1/imports"` (or `"POST /v1/things/{id}/file"`) to that route's own cap in bytes; every
    other body may have `max_body`.
    """
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # the redirect would go to whatever host the request names
        generate_unique_id_function=_operation_id,
        responses=PROBLEM_RESPONSES,
        lifespan=lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Access, service=service),
            Middleware(Limits, max_body=max_body, large=large_bodies),
            Middleware(Methods),
        ],
    )
    app.state.api_keys = api_keys
    problem.install(app)
    app.mount("/static", StaticFiles(packages=[("shared.web", "static")]), name="static")
    _add_machine_routes(app, service, version, readiness)
    return app


def _add_machine_routes(app: FastAPI, service: str, version: str, readiness: Readiness) -> None:
    @app.get("/healthz", tags=["operations"], summary="Whether the process answers")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "service": service, "version": version}

    @app.get("/readyz", tags=["operations"], summary="Whether the service can do its work; 503 names what is missing")
    async def readyz(request: Request) -> JSONResponse:
        checks = await _checked(readiness)
        failing = [check for check in checks if not check.ok]
        body = {"checks": [asdict(check) for check in checks]}
        if failing:
            detail = "Not ready: " + "; ".join(f"{check.name} ({check.detail})" for check in failing) + "."
            raise Problem(503, "Not ready", detail, type="not-ready", headers={"Retry-After": "1"}, extra=body)
        return JSONResponse({"status": "ready", "service": service, **body})

    @app.get("/metrics", tags=["operations"], summary="Prometheus metrics", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _checked(readiness: Readiness) -> Sequence[Check]:
    try:
        async with asyncio.timeout(READY_SECONDS):
            return await readiness()
    except TimeoutError:
        return [Check("readiness", False, f"no answer within {READY_SECONDS:g} seconds")]


def _operation_id(route: APIRoute) -> str:
    return route.name
