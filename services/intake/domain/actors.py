"""Who does something to an application, beside API keys."""

from __future__ import annotations

from typing import Final

APPLICANT: Final = "the applicant"
"""Stands where an API key's name would; no key can have it."""
_ACTOR: Final = "applicant"


def actor_of(client: str) -> str:
    """Who it was, for the audit: the name of an API key, or `applicant`."""
    return _ACTOR if client == APPLICANT else client
