"""`/console/accounts`: who may sign in, for administrators."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.eligibility.domain.accounts import ACCOUNT_ROLES, Account, AccountRole, Wanted, what_changed
from services.eligibility.pages.console.frame import AdminVisit, Console, Visit
from services.eligibility.use_cases.accounts import ManageAccounts, NoSuchAccount
from shared.errors import Conflict, FieldError, Permanent, Refused
from shared.web.problem import not_found

PATH: Final = "/console/accounts"
ROLE_WORDS: Final[dict[AccountRole, str]] = {
    "operator": "Operator: sees everything, prepares cases",
    "decider": "Decider: also admits, declines, hears appeals",
    "admin": "Administrator: also pauses, policies, campaigns, accounts",
}


def routes(console: Console, accounts: ManageAccounts, console_url: str) -> APIRouter:
    """The list, and each account with its history. `console_url`: the base of the addresses in links."""
    console.entry("Records", "Accounts", PATH, order=90, role="admin")
    router = APIRouter(include_in_schema=False)

    async def listed(visit: Visit, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        found = await accounts.list()
        return visit.page("console/accounts.html", problems=problems, accounts=found, roles=list(ROLE_WORDS.items()))

    @router.get(PATH)
    async def show(visit: AdminVisit) -> HTMLResponse:
        return await listed(visit)

    @router.post(PATH)
    async def open_account(visit: AdminVisit) -> Response:
        try:
            name, full_name, why = visit.text("name"), visit.text("full_name"), require_why(visit)
            account = await accounts.open(name, full_name, role_in(visit), visit.name, why)
        except (Refused, Conflict) as error:
            return await listed(visit, error)
        return visit.done(f"{PATH}/{account.name}", "The account is open. Make a link now, and hand it to its owner.")

    _add_one(router, accounts, console_url)
    return router


def _add_one(router: APIRouter, accounts: ManageAccounts, console_url: str) -> None:
    async def one(
        visit: Visit, name: str, problems: Permanent | tuple[()] = (), link: str | None = None
    ) -> HTMLResponse:
        account, versions = await found(accounts, name), await accounts.versions()
        own = [each for each in versions if each.name == name]
        history = [(each, what_changed(before, each)) for before, each in zip([None, *own], own, strict=False)]
        return visit.page(
            "console/account.html",
            problems=problems,
            account=account,
            history=list(reversed(history)),
            roles=list(ROLE_WORDS.items()),
            link=link,
        )

    @router.get(f"{PATH}/{{name}}")
    async def show_one(visit: AdminVisit, name: str) -> HTMLResponse:
        return await one(visit, name)

    @router.post(f"{PATH}/{{name}}")
    async def change(visit: AdminVisit, name: str) -> Response:
        await found(accounts, name)
        active = {"close": False, "reopen": True}.get(visit.text("do"))
        try:
            why = require_why(visit)
            wanted = (
                Wanted(visit.text("full_name"), role_in(visit))
                if visit.text("do") == "change"
                else Wanted(active=active)
            )
            await accounts.change(name, wanted, visit.name, why, seen_in(visit))
        except (Refused, Conflict) as error:
            return await one(visit, name, error)
        return visit.done(f"{PATH}/{name}", "The account is changed. It counts from the next click on.")

    @router.post(f"{PATH}/{{name}}/link")
    async def link(visit: AdminVisit, name: str) -> Response:
        account = await found(accounts, name)
        try:
            token = await accounts.link(account.name, visit.name)
        except (Refused, Conflict) as error:
            return await one(visit, name, error)
        return await one(visit, name, link=f"{console_url}/console/sign-in/once/{token}")


async def found(accounts: ManageAccounts, name: str) -> Account:
    """An account; Problem 404 when there is none."""
    try:
        return await accounts.find(name)
    except NoSuchAccount:
        raise not_found("account") from None


def require_why(visit: Visit, longest: int = 1000) -> str:
    """The reason that a form gives, for the record. Raises Refused without one."""
    why = visit.text("why")
    if not why:
        raise Refused("", [FieldError("/why", "needs a sentence: it stays on record")])
    if len(why) > longest:
        raise Refused("", [FieldError("/why", f"may have {longest:,} characters at most")])
    return why


def seen_in(visit: Visit) -> int | None:
    """The version that a form was made from."""
    seen = visit.text("version")
    return int(seen) if seen.isdecimal() else None


def role_in(visit: Visit) -> AccountRole:
    """The role that a form names. Raises Refused."""
    role = visit.text("role")
    if role not in ACCOUNT_ROLES:
        raise Refused("", [FieldError("/role", "is one of the three: choose one")])
    return role
