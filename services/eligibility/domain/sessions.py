"""Sessions of people who are signed in, and links that sign somebody in once. Pure.

Whoever holds the token is signed in; only its hash is kept. Both run by the real time: the test clock opens no door.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

IDLE: Final = timedelta(hours=1)
"""A session ends when nothing was asked for so long."""
LONGEST: Final = timedelta(hours=12)
"""A session ends after so long in any case: a working day."""
LINK_LIFE: Final = timedelta(hours=24)
"""How long a link may be used that signs in once."""
NOTED: Final = timedelta(minutes=1)
"""That a session is in use is noted this often."""
FRESH: Final = timedelta(minutes=15)
"""For so long after signing in by a link a password is chosen without the one before it, which may be forgotten."""
REFUSED_WINDOW: Final = timedelta(minutes=15)
"""Tries under names that are no account's are put on record this often."""


Way = Literal["password", "link", "single_sign_on"]
"""How somebody came in."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is kept: under its token's hash."""

    key: str
    account: str
    began: datetime
    seen: datetime
    way: Way = "password"

    def proves_enough(self, real: datetime) -> bool:
        """Whether its owner may choose a password without the one they have: they came by a link, just now."""
        return self.way == "link" and real - self.began < FRESH

    def expires(self) -> datetime:
        """When it ends unless something is asked for before."""
        return min(self.seen + IDLE, self.began + LONGEST)


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link that signs `account` in once, as it is kept: under its token's hash."""

    key: str
    account: str
    by: str
    expires: datetime


def new_token() -> str:
    """256 random bits, for a cookie or an address."""
    return secrets.token_urlsafe(32)


def key_of(token: str) -> str:
    """Under which key a token's session or link is kept. There is nothing to guess, so one round of SHA-256 will do."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(token: str) -> str:
    """What every form of a session carries: whoever can read it has the session's own page (against CSRF)."""
    return hmac.new(token.encode(), b"accede.form", hashlib.sha256).hexdigest()


def is_form_token(token: str, presented: str) -> bool:
    """Whether a form was made for this session; compared in constant time. Anything may be presented."""
    return hmac.compare_digest(form_token(token).encode(), presented.encode(errors="replace"))
