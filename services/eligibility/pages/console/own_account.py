"""`/console/account`: somebody's own account, and choosing a password."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.eligibility.domain.passwords import SHORTEST
from services.eligibility.domain.sessions import key_of
from services.eligibility.pages.console.frame import OperatorVisit, Visit
from services.eligibility.use_cases.accounts import ManageAccounts
from services.eligibility.use_cases.sessions import Sessions
from services.eligibility.use_cases.sign_in import OwnPassword
from shared.errors import Conflict, FieldError, Permanent, Refused

PATH = "/console/account"


def routes(accounts: ManageAccounts, sessions: Sessions, own: OwnPassword) -> APIRouter:
    """The page and its form."""
    router = APIRouter(include_in_schema=False)

    async def says_it_again(visit: Visit) -> bool:
        """Whether the visitor has to say the password they have."""
        return visit.account.credential is not None and not await sessions.prove_enough(visit.token)

    async def page(visit: Visit, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        again = await says_it_again(visit)
        return visit.page("console/own_account.html", problems=problems, shortest=SHORTEST, says_it_again=again)

    @router.get(PATH)
    async def show(visit: OperatorVisit) -> HTMLResponse:
        return await page(visit)

    @router.post(f"{PATH}/password")
    async def choose(visit: OperatorVisit) -> Response:
        password, again = str(visit.form.get("password", "")), str(visit.form.get("again", ""))
        try:
            if password != again:
                raise Refused("", [FieldError("/again", "is not the same as the first one")])
            if await says_it_again(visit):
                await own.require(visit.account, str(visit.form.get("current", "")))
            await accounts.set_password(visit.name, password, key_of(visit.token))
        except (Refused, Conflict) as error:
            return await page(visit, error)
        return visit.done(PATH, "Your password is changed. Everywhere else you are signed out.")

    return router
