"""Signing in: who somebody is, by a password, by a link that works once, or by whatever fills `SignIn` later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Protocol

import structlog

from services.eligibility.domain import passwords
from services.eligibility.domain.accounts import Account
from services.eligibility.domain.sessions import OneTimeLink, key_of
from services.eligibility.use_cases.accounts import Accounts, OneTimeLinks
from shared.clock import Clock
from shared.errors import FieldError, Permanent, Refused
from shared.limits import Limit, Limits

log = structlog.get_logger(__name__)

HERE: Final = Limit("sign-in of an account from one address", 10, timedelta(minutes=15))
ANYWHERE: Final = Limit("sign-in of an account", 100, timedelta(hours=1))
ADDRESS: Final = Limit("sign-in from one address", 50, timedelta(minutes=15))
NO_CREDENTIAL: Final = "none"
OWN: Final = Limit("own password, said again", 10, timedelta(minutes=15))
AT_ONCE: Final = 4
"""So many passwords are compared at a time: each takes memory."""


class NotSignedIn(Permanent):
    """It was not shown who this is. One message for all that may be wrong, so it teaches nobody which accounts there are.
    `account`, for the record alone: whose name was given, if there is such an account."""

    def __init__(
        self, sentence: str = "That name and that password do not belong together.", account: str | None = None
    ) -> None:
        super().__init__(sentence)
        self.account = account


class SignIn(Protocol):
    """Establishes who somebody is. Passwords do it here; single sign-on does it by another class behind this protocol:
    `begin` names the provider's address, and the provider's answer comes back to /console/sign-in/return as `proof`.
    What an account may do is kept here in either case; a name without an account is refused."""

    async def begin(self, state: str) -> str | None:
        """Where to send the browser, or None: the form for name and password is shown. `state` comes back in the proof
        under that name."""

    async def identify(self, proof: Mapping[str, str], client: str) -> str:
        """The account's name: `proof` are the form's fields or the query of the provider's answer, `client` the network
        address it comes from.

        Raises:
            NotSignedIn: it does not prove anything.
            TooOften: it was tried too often.
            Transient: it cannot be found out now.
        """


class Passwords:
    """Compares passwords with what is kept of them, a few at a time."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._comparing = asyncio.Semaphore(AT_ONCE)

    async def kept_if_right(self, account: Account | None, password: str) -> str | None:
        """The hash, if this is the account's password. It takes as long in any case: how long does not tell whether there
        is an account, or a password. Raises Transient."""
        kept = await self._accounts.password_of((account and account.credential) or NO_CREDENTIAL)
        async with self._comparing:
            right = await asyncio.to_thread(passwords.matches, kept or passwords.NOBODYS, password)
        return kept if right else None


class OwnPassword:
    """Somebody who is signed in says their password again, before they choose another: a browser that was left open is not
    enough to shut its owner out."""

    def __init__(self, passwords: Passwords, limits: Limits) -> None:
        self._passwords = passwords
        self._limits = limits

    async def require(self, account: Account, password: str) -> None:
        """Raises TooOften; Refused when it is not theirs."""
        await self._limits.take(OWN, account.name)
        if await self._passwords.kept_if_right(account, password[: passwords.LONGEST + 1]) is None:
            raise Refused("The password was not changed.", [FieldError("/current", "is not your password")])


class PasswordSignIn:
    """Signs in by `name` and `password`."""

    def __init__(self, accounts: Accounts, limits: Limits, passwords: Passwords) -> None:
        self._accounts = accounts
        self._limits = limits
        self._passwords = passwords

    async def begin(self, state: str) -> str | None:
        """The form."""
        return None

    async def identify(self, proof: Mapping[str, str], client: str) -> str:
        """As SignIn says. Every try counts, also of accounts that are not there."""
        name = proof.get("name", "").strip().lower()[:200]
        password = proof.get("password", "")[: passwords.LONGEST + 1]
        for limit, subject in ((ADDRESS, client), (HERE, f"{client}\x1f{name}"), (ANYWHERE, name)):
            await self._limits.take(limit, subject)
        account = await self._accounts.newest(name)
        kept = await self._passwords.kept_if_right(account, password)
        if account is None or account.credential is None or kept is None or not account.active:
            log.info("sign-in refused", known=account is not None)
            raise NotSignedIn(account=account.name if account else None)
        if passwords.outdated(kept):
            fresh = await asyncio.to_thread(passwords.hashed, password)
            await self._accounts.keep_password(account.credential, name, fresh)
        return name


class LinkSignIn:
    """Signs in by a link that works once."""

    def __init__(self, accounts: Accounts, links: OneTimeLinks, clock: Clock) -> None:
        self._accounts = accounts
        self._links = links
        self._clock = clock

    async def look(self, token: str) -> str | None:
        """Whose link it is, if it still works. Looking uses nothing up: programs that check emails follow links too."""
        link = await self._links.find(key_of(token), (await self._clock.read()).real)
        return link.account if link else None

    async def take(self, token: str) -> OneTimeLink:
        """The link, which works no more. Raises NotSignedIn."""
        link = await self._links.take(key_of(token), (await self._clock.read()).real)
        account = await self._accounts.newest(link.account) if link else None
        if link is None or account is None or not account.active:
            raise NotSignedIn("This link was used already, or it is too old. Ask an administrator for another one.")
        return link
