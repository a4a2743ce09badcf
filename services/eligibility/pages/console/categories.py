"""What the console calls the kinds of organisation."""

from __future__ import annotations

from shared.policy.base import DEFAULT_LOCALE, text_in
from shared.policy.pack import PolicyDocument


def labels_of(*documents: PolicyDocument) -> dict[str, str]:
    """Category → its label in the console's language. Of several policies, the last one that has a category names it."""
    return {
        name: text_in(each.label, DEFAULT_LOCALE)
        for document in documents
        for name, each in document.categories.items()
    }
