"""Drafts that change an application: filled in with what was sent, compared with it, carried over to a newer revision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.intake.domain.drafts import Amends, Draft, expiry, signed_before, submission_of
from services.intake.domain.forms import LANGUAGE, Field, Step, hash_question, organisation_step, question_steps
from shared.application import AnswerValue, Application, Submission
from shared.events import ReceiptLine
from shared.policy.pack import PolicyDocument

MANY: Final = 20
"""Rounds in which faults are taken out. Each takes out all that it is told of, and it is told of a hundred at a time."""
_KIND: Final = {"en": "Kind of organisation"}
_EARLIER: Final = {"en": "An earlier text"}
_PRESENT: Final = {"en": "The text as it is now"}


@dataclass(frozen=True, slots=True)
class Change:
    """A field whose value is another than before. None: there is or was none. `step`: the page it stands on, if it is
    still asked."""

    field: Field
    before: AnswerValue | None
    after: AnswerValue | None
    step: Step | None = None


def as_sent(application: Application, draft_id: str, real: datetime) -> Draft:
    """The draft that would send this revision again."""
    organisation, contact = application.organisation, application.contact
    given: Mapping[str, AnswerValue | None] = {
        **application.answers,
        "organisation.name": organisation.name,
        "organisation.country": organisation.country,
        "organisation.website": organisation.website,
        "contact.name": contact.name,
        "contact.email": contact.email,
        LANGUAGE: application.locale,
        "secondary_categories": application.secondary_categories or None,
    }
    return Draft(
        draft_id,
        application.category,
        expires=expiry(real, real),
        begun=real,
        values={name: value for name, value in given.items() if value is not None},
        consent=application.consent.register_interest,
        locale=application.locale,
    )


def amending(
    application: Application, draft_id: str, link_generation: int, real: datetime, policy: PolicyDocument, held: bool
) -> Draft:
    """A draft that changes an application, filled in with its newest revision. `held`: a pause holds it, so that whoever
    sent it was asked for their consent to be told. A signature under the commitments of now stays; one under another text
    is dated anew when they are signed again, and what no longer fits its question is left blank, to be answered anew."""
    filled = replace(
        without_faults(as_sent(application, draft_id, real), policy),
        asked_consent=held or application.consent.register_interest,
        amends=Amends(application.application_id, application.revision, link_generation),
    )
    return with_signature_of(filled, policy)


def carried_over(draft: Draft, before: Application, newest: Application, policy: PolicyDocument) -> Draft:
    """The draft as a change of `newest` instead of `before`: what it changes stays changed, all else is as in `newest`."""
    assert draft.amends is not None
    began = draft.begun or draft.expires
    was, now = (as_sent(each, draft.draft_id, began) for each in (before, newest))
    names = {*was.values, *now.values, *draft.values}
    chosen = {name: (now if draft.value(name) == was.value(name) else draft).value(name) for name in names}
    carried = replace(
        draft,
        category=now.category if draft.category == was.category else draft.category,
        values={name: value for name, value in chosen.items() if value is not None},
        consent=now.consent if draft.consent == was.consent else draft.consent,
        locale=now.locale,
        amends=replace(draft.amends, revision=newest.revision),
        sealed=False,
    )
    return with_signature_of(carried, policy)


def with_signature_of(draft: Draft, policy: PolicyDocument) -> Draft:
    """Who signed the commitments of now has read them; who signed another text writes a new date under the new one."""
    name = hash_question(policy)
    if name is None or draft.value(name) is None:
        return draft
    if not signed_before(draft, policy):
        return replace(draft, read_hash=policy.commitments.hash, read_count=len(policy.commitments.items))
    dates = {
        each.name
        for step in question_steps(policy, draft.category)
        for each in step.fields
        if step.signs and each.type == "date"
    }
    return replace(draft, values={each: value for each, value in draft.values.items() if each not in dates})


def without_faults(draft: Draft, policy: PolicyDocument) -> Draft:
    """Without the values that every channel would refuse: a choice that is gone, an answer that has become another type."""
    for _ in range(MANY):
        found = submission_of(draft, policy)
        if isinstance(found, Submission):
            break
        failing = {each.pointer for each in found}
        kept = {name: value for name, value in draft.values.items() if not _fails(name, failing)}
        if len(kept) == len(draft.values):
            break
        draft = replace(draft, values=kept)
    return draft


def _fails(name: str, pointers: set[str]) -> bool:
    own = (f"/answers/{name}", "/" + name.replace(".", "/"))
    return any(pointer == each or pointer.startswith(f"{each}/") for pointer in pointers for each in own)


def changes(draft: Draft, before: Application, policy: PolicyDocument) -> list[Change]:
    """What a draft changes of a revision, in the order of the form. Answers that are not asked any more come last."""
    return _changes(_sent(draft, before), draft, policy)


def changes_between(before: Application, after: Application, policy: PolicyDocument) -> list[Change]:
    """What another revision changed."""
    was, now = (as_sent(each, "", each.received_at) for each in (before, after))
    return _changes(was, now, policy)


def _sent(draft: Draft, before: Application) -> Draft:
    return as_sent(before, draft.draft_id, draft.begun or draft.expires)


def _changes(was: Draft, now: Draft, policy: PolicyDocument) -> list[Change]:
    found = [Change(_kind(policy), was.category, now.category)] if was.category != now.category else []
    seen: set[str] = set()
    for step in _steps(now.category, policy):
        for each in (*step.fields, *_signature(step, policy, was, now)):
            seen.add(each.name)
            if was.value(each.name) != now.value(each.name):
                found.append(Change(each, was.value(each.name), now.value(each.name), step))
    if was.consent != now.consent:
        found.append(Change(_CONSENT, was.consent, now.consent))
    gone = (each for step in _steps(was.category, policy) for each in step.fields if each.name not in seen)
    return [*found, *(Change(each, was.value(each.name), None) for each in gone if was.value(each.name) is not None)]


def _steps(category: str, policy: PolicyDocument) -> tuple[Step, ...]:
    return (organisation_step(policy, category), *question_steps(policy, category))


def _kind(policy: PolicyDocument) -> Field:
    labels = {name: each.label for name, each in policy.categories.items()}
    return Field("category", ("category",), "choice", _KIND, choices=labels)


def _signature(step: Step, policy: PolicyDocument, *drafts: Draft) -> Iterable[Field]:
    """The text that was signed, in words: what is kept of it is its hash."""
    name = hash_question(policy) if step.signs else None
    if name is not None:
        hashes = {str(value) for each in drafts if (value := each.value(name)) is not None}
        words = {each: _PRESENT if each == policy.commitments.hash else _EARLIER for each in hashes}
        yield Field(name, ("answers", name), "choice", {"en": "The commitments that were signed"}, choices=words)


_CONSENT: Final = Field("consent", ("consent",), "boolean", {"en": "Be told when a pause is over"})


def missing_of(unmet: Iterable[ReceiptLine], policy: PolicyDocument) -> set[str]:
    """The questions that a decision found unanswered."""
    names = {name for line in unmet if line.answer == "missing" for name in line.missing}
    return {policy.facts[name].from_ if name in policy.facts else name for name in names}


def to_answer(
    draft: Draft, steps: Iterable[Step], missing: Collection[str], policy: PolicyDocument
) -> list[tuple[Step, Field | None]]:
    """What a decision found missing and the draft still lacks, page by page; None: the commitments are to be signed."""
    found: list[tuple[Step, Field | None]] = []
    for step in steps:
        if step.signs and (signed_before(draft, policy) or _unsigned(draft, missing, policy)):
            found.append((step, None))
            continue
        found += [(step, each) for each in step.fields if each.name in missing and draft.value(each.name) is None]
    return found


def _unsigned(draft: Draft, missing: Collection[str], policy: PolicyDocument) -> bool:
    name = hash_question(policy)
    return name is not None and name in missing and draft.value(name) is None
