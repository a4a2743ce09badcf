"""Dispatchers on a real MongoDB and an SMTP server that misbehaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifications.delivery.smtp import Route, SmtpCarrier
from services.notifications.domain.emails import RetryRules
from services.notifications.domain.invitations import Invited
from services.notifications.use_cases.dispatch import Dispatcher, DispatchRules, Recovery
from services.notifications.use_cases.emails import NewEmail
from shared.application import Lane
from shared.errors import Transient
from tests.integration.notifications.mailrooms import InMongo
from tests.integration.notifications.smtp import DROP, MisbehavingServer
from tests.unit.notifications.letters import NOW, POLICY, new_email
from tests.waiting import eventually

AT_ONCE = RetryRules(first=timedelta(0))


class Office:
    """A mailroom, and any number of dispatchers that send to one server."""

    def __init__(self, mailroom: InMongo, server: MisbehavingServer) -> None:
        self.mailroom = mailroom
        self.server = server

    def dispatcher(self, batch: int = 10, lease: float = 30, retry: RetryRules = AT_ONCE) -> Dispatcher:
        route = Route("127.0.0.1", self.server.port, "membership@alliance.example", command_seconds=20)
        rules = DispatchRules(batch, lease, retry)
        return Dispatcher(self.mailroom.queue, SmtpCarrier(route), self.mailroom.clock, rules, lambda: False)

    async def add(self, *emails: NewEmail, lane: Lane = "bulk") -> None:
        await self.mailroom.add(emails, lane, await self.mailroom.clock.read())

    async def states(self, email: NewEmail) -> list[str]:
        found = await self.mailroom.find(email.email_id)
        assert found is not None
        return [entry.state for entry in found[0].history]

    def arrived(self) -> list[str]:
        return [recipient for recipient, _ in self.server.accepted]


@pytest.fixture
async def office(real: InMongo, smtp: MisbehavingServer) -> Office:
    return Office(real, smtp)


async def drain(dispatcher: Dispatcher) -> None:
    while await dispatcher.round():
        pass
    await dispatcher.close()


@pytest.mark.parametrize(
    ("verb", "reply", "history", "copies"),
    [
        ("RCPT", "451 later", ["pending", "pending", "sent"], 1),
        ("RCPT", "550 no such mailbox", ["pending", "failed"], 0),
        ("DATA", DROP, ["pending", "pending", "sent"], 1),
        ("END", "451 later", ["pending", "pending", "sent"], 2),
        ("END", "554 no", ["pending", "failed"], 1),
        ("END", DROP, ["pending", "unknown", "sent"], 2),
    ],
)
async def test_each_misfortune_ends_as_it_should_and_copies_are_identical(
    office: Office, verb: str, reply: str, history: list[str], copies: int
) -> None:
    email = new_email()
    office.server.replies[verb] = [reply]
    await office.add(email)
    await drain(office.dispatcher())
    assert await office.states(email) == history
    assert [content for _, content in office.server.accepted] == [email.composed.mime] * copies
    assert office.mailroom.reported() == [(email.email_id, history[-1])]


async def test_a_second_copy_goes_out_only_after_unknown_was_recorded(office: Office) -> None:
    email = new_email()
    office.server.replies["END"] = [DROP]
    await office.add(email)
    dispatcher = office.dispatcher(retry=RetryRules(first=timedelta(hours=1)))
    await drain(dispatcher)
    assert await office.states(email) == ["pending", "unknown"]
    assert len(office.server.accepted) == 1
    assert not await office.mailroom.any_due()


async def test_temporary_failures_are_given_up_in_the_end(office: Office) -> None:
    email = new_email()
    office.server.replies["RCPT"] = ["451 later"]
    await office.add(email)
    await drain(office.dispatcher(retry=RetryRules(give_up_after=timedelta(0))))
    found = await office.mailroom.find(email.email_id)
    assert found is not None
    assert (found[0].state, found[0].history[-1].detail) == ("failed", "given up after 1 tries: 451 later")


async def test_dispatchers_side_by_side_send_one_copy_of_each_email(office: Office) -> None:
    emails = [new_email(to=f"ada{number}@charity.example") for number in range(120)]
    await office.add(*emails)
    await asyncio.gather(*(drain(office.dispatcher(batch=7)) for _ in range(4)))
    await drain(office.dispatcher())
    assert sorted(office.arrived()) == sorted(email.composed.to for email in emails)
    assert sorted(office.mailroom.reported()) == sorted((email.email_id, "sent") for email in emails)
    assert await office.mailroom.counts() == {("outcome", "sent"): 120}


async def test_a_person_at_a_form_does_not_wait_behind_an_import(office: Office) -> None:
    await office.add(*(new_email(to=f"bulk{number}@charity.example") for number in range(30)))
    dispatcher = office.dispatcher(batch=10)
    await dispatcher.round()
    await office.add(new_email(to="person@charity.example"), lane="interactive")
    await drain(dispatcher)
    assert office.arrived()[10] == "person@charity.example"


async def test_what_was_amended_or_withdrawn_before_its_turn_is_not_mailed(office: Office) -> None:
    amended, withdrawn, current = (new_email(to=f"{name}@charity.example") for name in ("a", "w", "c"))
    await office.add(amended, withdrawn, current)
    await office.mailroom.amended(amended.letter.application_id, 2)
    await office.mailroom.withdrawn(withdrawn.letter.application_id, 1)
    await drain(office.dispatcher())
    assert office.arrived() == ["c@charity.example"]
    assert await office.states(amended) == ["pending", "superseded"]
    assert await office.states(withdrawn) == ["pending", "superseded"]
    assert sorted(office.mailroom.reported()) == sorted(
        [(amended.email_id, "failed"), (withdrawn.email_id, "failed"), (current.email_id, "sent")]
    )


async def test_who_left_the_list_gets_no_invitation_of_before_in_whatever_order_it_is_told(office: Office) -> None:
    """Theirs waits behind thousands of others when they leave; or the leaving overtakes the invitation, in another lane."""
    told_first, told_later, back, stays = (invitation(f"{name}@charity.example") for name in ("f", "l", "b", "s"))
    second = timedelta(seconds=1)
    await office.mailroom.heads.left({told_first.letter.application_id: NOW + second})
    await office.add(told_first, told_later, back, stays)
    await office.mailroom.heads.left({told_later.letter.application_id: NOW, back.letter.application_id: NOW - second})
    await drain(office.dispatcher())
    assert office.arrived() == ["b@charity.example", "s@charity.example"]
    for each in (told_first, told_later):
        found = await office.mailroom.find(each.email_id)
        assert found is not None
        assert [entry.detail for entry in found[0].history] == ["written", "superseded: they left the list"]


async def test_a_letter_that_was_written_before_the_instant_was_kept_goes_by_when_it_was_written(
    office: Office,
) -> None:
    old = invitation("old@charity.example")
    await office.add(old)
    written = await office.mailroom.database["emails"].find_one_and_update({}, {"$unset": {"invited_at": ""}})
    assert written is not None
    await office.mailroom.heads.left({old.letter.application_id: written["created_at"]})
    await drain(office.dispatcher())
    assert await office.states(old) == ["pending", "superseded"]


def invitation(to: str) -> NewEmail:
    """That somebody was invited at `NOW`."""
    email = new_email(to=to)
    invited = Invited("i", email.letter.application_id, None, lifted_at=NOW, invited_at=NOW, asked_policy=POLICY.hash)
    return replace(
        email,
        letter=replace(email.letter, kind="invitation", template="invitation", revision=0, number=0, invited=invited),
    )


async def test_an_earlier_decision_that_comes_after_a_later_one_is_not_mailed(office: Office) -> None:
    later = new_email(number=2, to="later@charity.example")
    await office.add(later)
    await drain(office.dispatcher())
    earlier = new_email(later.letter.application_id, template="referred", to="earlier@charity.example")
    await office.add(earlier)
    await drain(office.dispatcher())
    assert office.arrived() == ["later@charity.example"]
    assert await office.states(earlier) == ["pending", "superseded"]


async def test_emails_of_a_killed_dispatcher_are_sent_by_another(office: Office) -> None:
    claimed, sending = new_email(to="claimed@charity.example"), new_email(to="sending@charity.example")
    await office.add(sending)
    await office.mailroom.start(await office.mailroom.claim(1, 30), -1)
    await office.add(claimed)
    await office.mailroom.claim(1, -1)
    await drain(office.dispatcher())
    assert office.arrived() == []
    await Recovery(office.mailroom.queue, office.mailroom.clock).round()
    await drain(office.dispatcher())
    assert sorted(office.arrived()) == ["claimed@charity.example", "sending@charity.example"]
    assert await office.states(claimed) == ["pending", "pending", "sent"]
    assert await office.states(sending) == ["pending", "unknown", "sent"]


async def test_a_server_that_is_slow_to_answer_keeps_its_email_as_long_as_the_dispatcher_lives(office: Office) -> None:
    email = new_email()
    office.server.hold.clear()
    await office.add(email)
    sending = asyncio.create_task(drain(office.dispatcher(lease=0.6)))
    await eventually(lambda: len(office.server.accepted) == 1, "the email is at the server")
    first = await office.mailroom.find(email.email_id)
    assert first is not None
    assert first[0].due is not None
    until = first[0].due

    async def extended() -> bool:
        found = await office.mailroom.find(email.email_id)
        return found is not None and found[0].due is not None and found[0].due > until + timedelta(seconds=0.8)

    await eventually(extended, "the lease is extended beyond its first end")
    await Recovery(office.mailroom.queue, office.mailroom.clock).round()
    office.server.hold.set()
    await sending
    assert await office.states(email) == ["pending", "sent"]
    assert len(office.server.accepted) == 1


async def test_a_server_that_goes_away_costs_no_try_and_the_rest_is_sent_when_it_is_back(office: Office) -> None:
    dispatcher = office.dispatcher()
    await office.add(new_email())
    await dispatcher.round()
    office.server.greeting = "421 going down"
    office.server.replies["MAIL"] = ["250 ok", DROP]
    emails = [new_email(to=f"ada{number}@charity.example") for number in range(3)]
    await office.add(*emails)
    with pytest.raises(Transient, match="went away"):
        await dispatcher.round()
    assert await office.mailroom.counts() == {("outcome", "sent"): 2, ("outcome", "pending"): 2}
    with pytest.raises(Transient, match="away"):
        await dispatcher.round()
    office.server.greeting = "220 test"
    await drain(dispatcher)
    assert sorted(office.arrived()[1:]) == [email.composed.to for email in emails]
    records = [await office.mailroom.find(email.email_id) for email in emails]
    assert [found[0].attempts for found in records if found] == [1, 1, 1]
