"""Emails of an erased application, in memory and in MongoDB: nothing unsent goes out, and nothing names anybody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifications.domain.emails import Transition
from services.notifications.use_cases.emails import NewEmail
from tests.integration.notifications.mailrooms import Mailroom
from tests.unit.notifications.letters import new_email

SENT = Transition("sent", "250 ok, delivered to Ann Example", None)
AGAIN = Transition("unknown", "no reply about Ann Example", timedelta(0))


async def add(mailroom: Mailroom, *emails: NewEmail) -> None:
    await mailroom.add(emails, "bulk", await mailroom.clock.read())


async def nameless(mailroom: Mailroom, email: NewEmail, state: str) -> None:
    found = await mailroom.find(email.email_id)
    assert found is not None
    record, mime = found
    assert (record.state, record.to, record.subject, mime) == (state, "", "", b"")
    assert "Ann" not in repr(record)


@pytest.mark.parametrize("state", ["pending", "claimed", "unknown"])
async def test_an_email_that_was_not_sent_is_left_out_for_good(mailroom: Mailroom, state: str) -> None:
    email, another = new_email(), new_email()
    await add(mailroom, email)
    claim = await mailroom.claim(10, 30) if state != "pending" else None
    if claim and state == "unknown":
        await mailroom.start(claim, 30)
        await mailroom.settle(claim, [(claim.emails[0], AGAIN)], await mailroom.clock.read())
    await add(mailroom, another)
    await mailroom.erase([email.letter.application_id])
    await nameless(mailroom, email, "superseded")
    if claim:
        assert list(await mailroom.start(claim, 30)) == []
        await mailroom.settle(claim, [(claim.emails[0], SENT)], await mailroom.clock.read())
        await nameless(mailroom, email, "superseded")
    assert [each.email_id for each in (await mailroom.claim(10, 30)).emails] == [another.email_id]
    await add(mailroom, email)
    await nameless(mailroom, email, "superseded")
    assert mailroom.reported() == []


async def test_an_email_that_was_sent_stays_sent_and_names_nobody(mailroom: Mailroom) -> None:
    email = new_email()
    await add(mailroom, email)
    claim = await mailroom.claim(10, 30)
    await mailroom.start(claim, 30)
    await mailroom.settle(claim, [(claim.emails[0], SENT)], await mailroom.clock.read())
    await mailroom.erase([email.letter.application_id])
    await nameless(mailroom, email, "sent")
    await mailroom.erase([email.letter.application_id])
    await nameless(mailroom, email, "sent")


async def test_one_that_is_just_being_sent_comes_to_its_end_and_a_second_telling_finds_what_the_server_said(
    mailroom: Mailroom,
) -> None:
    email = new_email()
    await add(mailroom, email)
    claim = await mailroom.claim(10, 30)
    await mailroom.start(claim, 30)
    await mailroom.erase([email.letter.application_id])
    await nameless(mailroom, email, "sending")
    await mailroom.settle(claim, [(claim.emails[0], SENT)], await mailroom.clock.read())
    await mailroom.erase([email.letter.application_id])
    await nameless(mailroom, email, "sent")


async def test_an_email_written_just_after_the_erasure_is_superseded_by_it(mailroom: Mailroom) -> None:
    email = new_email()
    await mailroom.erase([email.letter.application_id])
    standing = (await mailroom.standings([email.letter.application_id]))[email.letter.application_id]
    assert standing.erased
