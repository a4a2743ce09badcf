"""How display names and subjects become safe.

An address that carries a control character is refused (`shared.policy.addresses`). A display name or a subject is only
decoration: there, control and invisible characters become spaces.
"""

from __future__ import annotations

import re
from typing import Final

from shared.policy.addresses import UNSAFE
from shared.policy.languages import FIRST_ISOLATE, POP_ISOLATE

_BESIDE_ISOLATES: Final = re.compile(f"(?:(?![{FIRST_ISOLATE}{POP_ISOLATE}]){UNSAFE.pattern.removesuffix('+')})+")


def one_line(text: str, *, isolates: bool = False) -> str:
    """The text on one line: control and direction marks become spaces, runs of white space one space. With `isolates`, the
    two marks stay that `shared.policy.languages.isolated` puts around a text."""
    return " ".join((_BESIDE_ISOLATES if isolates else UNSAFE).sub(" ", text).split())
