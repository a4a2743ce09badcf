"""Letters to people who are no applicants: who registered their interest, who wrote to the liaison."""

from __future__ import annotations

from datetime import date
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from services.notifications.storage.emails import outbox_mark
from services.notifications.use_cases.records import content_of
from shared.application import Contact
from shared.batches import Event
from shared.clock import Reading
from shared.events import TYPE_OF, InterestRegistered, LiaisonRequested, event_id
from shared.topology import CONSUMED
from tests.unit.notifications.letters import NOW, POLICY, composer, letter
from tests.unit.notifications.test_correspondence import Service

ONE = "9a3a7c1e-0d62-5a55-9a5e-0d0d5f3c8a11"
CATEGORY = next(iter(POLICY.document.categories))


def registered(registration: int = 1, **changes: Any) -> Event:
    contact = Contact(name="Ann", email="ann@children-first.example")
    data = InterestRegistered(
        interest_id=ONE, category=CATEGORY, organisation_name="Children First", contact=contact, locale="en",
        registered_at=NOW, source="form", country="GB",
    ).model_copy(update=changes)  # fmt: skip
    return Event(event_id(ONE, registration, TYPE_OF[InterestRegistered]), ONE, NOW, "/accede/tests", data)


def requested(**changes: Any) -> Event:
    contact = Contact(name="Awa", email="awa@ministry.example")
    data = LiaisonRequested(
        request_id=ONE, category=CATEGORY, organisation_name="Ministry", country="SN", contact=contact,
        message="Where may we park?", locale="en", requested_at=NOW, reply_by=date(2021, 10, 18),
    ).model_copy(update=changes)  # fmt: skip
    return Event(event_id(ONE, 1, TYPE_OF[LiaisonRequested]), ONE, NOW, "/accede/tests", data)


async def test_who_registers_gets_one_email_each_time_they_are_put_on_the_list() -> None:
    service = Service()
    for event in (registered(), registered(), registered(2)):
        await service.receive(event, event)
    assert service.written() == [("interest_registered", "ann@children-first.example", 0, 0)] * 2
    row = next(iter(service.mailroom.rows.values()))
    said = content_of(row.mime)
    for part in (said.text, said.html):
        assert f"https://decide.example/interests/own.{ONE}.signed" in part
        assert "It is no application" in part
        assert "Children First" in part


async def test_who_is_on_the_list_by_a_held_application_is_not_written_to_twice() -> None:
    """Its outcome has said it."""
    service = Service()
    await service.receive(registered(source="application", application_id=ONE))
    assert service.written() == []


async def test_only_the_letter_about_the_list_can_be_unsubscribed_from_and_by_one_click() -> None:
    """RFC 8058: both headers, and an https address that a POST leaves."""
    service = Service()
    await service.receive(registered())
    await service.receive(requested())
    interest, liaison = (message_from_bytes(row.mime, policy=default) for row in service.mailroom.rows.values())
    assert interest["List-Unsubscribe"] == f"<https://decide.example/interests/own.{ONE}.signed>"
    assert interest["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert liaison["List-Unsubscribe"] is None
    assert b"List-Unsubscribe" not in composer().compose(letter("on_hold"), POLICY.document, ONE, NOW).mime


@pytest.mark.parametrize(("reply_by", "promised"), [(date(2021, 10, 18), True), (None, False)])
async def test_the_liaison_acknowledges_once_says_by_when_and_repeats_nothing(
    reply_by: date | None, promised: bool
) -> None:
    service, event = Service(), requested(reply_by=reply_by)
    await service.receive(event, event)
    await service.receive(event)
    ((template, address, *_),) = service.written()
    assert (template, address) == ("liaison_received", "awa@ministry.example")
    (row,) = service.mailroom.rows.values()
    said = content_of(row.mime)
    for part in (said.text, said.html):
        assert ("18 October 2021" in part) is promised
        assert f"https://decide.example/liaison-requests/{ONE}.signed" in part
        assert "park" not in part, "an address that somebody else entered gets no text of theirs"


async def test_no_name_can_add_a_header_or_markup() -> None:
    nasty = Contact.model_construct(name="Ann\r\nBcc: eve@evil.example", email="ann@children-first.example")
    service = Service()
    await service.receive(registered(contact=nasty, organisation_name="<b>Eve</b>\r\nBcc: eve@evil.example"))
    (row,) = service.mailroom.rows.values()
    message = message_from_bytes(row.mime, policy=default)
    assert message["Bcc"] is None
    assert "<b>Eve</b>" not in content_of(row.mime).html


def test_what_the_topology_brings_of_erasures_is_handled_with_them() -> None:
    assert {"interest.erased.v1", "liaison.erased.v1"} <= set(CONSUMED["notifications"])


@pytest.mark.parametrize(
    ("template", "reported"), [("interest_registered", False), ("liaison_received", False), ("eligible", True)]
)
def test_what_becomes_of_an_email_about_no_application_is_reported_to_nobody(template: str, reported: bool) -> None:
    """Intake would look for an application of that id."""
    document = {"_id": "e", "template": template, "state": "sent", "attempts": 1, "lane": 0, "trace": None}
    assert (outbox_mark(document, Reading(NOW, NOW)) is not None) is reported
