"""The published Application: one revision holds what was sent and what we add; ids are the same on every machine."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.application import (
    AnswerValue,
    Application,
    Consent,
    Contact,
    Organisation,
    Provenance,
    Submission,
    application_of,
    id_of,
    is_application_id,
)
from shared.events import event_id

NOW = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
short = st.text(min_size=1, max_size=30).map(str.strip).filter(bool)
answers: st.SearchStrategy[dict[str, AnswerValue]] = st.dictionaries(
    short, st.one_of(st.text(max_size=20), st.booleans(), st.lists(st.text(max_size=10), max_size=3)), max_size=4
)
submissions = st.builds(
    Submission,
    category=short,
    secondary_categories=st.lists(short, max_size=3),
    organisation=st.builds(Organisation, name=short, country=st.sampled_from(["GB", "fr"]), website=st.none()),
    contact=st.builds(Contact, name=short, email=st.just("a@example.org")),
    locale=st.sampled_from(["en", "pt-BR"]),
    consent=st.builds(Consent, register_interest=st.booleans()),
    answers=answers,
)


def accepted(submission: Submission) -> Application:
    return application_of(
        submission,
        application_id=id_of("tests"),
        revision=1,
        provenance=Provenance(channel="api", client="tests"),
        received_at=NOW,
        first_received_at=NOW,
    )


@given(submissions)
def test_accepting_keeps_every_field_of_the_submission(submission: Submission) -> None:
    assert accepted(submission).submission() == submission


@given(submissions)
def test_what_is_built_without_validation_is_valid_and_survives_the_wire(submission: Submission) -> None:
    application = accepted(submission)
    assert Application.model_validate_json(application.model_dump_json()) == application
    assert accepted(submission) == application


@given(st.lists(st.one_of(st.text(max_size=10), st.integers()), min_size=1, max_size=4))
def test_the_same_parts_have_the_same_id_and_it_is_a_canonical_uuid(parts: list[str | int]) -> None:
    identity = id_of(*parts)
    assert identity == id_of(*parts)
    assert UUID(identity).version == 5
    assert is_application_id(identity)


def test_ids_do_not_change_from_one_release_to_the_next() -> None:
    assert id_of("application", "key") == "52b06cc0-340a-5d43-98da-bf4b97c8d193"
    assert event_id("a", 1, "application.withdrawn.v1") == "f941bfef-d1fb-548b-b90b-dc0b4393dc04"


@given(st.tuples(short, short), st.tuples(short, short))
def test_different_parts_have_different_ids(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (id_of(*one) == id_of(*other)) == (one == other or "\x1f".join(one) == "\x1f".join(other))


def test_where_one_part_ends_and_the_next_begins_counts() -> None:
    assert len({id_of("ab", "c"), id_of("a", "bc"), id_of("abc"), id_of("c", "ab")}) == 4


@given(st.text(max_size=40))
def test_only_a_canonical_uuid_is_an_application_id(text: str) -> None:
    assert is_application_id(text) == (text == text.lower() and _canonical(text))


def _canonical(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def test_other_spellings_of_a_uuid_are_no_application_ids() -> None:
    identity = id_of("a")
    for spelling in (identity.upper(), identity.replace("-", ""), f"{{{identity}}}", f"urn:uuid:{identity}", ""):
        assert not is_application_id(spelling)
