"""Drafts of the web form: what was entered so far, how it reads as a submission, and what is still to do.

Only values that the policy has no objection to are kept in a draft, so a draft is as small as a submission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from services.intake.domain.applications import application_id_for
from services.intake.domain.forms import LANGUAGE, NO, YES, Field, Step, hash_question
from services.intake.domain.submissions import read
from shared.application import AnswerValue, Submission
from shared.errors import FieldError
from shared.policy.answers import is_blank
from shared.policy.base import DEFAULT_LOCALE
from shared.policy.pack import PolicyDocument

KEPT: Final = timedelta(days=30)
"""How long a draft is kept after its last change. Its link opens for as long as the draft is there."""
LONGEST: Final = timedelta(days=365)
"""How long a draft is kept at most, however often it is changed."""
PUBLIC: Final = "public"
"""Who sends a new application with the form, where an API key's name would stand."""

Progress = Literal["not_started", "in_progress", "done"]


@dataclass(frozen=True, slots=True)
class Amends:
    """What a draft changes: an application as it was in `revision`. `link_generation` is that of the link by which the
    draft was begun: when the application's links are revoked, the draft's opens nothing either."""

    application_id: str
    revision: int
    link_generation: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """One form being filled in. `values` are by field name. `version` counts the changes.

    `begun`: when (real time). `address`: where its link was last sent to. `amends`: the application that it changes; None
    for a new one. `read_hash` and `read_count`: how many commitments of which text were read. `sealed`: it was sent, or is
    being sent, and nothing in it changes any more; `application_id`: what it became, and then its values are gone.
    """

    draft_id: str
    category: str
    expires: datetime
    version: int = 1
    values: Mapping[str, AnswerValue] = field(default_factory=dict)
    consent: bool = False
    asked_consent: bool = False
    read_hash: str = ""
    read_count: int = 0
    sealed: bool = False
    application_id: str | None = None
    begun: datetime | None = None
    address: str = ""
    locale: str = DEFAULT_LOCALE
    amends: Amends | None = None

    @property
    def language(self) -> str:
        """The locale in which whoever fills it in is written to: the one that was chosen, else the one it began with."""
        return str(self.values.get(LANGUAGE) or self.locale)

    @property
    def about(self) -> str:
        """The application that it changes, or that it becomes when it is sent: its id is known from the beginning."""
        return self.amends.application_id if self.amends else application_id_for(PUBLIC, self.draft_id, "form")

    def value(self, name: str) -> AnswerValue | None:
        """What was entered in a field; None: nothing."""
        return self.values.get(name)


def expiry(begun: datetime, real: datetime) -> datetime:
    """When a draft expires that was changed at `real`."""
    return min(real + KEPT, begun + LONGEST)


def changed(draft: Draft, after: Draft, real: datetime) -> Draft:
    """`after` as the next version of `draft`, kept for longer since it was changed at `real`."""
    begun = draft.begun or draft.expires - KEPT
    return replace(after, version=draft.version + 1, begun=begun, expires=expiry(begun, real))


def with_values(draft: Draft, step: Step, values: Mapping[str, AnswerValue | None]) -> Draft:
    """The draft with a page's fields as entered; what is blank is taken out."""
    kept = {name: value for name, value in draft.values.items() if name not in {each.name for each in step.fields}}
    given = {name: value for name, value in values.items() if value is not None and not is_blank(value)}
    return replace(draft, values={**kept, **given})


def with_signature(draft: Draft, document: PolicyDocument) -> Draft:
    """The draft with the hash of the text that was signed. It is that of the commitments that were read."""
    name = hash_question(document)
    return draft if name is None else replace(draft, values={**draft.values, name: document.commitments.hash})


def with_read(draft: Draft, document: PolicyDocument, number: int) -> Draft:
    """The draft after reading commitment `number` (from 1). A changed text is read from its beginning."""
    before = read_of(draft, document)
    return replace(draft, read_hash=document.commitments.hash, read_count=max(before, min(number, before + 1)))


def read_of(draft: Draft, document: PolicyDocument) -> int:
    """How many of the commitments, as they are now, were read."""
    return draft.read_count if draft.read_hash == document.commitments.hash else 0


def all_read(draft: Draft, document: PolicyDocument) -> bool:
    """Whether every commitment, as it is now, was read."""
    return read_of(draft, document) >= len(document.commitments.items)


def signed_before(draft: Draft, document: PolicyDocument) -> bool:
    """Whether another text than the commitments of now was signed: they have changed since."""
    name = hash_question(document)
    signed = draft.value(name) if name else None
    return signed is not None and signed != document.commitments.hash


def entered(step: Step, entries: Mapping[str, Sequence[str]]) -> dict[str, AnswerValue | None]:
    """The values of a page's fields, from what a browser sends; None is "left blank"."""
    return {each.name: _entered(each, entries.get(each.name, ())) for each in step.fields}


def _entered(one: Field, texts: Sequence[str]) -> AnswerValue | None:
    plain = [text.replace("\r\n", "\n").strip() for text in texts]
    if one.type == "choices":
        return plain or None
    first = plain[0] if plain else ""
    if one.type == "list":
        return [line.strip() for line in first.split("\n") if line.strip()] or None
    if one.type == "boolean":
        return {YES: True, NO: False}.get(first, first or None)
    return first or None


def document_of(draft: Draft, policy: PolicyDocument) -> dict[str, Any]:
    """The draft as the document a client would send. Answers to questions that are not asked of its category stay out."""
    found: dict[str, Any] = {"category": draft.category, "organisation": {}, "contact": {}}
    found["consent"] = {"register_interest": draft.consent}
    found["locale"] = draft.language
    asked = policy.questions_for(draft.category)
    found["answers"] = {name: value for name, value in draft.values.items() if name in asked}
    for name, value in draft.values.items():
        section, _, member = name.partition(".")
        if section in ("organisation", "contact") and name not in policy.questions:
            found[section][member] = value
    others = draft.value("secondary_categories")
    if isinstance(others, list):
        found["secondary_categories"] = [each for each in others if each != draft.category]
    return found


def submission_of(draft: Draft, policy: PolicyDocument) -> Submission | list[FieldError]:
    """What sending the draft sends, or every field that fails: the judgement of every channel."""
    return read(document_of(draft, policy), policy)


def errors_of_category(category: str, policy: PolicyDocument) -> list[str]:
    """What is wrong with the choice of a category."""
    found = read({"category": category} if category else {}, policy)
    return [] if isinstance(found, Submission) else [each.message for each in found if each.pointer == "/category"]


def errors_of(draft: Draft, step: Step, policy: PolicyDocument) -> list[tuple[Field, str]]:
    """What is wrong with a page's fields, in their order, with the sentence that every channel gives."""
    found = submission_of(draft, policy)
    if isinstance(found, Submission):
        return []
    return [(each, error.message) for each in step.fields for error in found if _is_of(error, each)]


def _is_of(error: FieldError, one: Field) -> bool:
    return (
        error.pointer == one.pointer
        or error.pointer.startswith(f"{one.pointer}/")
        or (
            # a section that was left out whole is named by itself
            len(one.path) > 1 and one.path[0] != "answers" and error.pointer == f"/{one.path[0]}"
        )
    )


def progress(draft: Draft, step: Step, policy: PolicyDocument) -> Progress:
    """How far a page is filled in. Optional fields do not count."""
    wanted = [each for each in step.fields if not each.optional]
    answered = sum(draft.value(each.name) is not None for each in wanted)
    started = answered or any(draft.value(each.name) is not None for each in step.fields)
    if step.signs:
        again = signed_before(draft, policy)
        started = started or again or read_of(draft, policy) > 0
        if again or not all_read(draft, policy):
            return "in_progress" if started else "not_started"
    if answered == len(wanted) and (wanted or started):
        return "done"
    return "in_progress" if started else "not_started"


def unanswered(draft: Draft, steps: Iterable[Step]) -> list[tuple[Step, Field]]:
    """Fields that were left blank and are asked for."""
    return [
        (step, each) for step in steps for each in step.fields if not each.optional and draft.value(each.name) is None
    ]
