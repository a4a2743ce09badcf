"""A CSV row as a submission, the plain way."""

from __future__ import annotations

from typing import Any

from shared.policy.pack import PolicyDocument

ENVELOPE = ("organisation.name", "organisation.country", "organisation.website", "contact.name", "contact.email")


def submission_of(row: dict[str, str], document: PolicyDocument) -> dict[str, Any]:
    """The submission's JSON of one row."""
    nested: dict[str, Any] = {"organisation": {}, "contact": {}}
    for name in ENVELOPE:
        if row.get(name):
            outer, _, inner = name.partition(".")
            nested[outer][inner] = row[name]
    answers: dict[str, Any] = {}
    for name, question in document.questions.items():
        text = row.get(name, "")
        if text == "":
            continue
        if question.type == "boolean":
            answers[name] = text.lower() in ("true", "yes")
        elif question.type in ("choices", "list"):
            answers[name] = [part.strip() for part in text.split(";")]
        else:
            answers[name] = text
    return {
        "category": row["category"],
        "secondary_categories": [part for part in row["secondary_categories"].split(";") if part],
        **nested,
        "locale": row["locale"] or "en",
        "consent": {"register_interest": row["consent.register_interest"].lower() in ("true", "yes")},
        "answers": answers,
    }
