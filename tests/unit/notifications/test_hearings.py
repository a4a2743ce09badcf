"""Whoever appealed is told how it was heard, in one letter, whatever the outcome."""

from __future__ import annotations

import pytest

from services.notifications.domain import letters
from shared.application import Contact
from shared.events import ApplicationDecided, ApplicationSummary, Outcome
from tests.unit.notifications.letters import NOW, POLICY, composer


def decided(stage: str, outcome: Outcome) -> ApplicationDecided:
    contact = Contact(name="Inês", email="ines@casa-aberta.example")
    about = ApplicationSummary(
        application_id="a11ce000-0000-5000-8000-000000000000",
        revision=1,
        category="civil_society_organisation",
        organisation_name="Casa Aberta",
        contact=contact,
        locale="en",
        channel="api",
        received_at=NOW,
    )
    return ApplicationDecided(
        application=about,
        stage=stage,
        number=2,
        outcome=outcome,
        decided_by="ben",
        decided_at=NOW,
        policy_hash=POLICY.hash,
        receipt=[],
        reason="Page two <says> so.",
    )


@pytest.mark.parametrize(
    ("outcome", "subject", "says"),
    [
        ("referred", "Your appeal was accepted", "decide about it anew"),
        ("not_eligible", "the decision stands", "no further appeal"),
        ("declined", "the decision stands", "no further appeal"),
    ],
)
def test_a_hearing_is_told_in_its_own_letter_with_the_reason(outcome: Outcome, subject: str, says: str) -> None:
    letter = letters.outcome(decided("appeal-1", outcome))
    assert (letter.template, letter.kind, letter.number) == ("appeal_heard", "outcome", 2)
    written = composer().render(letter, POLICY.document)
    assert subject in written.subject
    assert says in " ".join(written.text.split())
    assert "Page two <says> so." in written.text
    assert "Page two &lt;says&gt; so." in written.html


def test_another_decision_of_a_person_has_the_letter_of_its_outcome() -> None:
    assert letters.outcome(decided("review-2", "declined")).template == "declined"
