"""API keys: bearer tokens of four roles, stored as hashes only.

A key is 256 random bits, so one round of SHA-256 is enough to keep it (there is nothing to guess). Settings hold lines
of `name:role:sha256hex`; the key itself is shown once, by `accede keys new`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, get_args

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.web.problem import Problem

Role = Literal["channel", "operator", "decider", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Each role may do what those before it may."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_bearer = HTTPBearer(
    auto_error=False, scheme_name="ApiKey", description="An API key made with `accede keys new`, as a bearer token."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called: the name and role of the API key."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this caller has `role`, or one that includes it."""
        return ROLES.index(self.role) >= ROLES.index(role)


class KeysInvalid(ValueError):
    """The text of API keys is wrong; the message names the lines and never repeats what stands in them."""


class ApiKeys:
    """The keys a service accepts, by hash."""

    def __init__(self, callers: dict[str, Caller]) -> None:
        self._callers = dict(callers)

    def __len__(self) -> int:
        return len(self._callers)

    @property
    def names(self) -> frozenset[str]:
        """The names of the keys."""
        return frozenset(caller.name for caller in self._callers.values())

    def caller(self, key: str) -> Caller | None:
        """Whose key this is. Every hash is compared, each in constant time, so the time taken tells nothing."""
        presented = hash_key(key)
        found: Caller | None = None
        for stored, caller in self._callers.items():
            if hmac.compare_digest(stored, presented):
                found = caller
        return found


def new_key() -> str:
    """A new key: 256 random bits, with a prefix that secret scanners and people recognise."""
    return "accede_" + secrets.token_urlsafe(32)


def hash_key(key: str) -> str:
    """The SHA-256 of a key, 64 hex digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def key_line(name: str, role: Role, key: str) -> str:
    """The line of ACCEDE_API_KEYS that accepts `key`."""
    return f"{name}:{role}:{hash_key(key)}"


def parse_keys(text: str) -> ApiKeys:
    """Read `name:role:sha256hex`, one a line (or comma-separated); blank lines and `#` comments are skipped.

    Raises KeysInvalid naming every bad line at once, without repeating secrets.
    """
    callers: dict[str, Caller] = {}
    faults: list[str] = []
    for number, line in enumerate(re.split(r"[\n,]", text), start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        fault = _fault(entry, callers)
        if fault:
            faults.append(f"entry {number}: {fault}")
            continue
        name, role, digest = entry.split(":")
        callers[digest] = Caller(name, next(known for known in ROLES if known == role))
    if faults:
        raise KeysInvalid("API keys cannot be read: " + "; ".join(faults) + ". Make lines with `accede keys new`.")
    return ApiKeys(callers)


def _fault(entry: str, callers: dict[str, Caller]) -> str | None:
    parts = entry.split(":")
    if len(parts) != 3:
        return "it must be name:role:sha256hex"
    name, role, digest = parts
    if not _NAME.fullmatch(name):
        return "the name must be 1 to 64 lower-case letters, digits, '.', '_' or '-'"
    if role not in ROLES:
        return f"the role must be one of {', '.join(ROLES)}"
    if not _HASH.fullmatch(digest):
        return "the hash must be 64 lower-case hex digits (the SHA-256 of the key, not the key)"
    if digest in callers or any(caller.name == name for caller in callers.values()):
        return "the name or the key is there twice"
    return None


def require(role: Role) -> Callable[..., Awaitable[Caller]]:
    """A FastAPI dependency: the Caller, if its key has at least `role`; else Problem 401 or 403.

    The app's keys are those given to `create_web` (`app.state.api_keys`).
    """

    async def caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        keys: ApiKeys = request.app.state.api_keys
        found = keys.caller(credentials.credentials) if credentials else None
        if found is None:
            raise _unauthorised(key_sent=credentials is not None)
        if not found.may(role):
            detail = f"This needs a key with the role {role}; yours has the role {found.role}."
            raise Problem(403, "Not allowed", detail, type="forbidden")
        return found

    return caller


ChannelCaller = Annotated[Caller, Depends(require("channel"))]
"""The parameter of a route for channels and up: `async def submit(caller: ChannelCaller)`."""
OperatorCaller = Annotated[Caller, Depends(require("operator"))]
"""The parameter of a route for operators and up."""
DeciderCaller = Annotated[Caller, Depends(require("decider"))]
"""The parameter of a route for deciders and admins."""
AdminCaller = Annotated[Caller, Depends(require("admin"))]
"""The parameter of a route for admins alone."""


def _unauthorised(*, key_sent: bool) -> Problem:
    fault = "This API key is not known here." if key_sent else "No API key was sent."
    challenge = 'Bearer realm="accede"' + (', error="invalid_token"' if key_sent else "")
    return Problem(
        401,
        "An API key is needed",
        f"{fault} Send one in the header `Authorization: Bearer <key>`.",
        type="unauthorised",
        headers={"WWW-Authenticate": challenge},
    )
