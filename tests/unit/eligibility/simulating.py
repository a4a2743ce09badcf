"""Drafts, scenarios and decided applications for the tests of simulations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.policies import Rulebook
from services.eligibility.domain.simulations import Pauses, Scenario, Selection, Simulation, Supposition
from shared.application import Submission
from shared.policy.pack import Criterion, Pause, Policy
from tests.unit.eligibility.fakes import NOW
from tests.unit.eligibility.making import application, rulebook, version
from tests.unit.policy.packs import weprotect

COMPANY, CHARITY, STATE = "technology_company", "civil_society_organisation", "un_member_state"


def rule(name: str, needs: str, category: str, **keys: object) -> Criterion:
    """A criterion of a draft: one answer that a category has to give."""
    texts = {"statement": {"en": f"The draft asks for {needs}."}, "remedy": {"en": "Say it."}}
    given = {"id": name, "source": 1, "when": f"category == '{category}'", "needs": [needs], **texts, **keys}
    return Criterion.model_validate(given)


def draft(*more: Criterion, without: Iterable[str] = ()) -> Policy:
    """The Alliance's policy with more criteria, and without some of its own."""
    document = weprotect().document
    kept = tuple(each for each in document.criteria if each.id not in without)
    return Policy.of(document.model_copy(update={"criteria": (*kept, *more), "version_label": "Draft"}))


def scenario(
    policy: Policy | None = None,
    *,
    pauses: Pauses = "as_they_were",
    pause: Pause | None = None,
    book: Rulebook | None = None,
) -> Scenario:
    """A supposition, beside the Alliance's rules unless others are given."""
    supposed = Supposition(policy.hash if policy else None, pauses, pause)
    return Scenario.of(supposed, version(policy) if policy else None, book or rulebook())


def decided(
    submission: Submission | str, at: datetime, application_id: str = "", *, revision: int = 1, superseded: bool = False
) -> Decision:
    """An application, decided by the Alliance's rules at NOW."""
    made = application(submission, received_at=at, application_id=application_id, revision=revision)
    return decide(made, rulebook(), decided_at=NOW, superseded=superseded)


def asked(
    simulation_id: str, policy: Policy | None = None, selection: Selection | None = None, at: datetime = NOW
) -> Simulation:
    """A simulation of a draft, over everything unless something is selected."""
    supposed = Supposition(policy.hash if policy else None)
    return Simulation(simulation_id, supposed, selection or Selection(), "", "desk", at, 10)
