"""Whatever passes validation is answered, and silence never counts against anyone."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.application import Contact, Organisation, Submission
from shared.policy.answers import check, fitting, is_blank
from shared.policy.countries import countries
from shared.policy.engine import Engine, without_blanks
from shared.policy.pack import Question
from tests.unit.policy.packs import weprotect

DOCUMENT = weprotect().document
ENGINE = Engine(DOCUMENT)
TEXT = st.text(max_size=40) | st.sampled_from(["", "  ", "-", "worldwide", DOCUMENT.commitments.hash])
EMAIL = st.sampled_from(["", "ada@example.org", "Ada@Example.org", "ben@example.org"])


def answer_to(question: Question) -> st.SearchStrategy[Any]:
    """Answers of the right type, and now and then of another."""
    choices = st.sampled_from([*question.choices, ""])
    right: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "choice": choices,
        "choices": st.lists(choices, max_size=4),
        "list": st.lists(TEXT, max_size=4),
        "country": st.sampled_from([*countries(), ""]),
        "email": EMAIL,
        "date": st.dates().map(str),
    }
    return st.one_of(right.get(question.type, TEXT), right.get(question.type, TEXT), TEXT, st.booleans())


SUBMISSIONS = st.builds(
    Submission,
    category=st.sampled_from(list(DOCUMENT.categories)),
    organisation=st.builds(Organisation, name=st.just("Example"), country=st.sampled_from(list(countries()))),
    contact=st.just(Contact(name="Ada Moreno", email="ada@example.org")),
    answers=st.fixed_dictionaries({}, optional={name: answer_to(one) for name, one in DOCUMENT.questions.items()}),
)


@settings(max_examples=300, deadline=None)
@given(SUBMISSIONS)
def test_what_passes_validation_is_always_answered_and_blanks_are_never_refused(submission: Submission) -> None:
    wrong = {error.pointer.split("/")[2] for error in check(DOCUMENT, submission)}
    right = submission.model_copy(
        update={"answers": {name: value for name, value in submission.answers.items() if name not in wrong}}
    )
    assert check(DOCUMENT, right) == []
    for line in ENGINE.answer(right):
        needs = DOCUMENT.criterion(line.criterion).needs
        if any(all(is_blank(line.evidence[name]) for name in need.any) for need in needs):
            assert line.answer == "missing"
        if line.answer == "missing":
            assert line.missing


@settings(max_examples=100, deadline=None)
@given(SUBMISSIONS.filter(lambda one: not check(DOCUMENT, one)))
def test_the_same_application_always_gets_the_same_answers(submission: Submission) -> None:
    assert Engine(DOCUMENT).answer(submission) == ENGINE.answer(submission)


@settings(max_examples=300, deadline=None)
@given(SUBMISSIONS)
def test_an_answer_that_does_not_fit_its_question_counts_as_blank_and_breaks_nothing(submission: Submission) -> None:
    """It may be right by another version of the policy, in which the question was of another type."""
    said = without_blanks(submission.answers)
    fits = {name: value for name, value in said.items() if fitting(DOCUMENT.questions[name])(value)}
    wrong = {error.pointer.split("/")[2] for error in check(DOCUMENT, submission)}
    assert fits.keys() >= said.keys() - wrong
    fitting_alone = submission.model_copy(update={"answers": fits})
    assert ENGINE.answer(submission) == ENGINE.answer(fitting_alone)
