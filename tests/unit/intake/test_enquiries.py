"""What the short forms take in, and in which words they refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.intake.domain.enquiries import (
    LONGEST_MESSAGE,
    exempt_categories,
    held_categories,
    promised,
    read_interest,
    read_liaison,
    request_id_for,
)
from services.intake.domain.enquiry_forms import document_of, errors_of, interest_form, liaison_form
from services.intake.domain.policies import KnownPause, KnownPolicy
from services.intake.domain.submissions import read
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.enquiries import PER_ADDRESS, PER_CLIENT, Enquiries
from services.intake.use_cases.policies import Policies
from shared.application import Submission
from shared.errors import Conflict, FieldError
from shared.limits import Limits, TooOften
from shared.policy.pack import Pause
from tests.unit.intake.fakes import (
    NOW,
    Collected,
    FakeClock,
    FakeCounters,
    FakeInterestRequests,
    FakeLiaisonRequests,
    FakePolicies,
)
from tests.unit.policy.packs import weprotect

DOCUMENT = weprotect().document
PAUSE = DOCUMENT.pauses[0]
HELD, EXEMPT = held_categories(DOCUMENT, [PAUSE]), exempt_categories(DOCUMENT, [PAUSE])


def interest(**changes: Any) -> dict[str, Any]:
    return {
        "category": HELD[0],
        "organisation": {"name": "Children First", "country": "GB"},
        "contact": {"name": "Ann", "email": "ann@children-first.example"},
        "consent": {"register_interest": True},
    } | changes


def request(**changes: Any) -> dict[str, Any]:
    plain = {name: value for name, value in interest(category=EXEMPT[0]).items() if name != "consent"}
    return plain | {"message": "Good morning.\n\nHow do we join?"} | changes


def pointers(found: object) -> list[str]:
    assert isinstance(found, list), found
    return [each.pointer for each in found]


def test_a_pause_s_form_is_for_those_it_holds_and_the_liaison_s_for_those_it_exempts() -> None:
    assert set(HELD) | set(EXEMPT) == set(DOCUMENT.categories)
    assert set(EXEMPT) == set(PAUSE.exempt)
    assert held_categories(DOCUMENT, []) == []
    assert exempt_categories(DOCUMENT, []) == EXEMPT, "the liaison answers after the pause too"
    open_to_one = PAUSE.model_copy(update={"covers": (HELD[0],)})
    assert held_categories(DOCUMENT, [open_to_one]) == [HELD[0]]


def test_a_good_entry_is_taken_in() -> None:
    found = read_interest(interest(), DOCUMENT, HELD)
    assert isinstance(found, Submission)
    assert found.locale == "en"
    taken = read_liaison(request(), DOCUMENT, EXEMPT)
    assert isinstance(taken, tuple)
    assert taken[1] == "Good morning.\n\nHow do we join?"


@pytest.mark.parametrize("consent", [None, {}, {"register_interest": False}])
def test_without_consent_nothing_is_taken_in(consent: Any) -> None:
    assert pointers(read_interest(interest(consent=consent), DOCUMENT, HELD))
    document = interest()
    del document["consent"]
    assert pointers(read_interest(document, DOCUMENT, HELD)) == ["/consent/register_interest"]


def test_who_is_not_held_is_sent_to_apply_and_who_is_not_exempt_does_not_write_to_the_liaison() -> None:
    (error,) = read_interest(interest(category=EXEMPT[0]), DOCUMENT, HELD)
    assert isinstance(error, FieldError)
    assert (error.pointer, error.message) == ("/category", "is not on hold: send an application instead")
    assert pointers(read_liaison(request(category=HELD[0]), DOCUMENT, EXEMPT)) == ["/category"]


WRONG: list[dict[str, Any]] = [
    {"category": "nobody"},
    {"organisation": {"name": "Eve\r\nBcc: eve@evil.example", "country": "GB"}},
    {"organisation": {"name": "\u202eevE", "country": "XX"}},
    {"organisation": {"name": "\u200b", "country": "GB"}},
    {"contact": {"name": "Ann\nBcc: x", "email": "ann@children-first.example"}},
    {"contact": {"name": "Ann", "email": "ann@children-first.example\r\nRCPT TO:<x@y.example>"}},
    {"contact": {"name": "x" * 301, "email": "nobody"}},
    {"contact": {"name": "Ann"}},
    {"organisation": None},
    {"locale": "English"},
]


@pytest.mark.parametrize("changes", WRONG)
def test_each_field_is_judged_as_in_every_channel_and_in_the_same_words(changes: dict[str, Any]) -> None:
    whole = read({**interest(**changes)}, DOCUMENT)
    assert isinstance(whole, list)
    assert read_interest(interest(**changes), DOCUMENT, HELD) == whole
    assert read_liaison(request(**changes), DOCUMENT, EXEMPT) == read(
        {name: value for name, value in request(**changes).items() if name != "message"}, DOCUMENT
    )


def test_what_an_application_has_beside_is_refused_by_its_name() -> None:
    more = interest(
        answers={"aims.accepted": True},
        organisation={"name": "Children First", "country": "GB", "website": "https://x.example"},
    )
    assert pointers(read_interest(more, DOCUMENT, HELD)) == ["/answers", "/organisation/website"]
    assert pointers(read_interest([], DOCUMENT, HELD))[0] == ""


@pytest.mark.parametrize(
    "message", [None, "", " \n\u200b ", 7, ["x"], "x" * (LONGEST_MESSAGE + 1), "a\x00b", "a\x1b[2J"]
)
def test_a_message_is_text_that_can_be_seen_of_bounded_length(message: Any) -> None:
    assert pointers(read_liaison(request(message=message), DOCUMENT, EXEMPT)) == ["/message"]


def test_a_huge_message_is_not_repeated_in_the_refusal() -> None:
    found = read_liaison(request(message="x" * 900_000), DOCUMENT, EXEMPT)
    assert isinstance(found, list)
    assert found[0].message == f"is longer than {LONGEST_MESSAGE} characters"


def test_the_forms_errors_are_placed_at_their_fields() -> None:
    step = interest_form(DOCUMENT, HELD)
    errors = read_interest(document_of({each.name: None for each in step.fields}), DOCUMENT, HELD)
    assert isinstance(errors, list)
    assert [field.name for field, _ in errors_of(step, errors)] == [
        each.name for each in step.fields if not each.optional
    ]
    written = liaison_form(DOCUMENT, EXEMPT)
    faults = read_liaison(document_of({each.name: None for each in written.fields}), DOCUMENT, EXEMPT)
    assert isinstance(faults, list)
    assert [field.name for field, _ in errors_of(written, faults)] == [
        each.name for each in written.fields if not each.optional
    ]


def test_the_day_by_which_the_liaison_answers_is_the_policy_s() -> None:
    assert promised(DOCUMENT, datetime(2021, 10, 4, 9, 0, tzinfo=UTC)) == date(2021, 10, 18)
    assert promised(DOCUMENT.model_copy(update={"liaison": None}), NOW) is None


def desk(
    pauses: tuple[Pause, ...] = (PAUSE,),
) -> tuple[Enquiries, FakeInterestRequests, FakeLiaisonRequests, Collected]:
    interests, liaison, later, clock = FakeInterestRequests(), FakeLiaisonRequests(), Collected(), FakeClock()
    policies, known = FakePolicies(), KnownPolicy(weprotect().hash, DOCUMENT.effective_from, DOCUMENT)
    policies.policies[known.hash] = known
    for each in pauses:
        policies.pauses[each.id] = KnownPause(each.id, 1, DOCUMENT.effective_from, each)
    limits = Limits(FakeCounters(), clock, "secret")
    return (
        Enquiries(interests, liaison, Policies(policies, clock), limits, clock, later.later),
        interests,
        liaison,
        later,
    )


async def test_a_request_is_stored_before_the_answer_and_published_after_it() -> None:
    enquiries, interests, liaison, later = desk()
    found = await enquiries.register(interest(), Sender("public", channel="form"), "192.0.2.1")
    written = await enquiries.write(request(), "192.0.2.1", None)
    assert not isinstance(found, list)
    assert not isinstance(written, list)
    assert (list(interests.stored), list(liaison.stored)) == ([found.request_id], [written.request_id])
    assert interests.published == liaison.published == []
    await later.do()
    assert (interests.published, liaison.published) == ([found.request_id], [written.request_id])


async def test_the_same_key_gets_the_same_answer_and_another_document_is_refused() -> None:
    enquiries, interests, _, later = desk()
    sender = Sender("alpha", "key-1")
    first, again = await enquiries.register(interest(), sender), await enquiries.register(interest(), sender)
    assert first == again
    assert len(interests.stored) == 1
    with pytest.raises(Conflict):
        await enquiries.register(interest(locale="fr"), sender)
    assert request_id_for("alpha", "key-1") != request_id_for("beta", "key-1")
    assert request_id_for("alpha", None) != request_id_for("alpha", None)
    await later.do()


async def test_visitors_are_limited_by_address_and_by_client_and_channels_are_not() -> None:
    enquiries, interests, _, later = desk()
    for number in range(PER_ADDRESS.most):
        await enquiries.register(interest(), Sender("public"), f"192.0.2.{number}")
    with pytest.raises(TooOften):
        await enquiries.register(interest(), Sender("public"), "192.0.2.99")
    with pytest.raises(TooOften):
        await enquiries.write(request(), "192.0.2.98", None)
    await enquiries.register(interest(), Sender("alpha"))
    assert len(interests.stored) == PER_ADDRESS.most + 1
    for number in range(PER_CLIENT.most):
        contact = {"name": "Ann", "email": f"a{number}@children-first.example"}
        await enquiries.register(interest(contact=contact), Sender("public"), "198.51.100.7")
    with pytest.raises(TooOften):
        await enquiries.register(
            interest(contact={"name": "A", "email": "z@x.example"}), Sender("public"), "198.51.100.7"
        )
    await later.do()


async def test_what_is_refused_is_neither_counted_nor_stored() -> None:
    enquiries, interests, *_ = desk()
    for _ in range(PER_CLIENT.most + 1):
        assert isinstance(await enquiries.register(interest(consent={}), Sender("public"), "192.0.2.1"), list)
    assert interests.stored == {}
