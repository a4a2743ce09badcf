"""Messages of partners: what makes two of them the same."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

_MESSAGE_ID: Final = re.compile(r"[\x21-\x7e]{1,200}")


def may_be_key(message_id: str | None) -> bool:
    """Whether a message's id can be its idempotency key, as it could be in the API; a message may have none."""
    return message_id is None or _MESSAGE_ID.fullmatch(message_id) is not None


def key_of(message_id: str | None, correlation_id: str | None, body: bytes) -> str:
    """The idempotency key of a message: its id, else what it says.

    A queue delivers at least once, and a delivery has no identity of its own. So the same bytes under the same
    correlation id, from the same partner, are the same submission: no crash makes two applications of one message.
    """
    if message_id is not None:
        return message_id
    return f"body:{sha256((correlation_id or '').encode() + b'|' + body).hexdigest()}"
