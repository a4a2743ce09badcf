"""Accounts of the people who work at the console: who they are, what they may do, and every change to it. Pure.

Every change is a new version, with author and reason; no version is ever changed. A version says which password counts
by the id of a *credential*; the password's hash is kept elsewhere and goes when it no longer counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, get_args

from shared.errors import Conflict, FieldError, Refused

AccountRole = Literal["operator", "decider", "admin"]
ACCOUNT_ROLES: Final[tuple[AccountRole, ...]] = get_args(AccountRole)
"""What people may be; each role may do what those before it may."""
LONGEST_NAME: Final = 64
LONGEST_FULL_NAME: Final = 200
UNKNOWN: Final = "unknown"
"""Who stands in records for whoever did not come in."""
RESERVED: Final = ("policy", "accede", "applicant", "sender", UNKNOWN)
"""Who stands in records for the policy pack, for Accede itself, for those who wrote to us, and for nobody known."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
What = Literal["opened", "changed", "closed", "reopened", "password set", "link made"]


@dataclass(frozen=True, slots=True)
class Account:
    """A version of an account. `name` is what one signs in with and what stands in every record; `credential` is None
    until its owner has chosen a password. `by`, `why` and `at` are this version's. `links`: how many links that sign in once
    were made so far; whoever makes one could sign in under this name, so each is on record."""

    name: str
    version: int
    full_name: str
    role: AccountRole
    active: bool
    credential: str | None
    by: str
    why: str
    at: datetime
    links: int = 0

    def may(self, role: AccountRole) -> bool:
        """Whether the account has `role`, or one that includes it."""
        return ACCOUNT_ROLES.index(self.role) >= ACCOUNT_ROLES.index(role)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an account is to be from now on; None: as it is."""

    full_name: str | None = None
    role: AccountRole | None = None
    active: bool | None = None


def opened(
    name: str, full_name: str, role: AccountRole, taken: Collection[str], by: str, why: str, at: datetime
) -> Account:
    """The first version of an account. `taken`: names that others act under, such as those of API keys.

    Raises Refused, naming the fields.
    """
    errors = []
    if not _NAME.fullmatch(name):
        errors.append(FieldError("/name", "must be 1 to 64 lower-case letters, digits, '.', '_' or '-'"))
    elif name in RESERVED:
        errors.append(FieldError("/name", "stands in records for what no person did: choose another"))
    elif name in taken:
        errors.append(FieldError("/name", "is the name of an API key already: records would not tell the two apart"))
    errors += _full_name_faults(full_name.strip())
    if errors:
        raise Refused("No account was opened.", errors)
    return Account(name, 1, full_name.strip(), role, True, None, by, why, at)


def changed(newest: Account, wanted: Wanted, by: str, why: str, at: datetime) -> Account:
    """The next version.

    Raises:
        Refused: somebody would lock themselves out, or the name is blank.
        Conflict: nothing would change.
    """
    after = replace(
        newest,
        full_name=newest.full_name if wanted.full_name is None else wanted.full_name.strip(),
        role=newest.role if wanted.role is None else wanted.role,
        active=newest.active if wanted.active is None else wanted.active,
    )
    if after == newest:
        raise Conflict("That is how the account is already, so nothing was changed.")
    if faults := _full_name_faults(after.full_name):
        raise Refused("The account was not changed.", faults)
    if by == newest.name and (after.role, after.active) != (newest.role, newest.active):
        raise Refused("Nobody closes their own account or changes its role: ask another administrator.")
    return replace(after, version=newest.version + 1, by=by, why=why, at=at)


def _full_name_faults(full_name: str) -> list[FieldError]:
    if not full_name:
        return [FieldError("/full_name", "says who this is: write the person's name")]
    if len(full_name) > LONGEST_FULL_NAME:
        return [FieldError("/full_name", f"may have {LONGEST_FULL_NAME} characters at most")]
    return []


def with_credential(newest: Account, credential: str, at: datetime) -> Account:
    """The version by which its owner has chosen another password."""
    return replace(
        newest, version=newest.version + 1, credential=credential, by=newest.name, why="Chose a password.", at=at
    )


def with_link(newest: Account, by: str, at: datetime) -> Account:
    """The version by which somebody has made a link that signs the account in once. Raises Refused when it is closed."""
    if not newest.active:
        raise Refused(f"The account '{newest.name}' is closed. Reopen it first.")
    why = "Made a link that signs in once."
    return replace(newest, version=newest.version + 1, links=newest.links + 1, by=by, why=why, at=at)


def what_changed(before: Account | None, after: Account) -> What:
    """A version in a word or two, beside the one before it."""
    if before is None:
        return "opened"
    if before.active != after.active:
        return "reopened" if after.active else "closed"
    if before.links != after.links:
        return "link made"
    return "password set" if before.credential != after.credential else "changed"
