"""Which policy is in force, how a new one comes into force, and how old a replica's knowledge of it may be."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.eligibility.domain.decisions import decide, recompute
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import LEAD, Activation, PolicyVersion, Rulebook, unseen_questions
from services.eligibility.use_cases.announcements import Announce
from services.eligibility.use_cases.policies import MAX_AGE, ActivatePolicy, Rules
from shared.errors import Transient
from shared.policy.loader import load_pack
from shared.policy.pack import Policy
from tests.unit.eligibility.fakes import NOW, FakeClock, FakePauses, FakePolicies, Look
from tests.unit.eligibility.making import AFTER, DURING, EARLY, application, pause, version
from tests.unit.policy.packs import (
    complete,
    copy_of_weprotect,
    criterion,
    presence_of,
    replace,
    small,
    small_pack,
    submission,
    weprotect,
)

DAY = timedelta(days=1)


def policy(folder: Path, label: str, *criteria: dict[str, Any], **sections: Any) -> Policy:
    return load_pack(small_pack(folder / label, *criteria, version_label=label, **sections))


def test_criteria_are_those_in_force_at_each_revisions_own_receipt(tmp_path: Path) -> None:
    """Requirement 6; the pause is judged by the first receipt, the criteria are not."""
    old = version(policy(tmp_path, "1", presence_of("a.text")), EARLY)
    new = version(policy(tmp_path, "2", presence_of("a.long")), DURING)
    book = Rulebook.of([new, old], [])
    given = submission(a__text="x")
    before = application(given, received_at=DURING - timedelta(milliseconds=1))
    since = application(given, revision=2, received_at=DURING, first_received_at=before.received_at)
    first, second = (decide(each, book, decided_at=NOW).judgement for each in (before, since))
    assert (first.outcome, first.policy_hash) == ("eligible", old.hash)
    assert (second.outcome, second.policy_hash) == ("incomplete", new.hash)


def test_a_category_that_is_gone_is_judged_by_the_last_policy_that_had_it(tmp_path: Path) -> None:
    """Intake accepted it a moment before the change; it is not given up for having arrived a moment after."""
    club = version(policy(tmp_path, "1", presence_of("a.text")), EARLY)
    renamed = {"guild": {"label": {"en": "Guild"}, "hint": {"en": "A guild."}, "evidence": []}}
    guild = version(policy(tmp_path, "2", presence_of("a.text"), categories=renamed), DURING)
    book = Rulebook.of([club, guild], [])
    assert book.policy_for("club", DURING) is club
    assert book.policy_for("guild", DURING) is guild
    assert book.policy_for("nobody", DURING) is guild
    late = decide(application(submission(a__text="x"), received_at=DURING), book, decided_at=NOW).judgement
    assert (late.outcome, late.policy_hash) == ("eligible", club.hash)


def test_an_answer_to_a_question_of_another_type_now_is_asked_for_anew(tmp_path: Path) -> None:
    """As above: intake accepted a text a moment before the policy asked for a list. It is decided, and what it answered is
    missing; from what is kept of it the same comes out again."""
    old = version(policy(tmp_path, "1", presence_of("a.text")), EARLY)
    rule = criterion(
        needs=["a.text"],
        expect="len(a.text) > 1",
        examples=[
            {"a.text": ["x", "y"], "answer": "met"},
            {"a.text": ["x"], "answer": "not_met"},
            {"answer": "missing"},
        ],
    )
    new = version(policy(tmp_path, "2", rule, questions={"a.text": {"type": "list", "label": {"en": "Texts"}}}), DURING)
    book = Rulebook.of([old, new], [])
    late = decide(application(submission(a__text="long enough"), received_at=DURING), book, decided_at=NOW)
    found = late.judgement
    assert (found.outcome, found.policy_hash) == ("incomplete", new.hash)
    assert [(line.answer, line.missing) for line in found.receipt] == [("missing", ("a.text",))]
    assert recompute(late, new, []) == found


def test_after_a_rolling_back_a_signature_counts_under_the_text_that_is_in_force_again(tmp_path: Path) -> None:
    """A signature is bound to its text: one under what was rolled back is asked for anew, the earlier one counts."""
    changed = copy_of_weprotect(tmp_path)
    replace(changed / "commitments.yaml", "global summits", "world summits")
    old, new = version(weprotect(), EARLY), version(load_pack(changed), AFTER)
    since = [(1, old, EARLY), (2, new, AFTER), (3, old, AFTER + DAY)]
    activations = [Activation(number, each.hash, at, at) for number, each, at in since]
    book = Rulebook.of([old, new], [], activations)

    def outcome(signed: PolicyVersion, at: datetime) -> str:
        given = complete("technology_company", commitments__text_hash=signed.document.commitments.hash)
        return decide(application(given, received_at=at), book, decided_at=NOW).judgement.outcome

    assert [outcome(old, AFTER + days * DAY) for days in (-1, 0, 1)] == ["eligible", "incomplete", "eligible"]
    assert [outcome(new, AFTER + days * DAY) for days in (-1, 0, 1)] == ["incomplete", "eligible", "incomplete"]


def test_before_there_was_a_policy_the_first_one_judges(tmp_path: Path) -> None:
    only = version(policy(tmp_path, "1"), DURING)
    later = version(policy(tmp_path, "2"), DURING + DAY)
    assert Rulebook.of([later, only], []).policy_at(DURING - DAY) is only


def test_questions_that_only_feed_facts_are_known(tmp_path: Path) -> None:
    """They are kept as evidence, since without them a receipt could not be computed again."""
    signed = criterion(
        needs=["text.current", "a.flag"],
        expect="text.current",
        unmet="missing",
        examples=[
            {"text.current": True, "a.flag": True, "answer": "met"},
            {"a.long": "0" * 64, "a.flag": True, "answer": "missing"},
        ],
    )
    facts = {"text.current": {"from": "a.long", "equals_hash_of": "commitments"}}
    assert unseen_questions(small(tmp_path / "pack", signed, facts=facts)) == ("a.long",)


class Installation:
    """A fresh installation's policies and pauses."""

    def __init__(self) -> None:
        self.policies = FakePolicies()
        self.pauses = FakePauses()
        self.clock = FakeClock()
        self.activate = ActivatePolicy(self.policies, self.pauses, self.clock)

    def versions(self) -> list[tuple[str, int]]:
        return sorted(self.pauses.stored)


def pauses_section(**times: str) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "covers": "all",
            "timezone": "Europe/London",
            "from": "2021-07-01T00:00",
            "until": until,
            "message": {"en": "On hold."},
            "reason": {"en": "We think."},
        }
        for name, until in times.items()
    ]


async def test_the_first_policy_reaches_back_to_its_own_date(tmp_path: Path) -> None:
    """So that applications of the past can be taken in and judged."""
    office = Installation()
    first = policy(tmp_path, "1", pauses=pauses_section(summer="2022-01-01T00:00"))
    assert await office.activate(first) == "activated"
    assert office.policies.stored[first.hash].effective_from == first.document.effective_from
    assert office.pauses.stored["summer", 1].effective_from == first.document.effective_from


async def test_a_changed_policy_takes_effect_some_time_after_it_is_written(tmp_path: Path) -> None:
    """At least two seconds later, so that every replica has read it by then; it never reaches back."""
    office = Installation()
    await office.activate(policy(tmp_path, "1", pauses=pauses_section(summer="2022-01-01T00:00")))
    second = policy(tmp_path, "2", pauses=pauses_section(summer="2022-02-01T00:00", winter="2022-03-01T00:00"))
    assert await office.activate(second) == "activated"
    assert office.policies.stored[second.hash].effective_from == NOW + LEAD
    assert timedelta(seconds=2) < LEAD
    assert office.versions() == [("summer", 1), ("summer", 2), ("winter", 1)]
    assert office.pauses.stored["summer", 2].effective_from == NOW + LEAD
    assert office.pauses.stored["winter", 1].effective_from == NOW + LEAD


async def test_a_policy_may_name_a_later_date(tmp_path: Path) -> None:
    office = Installation()
    await office.activate(policy(tmp_path, "1"))
    next_year = policy(tmp_path, "2", effective_from="2023-01-01T00:00:00+00:00")
    await office.activate(next_year)
    assert office.policies.stored[next_year.hash].effective_from == next_year.document.effective_from


async def test_starting_again_changes_nothing_and_an_old_pack_does_not_turn_the_rules_back(tmp_path: Path) -> None:
    """Replicas restart at any time, also with the old pack while a new one is rolled out."""
    office = Installation()
    first = policy(tmp_path, "1", pauses=pauses_section(summer="2022-01-01T00:00"))
    second = policy(tmp_path, "2")
    for each in (first, second):
        assert await office.activate(each) == "activated"
    written = office.versions()
    for each in (first, second):
        assert await office.activate(each) == "known"
    assert office.versions() == written
    assert len(office.policies.stored) == 2


async def test_a_start_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    """The pauses are written first: here the power failed after them."""
    office = Installation()
    first = policy(tmp_path, "1", pauses=pauses_section(summer="2022-01-01T00:00"))
    (declared,) = first.document.pauses
    office.pauses = FakePauses([PauseVersion(1, first.document.effective_from, declared)])
    await ActivatePolicy(office.policies, office.pauses, office.clock)(first)
    assert office.versions() == [("summer", 1)]
    assert first.hash in office.policies.stored


class Ticking:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_nobody_decides_by_rules_read_more_than_a_second_ago(tmp_path: Path) -> None:
    first = version(policy(tmp_path, "1"), EARLY)
    store, clock = FakePolicies([first]), Ticking()
    rules = Rules(store, FakePauses(), clock)
    await rules.current()
    clock.seconds += MAX_AGE
    await rules.current()
    assert store.reads == 1
    second = version(policy(tmp_path, "2"), DURING)
    store.add(second)
    clock.seconds += 0.001
    assert len((await rules.current()).policies) == 2
    assert store.documents_read == [first.hash, second.hash], "documents never change and are read once"
    third = version(policy(tmp_path, "3"), DURING)
    store.add(third)
    assert len((await rules.current()).policies) == 2
    assert len((await rules.fresh()).policies) == 3, "it may be asked for as it is stored now"


async def test_consumers_that_ask_at_the_same_time_share_one_look(tmp_path: Path) -> None:
    store = FakePolicies([version(policy(tmp_path, "1"), EARLY)])
    rules = Rules(store, FakePauses())
    await asyncio.gather(*(rules.current() for _ in range(20)))
    assert store.reads == 1


async def test_without_any_policy_deciding_waits() -> None:
    with pytest.raises(Transient):
        await Rules(FakePolicies(), FakePauses()).current()


async def test_what_is_in_force_or_to_come_is_announced_and_what_is_past_is_not(tmp_path: Path) -> None:
    first, second = version(policy(tmp_path, "1"), EARLY), version(policy(tmp_path, "2"), NOW + DAY)
    policies = FakePolicies([first, second])
    pauses = FakePauses(
        [
            PauseVersion(1, EARLY, pause()),
            PauseVersion(2, NOW - DAY, pause(until=NOW)),
            PauseVersion(3, NOW + DAY, pause(until=NOW + 2 * DAY)),
        ]
    )
    announce = Announce(Rules(policies, pauses), FakeClock(Look(now=NOW)), policies, pauses)
    assert await announce() is False
    assert policies.emitted == [first.hash, second.hash]
    assert pauses.emitted == ["break:2", "break:3"]
