"""Passwords: which will do, and how they are kept: Argon2id with 19 MiB, two passes and one lane (OWASP's first choice).

Hashing takes some 20 ms and is done in a thread; the library lets go of the interpreter meanwhile.
"""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import FieldError, Refused

SHORTEST: Final = 12
LONGEST: Final = 256
_FEWEST_DIFFERENT: Final = 5
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$C5rm0QLKTimf3Ud3XHbOrw$oSJC7fogDJssGbOsIbL46CwTH+gKj7LC8kbuUAJlAH4"
"""Compared when there is no such account, so that the time it takes does not tell. It is the hash of `the password of an
account that is not there`; written out, since to make it at each start takes a twentieth of the start."""


def hashed(password: str) -> str:
    """The hash to keep, with its salt and parameters."""
    return _hasher.hash(password)


def matches(kept: str, password: str) -> bool:
    """Whether this is the password of that hash."""
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def require_good(password: str, account: str) -> None:
    """Raises Refused when a password is too easily guessed. Length is what counts; no character is asked for."""
    fault = _fault(password, account)
    if fault:
        raise Refused("The password was not changed.", [FieldError("/password", fault)])


def _fault(password: str, account: str) -> str | None:
    if len(password) < SHORTEST:
        return f"needs {SHORTEST} characters or more; four unrelated words are good"
    if len(password) > LONGEST:
        return f"may have {LONGEST} characters at most"
    if len(set(password.casefold())) < _FEWEST_DIFFERENT:
        return "repeats too few characters; four unrelated words are good"
    if len(account) > 3 and account in password.casefold():
        return "contains the account's name; choose something that has nothing to do with you"
    return None
