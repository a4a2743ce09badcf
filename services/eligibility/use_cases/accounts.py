"""Accounts: opening and changing them, passwords, and links that sign in once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Protocol

import structlog

from services.eligibility.domain import accounts as rules
from services.eligibility.domain import passwords
from services.eligibility.domain.accounts import Account, AccountRole, Wanted
from services.eligibility.domain.sessions import LINK_LIFE, OneTimeLink, key_of, new_token
from shared.clock import Clock
from shared.errors import Conflict

log = structlog.get_logger(__name__)

TRIES: Final = 5


class Accounts(Protocol):
    """The versions of accounts, and the hashes of the passwords that count. Everything raises Transient."""

    async def newest(self, name: str) -> Account | None:
        """The account as it is now."""

    async def all(self) -> Sequence[Account]:
        """Every version of every account, by name and version."""

    async def append(self, account: Account) -> None:
        """Store a version that is not there yet. Raises Conflict when there is another of that number."""

    async def keep_password(self, credential: str, account: str, kept: str) -> None:
        """Keep a password's hash under a credential's id, in place of what is there."""

    async def password_of(self, credential: str) -> str | None:
        """The hash of a credential."""

    async def forget_password(self, credential: str) -> None:
        """Delete the hash of a credential that counts no more."""


class OneTimeLinks(Protocol):
    """Links that sign in once. Everything raises Transient."""

    async def keep(self, link: OneTimeLink) -> None:
        """Keep a link."""

    async def find(self, key: str, now: datetime) -> OneTimeLink | None:
        """The link of a token, if it can still be used."""

    async def take(self, key: str, now: datetime) -> OneTimeLink | None:
        """The same, and from now on it cannot be used."""

    async def forget_all(self, account: str) -> None:
        """From now on none of an account's links can be used."""


class EndSessions(Protocol):
    """Ends sessions."""

    async def end_all(self, account: str, but: str | None = None) -> None:
        """End the sessions of an account, except the one of that key. Raises Transient."""


class NoSuchAccount(Exception):
    """There is no account of that name."""


class ManageAccounts:
    """What administrators do to accounts, and owners to their own. Everything raises Transient."""

    def __init__(
        self,
        accounts: Accounts,
        links: OneTimeLinks,
        sessions: EndSessions,
        clock: Clock,
        taken: Collection[str] = (),
    ) -> None:
        self._accounts = accounts
        self._links = links
        self._sessions = sessions
        self._clock = clock
        self._taken = frozenset(taken)

    async def list(self) -> Sequence[Account]:
        """Every account as it is now, by name."""
        newest = {each.name: each for each in await self._accounts.all()}
        return [newest[name] for name in sorted(newest)]

    async def versions(self) -> Sequence[Account]:
        """Every version of every account."""
        return await self._accounts.all()

    async def find(self, name: str) -> Account:
        """An account. Raises NoSuchAccount."""
        found = await self._accounts.newest(name)
        if found is None:
            raise NoSuchAccount(name)
        return found

    async def open(self, name: str, full_name: str, role: AccountRole, by: str, why: str) -> Account:
        """Open an account. Its owner chooses a password after signing in by a link.

        Raises:
            Refused: the name will not do.
            Conflict: there is one of that name. The same, asked for again by the same, is answered as the first time.
        """
        at = (await self._clock.read()).now
        account = rules.opened(name, full_name, role, self._taken, by, why, at)
        try:
            await self._accounts.append(account)
        except Conflict:
            stored = await self.find(name)
            if (stored.version, stored.full_name, stored.role, stored.by) == (1, account.full_name, role, by):
                return stored
            raise Conflict(f"There is an account '{name}' already. Change that one, or choose another name.") from None
        log.info("account opened", account=name, role=role, by=by)
        return account

    async def change(self, name: str, wanted: Wanted, by: str, why: str, seen: int | None = None) -> Account:
        """Change an account; what it may do changes with its next request. `seen`: the newest version that was read.

        Raises NoSuchAccount, Refused, Conflict.
        """
        newest = await self.find(name)
        if seen is not None and seen != newest.version:
            raise Conflict(f"{newest.by} changed this account meanwhile: read it again, then change it.")
        after = rules.changed(newest, wanted, by, why, (await self._clock.read()).now)
        await self._append(after)
        if after.active != newest.active:
            # also when it is opened again: nobody comes in by what was begun, or handed out, before it was closed
            await self._sessions.end_all(name)
            await self._links.forget_all(name)
        log.info("account changed", account=name, version=after.version, by=by)
        return after

    async def set_password(self, name: str, password: str, session: str | None) -> Account:
        """Choose another password; the account's other sessions than that of key `session` end, and links that nobody
        used yet work no more.

        Raises NoSuchAccount, Refused, Conflict.
        """
        newest = await self.find(name)
        passwords.require_good(password, name)
        credential = uuid.uuid4().hex
        kept = await asyncio.to_thread(passwords.hashed, password)
        await self._accounts.keep_password(credential, name, kept)
        after = rules.with_credential(newest, credential, (await self._clock.read()).now)
        try:
            await self._append(after)
        except Conflict:
            await self._accounts.forget_password(credential)
            raise
        if newest.credential is not None:
            await self._accounts.forget_password(newest.credential)
        await self._sessions.end_all(name, but=session)
        await self._links.forget_all(name)
        log.info("password set", account=name)
        return after

    async def link(self, name: str, by: str) -> str:
        """The token of a link that signs the account in once, within a day; that it was made is on record first.

        Raises NoSuchAccount, Refused, Conflict.
        """
        await self._note_link(name, by)
        token, real = new_token(), (await self._clock.read()).real
        await self._links.keep(OneTimeLink(key_of(token), name, by, real + LINK_LIFE))
        log.info("sign-in link made", account=name, by=by)
        return token

    async def _note_link(self, name: str, by: str) -> None:
        """Put it on record. Whatever else happens to the account at once, a link may be made all the same."""
        for left in reversed(range(TRIES)):
            linked = rules.with_link(await self.find(name), by, (await self._clock.read()).now)
            try:
                await self._append(linked)
                return
            except Conflict:
                if not left:
                    raise

    async def _append(self, account: Account) -> None:
        try:
            await self._accounts.append(account)
        except Conflict:
            raise Conflict("Somebody else changed this account at the same time: read it again.") from None
