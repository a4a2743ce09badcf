"""Names of files as their senders gave them, made safe to show, to log and to send back."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 150
"""Characters of a name; a longer one is cut in its stem, so that its ending stays."""
_UNFIT: Final = re.compile(
    # control characters, separators of lines, what turns the direction of writing or is not seen, halves of characters,
    # and what file systems give a meaning
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\ud800-\udfff"
    '\U000e0000-\U000e0fff<>:"|?*]+'
)
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|\Z)", re.IGNORECASE)
"""Names that Windows takes for devices, with any ending."""


def clean_name(name: str, otherwise: str = "document") -> str:
    """The last part of a path, without what could deceive or harm; `otherwise` when nothing is left of it.

    The ending that is seen is the ending that is there. It is never used as a path here, and is safe as one elsewhere.
    """
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    plain = _UNFIT.sub("_", last).strip(" .\u00a0") or otherwise
    plain = f"_{plain}" if _DEVICES.match(plain) else plain
    stem, dot, suffix = plain.rpartition(".")
    if not dot or len(suffix) > 10:
        return plain[:LONGEST].strip(" .")
    return f"{stem[: LONGEST - len(suffix) - 1].strip(' .')}.{suffix}"


def suffix_of(name: str) -> str:
    """The ending in small letters, without its dot; empty when there is none."""
    stem, dot, suffix = name.rpartition(".")
    return suffix.lower() if dot and stem and re.fullmatch(r"[A-Za-z0-9]{1,10}", suffix) else ""
