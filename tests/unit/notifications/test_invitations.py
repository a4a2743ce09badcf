"""The letter by which a campaign invites: what is asked now, what has changed, a form of one's own, and how to leave."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from services.notifications.domain.emails import Standing, superseded
from services.notifications.storage.emails import outbox_mark
from services.notifications.use_cases.records import Content, content_of
from shared.application import Contact
from shared.batches import Event
from shared.clock import Reading
from shared.events import TYPE_OF, InterestInvited, event_id
from shared.policy.base import text_in
from shared.policy.pack import Commitments, Policy
from tests.unit.notifications.letters import NOW, POLICY
from tests.unit.notifications.test_correspondence import Service

HELD = "5f0c2a52-6c3e-5d0a-9a39-1f1f5a8f2f10"
INTEREST = "9a3a7c1e-0d62-5a55-9a5e-0d0d5f3c8a11"
CATEGORY = next(iter(POLICY.document.categories))
OTHER_CATEGORY = list(POLICY.document.categories)[-1]


def earlier() -> Policy:
    """A policy with one criterion less, and other commitments."""
    document = POLICY.document
    fewer = tuple(
        each for each in document.criteria if not (each.when is None and not each.own and each.judge == "rule")
    )
    items = document.commitments.items[:-1]
    commitments = Commitments(statement=document.commitments.statement, items=items)
    return Policy.of(
        document.model_copy(update={"criteria": fewer or document.criteria[:-1], "commitments": commitments})
    )


def invited(number: int = 1, **changes: Any) -> Event:
    data = InterestInvited(
        invitation_id=f"i{number}", campaign_id="break:1", interest_id=INTEREST, application_id=HELD, category=CATEGORY,
        organisation_name="Children First", contact=Contact(name="Ann", email=f"ann{number}@children-first.example"),
        locale="en", asked_at=NOW, asked_policy_hash=POLICY.hash, policy_hash=POLICY.hash, lifted_at=NOW, invited_at=NOW,
    ).model_copy(update=changes)  # fmt: skip
    return Event(event_id(data.invitation_id, 1, TYPE_OF[InterestInvited]), HELD, NOW, "/accede/tests", data)


async def written(*events: Event) -> list[bytes]:
    service = Service()
    old = earlier()
    service.policies.known[old.hash] = old.document
    for event in events:
        await service.receive(event, event)
    return [row.mime for row in service.mailroom.rows.values()]


def parts(said: Content) -> tuple[str, str]:
    return " ".join(said.text.split()), " ".join(said.html.split())


async def test_each_is_invited_once_with_their_category_s_criteria_the_evidence_and_a_link_of_their_own() -> None:
    first, second = await written(invited(1), invited(2, category=OTHER_CATEGORY), invited(1))
    document = POLICY.document
    for mime, category in ((first, CATEGORY), (second, OTHER_CATEGORY)):
        text, html = parts(content_of(mime))
        own = [each for each in document.criteria if each.when is not None and category in each.when and each.own]
        for statement in [text_in(each.statement, "en") for each in own]:
            assert statement in text
        for item in document.categories[category].evidence:
            assert text_in(item, "en") in text
        assert f"https://join.example/invitations/{HELD}.0" in text
        assert f"https://join.example/invitations/{HELD}.0" in html
        assert "Nothing that concerns you." in text, "the same policy is in force"
    assert text_in(document.categories[CATEGORY].evidence[0], "en") not in parts(content_of(second))[0]


async def test_what_changed_since_they_asked_is_said_and_a_changed_text_is_to_be_signed_anew() -> None:
    (mime,) = await written(invited(asked_policy_hash=earlier().hash))
    text, html = parts(content_of(mime))
    for said in (text, html):
        assert "The commitments have a new text." in said
        assert "Nothing that concerns you." not in said
    assert "WHAT HAS CHANGED SINCE YOU ASKED" in text


async def test_a_policy_that_is_not_known_any_more_is_not_compared_with() -> None:
    (mime,) = await written(invited(asked_policy_hash="forgotten"))
    assert "WHAT HAS CHANGED" not in content_of(mime).text


@pytest.mark.parametrize(
    ("changes", "form", "leave"),
    [
        ({}, f"invitations/{HELD}.0", f"https://decide.example/interests/{HELD}.signed"),
        (
            {"application_id": None, "request_id": "r7"},
            "invitations/request.r7",
            f"https://decide.example/interests/own.{INTEREST}.signed",
        ),
    ],
)
async def test_it_can_be_unsubscribed_from_by_one_click(changes: dict[str, Any], form: str, leave: str) -> None:
    """RFC 8058."""
    (mime,) = await written(invited(**changes))
    message = message_from_bytes(mime, policy=default)
    assert message["List-Unsubscribe"] == f"<{leave}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    said = content_of(mime)
    assert leave in said.text
    assert form in said.text
    assert ("have deleted what you entered" in said.text) is ("request_id" in changes)


def test_it_is_left_out_when_the_application_was_withdrawn_or_they_left_since_and_reported_to_nobody() -> None:
    assert superseded("invitation", 0, 0, Standing(withdrawn=True)) == "superseded: the application was withdrawn"
    assert superseded("invitation", 0, 0, Standing(revision=2, newest=(2, 1))) is None
    before, after = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
    for left_at, goes_out in ((None, True), (before, True), (NOW, False), (after, False)):
        reason = superseded("invitation", 0, 0, Standing(left_at=left_at), NOW)
        assert reason == (None if goes_out else "superseded: they left the list"), left_at
        assert superseded("outcome", 1, 1, Standing(left_at=left_at)) is None, "the outcome of an application still is"
    document = {"_id": "e", "template": "invitation", "state": "sent", "attempts": 1, "lane": 1, "trace": None}
    assert outbox_mark(document, Reading(NOW, NOW)) is None
