"""How display names and subjects become safe.

An address that carries a control character is refused (`shared.policy.addresses`). A display name or a subject is only
decoration: there, control and invisible characters become spaces.
"""

from __future__ import annotations

from shared.policy.addresses import UNSAFE


def one_line(text: str) -> str:
    """The text on one line: control and direction marks become spaces, runs of white space one space."""
    return " ".join(UNSAFE.sub(" ", text).split())
