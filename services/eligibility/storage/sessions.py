"""The collections `sessions` and `sign_in_links`, each under its token's hash. MongoDB itself forgets what has ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.eligibility.domain.sessions import OneTimeLink, Session
from shared.mongo import Database, classified

SESSIONS: Final = "sessions"
SIGN_IN_LINKS: Final = "sign_in_links"


class MongoSessions:
    """Sessions in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._sessions = database[SESSIONS]

    async def prepare(self) -> None:
        """The indexes."""
        with classified():
            await self._sessions.create_index("expires", name="expires", expireAfterSeconds=0)
            await self._sessions.create_index("account", name="account")

    async def keep(self, session: Session) -> None:
        """Keep a session. Raises Transient."""
        with classified():
            await self._sessions.replace_one({"_id": session.key}, _document(session), upsert=True)

    async def note(self, session: Session) -> None:
        """Note when it was last seen, if it is still there. Raises Transient."""
        with classified():
            await self._sessions.replace_one({"_id": session.key}, _document(session))

    async def find(self, key: str) -> tuple[Session, datetime] | None:
        """A session with the database's real time. Raises Transient."""
        with classified():
            rows = await self._sessions.aggregate(
                [{"$match": {"_id": key}}, {"$addFields": {"real": "$$NOW"}}]
            ).to_list(1)
        if not rows:
            return None
        row = rows[0]
        way = row.get("way", "password")
        return Session(row["_id"], row["account"], row["began"], row["seen"], way), row["real"].astimezone(UTC)

    async def end(self, key: str) -> None:
        """End a session. Raises Transient."""
        with classified():
            await self._sessions.delete_one({"_id": key})

    async def end_all(self, account: str, but: str | None = None) -> None:
        """End the sessions of an account, except one. Raises Transient."""
        with classified():
            await self._sessions.delete_many({"account": account, "_id": {"$ne": but}})


class MongoOneTimeLinks:
    """Links that sign in once, in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._links = database[SIGN_IN_LINKS]

    async def prepare(self) -> None:
        """The index by which MongoDB forgets."""
        with classified():
            await self._links.create_index("expires", name="expires", expireAfterSeconds=0)

    async def keep(self, link: OneTimeLink) -> None:
        """Keep a link. Raises Transient."""
        document = {"_id": link.key, "account": link.account, "by": link.by, "expires": link.expires}
        with classified():
            await self._links.insert_one(document)

    async def find(self, key: str, now: datetime) -> OneTimeLink | None:
        """A link that can be used. Raises Transient."""
        with classified():
            return _link_of(await self._links.find_one({"_id": key, "expires": {"$gt": now}}))

    async def take(self, key: str, now: datetime) -> OneTimeLink | None:
        """A link that could be used, and now cannot: of many who take it at once, one gets it. Raises Transient."""
        with classified():
            return _link_of(await self._links.find_one_and_delete({"_id": key, "expires": {"$gt": now}}))

    async def forget_all(self, account: str) -> None:
        """Delete the links of an account. Raises Transient."""
        with classified():
            await self._links.delete_many({"account": account})


def _document(session: Session) -> dict[str, Any]:
    return {
        "account": session.account,
        "began": session.began,
        "seen": session.seen,
        "way": session.way,
        "expires": session.expires(),
    }


def _link_of(found: Mapping[str, Any] | None) -> OneTimeLink | None:
    return OneTimeLink(found["_id"], found["account"], found["by"], found["expires"]) if found else None
