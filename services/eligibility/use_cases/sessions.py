"""Sessions: begun when somebody signs in, looked up with every request, ended by hand or by time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from services.eligibility.domain.accounts import UNKNOWN, Account
from services.eligibility.domain.sessions import NOTED, REFUSED_WINDOW, Session, Way, key_of, new_token
from services.eligibility.use_cases.accounts import Accounts
from shared.clock import Clock
from shared.errors import Transient
from shared.recorder import Recorder

log = structlog.get_logger(__name__)


class StoredSessions(Protocol):
    """Sessions by key. Everything raises Transient."""

    async def keep(self, session: Session) -> None:
        """Keep a session, also in place of the same one before."""

    async def note(self, session: Session) -> None:
        """Note when a session was last seen; one that was ended meanwhile stays ended."""

    async def find(self, key: str) -> tuple[Session, datetime] | None:
        """The session of a key, and the real time now."""

    async def end(self, key: str) -> None:
        """End one."""

    async def end_all(self, account: str, but: str | None = None) -> None:
        """End those of an account, except the one of that key."""


class Sessions:
    """Who is signed in. Everything raises Transient."""

    def __init__(self, sessions: StoredSessions, accounts: Accounts, clock: Clock, record: Recorder) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._clock = clock
        self._record = record

    async def begin(self, account: str, way: Way, made_by: str | None = None) -> str:
        """Sign an account in; the token for the browser's cookie. `made_by`: who made the link, where that is the way."""
        token, real = new_token(), (await self._clock.read()).real
        new = {"way": way} | ({"link_made_by": made_by} if made_by else {})
        await self._record("account", account, "signed_in", account, once=[key_of(token)], new=new)
        await self._sessions.keep(Session(key_of(token), account, real, real, way))
        log.info("signed in", account=account)
        return token

    async def refused(self, account: str | None) -> None:
        """Put on record that somebody did not come in. `account`: whose name was given, if there is such an account; of
        other names it is noted once in a quarter of an hour, so that nobody fills the record."""
        try:
            if account is not None:
                await self._record("account", account, "sign_in_refused", UNKNOWN)
                return
            window = int((await self._clock.read()).real.timestamp() // REFUSED_WINDOW.total_seconds())
            await self._record("account", UNKNOWN, "sign_in_refused", UNKNOWN, once=[window])
        except Transient as error:  # it was answered already, and changed nothing
            log.warning("not on record", what="sign-in refused", reason=str(error))

    async def account(self, token: str) -> Account | None:
        """Whose session this is, as the account is now; None when it has ended or the account is closed."""
        found = await self._sessions.find(key_of(token))
        if found is None:
            return None
        session, real = found
        if real >= session.expires():
            return None
        account = await self._accounts.newest(session.account)
        if account is None or not account.active:
            return None
        if real - session.seen >= NOTED:
            await self._sessions.note(replace(session, seen=real))
        return account

    async def prove_enough(self, token: str) -> bool:
        """Whether whoever has this session may choose a password without the one they have."""
        found = await self._sessions.find(key_of(token))
        return found is not None and found[0].proves_enough(found[1])

    async def end(self, token: str) -> None:
        """Sign out."""
        key = key_of(token)
        if (found := await self._sessions.find(key)) is None:
            return
        account = found[0].account
        await self._record("account", account, "signed_out", account, once=[key])
        await self._sessions.end(key)
