"""A decision in words: what each criterion says, how it was answered, by what evidence, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from services.eligibility.domain.decisions import Decision, Judgement, recompute
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import PolicyVersion, Rulebook
from shared.policy.base import BUILT_INS, Value, text_in
from shared.policy.pack import PolicyDocument
from shared.policy.receipt import ExplainedAnswer, Say, explain, label_of, text_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing a criterion looked at, for a reader; `text` is None when it was not given."""

    label: str
    text: str | None


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One criterion with its answer, and the evidence it looked at: `values` by name, `evidence` in words."""

    explained: ExplainedAnswer
    values: Mapping[str, Value]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A decision with everything that explains it.

    `pause` is the version that held it. `recomputed`: judging again now, from the stored evidence and the policy version
    named, gave the same answers and the same outcome.
    """

    decision: Decision
    policy: PolicyVersion
    lines: tuple[ReceiptLine, ...]
    pause: PauseVersion | None
    recomputed: bool


def receipt_of(decision: Decision, rulebook: Rulebook, locale: str) -> Receipt:
    """The receipt in the reader's locale. `KeyError` when the rulebook has not the policy version of the decision."""
    judgement = decision.judgement
    policy = rulebook.policy(judgement.policy_hash)
    if policy is None:
        raise KeyError(judgement.policy_hash)
    hold = judgement.hold
    held_by = (
        version
        for version in rulebook.pauses
        if hold and (hold.pause_id, hold.version) == (version.pause_id, version.version)
    )
    return Receipt(
        decision=decision,
        policy=policy,
        lines=tuple(lines_of(policy.document, decision, locale)),
        pause=next(held_by, None),
        recomputed=_as_decided(decision, recompute(decision, policy, rulebook.pauses)) == judgement,
    )


def _as_decided(decision: Decision, again: Judgement) -> Judgement:
    """What rules say again, with the outcome that people gave it: of their decisions the answers alone follow from rules."""
    return again if decision.number == 1 else replace(again, outcome=decision.judgement.outcome)


def lines_of(document: PolicyDocument, decision: Decision, locale: str, say: Say = text_in) -> Iterator[ReceiptLine]:
    """The receipt of a decision by this policy, line by line. `say` puts the policy's sentences into the locale."""
    seen = decision.judgement.evidence
    for explained in explain(document, decision.judgement.receipt, locale, say):
        names = dict.fromkeys(document.criterion(explained.criterion).needed_names())
        values = {name: seen.get(name) for name in names}
        yield ReceiptLine(explained, values, tuple(_evidence(document, decision, values, locale, say)))


def _evidence(
    document: PolicyDocument, decision: Decision, values: Mapping[str, Value], locale: str, say: Say
) -> Iterator[Evidence]:
    """A fact is shown as what it was derived from: that is what the applicant said and can change."""
    for name, value in values.items():
        source = document.facts[name].from_ if name in document.facts else name
        said = decision.applicant.built_in(source) if source in BUILT_INS else decision.judgement.evidence.get(source)
        yield Evidence(
            label_of(document, name, locale, say), text_of(document, source, said if source != name else value, locale)
        )
