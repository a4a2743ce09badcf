"""What a case is at any time follows from facts alone; what may be done about it, the rules say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.eligibility.domain import case_changes as changes
from services.eligibility.domain.appeals import Appeal
from services.eligibility.domain.case_changes import By, Seen
from services.eligibility.domain.cases import Case, Step, case_of
from services.eligibility.domain.decisions import Decision, decide
from services.eligibility.domain.hearings import heard
from services.eligibility.domain.nominations import Answered, nominations_of, unnamed_of
from services.eligibility.domain.reviews import decision_of
from shared.errors import Conflict, Refused
from shared.events import ApplicationSummary, Outcome
from tests.unit.eligibility.making import AFTER, application, rulebook
from tests.unit.policy.packs import weprotect

ONE = "11111111-1111-4111-8111-111111111111"
DOCUMENT = weprotect().document
DAYS = 10
LATER = AFTER + timedelta(days=1)
KIM = By("kim", LATER)


def decided(outcome: Outcome = "eligible", revision: int = 1, at: datetime = AFTER) -> Decision:
    made = application(application_id=ONE, revision=revision, received_at=at, first_received_at=AFTER)
    judged = decide(made, rulebook(), decided_at=at)
    return replace(judged, judgement=replace(judged.judgement, outcome=outcome))


def appealed(revision: int = 1, **different: Any) -> Appeal:
    summary = ApplicationSummary.of(application(application_id=ONE, revision=revision))
    return replace(Appeal("a", summary, "appeal-1", "Why?", revision, 1, LATER), **different)


def case(
    *decisions: Decision,
    steps: Sequence[Step] = (),
    appeals: Sequence[Appeal] = (),
    withdrawn_at: datetime | None = None,
) -> Case:
    found = case_of(decisions, steps, appeals, withdrawn_at, DAYS)
    assert found is not None
    return found


def after(first: Case, *deeds: Callable[[Case], Step | None], about: Decision | None = None) -> tuple[Case, list[Step]]:
    """The case once these things were done about it, and the steps."""
    now, steps = first, list[Step]()
    for deed in deeds:
        step = deed(now)
        assert step is not None
        steps.append(step)
        now = case(about or decided(first.outcome), steps=steps)
    return now, steps


def test_people_get_what_is_referred_eligible_or_appealed_against_and_nothing_else() -> None:
    assert case(decided("eligible")).state == case(decided("referred")).state == "open"
    for outcome in ("not_eligible", "incomplete", "on_hold"):
        assert case_of([decided(outcome)], (), (), None, DAYS) is None
    found = case(decided("not_eligible"), appeals=[appealed()])
    assert (found.state, found.appeal_id) == ("open", "a")
    closed = appealed(state="closed", closed_because="amended")
    assert case(decided("not_eligible"), appeals=[closed]).state == "closed"
    assert case_of([replace(decided("eligible"), superseded=True)], (), (), None, DAYS) is None


def test_the_applicant_is_to_hear_within_so_many_working_days_unless_somebody_sets_another_day() -> None:
    found = case(decided())
    assert (AFTER.date(), found.reply_by) == (date(2022, 1, 10), date(2022, 1, 24))
    later, steps = after(found, lambda now: changes.reply_by_set(now, date(2022, 2, 1), "The board meets then.", KIM))
    assert later.reply_by == date(2022, 2, 1)
    assert (steps[0].old, steps[0].new, steps[0].by) == ("2022-01-24", "2022-02-01", "kim")
    assert later.is_overdue(date(2022, 2, 2))
    assert not later.is_overdue(date(2022, 2, 1))
    assert changes.reply_by_set(later, date(2022, 2, 1), "", KIM) is None
    with pytest.raises(Refused):
        changes.reply_by_set(later, date(2022, 1, 1), "", KIM)


def test_an_appeal_opens_a_case_anew_so_that_nobody_is_late_with_it_at_once() -> None:
    """What was declined in January and appealed against in March is answered by the end of March, whatever was set before;
    an accepted appeal gives people the same time again."""
    base = decided()
    _, steps = after(
        case(base),
        lambda now: changes.reply_by_set(now, date(2022, 1, 20), "", KIM),
        lambda now: changes.declined(now, "No.", By("kim", datetime(2022, 1, 19, tzinfo=UTC))),
    )
    march = datetime(2022, 3, 1, 9, 0, tzinfo=UTC)
    appeal = appealed(decision_number=2, appealed_at=march)
    waiting = case(base, steps=steps, appeals=[appeal])
    assert (waiting.opened_at, waiting.reply_by) == (march, date(2022, 3, 15))
    assert not waiting.is_overdue(date(2022, 3, 2))
    later = changes.reply_by_set(waiting, date(2022, 4, 1), "The board meets then.", By("kim", march))
    assert later is not None
    assert case(base, steps=[*steps, later], appeals=[appeal]).reply_by == date(2022, 4, 1)
    hearing = heard(waiting, {"kim"}, True, "They are right.", By("ben", datetime(2022, 3, 14, tzinfo=UTC)))
    assert case(base, steps=[*steps, hearing], appeals=[appeal]).reply_by == date(2022, 3, 28)


def test_assigning_keeps_who_had_it_before_and_the_same_owner_changes_nothing() -> None:
    found, steps = after(
        case(decided()), lambda now: changes.assigned(now, "kim", KIM), lambda now: changes.assigned(now, "", KIM)
    )
    assert [(each.number, each.old, each.new) for each in steps] == [(1, "", "kim"), (2, "kim", "")]
    assert found.owner == ""
    assert changes.assigned(found, " ", KIM) is None


def test_while_information_is_asked_for_it_is_the_applicants_turn_until_the_amendment_is_judged() -> None:
    first = decided("referred")
    asked, steps = after(
        case(first),
        lambda now: changes.information_requested(now, " The letter, please. ", ["a", "a"], {"a"}, KIM),
        about=first,
    )
    assert (asked.state, asked.asked, steps[0].questions) == ("waiting", "The letter, please.", ("a",))
    steps.append(changes.amended(asked, 2, LATER) or pytest.fail("the amendment is a step"))
    coming = case(first, steps=steps)
    assert (coming.state, coming.overtaken) == ("waiting", True)
    assert changes.amended(coming, 2, LATER) is None
    with pytest.raises(Conflict, match="judged anew"):
        changes.declined(coming, "No.", KIM)
    with pytest.raises(Conflict, match="judged anew"):
        changes.information_requested(coming, "What they may have sent just now?", [], (), KIM)
    back = case(first, decided("eligible", 2, LATER), steps=steps)
    assert (back.state, back.revision, back.asked, back.overtaken) == ("open", 2, "", False)
    assert case(first, decided("incomplete", 2, LATER), steps=steps).state == "waiting"
    assert case(first, decided("not_eligible", 2, LATER), steps=steps).state == "closed"
    with pytest.raises(Refused):
        changes.information_requested(back, "What?", ["b"], {"a"}, KIM)


def test_a_referred_case_is_found_eligible_first_and_each_decision_has_its_own_stage_and_number() -> None:
    base = decided("referred")
    first = case(base)
    with pytest.raises(Conflict, match="find it eligible first"):
        changes.admitted(first, [], [], "", KIM)
    found = changes.found_eligible(first, "The letter is genuine.", KIM)
    made = decision_of(found, first, base, DOCUMENT)
    told = (made.stage, made.number, made.judgement.outcome, made.decided_by, made.reason)
    assert told == ("review", 2, "eligible", "kim", "The letter is genuine.")
    assert (made.judgement.receipt, made.granted) == (base.judgement.receipt, ())
    now = case(base, steps=[found])
    assert (now.state, now.outcome) == ("open", "eligible")
    admission = changes.admitted(now, [], [], "", KIM)
    granted = decision_of(admission, now, base, DOCUMENT)
    assert (granted.stage, granted.number, granted.judgement.outcome) == ("review-2", 3, "admitted")
    assert [each.available for each in granted.granted].count(False) == 1
    assert len(granted.granted) == 7
    assert case(base, steps=[found, admission]).state == "admitted"


def test_nobody_is_admitted_before_every_nominee_has_confirmed() -> None:
    base = decided()
    people = nominations_of(base, DOCUMENT, [])
    with pytest.raises(Conflict, match="Ada"):
        changes.admitted(case(base), people, [], "", KIM)
    answers = [Answered(each.nomination_id, ONE, each.nominated.role, "confirmed", LATER) for each in people]
    step = changes.admitted(case(base), nominations_of(base, DOCUMENT, answers), [], "", KIM)
    assert (step.old, step.new) == ("eligible", "admitted")


def test_nobody_is_admitted_who_names_one_nominee_of_two() -> None:
    """A person may find an application eligible in which a nominee is missing; it is not admitted with the other alone."""
    base = decided("referred")
    blank = dict.fromkeys(("nominees.working.name", "nominees.working.email"))
    base = replace(base, judgement=replace(base.judgement, evidence={**base.judgement.evidence, **blank}))
    now = case(base, steps=[changes.found_eligible(case(base), "It is genuine.", KIM)])
    people = nominations_of(base, DOCUMENT, [])
    answers = [Answered(each.nomination_id, ONE, each.nominated.role, "confirmed", LATER) for each in people]
    agreed = nominations_of(base, DOCUMENT, answers)
    assert [each.nominated.name for each in agreed] == ["Ada Moreno"]
    with pytest.raises(Conflict, match="does not name every nominee: ask the applicant for Working-level contact"):
        changes.admitted(now, agreed, unnamed_of(base, DOCUMENT), "", KIM)
    # a policy whose criteria ask this category for nobody hinders nobody
    unasked = {name: value for name, value in base.judgement.evidence.items() if not name.startswith("nominees")}
    free = replace(base, judgement=replace(base.judgement, evidence=unasked))
    assert unnamed_of(free, DOCUMENT) == []
    assert changes.admitted(now, [], unnamed_of(free, DOCUMENT), "", KIM).new == "admitted"


def test_nobody_is_admitted_while_the_due_diligence_flag_is_up() -> None:
    up, _ = after(case(decided()), lambda now: changes.flagged(now, "In the news.", KIM))
    assert up.flagged
    with pytest.raises(Conflict, match="flag"):
        changes.admitted(up, [], [], "", KIM)
    with pytest.raises(Conflict):
        changes.flagged(up, "Again.", KIM)
    down, _ = after(
        case(decided()),
        lambda now: changes.flagged(now, "In the news.", KIM),
        lambda now: changes.cleared(now, "It was another one.", KIM),
    )
    assert changes.admitted(down, [], [], "", KIM).what == "admitted"
    with pytest.raises(Conflict):
        changes.cleared(down, "Again.", KIM)


def test_who_declines_says_why_and_an_appeal_brings_the_case_back() -> None:
    base = decided()
    with pytest.raises(Refused):
        changes.declined(case(base), " ", KIM)
    declined, steps = after(case(base), lambda now: changes.declined(now, "Harmful.", KIM))
    assert declined.state == "declined"
    with pytest.raises(Conflict):
        changes.admitted(declined, [], [], "", KIM)
    back = case(base, steps=steps, appeals=[appealed(decision_number=2)])
    assert (back.state, back.outcome) == ("open", "declined")
    with pytest.raises(Conflict, match="appeal"):
        changes.declined(back, "Still.", KIM)


def test_what_is_over_is_over() -> None:
    withdrawn = case(decided(), withdrawn_at=LATER)
    assert (withdrawn.state, withdrawn.withdrawn) == ("closed", True)
    admitted, _ = after(case(decided()), lambda now: changes.admitted(now, [], [], "", KIM))
    for over in (withdrawn, admitted):
        with pytest.raises(Conflict):
            changes.admitted(over, [], [], "", KIM)
        with pytest.raises(Conflict):
            changes.declined(over, "No.", KIM)
        with pytest.raises(Conflict):
            changes.information_requested(over, "What?", [], (), KIM)
    assert changes.amended(admitted, 2, LATER) is None
    assert changes.commented(admitted, "They sent flowers.", KIM).text == "They sent flowers."
    with pytest.raises(Conflict, match="erased"):
        changes.commented(replace(admitted, state="erased"), "Who?", KIM)


def test_who_has_not_seen_the_newest_reads_the_case_again() -> None:
    now, _ = after(case(decided()), lambda each: changes.commented(each, "Hm.", KIM))
    changes.require_seen(now, Seen(revision=1, version=1))
    for seen in (Seen(revision=2), Seen(version=0), Seen(appeal_id="a")):
        with pytest.raises(Conflict):
            changes.require_seen(now, seen)
    waiting = case(decided("not_eligible"), appeals=[appealed()])
    changes.require_seen(waiting, Seen(1, appeal_id="a"))
    with pytest.raises(Conflict, match="does not wait"):
        changes.require_seen(waiting, Seen(1, appeal_id="b"))


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "x" * 4001, "bell\x07", "half \ud800"])
def test_what_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        changes.commented(case(decided()), text, KIM)


@pytest.mark.parametrize("text", ["Pourquoi\xa0?", "ن\u200cم", "Ⅸ \u202bعربي\u202c", "👩\u200d💻", "a\r\nb\tc"])
def test_what_people_write_in_any_language_is_taken(text: str) -> None:
    """French has a space that does not break before question marks; Arabic, Persian and emoji join unseen."""
    assert changes.commented(case(decided()), text, KIM).text == text.replace("\r\n", "\n")
