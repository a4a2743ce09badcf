"""The collections `accounts`, one fact a version under `<name>:<version>`, and `passwords`, the hashes that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.eligibility.domain.accounts import Account
from shared.mongo import Database, classified

ACCOUNTS: Final = "accounts"
PASSWORDS: Final = "passwords"


class MongoAccounts:
    """Accounts in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._accounts = database[ACCOUNTS]
        self._passwords = database[PASSWORDS]

    async def prepare(self) -> None:
        """The indexes."""
        with classified():
            await self._accounts.create_index([("name", 1), ("version", -1)], name="newest", unique=True)

    async def newest(self, name: str) -> Account | None:
        """The account as it is now. Raises Transient."""
        with classified():
            found = await self._accounts.find_one({"name": name}, sort=[("version", -1)])
        return account_of(found) if found else None

    async def all(self) -> Sequence[Account]:
        """Every version of every account, by name and version. Raises Transient."""
        with classified():
            return [account_of(each) async for each in self._accounts.find({}).sort([("name", 1), ("version", 1)])]

    async def append(self, account: Account) -> None:
        """Store a version. Raises Transient; Conflict when there is one of that number."""
        fact = {
            "_id": f"{account.name}:{account.version}",
            "name": account.name,
            "version": account.version,
            "full_name": account.full_name,
            "role": account.role,
            "active": account.active,
            "credential": account.credential,
            "by": account.by,
            "why": account.why,
            "at": account.at,
            "links": account.links,
        }
        with classified():
            await self._accounts.insert_one(fact)

    async def keep_password(self, credential: str, account: str, kept: str) -> None:
        """Keep a password's hash. Raises Transient."""
        with classified():
            await self._passwords.replace_one({"_id": credential}, {"account": account, "hash": kept}, upsert=True)

    async def password_of(self, credential: str) -> str | None:
        """A password's hash. Raises Transient."""
        with classified():
            found = await self._passwords.find_one({"_id": credential})
        return str(found["hash"]) if found else None

    async def forget_password(self, credential: str) -> None:
        """Delete a password's hash. Raises Transient."""
        with classified():
            await self._passwords.delete_one({"_id": credential})


def account_of(fact: Mapping[str, Any]) -> Account:
    """The account version of a stored document."""
    return Account(
        fact["name"],
        fact["version"],
        fact["full_name"],
        fact["role"],
        fact["active"],
        fact["credential"],
        fact["by"],
        fact["why"],
        fact["at"],
        fact.get("links", 0),
    )
