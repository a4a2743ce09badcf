"""Signed links: whoever holds one may see one application, without an account.

Tokens are signed (HMAC, itsdangerous), not encrypted, and carry the time of signing. A token made for one purpose opens
nothing else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from itsdangerous import BadData, URLSafeTimedSerializer

MIN_SECRET: Final = 32
MESSAGE: Final = "This link is not valid, or it has expired. Ask us for a new one."


STATUS: Final = "status"
"""The purpose of the link to an application's own page. Its subject is an application id with a generation."""
INTEREST: Final = "interest"
"""The purpose of the link with which a held applicant leaves the list of those who are told."""


def status_subject(application_id: str, generation: int) -> str:
    """What a status link is signed for. `generation` counts how often the application's links were revoked before."""
    return f"{application_id}.{generation}" if generation else application_id


def read_status_subject(subject: str) -> tuple[str, int]:
    """The application id and the generation of a status link's subject."""
    application_id, _, generation = subject.partition(".")
    return application_id, int(generation) if generation.isdecimal() else 0


class LinkInvalid(Exception):
    """The token is forged, damaged, for another purpose or expired: one message, so it teaches a forger nothing."""

    def __init__(self) -> None:
        super().__init__(MESSAGE)


class Links:
    """Makes and opens signed tokens. `secret`: 32 characters or more; further lines are old secrets that still open."""

    def __init__(self, secret: str) -> None:
        secrets = secret.split()
        if not secrets or any(len(each) < MIN_SECRET for each in secrets):
            raise ValueError(
                f"The link secret must have {MIN_SECRET} characters or more: make one with `openssl rand -hex 32`."
            )
        self._secrets = secrets[::-1]  # itsdangerous wants the newest last

    def sign(self, purpose: str, subject: str) -> str:
        """A URL-safe token for `subject` (an application id) that opens for `purpose` (`"status"`) alone."""
        return self._serializer(purpose).dumps(subject)

    def open(self, purpose: str, token: str, max_age: timedelta | None = None) -> str:
        """The subject of a token made by `sign` for the same purpose, not older than `max_age` (real time).

        Raises LinkInvalid.
        """
        try:
            subject = self._serializer(purpose).loads(token, max_age=_seconds(max_age))
        except BadData:
            raise LinkInvalid from None
        if not isinstance(subject, str):
            raise LinkInvalid
        return subject

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secrets, salt=f"accede.link.{purpose}")


def _seconds(age: timedelta | None) -> int | None:
    return None if age is None else int(age.total_seconds())
