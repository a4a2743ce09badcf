"""Letters to the people an application nominates: what they say, and that the same request is one letter."""

from __future__ import annotations

import pytest

from services.notifications.domain.emails import Standing, superseded
from services.notifications.domain.letters import APPEAL_RECEIVED, NOMINATION, Nomination
from shared.application import Contact
from shared.batches import Event
from shared.events import ApplicationAppealed, ApplicationSummary, NominationRequested, event_id
from tests.unit.notifications.letters import NOW, POLICY, composer, letter
from tests.unit.notifications.test_correspondence import Service

APPLICANT = ApplicationSummary(
    application_id="5f0c2a52-6c3e-5d0a-9a39-1f1f5a8f2f10",
    revision=1,
    category="civil_society_organisation",
    organisation_name="Casa Aberta — Proteção",
    contact=Contact(name="Inês d'Almeida", email="ines@casa-aberta.example"),
    locale="en",
    channel="api",
    received_at=NOW,
)


def requested(number: int = 1, email: str = "rui@casa-aberta.example") -> Event:
    data = NominationRequested(
        nomination_id="n-1",
        application=APPLICANT,
        role="senior",
        role_label={"en": "Senior lead"},
        role_hint={"en": "Speaks for the organisation."},
        nominee=Contact(name="Rui Ávila", email=email),
        requested_at=NOW,
    )
    identity = event_id(f"n-1:{number}", number, "nomination.requested.v1")
    return Event(identity, APPLICANT.application_id, NOW, "/test", data)


async def test_a_nominee_gets_one_letter_a_request_however_often_it_is_told() -> None:
    service = Service()
    await service.receive(requested())
    await service.receive(requested())
    await service.receive(requested(number=2))
    assert service.written() == [(NOMINATION, "rui@casa-aberta.example", 1, 0)] * 2


async def test_whoever_appeals_gets_one_confirmation() -> None:
    service = Service()
    data = ApplicationAppealed(
        application=APPLICANT,
        appeal_id="appeal",
        stage="appeal-1",
        statement="We are registered.",
        decision_revision=1,
        decision_number=1,
        appealed_at=NOW,
    )
    appealed = Event(event_id("a:1:1", 1, "application.appealed.v1"), APPLICANT.application_id, NOW, "/test", data)
    await service.receive(appealed)
    await service.receive(appealed)
    assert service.written() == [(APPEAL_RECEIVED, "ines@casa-aberta.example", 1, 0)]


def test_the_letter_says_who_names_the_reader_as_what_and_what_to_do_if_they_never_heard_of_it() -> None:
    rendered = composer().render(letter(NOMINATION), POLICY.document)
    assert rendered.subject == "Example Organisation names you: please confirm or decline"
    for part in (rendered.text, rendered.html):
        told = " ".join(part.split())
        assert "https://join.example/nominations/" in told
        assert "Senior lead" in told
        assert "speaks for the organisation towards the Alliance" in told
        assert "Then somebody named you without asking" in told


def test_the_letter_opens_nothing_of_the_application_and_does_not_name_its_contact() -> None:
    rendered = composer().render(letter(NOMINATION), POLICY.document)
    for part in (rendered.subject, rendered.text, rendered.html):
        assert "/status/" not in part
        assert letter(NOMINATION).application_id[:8].upper() not in part


def test_two_nominees_of_the_same_role_get_their_own_links_and_names() -> None:
    one = composer()
    first = one.render(
        letter(NOMINATION, recipient="Ada", nomination=Nomination("n-1", {"en": "Lead"}, {"en": "Leads."})),
        POLICY.document,
    )
    second = one.render(
        letter(NOMINATION, recipient="Ben", nomination=Nomination("n-2", {"en": "Lead"}, {"en": "Leads."})),
        POLICY.document,
    )
    other = one.render(
        letter(NOMINATION, nomination=Nomination("n-3", {"en": "Contact"}, {"en": "Is written to."})), POLICY.document
    )
    assert "nominations/n-1." in first.text
    assert "Dear Ada," in first.text
    assert "nominations/n-2." in second.text
    assert "Dear Ben," in second.text
    assert "as its Contact" in " ".join(other.text.split())


def test_what_an_applicant_wrote_is_text_in_the_letter_and_never_markup() -> None:
    hostile = letter(NOMINATION, organisation='<a href="https://evil.example">Click</a>\r\nBcc: all@evil.example')
    rendered = composer().render(hostile, POLICY.document)
    assert '<a href="https://evil.example"' not in rendered.html
    assert "\n" not in rendered.subject


@pytest.mark.parametrize(
    ("standing", "goes_out"),
    [
        (Standing(), True),
        (Standing(revision=2), True),
        (Standing(withdrawn=True), False),
        (Standing(undone=True), False),
    ],
)
def test_a_nominee_is_not_asked_for_an_application_that_was_withdrawn(standing: Standing, goes_out: bool) -> None:
    """For one that was amended they are: whom it names still is not asked a second time."""
    assert (superseded("nomination", 1, 0, standing) is None) is goes_out
