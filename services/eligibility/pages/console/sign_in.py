"""`/console/sign-in`: by name and password, by a link that works once, or by single sign-on; and signing out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.background import BackgroundTask
from starlette.responses import Response

from services.eligibility.domain.sessions import Way, form_token, new_token
from services.eligibility.pages.console.frame import (
    CONTENT_POLICY,
    FORM_FIELD,
    HOME,
    SIGN_IN,
    Console,
    OperatorVisit,
    require_made_for,
    require_own_form,
)
from services.eligibility.use_cases.sessions import Sessions
from services.eligibility.use_cases.sign_in import LinkSignIn, NotSignedIn, SignIn
from shared.limits import TooOften
from shared.web.clients import client_of

DOOR_FOR: Final = timedelta(hours=1)
_FIELDS: Final = 10


class Door:
    """What is in front of the console. A random cookie binds its forms to one browser before anybody is signed in."""

    def __init__(self, console: Console, sessions: Sessions) -> None:
        self.console = console
        self._sessions = sessions

    def page(self, request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page of the door."""
        token = self.console.cookie(request, "door") or new_token()
        response = self.console.templates.page(
            template,
            status=status,
            headers={"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"},
            form_token=form_token(token),
            home=HOME,
            **values,
        )
        self.console.set_cookie(response, "door", token, DOOR_FOR)
        return response

    async def fields(self, request: Request) -> dict[str, str]:
        """The fields of a form of this door. Raises Problem 403 when it is none."""
        form = await request.form(max_files=0, max_fields=_FIELDS)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        require_own_form(request, self.console.cookie(request, "door"), fields.get(FORM_FIELD, ""))
        return fields

    async def enter(self, request: Request, account: str, where: str, way: Way, made_by: str | None = None) -> Response:
        """Begin a session in place of the one that this browser had, and go on."""
        response = RedirectResponse(where, 303)
        if before := self.console.cookie(request, "session"):
            await self._sessions.end(before)  # this browser forgets it, so nobody could sign it out any more
        self.console.set_cookie(response, "session", await self._sessions.begin(account, way, made_by))
        self.console.delete_cookie(response, "door")
        return response

    def refuse(self, response: Response, error: NotSignedIn | TooOften) -> Response:
        """Say so, and put it on record afterwards: how long that takes is not to tell whether there is an account."""
        if isinstance(error, NotSignedIn):
            response.background = BackgroundTask(self._sessions.refused, error.account)
        return response


def inside(path: str) -> str:
    """The path, if it is one of the console; else the console's first page. An address from elsewhere leads nowhere."""
    plain = path == HOME or path.startswith(f"{HOME}/")
    return path if plain and not path.startswith(SIGN_IN) and "\\" not in path and "//" not in path else HOME


def routes(console: Console, sign_in: SignIn, by_link: LinkSignIn, sessions: Sessions) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)
    door = Door(console, sessions)
    _add_password(router, door, sign_in)
    _add_links(router, door, by_link)

    @router.post("/console/sign-out")
    async def leave(visit: OperatorVisit) -> Response:
        await sessions.end(visit.token)
        response = RedirectResponse(SIGN_IN, 303)
        console.delete_cookie(response, "session")
        return response

    return router


def _add_password(router: APIRouter, door: Door, sign_in: SignIn) -> None:
    @router.get(SIGN_IN)
    async def show(request: Request) -> Response:
        where = inside(request.query_params.get("next", HOME))
        token = door.console.cookie(request, "door") or new_token()
        provider = await sign_in.begin(f"{form_token(token)}{where}")
        if provider is None:
            return door.page(request, "console/sign_in.html", next=where, name="", fault="")
        response = RedirectResponse(provider, 303)
        door.console.set_cookie(response, "door", token, DOOR_FOR)
        return response

    @router.post(SIGN_IN)
    async def enter(request: Request) -> Response:
        fields = await door.fields(request)
        where = inside(fields.get("next", HOME))

        def again(status: int, fault: str) -> Response:
            name = fields.get("name", "")
            return door.page(request, "console/sign_in.html", status, next=where, name=name, fault=fault)

        try:
            return await door.enter(request, await sign_in.identify(fields, client_of(request)), where, "password")
        except (NotSignedIn, TooOften) as error:
            status = 429 if isinstance(error, TooOften) else 403
            return door.refuse(again(status, str(error)), error)

    @router.get(f"{SIGN_IN}/return")
    async def returned(request: Request) -> Response:
        proof = dict(request.query_params)
        state = proof.get("state", "")
        cut = state.find("/")
        # it comes from the provider's site, as the browser says; that this browser asked for it, the state shows
        require_made_for(door.console.cookie(request, "door"), state[:cut] if cut > 0 else "")
        try:
            account = await sign_in.identify(proof, client_of(request))
            return await door.enter(request, account, inside(state[cut:]), "single_sign_on")
        except (NotSignedIn, TooOften) as error:
            return door.refuse(door.page(request, "console/link_old.html", 403, fault=str(error)), error)


def _add_links(router: APIRouter, door: Door, by_link: LinkSignIn) -> None:
    @router.get(f"{SIGN_IN}/once/{{token}}")
    async def show_link(request: Request, token: str) -> HTMLResponse:
        account = await by_link.look(token)
        if account is None:
            return door.page(
                request, "console/link_old.html", 404, fault="This link was used already, or it is too old."
            )
        return door.page(request, "console/sign_in_once.html", account=account)

    @router.post(f"{SIGN_IN}/once/{{token}}")
    async def take_link(request: Request, token: str) -> Response:
        await door.fields(request)
        try:
            link = await by_link.take(token)
        except NotSignedIn as error:
            return door.page(request, "console/link_old.html", 404, fault=str(error))
        return await door.enter(request, link.account, HOME, "link", link.by)
