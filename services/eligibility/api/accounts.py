"""`/v1/accounts`: who may sign in to the console, for administrators. Passwords are chosen by their owners, on the
console."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.eligibility.domain.accounts import (
    LONGEST_FULL_NAME,
    LONGEST_NAME,
    Account,
    AccountRole,
    Wanted,
    What,
    what_changed,
)
from services.eligibility.use_cases.accounts import ManageAccounts, NoSuchAccount
from shared.web.auth import AdminCaller, require
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import not_found

AccountName = Annotated[str, Path(description="The name one signs in with.", max_length=LONGEST_NAME)]
Why = Annotated[str, Field(min_length=1, max_length=1000, description="Why, for the record.")]
FullName = Annotated[str, Field(min_length=1, max_length=LONGEST_FULL_NAME, description="Whose account it is.")]


class AccountForm(BaseModel):
    """An account to open."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, description="What one signs in with.")]
    full_name: FullName
    role: AccountRole
    why: Why


class AccountFields(BaseModel):
    """What is to be otherwise; `version` is the newest one that was read, if that is to be the newest still."""

    model_config = ConfigDict(extra="forbid")

    full_name: FullName | None = None
    role: AccountRole | None = None
    active: bool | None = None
    version: int | None = None
    why: Why


class AccountView(BaseModel):
    """An account as it is by one version."""

    name: str
    version: int
    full_name: str
    role: AccountRole
    active: bool
    has_password: bool
    by: str
    why: str
    at: AwareDatetime


class AccountVersionView(AccountView):
    """A version with what it changed."""

    what: What


class AccountList(BaseModel):
    """Accounts, by name."""

    accounts: list[AccountView]


class AccountVersionList(BaseModel):
    """Every version of every account, by name and version."""

    accounts: list[AccountVersionView]


class SignInLink(BaseModel):
    """An address that signs the account in once, within a day. It is shown this once."""

    url: str


def routes(accounts: ManageAccounts, console_url: str) -> APIRouter:
    """The routes, for administrators. `console_url`: the base of the addresses in links."""
    router = APIRouter(prefix="/v1/accounts", tags=["accounts"], dependencies=[Depends(require("admin"))])

    @router.get("", summary="Every account as it is now")
    async def list_accounts() -> AccountList:
        return AccountList(accounts=[_view(each) for each in await accounts.list()])

    @router.get("/versions", summary="Every version of every account")
    async def list_account_versions() -> AccountVersionList:
        versions = await accounts.versions()
        before = {(each.name, each.version + 1): each for each in versions}
        return AccountVersionList(
            accounts=[
                AccountVersionView(
                    **_view(each).model_dump(), what=what_changed(before.get((each.name, each.version)), each)
                )
                for each in versions
            ]
        )

    @router.post(
        "", status_code=201, summary="Open an account", openapi_extra=json_body(AccountForm, "Whose, and its role.")
    )
    async def open_account(request: Request, caller: AdminCaller) -> AccountView:
        form = await read_model(request, AccountForm)
        return _view(await accounts.open(form.name, form.full_name, form.role, caller.name, form.why))

    @router.patch(
        "/{name}",
        summary="Change, close or reopen an account",
        openapi_extra=json_body(AccountFields, "What is to be otherwise."),
    )
    async def change_account(request: Request, caller: AdminCaller, name: AccountName) -> AccountView:
        form = await read_model(request, AccountFields)
        wanted = Wanted(form.full_name, form.role, form.active)
        try:
            return _view(await accounts.change(name, wanted, caller.name, form.why, form.version))
        except NoSuchAccount:
            raise not_found("account") from None

    @router.post("/{name}/sign-in-link", status_code=201, summary="A link that signs the account in once")
    async def make_sign_in_link(caller: AdminCaller, name: AccountName) -> SignInLink:
        try:
            token = await accounts.link(name, caller.name)
        except NoSuchAccount:
            raise not_found("account") from None
        return SignInLink(url=f"{console_url}/console/sign-in/once/{token}")

    return router


def _view(account: Account) -> AccountView:
    return AccountView(
        name=account.name,
        version=account.version,
        full_name=account.full_name,
        role=account.role,
        active=account.active,
        has_password=account.credential is not None,
        by=account.by,
        why=account.why,
        at=account.at,
    )
