"""What an export says when little is known."""

from __future__ import annotations

from services.intake.domain.exports import export_of, held_elsewhere
from services.intake.domain.status_changes import accepted, with_dead_letter
from services.intake.pages.exports import shown_revision
from shared.application import Application
from tests.unit.intake.fakes import NOW
from tests.unit.intake.samples import POLICY, application, dead_letter, revision
from tests.unit.intake.test_pages import SITE, words


def page(about: Application, known: bool) -> str:
    """The page of an application in its first moment, with or without a policy."""
    status = with_dead_letter(accepted(about), dead_letter())
    export = export_of(
        status, [revision(about)], None, [], [], held_elsewhere(status, "http://receipt", "http://interest", ""), NOW
    )
    shown = [shown_revision(each, POLICY.document if known else None) for each in export.revisions]
    more = {"kind_of": str, "size_of": str}
    values = {"token": "t", "application": status, "export": export, "shown": shown, **more}
    return words(SITE.render("export.html", locale="en", **values))


def test_a_fresh_application_is_exported_whole_and_what_is_not_there_is_said() -> None:
    text = page(application(), known=True)
    for said in ("What you sent", "Safer Screens", "1089599", "Nothing has been decided", "nothing is decided yet"):
        assert said in text
    assert "keeps it until a person has looked at it" in text
    assert "Answers" in text


def test_without_a_policy_the_ids_of_questions_stand_for_themselves() -> None:
    assert "registration.number 1089599" in page(application(), known=False)


def test_an_answer_to_a_question_that_a_later_policy_dropped_is_exported_all_the_same() -> None:
    about = application().model_copy(update={"answers": {"dropped.question": ["one", "two"]}})
    assert "dropped.question one, two" in page(about, known=True)
    assert "No question was answered" in page(about.model_copy(update={"answers": {}}), known=True)


def test_other_kinds_an_organisation_is_of_are_named() -> None:
    other = next(name for name in POLICY.document.categories if name != application().category)
    about = application().model_copy(update={"secondary_categories": [other]})
    assert POLICY.document.categories[other].label["en"] in page(about, known=True)
