"""Texts that a spreadsheet would take for formulas, made harmless and read again."""

from __future__ import annotations

from typing import Final

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe is put before what it might (OWASP, CSV injection)."""
    return f"'{text}" if text.lstrip("'").startswith(_DANGEROUS) else text


def as_given(text: str) -> str:
    """What `harmless` made harmless, as it was."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_DANGEROUS) else text
