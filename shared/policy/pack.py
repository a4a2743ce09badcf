"""What a policy pack says, as frozen types.

`PolicyDocument` is the whole of it and is plain JSON both ways (`model_dump(mode="json")`, `model_validate`), so it can
travel in an event and be judged against where no pack folder is at hand. `loader.load_pack` is the only maker of one
from files, and the only place that checks it.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from shared.policy.base import DEFAULT_LOCALE, Instant, Localised, PackType, QuestionType, Value, text_in
from shared.policy.identity import Identity
from shared.policy.wall_clock import zone_named

__all__ = [
    "Benefit",
    "Category",
    "Commitment",
    "CommitmentPoint",
    "Commitments",
    "Criterion",
    "Declaration",
    "EvidenceKind",
    "Example",
    "Fact",
    "Group",
    "Liaison",
    "Localised",
    "Need",
    "Nominee",
    "Pause",
    "Policy",
    "PolicyDocument",
    "Question",
    "Value",
    "canonical_commitments",
    "document_hash",
    "text_in",
]


class Question(PackType):
    """One field an applicant may answer. `choice` takes one of `choices`, `choices` several, `list` several free texts."""

    type: QuestionType
    label: Localised
    hint: Localised | None = None
    choices: dict[str, Localised] = Field(default_factory=dict)
    max_length: int = Field(default=4000, ge=1, le=100_000, description="Characters, of each text.")
    multiline: bool = Field(default=False, description="Whether a text may have line breaks.")
    asked_of: tuple[str, ...] = Field(default=(), description="Categories whose form shows it; empty is all.")


class Group(PackType):
    """Questions that a form shows on one page, in this order, with the pack's texts that are read before them."""

    id: str
    label: Localised
    hint: Localised | None = None
    questions: tuple[str, ...] = Field(min_length=1)
    texts: tuple[str, ...] = Field(default=(), description="Names of texts shown above the questions.")


class EvidenceKind(PackType):
    """A kind of document that applicants are asked for, as a file beside their answers. No rule judges files: people do."""

    id: str
    label: Localised
    hint: Localised | None = None
    for_: tuple[str, ...] = Field(
        default=(), alias="for", description="Categories that are asked for it; empty is all."
    )
    criteria: tuple[str, ...] = Field(default=(), description="Criteria whose answers it supports.")
    required: bool = Field(default=False, description="Whether a form says that it is missing; it can be sent without.")


class Category(PackType):
    """One kind of organisation that may join, and the evidence it is asked for."""

    label: Localised
    hint: Localised
    evidence: tuple[Localised, ...]
    source: int | None = Field(default=None, description="Number of the requirement this comes from.")


class Fact(PackType):
    """A yes-or-no derived from one answer: is it in a reference list, or the hash of the pack's own texts."""

    from_: str = Field(alias="from")
    in_list: str | None = None
    equals_hash_of: Literal["commitments"] | None = None

    @model_validator(mode="after")
    def _one_derivation(self) -> Self:
        if (self.in_list is None) == (self.equals_hash_of is None):
            raise ValueError("a fact has exactly one of in_list and equals_hash_of")
        return self


def _as_alternatives(need: Any) -> Any:
    return {"any": [need]} if isinstance(need, str) else need


class Need(PackType):
    """Names of which at least one must be given; most needs have exactly one. A bare name is read as that."""

    any: tuple[str, ...] = Field(min_length=1)


def _as_needs(needs: Any) -> Any:
    return [needs] if isinstance(needs, dict) else needs


AnswerKind = Literal["met", "not_met", "missing", "needs_human"]
ANSWER_KINDS: tuple[AnswerKind, ...] = ("met", "not_met", "missing", "needs_human")


class Example(PackType):
    """Values of some names and the answer the criterion must give to them. Written flat: `{name: value, answer: met}`."""

    values: dict[str, Value]
    answer: AnswerKind

    @model_validator(mode="before")
    @classmethod
    def _from_flat(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "values" in data:
            return data
        values = {name: value for name, value in data.items() if name != "answer"}
        for name, value in values.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                raise ValueError(f"{name}: a number must be written in quotes, answers are texts")
        return {"values": values} | {key: data[key] for key in ("answer",) if key in data}


class Criterion(PackType):
    """One rule: when it applies, what it needs, what it expects, and who judges.

    Without `expect` it is enough that the needs are given. `judge: person` turns what would be `met` into `needs_human`.
    `unmet: refer` sends an application that does not meet it to people instead of declining it; `unmet: missing` says
    that what was given does not count as given and is asked for again.
    """

    id: str
    statement: Localised
    remedy: Localised
    source: int
    when: str | None = None
    needs: Annotated[
        tuple[Annotated[Need, BeforeValidator(_as_alternatives)], ...], BeforeValidator(_as_needs), Field(min_length=1)
    ]
    expect: str | None = None
    judge: Literal["rule", "person"] = "rule"
    unmet: Literal["not_met", "refer", "missing"] = "not_met"
    own: bool = Field(default=False, description="Whether it establishes that the applicant is of its category.")
    examples: tuple[Example, ...] = ()

    def needed_names(self) -> Iterator[str]:
        """Every name of the needs, alternatives included, in order."""
        for need in self.needs:
            yield from need.any


class Declaration(PackType):
    """One of the things every new member must do, as shown to applicants, and the criteria that look after it."""

    id: str
    statement: Localised
    criteria: tuple[str, ...] = Field(min_length=1)
    source: int


class Nominee(PackType):
    """A person every applicant names, and who is asked whether they agree: which questions have their name and address."""

    id: str
    label: Localised
    hint: Localised = Field(description="What the person agrees to, as it is said to them.")
    name: str = Field(description="The question with their name.")
    email: str = Field(description="The question with their address.")


class CommitmentPoint(PackType):
    """A sub-point of a commitment."""

    id: str
    text: Localised


class Commitment(PackType):
    """One commitment, shown on its own before signing."""

    id: str
    text: Localised
    points: tuple[CommitmentPoint, ...] = ()


def canonical_commitments(items: tuple[Commitment, ...]) -> str:
    """The exact English text an applicant signs.

    One line each, in order: `1. <text>`, its sub-points `1.1 <text>`, then `2. …`; white space runs are one space, Unicode
    is NFC, lines end with a line feed except the last.
    """
    lines: list[str] = []
    for number, item in enumerate(items, start=1):
        lines.append(f"{number}. {item.text[DEFAULT_LOCALE]}")
        lines.extend(f"{number}.{part} {point.text[DEFAULT_LOCALE]}" for part, point in enumerate(item.points, start=1))
    return "\n".join(" ".join(unicodedata.normalize("NFC", line).split()) for line in lines)


class Commitments(PackType):
    """What members sign. `hash` is sha256 (hex) of `canonical_commitments` in UTF-8; filled in when it is not given."""

    statement: Localised = Field(description="Said wherever the commitments are signed.")
    items: tuple[Commitment, ...] = Field(min_length=1)
    hash: str = ""

    @property
    def text(self) -> str:
        """The exact text whose hash is signed."""
        return canonical_commitments(self.items)

    @model_validator(mode="after")
    def _hash_of_the_text(self) -> Self:
        found = hashlib.sha256(self.text.encode()).hexdigest()
        if self.hash and self.hash != found:
            raise ValueError(f"hash is not that of these texts, which is {found}")
        object.__setattr__(self, "hash", found)
        return self


class Benefit(PackType):
    """Something a member gets; `available` is false while it is still being made."""

    id: str
    text: Localised
    available: bool = True
    note: Localised | None = None


def _none_when_all(covers: Any) -> Any:
    return [] if covers == "all" else covers


class Pause(PackType):
    """A time in which new applications are held: `from` ≤ first receipt < `until`, both instants in UTC.

    In a pack file both are wall-clock times in `timezone`. No `covers` (or `covers: all`) is every category.
    """

    id: str
    covers: Annotated[tuple[str, ...], BeforeValidator(_none_when_all)] = ()
    exempt: tuple[str, ...] = ()
    from_: Instant = Field(alias="from")
    until: Instant
    timezone: str
    message: Localised
    reason: Localised

    def in_force(self, instant: datetime) -> bool:
        """Whether `instant` (aware) lies in the half-open interval."""
        return self.from_ <= instant < self.until

    def is_over(self, instant: datetime) -> bool:
        """Whether it holds nobody from `instant` (aware) on; so does one that ends before it begins."""
        return self.until <= max(instant, self.from_)

    def holds(self, category: str) -> bool:
        """Whether the category is covered and not exempt."""
        return (not self.covers or category in self.covers) and category not in self.exempt


def _known_zone(name: str) -> str:
    return zone_named(name).key


class Liaison(PackType):
    """How requests of those whom pauses exempt are answered: a person writes back within so many working days, Monday to
    Friday by the calendar of `timezone`. Public holidays are not known here and count as working days."""

    reply_within_working_days: int = Field(ge=1, le=250)
    timezone: Annotated[str, AfterValidator(_known_zone)]


class PolicyDocument(PackType):
    """Everything a policy pack says."""

    id: str
    version_label: str
    effective_from: Instant
    categories: dict[str, Category] = Field(min_length=1)
    questions: dict[str, Question]
    groups: tuple[Group, ...] = Field(default=(), exclude_if=lambda groups: not groups)
    evidence: tuple[EvidenceKind, ...] = Field(default=(), exclude_if=lambda kinds: not kinds)
    facts: dict[str, Fact] = Field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    declarations: tuple[Declaration, ...] = ()
    nominees: tuple[Nominee, ...] = Field(default=(), exclude_if=lambda nominees: not nominees)
    commitments: Commitments
    benefits: tuple[Benefit, ...] = ()
    pauses: tuple[Pause, ...] = ()
    liaison: Liaison | None = Field(default=None, exclude_if=lambda liaison: liaison is None)
    identity: Identity | None = Field(default=None, exclude_if=lambda identity: identity is None)
    texts: dict[str, Localised]

    def criterion(self, criterion_id: str) -> Criterion:
        """The criterion of that id; `KeyError` when there is none."""
        for criterion in self.criteria:
            if criterion.id == criterion_id:
                return criterion
        raise KeyError(criterion_id)

    def evidence_for(self, category: str) -> tuple[EvidenceKind, ...]:
        """The kinds of documents a form for this category asks for, in the pack's order."""
        return tuple(kind for kind in self.evidence if not kind.for_ or category in kind.for_)

    def questions_for(self, category: str) -> dict[str, Question]:
        """The questions a form for this category shows, in the pack's order."""
        return {
            name: question
            for name, question in self.questions.items()
            if not question.asked_of or category in question.asked_of
        }


class Policy(PackType):
    """A document with its hash: sha256 (hex) of its canonical JSON, the name a decision keeps of the version it used."""

    document: PolicyDocument
    hash: str

    @classmethod
    def of(cls, document: PolicyDocument) -> Policy:
        """The policy of a document, hashed."""
        return cls(document=document, hash=document_hash(document))


def document_hash(document: PolicyDocument) -> str:
    """Sha256 (hex) over JSON with sorted keys, no spaces, UTF-8, instants in UTC: the same wherever it is computed."""
    plain = document.model_dump(mode="json")
    return hashlib.sha256(
        json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()
