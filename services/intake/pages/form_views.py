"""What the templates of the web form show: fields with their values and errors, pages with their progress."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.intake.domain.amendments import Change
from services.intake.domain.drafts import Draft, Progress, progress
from services.intake.domain.forms import NO, ORGANISATION, YES, Field, Step, organisation_step, question_steps
from services.intake.pages.words import until_in_words
from shared.application import AnswerValue
from shared.policy.base import DEFAULT_LOCALE, text_in
from shared.policy.countries import countries
from shared.policy.pack import Pause, PolicyDocument
from shared.web.layout import day

LOCALE = DEFAULT_LOCALE
LONG = 300
"""A text that may be longer than this gets several lines to write in."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field as it is shown. `kind`: radios, checkboxes, select, area or line; `value`: what stands in it."""

    name: str
    kind: str
    label: str
    hint: str
    value: str
    chosen: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    errors: tuple[str, ...]
    input_type: str
    autocomplete: str
    optional: bool
    max_length: int
    rows: int

    @property
    def focus(self) -> str:
        """The id of what gets the focus when somebody follows a link to an error: a group's first option."""
        return _focus(self.name, self.kind)

    @property
    def described_by(self) -> str:
        """The ids of the hint and the error, for those who hear the page."""
        ids = [f"{self.name}-hint"] * bool(self.hint) + [f"{self.name}-error"] * bool(self.errors)
        return " ".join(ids)


def field_views(
    step: Step, values: Mapping[str, AnswerValue | None], errors: Sequence[tuple[Field, str]] = ()
) -> list[FieldView]:
    """The fields of a page with what was entered and what is wrong with it."""
    return [
        _view(each, values.get(each.name), tuple(sentence for one, sentence in errors if one.name == each.name))
        for each in step.fields
    ]


def _view(one: Field, value: AnswerValue | None, errors: tuple[str, ...]) -> FieldView:
    lines = one.type == "list" or (one.type == "text" and (one.multiline or one.max_length > LONG))
    return FieldView(
        name=one.name,
        kind=_KINDS.get(one.type, "area" if lines else "line"),
        label=text_in(one.label, LOCALE),
        hint=_hint(one),
        value="\n".join(value) if isinstance(value, list) else value if isinstance(value, str) else "",
        chosen=_chosen(value),
        options=_options(one),
        errors=errors,
        input_type={"email": "email", "url": "url", "date": "date"}.get(one.type, "text"),
        autocomplete=one.autocomplete or "off",
        optional=one.optional,
        max_length=one.max_length,
        rows=8 if one.multiline else 3,
    )


def focus_of(one: Field) -> str:
    """The id of what gets the focus when somebody follows a link to a field."""
    return _focus(one.name, _KINDS.get(one.type, "line"))


def _focus(name: str, kind: str) -> str:
    return f"{name}-1" if kind in ("radios", "checkboxes") else name


def _hint(one: Field) -> str:
    hint = text_in(one.hint, LOCALE) if one.hint else ""
    more = {"list": "Write each on a line of its own.", "date": "For example 2021-09-30."}.get(one.type, "")
    return " ".join(each for each in (hint, more) if each)


def _chosen(value: AnswerValue | None) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (YES if value else NO,)
    return tuple(value) if isinstance(value, list) else (value,) if value else ()


def _options(one: Field) -> tuple[tuple[str, str], ...]:
    if one.type == "boolean":
        return ((YES, "Yes"), (NO, "No"))
    if one.type == "country":
        return tuple(sorted(countries().items(), key=lambda each: each[1]))
    return tuple((name, text_in(label, LOCALE)) for name, label in (one.choices or {}).items())


_KINDS = {"boolean": "radios", "choice": "radios", "choices": "checkboxes", "country": "select"}


def in_words(one: Field, value: AnswerValue | None) -> str:
    """An answer as people read it; empty when there is none."""
    options = dict(_options(one))
    if one.type == "date" and isinstance(value, str):
        return _day_in_words(value)
    if one.type == "list" and isinstance(value, list):
        return "\n".join(value)
    return "\n".join(options.get(each, each) for each in _chosen(value))


def _day_in_words(text: str) -> str:
    """A date in words. What was sent under an earlier policy, which asked for no date there, stands as it is."""
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class Task:
    """A line of the list of what is to do. `missing`: a decision found something missing there."""

    label: str
    address: str
    progress: Progress
    missing: bool = False


def steps_of(draft: Draft, policy: PolicyDocument) -> tuple[Step, ...]:
    """All pages of a draft, in their order."""
    return (organisation_step(policy, draft.category), *question_steps(policy, draft.category))


def address_of(step: Step) -> str:
    """Where a page lies, below the draft's own address."""
    return "organisation" if step.id == ORGANISATION else f"questions/{step.id}"


def tasks_of(draft: Draft, policy: PolicyDocument, missing: Collection[str] = ()) -> list[Task]:
    """What is to do, and how far it is. `missing`: the ids of pages where a decision found something missing."""
    return [
        Task(text_in(step.label, LOCALE), address_of(step), progress(draft, step, policy), step.id in missing)
        for step in steps_of(draft, policy)
    ]


def pauses_shown(pauses: Iterable[Pause], policy: PolicyDocument) -> list[dict[str, Any]]:
    """Pauses in words: message, reason, end, and who may apply all the same."""
    return [
        {
            "message": text_in(pause.message, LOCALE),
            "reason": text_in(pause.reason, LOCALE),
            "until": until_in_words(pause.until, pause.timezone),
            "exempt": [
                text_in(policy.categories[each].label, LOCALE) for each in pause.exempt if each in policy.categories
            ],
        }
        for pause in pauses
    ]


def changes_shown(changes: Iterable[Change]) -> list[dict[str, str]]:
    """What is changed, in words: `label`, `before`, `after`, and the `address` of the page where it stands, if on any."""
    return [
        {
            "label": text_in(each.field.label, LOCALE),
            "before": in_words(each.field, each.before),
            "after": in_words(each.field, each.after),
            "address": address_of(each.step) if each.step else "",
        }
        for each in changes
    ]
