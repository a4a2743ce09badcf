"""Texts in the reader's language on a page that is in English."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from shared.policy.base import DEFAULT_LOCALE, locale_of
from shared.policy.languages import direction_of


def marked(localised: Mapping[str, str], locale: str) -> str:
    """The text in `locale`, as `text_in` finds it, with its language and direction said where it is not the page's own,
    English."""
    found = locale_of(localised, locale)
    text = localised[found]
    if found.partition("-")[0] == DEFAULT_LOCALE:
        return text
    return Markup('<span lang="{}" dir="{}">{}</span>').format(found, direction_of(found), text)
