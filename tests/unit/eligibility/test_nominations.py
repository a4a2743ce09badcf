"""Who of those an application names has agreed: the answers of people it does not name any more count for nothing."""

from __future__ import annotations

from datetime import timedelta

from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.nominations import Answered, all_confirmed, nominations_of
from shared.events import NominationAnswer
from shared.policy.nominees import nomination_id
from tests.unit.eligibility.making import AFTER, DURING, application, rulebook
from tests.unit.policy.packs import complete, weprotect

DOCUMENT = weprotect().document


def decision(**answers: str) -> Decision:
    made = application(complete("civil_society_organisation", **answers), received_at=AFTER)
    return decide(made, rulebook(), decided_at=AFTER)


def answered(about: Decision, role: str, email: str, answer: NominationAnswer = "confirmed") -> Answered:
    name = about.applicant.application_id
    return Answered(nomination_id(name, role, email), name, role, answer, AFTER + timedelta(days=1))


def test_whom_an_application_names_is_read_from_the_evidence_of_its_decision() -> None:
    about = decision()
    found = nominations_of(about, DOCUMENT, [answered(about, "senior", "ada@example.org")])
    told = [(each.nominated.role, each.nominated.email, each.answered and each.answered.answer) for each in found]
    assert told == [("senior", "ada@example.org", "confirmed"), ("working", "ben@example.org", None)]
    assert not all_confirmed(found)


def test_everybody_has_to_agree() -> None:
    about = decision()
    senior, working = answered(about, "senior", "ada@example.org"), answered(about, "working", "ben@example.org")
    assert all_confirmed(nominations_of(about, DOCUMENT, [senior, working]))
    declined = answered(about, "working", "ben@example.org", "declined")
    assert not all_confirmed(nominations_of(about, DOCUMENT, [senior, declined]))
    assert not all_confirmed([])


def test_the_answer_of_somebody_who_was_replaced_does_not_count() -> None:
    about = decision(nominees__working__email="cleo@example.org")
    found = nominations_of(about, DOCUMENT, [answered(about, "working", "ben@example.org")])
    assert [(each.nominated.email, each.answered) for each in found] == [
        ("ada@example.org", None),
        ("cleo@example.org", None),
    ]


def test_a_held_application_shows_nobody() -> None:
    made = application("civil_society_organisation", received_at=DURING)
    held = decide(made, rulebook(), decided_at=DURING)
    assert held.judgement.outcome == "on_hold"
    assert nominations_of(held, DOCUMENT, []) == []
