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
DRAFT: Final = "draft"
"""The purpose of the link to a draft of the web form. It opens for as long as the draft is kept."""
NOMINATION: Final = "nomination"
"""The purpose of the link with which a nominee answers. Its subject is a nomination's id."""
INTEREST: Final = "interest"
"""The purpose of the link with which somebody leaves the list of those who are told. Its subject is an application id, or
that of an interest which belongs to none (`interest_subject`)."""
INVITATION: Final = "invitation"
"""The purpose of the link with which somebody who was invited begins an application. Its subject is that of the status link
of the application that was held (`status_subject`), or the request of the short form (`interest_subject`)."""
LIAISON: Final = "liaison"
"""The purpose of the link to a request to the liaison, for whoever sent it. Its subject is the request's id."""
DESK_EMAILS: Final = "desk-emails"
"""The purpose of the link from the console to the emails about an application. Its subject is the application's id."""
DESK_DOCUMENTS: Final = "desk-documents"
"""The purpose of the link from the console to the documents of an application. Its subject is the application's id."""
DESK_OPENS_FOR: Final = timedelta(hours=1)
"""How long links from the console open: it makes them anew with each page, and who is no longer let in there is not to see
more than that by a page that was left open."""
_INTEREST: Final = "interest."


def status_subject(application_id: str, generation: int) -> str:
    """What a status link is signed for. `generation` counts how often the application's links were revoked before."""
    return f"{application_id}.{generation}" if generation else application_id


def read_status_subject(subject: str) -> tuple[str, int]:
    """The application id and the generation of a status link's subject."""
    application_id, _, generation = subject.partition(".")
    return application_id, int(generation) if generation.isdecimal() else 0


def interest_subject(interest_id: str) -> str:
    """What the link to an interest is signed for that belongs to no application."""
    return _INTEREST + interest_id


def read_interest_subject(subject: str) -> tuple[str | None, str | None]:
    """The application id or the interest id of such a link's subject; the other one is None."""
    interest_id = subject.removeprefix(_INTEREST)
    return (subject, None) if interest_id == subject else (None, interest_id)


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

    def vouches(self, purpose: str, token: str, subject: str, max_age: timedelta) -> bool:
        """Whether a token was made for this purpose and subject, not longer ago than `max_age`: as the one in a form, that
        it was made by the page which this subject opens."""
        try:
            return self.open(purpose, token, max_age) == subject
        except LinkInvalid:
            return False

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secrets, salt=f"accede.link.{purpose}")


def _seconds(age: timedelta | None) -> int | None:
    return None if age is None else int(age.total_seconds())
