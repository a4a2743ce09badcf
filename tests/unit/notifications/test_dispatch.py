"""The dispatcher, with emails in memory and a carrier that answers as told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.notifications.domain.emails import (
    Accepted,
    Deferred,
    Lost,
    Rejected,
    Result,
    RetryRules,
    State,
    Untried,
)
from services.notifications.use_cases.dispatch import Dispatcher, DispatchRules, Recovery
from services.notifications.use_cases.emails import NewEmail
from shared.application import Lane
from shared.errors import Transient
from tests.unit.notifications.fakes import FakeCarrier, FakeClock, FakeMailroom
from tests.unit.notifications.letters import NOW, new_email

AT_ONCE = RetryRules(first=timedelta(0))


class Desk:
    """A mailroom with a dispatcher."""

    def __init__(self, *answers: Result, stopped: Callable[[], bool] = lambda: False, batch: int = 10) -> None:
        self.mailroom, self.carrier, self.clock = FakeMailroom(), FakeCarrier(*answers), FakeClock(NOW)
        rules = DispatchRules(batch=batch, lease=30, retry=AT_ONCE)
        self.dispatcher = Dispatcher(self.mailroom, self.carrier, self.clock, rules, stopped)

    async def add(self, *emails: NewEmail, lane: Lane = "bulk") -> None:
        await self.mailroom.add(emails, lane, await self.clock.read())

    def state(self, email: NewEmail) -> State:
        return self.mailroom.rows[email.email_id].record.state

    def history(self, email: NewEmail) -> list[State]:
        return [entry.state for entry in self.mailroom.rows[email.email_id].record.history]


@pytest.mark.parametrize(
    ("answers", "history"),
    [
        ([Accepted("250 ok")], ["pending", "sent"]),
        ([Rejected("550 no")], ["pending", "failed"]),
        ([Deferred("451 later"), Accepted("250 ok")], ["pending", "pending", "sent"]),
        ([Lost("no reply"), Accepted("250 ok")], ["pending", "unknown", "sent"]),
        ([Deferred("451 later"), Lost("no reply"), Rejected("550")], ["pending", "pending", "unknown", "failed"]),
    ],
)
async def test_an_email_is_tried_until_it_is_in_a_final_state(answers: list[Result], history: list[State]) -> None:
    desk, email = Desk(*answers), new_email()
    await desk.add(email)
    while await desk.dispatcher.round():
        pass
    assert desk.history(email) == history
    assert desk.mailroom.rows[email.email_id].record.attempts == len(answers)
    assert desk.mailroom.reports == [(email.email_id, history[-1])]


async def test_every_copy_of_an_email_is_the_same_byte_for_byte() -> None:
    desk, email = Desk(Lost("no reply"), Lost("no reply")), new_email()
    await desk.add(email)
    while await desk.dispatcher.round():
        pass
    assert [each.mime for each in desk.carrier.delivered] == [email.composed.mime] * 3


async def test_interactive_emails_go_first_and_a_batch_has_its_size() -> None:
    desk = Desk(batch=2)
    bulk, person = [new_email() for _ in range(3)], new_email()
    await desk.add(*bulk)
    await desk.add(person, lane="interactive")
    await desk.dispatcher.round()
    assert [each.email_id for each in desk.carrier.delivered] == [person.email_id, bulk[0].email_id]


async def test_without_emails_no_connection_is_made() -> None:
    desk = Desk()
    assert await desk.dispatcher.round() is False
    assert not desk.carrier.connected


async def test_while_the_server_is_away_nothing_is_claimed_and_no_try_is_counted() -> None:
    desk, email = Desk(), new_email()
    await desk.add(email)
    desk.carrier.away = True
    with pytest.raises(Transient):
        await desk.dispatcher.round()
    assert desk.history(email) == ["pending"]


async def test_what_was_not_tried_waits_without_a_try_and_the_dispatcher_backs_off() -> None:
    desk, first, second = Desk(Accepted("250 ok"), Untried("away")), new_email(), new_email()
    await desk.add(first, second)
    with pytest.raises(Transient):
        await desk.dispatcher.round()
    assert desk.state(first) == "sent"
    assert desk.state(second) == "pending"
    assert desk.mailroom.rows[second.email_id].record.attempts == 0


async def test_a_stop_puts_back_what_was_not_tried_without_an_error() -> None:
    desk, email = Desk(Untried("stopped"), stopped=lambda: True), new_email()
    await desk.add(email)
    assert await desk.dispatcher.round() is True
    assert desk.state(email) == "pending"


async def test_an_outcome_of_an_amended_or_withdrawn_application_is_superseded() -> None:
    desk = Desk()
    amended, withdrawn, current = new_email(), new_email(), new_email(revision=2)
    await desk.add(amended, withdrawn, current)
    desk.mailroom.heads = {
        amended.letter.application_id: (2, False),
        withdrawn.letter.application_id: (1, True),
        current.letter.application_id: (2, False),
    }
    await desk.dispatcher.round()
    assert [desk.state(each) for each in (amended, withdrawn, current)] == ["superseded", "superseded", "sent"]
    assert {state for _, state in desk.mailroom.reports} == {"superseded", "sent"}
    assert desk.mailroom.rows[amended.email_id].record.attempts == 0


async def test_a_late_first_decision_is_not_mailed_after_a_newer_one() -> None:
    desk = Desk()
    newer = new_email(number=2)
    application_id = newer.letter.application_id
    await desk.add(newer)
    await desk.dispatcher.round()
    late = new_email(application_id, template="referred", number=1)
    await desk.add(late)
    await desk.dispatcher.round()
    assert desk.state(late) == "superseded"
    assert [each.email_id for each in desk.carrier.delivered] == [newer.email_id]


async def test_an_acknowledgement_is_sent_even_when_the_application_was_withdrawn() -> None:
    desk, email = Desk(), new_email(template="acknowledgement")
    await desk.add(email)
    desk.mailroom.heads = {email.letter.application_id: (3, True)}
    await desk.dispatcher.round()
    assert desk.state(email) == "sent"


async def test_a_dispatcher_that_lost_its_claim_changes_nothing_any_more() -> None:
    desk, email = Desk(), new_email()
    await desk.add(email)

    def taken_over() -> None:
        desk.mailroom.rows[email.email_id].token = "another"

    desk.carrier.before_delivery = taken_over
    await desk.dispatcher.round()
    assert desk.state(email) == "sending"
    assert desk.mailroom.reports == []


async def test_what_dead_dispatchers_held_is_taken_back_as_pending_or_unknown() -> None:
    desk, claimed, sending = Desk(), new_email(), new_email()
    await desk.add(claimed)
    await desk.mailroom.claim(1, -1)
    await desk.add(sending)
    claim = await desk.mailroom.claim(1, 30)
    await desk.mailroom.start(claim, -1)
    assert await Recovery(desk.mailroom, desk.clock).round() is False
    assert (desk.state(claimed), desk.state(sending)) == ("pending", "unknown")
    await desk.dispatcher.round()
    assert (desk.history(claimed)[-1], desk.history(sending)[-2:]) == ("sent", ["unknown", "sent"])


async def test_closing_a_dispatcher_closes_its_connection() -> None:
    desk = Desk()
    desk.carrier.connected = True
    await desk.dispatcher.close()
    assert not desk.carrier.connected
