"""The console's frame: who is visiting, what they may see, and what every page and form has. See the package on top."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from services.eligibility.domain.accounts import Account, AccountRole
from services.eligibility.domain.sessions import form_token, is_form_token
from services.eligibility.use_cases.sessions import Sessions
from shared.errors import FieldError, Permanent, Refused
from shared.web.auth import Caller
from shared.web.layout import Pages
from shared.web.links import LinkInvalid, Links
from shared.web.problem import Problem, problem_of

HOME: Final = "/console"
SIGN_IN: Final = "/console/sign-in"
CONTENT_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""As everywhere, but for the one script, htmx, which is our own file."""
FORM_FIELD: Final = "form_token"
FORM_HEADER: Final = "x-form-token"
MOST_FIELDS: Final = 2000
MOST_FILES: Final = 200
_SAID: Final = "console.said"
_SAID_FOR: Final = timedelta(minutes=1)
_SAFE: Final = frozenset({"GET", "HEAD"})

Group = Literal["Work", "Rules", "Records"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation, for whoever has the role."""

    group: Group
    label: str
    path: str
    order: int
    role: AccountRole


class SignInNeeded(Exception):
    """Nobody is signed in. `back`: where to go on afterwards."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class Console:
    """What all pages of the console share. `secure`: its cookies travel over TLS alone."""

    def __init__(self, templates: Pages, sessions: Sessions, links: Links, *, secure: bool) -> None:
        self.templates = templates
        self._sessions = sessions
        self._links = links
        self._secure = secure
        self._entries: list[Entry] = []

    def install(self, web: FastAPI) -> None:
        """Let the app's routes find this console, and send whoever is not signed in to the door."""

        async def to_the_door(request: Request, error: Exception) -> Response:
            back = error.back if isinstance(error, SignInNeeded) else HOME
            where = f"{SIGN_IN}?next={quote(back)}"
            if request.headers.get("hx-request"):
                return Response(status_code=401, headers={"HX-Redirect": where})
            return RedirectResponse(where, 303)

        web.state.console = self
        web.add_exception_handler(SignInNeeded, to_the_door)

    def entry(self, group: Group, label: str, path: str, order: int, role: AccountRole = "operator") -> None:
        """Add a line to the navigation. `order` counts within the group."""
        self._entries.append(Entry(group, label, path, order, role))

    def navigation(self, account: Account) -> list[tuple[Group, list[Entry]]]:
        """The groups and lines that an account sees."""
        seen = sorted((each for each in self._entries if account.may(each.role)), key=lambda each: each.order)
        groups = [(group, [each for each in seen if each.group == group]) for group in get_args(Group)]
        return [(group, entries) for group, entries in groups if entries]

    def here(self, path: str) -> str:
        """The path of the entry that a page belongs to."""
        fitting = [each.path for each in self._entries if f"{path}/".startswith(f"{each.path}/")]
        return max(fitting, key=len, default="")

    async def visit(self, request: Request, role: AccountRole) -> Visit:
        """Who asks, with at least this role.

        Raises:
            SignInNeeded: nobody is signed in.
            Problem: 403, it is not allowed, or the form was not made by a page of this session.
        """
        token = self.cookie(request, "session")
        account = await self._sessions.account(token) if token else None
        if account is None:
            raise SignInNeeded(str(request.url.path) if request.method in _SAFE else HOME)
        form = FormData()
        if request.method not in _SAFE:
            form = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS)
            presented = form.get(FORM_FIELD) or request.headers.get(FORM_HEADER, "")
            require_own_form(request, token, str(presented))
        if not account.may(role):
            detail = f"This is for the role {role}. Your account, {account.name}, has the role {account.role}."
            raise Problem(403, "Not allowed", detail, type="forbidden")
        return Visit(self, request, account, token, form)

    def cookie(self, request: Request, name: str) -> str:
        """One of the console's cookies, or nothing."""
        return request.cookies.get(self._cookie_name(name), "")

    def set_cookie(self, response: Response, name: str, value: str, lasting: timedelta | None = None) -> None:
        """Set one of the console's cookies; without `lasting` it ends with the browser."""
        response.set_cookie(
            self._cookie_name(name),
            value,
            max_age=int(lasting.total_seconds()) if lasting else None,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def delete_cookie(self, response: Response, name: str) -> None:
        """Delete one of the console's cookies."""
        response.delete_cookie(self._cookie_name(name), path="/", secure=self._secure, httponly=True, samesite="lax")

    def say(self, response: Response, sentence: str) -> None:
        """Show a sentence on the next page."""
        self.set_cookie(response, "said", self._links.sign(_SAID, sentence), _SAID_FOR)

    def said(self, request: Request) -> str:
        """The sentence to show, if there is one."""
        value = self.cookie(request, "said")
        try:
            return self._links.open(_SAID, value, _SAID_FOR) if value else ""
        except LinkInvalid:
            return ""

    def _cookie_name(self, name: str) -> str:
        # the browser takes a cookie of this prefix from this very host alone, and over TLS alone
        return f"__Host-accede-{name}" if self._secure else f"accede-{name}"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is signed in asks for a page or sends a form. `name` is the actor, for the record."""

    console: Console
    request: Request
    account: Account
    token: str
    form: FormData = field(default_factory=FormData)

    @property
    def name(self) -> str:
        """The account's name: the actor of whatever is done."""
        return self.account.name

    @property
    def caller(self) -> Caller:
        """The visitor as the use cases of the API know one."""
        return Caller(self.account.name, self.account.role)

    @property
    def form_token(self) -> str:
        """What a form of this session carries."""
        return form_token(self.token)

    def may(self, role: AccountRole) -> bool:
        """Whether the visitor has a role, or one that includes it."""
        return self.account.may(role)

    def text(self, name: str) -> str:
        """A field of the form, without blanks around it; "" when it is not there."""
        value = self.form.get(name, "")
        return value.strip().replace("\r\n", "\n") if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """The values of a field that may be there several times."""
        return [each for each in self.form.getlist(name) if isinstance(each, str)]

    def files(self, name: str) -> list[UploadFile]:
        """The files of a field; an empty one was not chosen."""
        return [each for each in self.form.getlist(name) if isinstance(each, UploadFile) and each.filename]

    def page(
        self, template: str, *, problems: Permanent | Sequence[FieldError] = (), status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A page of the console. `problems`, also an error that was raised, stand above the form and beside its fields;
        an error brings its own status."""
        found = problems
        if isinstance(problems, Permanent):
            status = problem_of(problems).status
            found = problems.errors if isinstance(problems, Refused) and problems.errors else [_alone(problems)]
        response = self.console.templates.page(
            template,
            status=status,
            headers={"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"},
            visit=self,
            navigation=self.console.navigation(self.account),
            here=self.console.here(self.request.url.path),
            said=self.console.said(self.request),
            problems=found,
            home=HOME,
            **values,
        )
        if self.console.cookie(self.request, "said"):
            self.console.delete_cookie(response, "said")
        return response

    def done(self, path: str, sentence: str) -> Response:
        """Go on to another page, which says what was done."""
        response = RedirectResponse(path, 303)
        self.console.say(response, sentence)
        return response


def require_own_form(request: Request, token: str, presented: str) -> None:
    """Raises Problem 403 unless a form comes from a page of ours that was made for this token."""
    elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    require_made_for(token, "" if elsewhere else presented)


def require_made_for(token: str, presented: str) -> None:
    """Raises Problem 403 unless this was made for the browser that has this token, wherever it comes back from."""
    if not token or not is_form_token(token, presented):
        detail = "This form was open for too long, or it is not ours. Nothing was done. Go back, reload, and try again."
        raise Problem(403, "Send it once more", detail, type="forbidden")


def visiting(role: AccountRole) -> Callable[[Request], AsyncIterator[Visit]]:
    """A FastAPI dependency: the visit, if the visitor has at least `role`. The app's console is `app.state.console`."""

    async def visit(request: Request) -> AsyncIterator[Visit]:
        console: Console = request.app.state.console
        try:
            yield await console.visit(request, role)
        finally:
            await request.close()

    return visit


def _alone(error: Permanent) -> FieldError:
    return FieldError("", str(error))


OperatorVisit = Annotated[Visit, Depends(visiting("operator"))]
"""The parameter of a page for everyone who works here: `async def show(visit: OperatorVisit)`."""
DeciderVisit = Annotated[Visit, Depends(visiting("decider"))]
"""The parameter of a page for deciders and admins."""
AdminVisit = Annotated[Visit, Depends(visiting("admin"))]
"""The parameter of a page for admins alone."""
