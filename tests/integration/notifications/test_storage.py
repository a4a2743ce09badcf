"""Emails in memory and in MongoDB: one suite for both, then what only the real one can show."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.domain.emails import Standing, Transition
from services.notifications.storage.emails import Emails
from services.notifications.storage.policies import Policies
from services.notifications.use_cases.dispatch import Claim
from services.notifications.use_cases.emails import NewEmail
from services.notifications.use_cases.records import EmailRecord, Wanted
from shared.application import Lane
from shared.errors import Transient
from shared.events import PauseChanged, PolicyActivated
from shared.mongo import Database
from tests.integration.notifications.mailrooms import InMongo, Mailroom, Recorder
from tests.unit.notifications.letters import NOW, POLICY, new_email

SENT = Transition("sent", "250 ok", None)
LATER = Transition("pending", "451 later", timedelta(hours=1))
AGAIN = Transition("unknown", "no reply", timedelta(0))


async def add(mailroom: Mailroom, *emails: NewEmail, lane: Lane = "bulk") -> None:
    await mailroom.add(emails, lane, await mailroom.clock.read())


async def settle(mailroom: Mailroom, claim: Claim, transition: Transition) -> None:
    await mailroom.settle(claim, [(email, transition) for email in claim.emails], await mailroom.clock.read())


async def record(mailroom: Mailroom, email: NewEmail) -> EmailRecord:
    found = await mailroom.find(email.email_id)
    assert found is not None
    return found[0]


async def test_an_email_goes_from_pending_to_sent_and_is_reported_once(mailroom: Mailroom) -> None:
    email = new_email()
    await add(mailroom, email)
    assert await mailroom.any_due()
    claim = await mailroom.claim(10, 30)
    assert [each.mime for each in claim.emails] == [email.composed.mime]
    assert not await mailroom.any_due()
    assert (await record(mailroom, email)).state == "claimed"
    assert list(await mailroom.start(claim, 30)) == list(claim.emails)
    assert (await record(mailroom, email)).state == "sending"
    await settle(mailroom, claim, SENT)
    kept = await record(mailroom, email)
    assert (kept.state, kept.attempts, kept.due) == ("sent", 1, None)
    assert [(entry.state, entry.detail) for entry in kept.history] == [("pending", "written"), ("sent", "250 ok")]
    assert mailroom.reported() == [(email.email_id, "sent")]


async def test_an_email_added_again_is_the_same_and_its_report_is_repeated_once_it_is_final(mailroom: Mailroom) -> None:
    email = new_email()
    await add(mailroom, email)
    await add(mailroom, email, new_email())
    assert mailroom.reported() == []
    claim = await mailroom.claim(10, 30)
    assert len(claim.emails) == 2
    await settle(mailroom, claim, SENT)
    await add(mailroom, email)
    assert mailroom.reported().count((email.email_id, "sent")) == 2
    assert (await record(mailroom, email)).state == "sent"


async def test_an_email_that_cannot_be_sent_is_failed_from_the_start_and_reported(mailroom: Mailroom) -> None:
    email = new_email(failure="the address is too long")
    await add(mailroom, email)
    kept = await record(mailroom, email)
    assert (kept.state, kept.due, kept.history[-1].detail) == ("failed", None, "the address is too long")
    assert mailroom.reported() == [(email.email_id, "failed")]
    assert not await mailroom.any_due()


async def test_interactive_emails_are_claimed_first_then_the_oldest(mailroom: Mailroom) -> None:
    first, second, person = new_email(), new_email(), new_email()
    await add(mailroom, first)
    await add(mailroom, second)
    await add(mailroom, person, lane="interactive")
    claimed = [(await mailroom.claim(1, 30)).emails[0].email_id for _ in range(3)]
    assert claimed == [person.email_id, first.email_id, second.email_id]
    assert (await mailroom.claim(1, 30)).emails == []


async def test_a_deferred_email_is_not_due_before_its_time(mailroom: Mailroom) -> None:
    email = new_email()
    await add(mailroom, email)
    await settle(mailroom, await mailroom.claim(1, 30), LATER)
    kept = await record(mailroom, email)
    assert (kept.state, kept.attempts) == ("pending", 1)
    assert kept.due is not None
    assert kept.due > datetime.now(UTC) + timedelta(minutes=59)
    assert not await mailroom.any_due()
    assert mailroom.reported() == []


async def test_an_unknown_email_is_claimed_again(mailroom: Mailroom) -> None:
    email = new_email()
    await add(mailroom, email)
    await settle(mailroom, await mailroom.claim(1, 30), AGAIN)
    again = await mailroom.claim(1, 30)
    assert [(each.email_id, each.attempts) for each in again.emails] == [(email.email_id, 1)]


async def test_a_claim_that_ran_out_is_taken_back_and_its_holder_can_change_nothing(mailroom: Mailroom) -> None:
    claimed, sending = new_email(), new_email()
    await add(mailroom, claimed)
    late = await mailroom.claim(1, -1)
    await add(mailroom, sending)
    later = await mailroom.claim(1, 30)
    await mailroom.start(later, -1)
    assert await mailroom.recover(await mailroom.clock.read()) == {"pending": 1, "unknown": 1}
    assert await mailroom.start(late, 30) == []
    await settle(mailroom, late, SENT)
    await settle(mailroom, later, SENT)
    assert (await record(mailroom, claimed)).state == "pending"
    kept = await record(mailroom, sending)
    assert (kept.state, kept.attempts, len(kept.history)) == ("unknown", 1, 2)
    assert mailroom.reported() == []
    assert len((await mailroom.claim(10, 30)).emails) == 2


async def test_a_claim_that_is_extended_does_not_run_out(mailroom: Mailroom) -> None:
    await add(mailroom, new_email(), new_email())
    claim = await mailroom.claim(10, -1)
    await mailroom.extend(claim, 30)
    assert len(await mailroom.start(claim, -1)) == 2
    await mailroom.extend(claim, 30)
    assert sum((await mailroom.recover(await mailroom.clock.read())).values()) == 0


async def test_a_claim_that_ran_out_is_not_started_even_if_nobody_took_it_back(mailroom: Mailroom) -> None:
    await add(mailroom, new_email())
    assert await mailroom.start(await mailroom.claim(10, -1), 30) == []


async def test_what_a_settled_batch_no_longer_holds_is_left_alone_and_the_rest_is_written(mailroom: Mailroom) -> None:
    first, second = new_email(), new_email()
    await add(mailroom, first)
    lost = await mailroom.claim(1, -1)
    await mailroom.recover(await mailroom.clock.read())
    held = await mailroom.claim(1, 30)
    assert lost.emails[0].email_id == held.emails[0].email_id
    await add(mailroom, second)
    other = await mailroom.claim(1, 30)
    mixed = Claim(other.token, [*lost.emails, *other.emails])
    await settle(mailroom, mixed, SENT)
    assert (await record(mailroom, first)).state == "claimed"
    assert (await record(mailroom, second)).state == "sent"
    assert mailroom.reported() == [(second.email_id, "sent")]


async def test_an_application_stands_where_its_highest_revision_and_its_newest_outcome_are(mailroom: Mailroom) -> None:
    one, two, acknowledgement = new_email(number=1), new_email(revision=2), new_email(template="acknowledgement")
    application_id = one.letter.application_id
    await add(mailroom, one, new_email(application_id, number=3), two, acknowledgement)
    await mailroom.amended(application_id, 4)
    await mailroom.amended(application_id, 2)
    await mailroom.withdrawn(two.letter.application_id, 2)
    await mailroom.amended(two.letter.application_id, 1)
    ids = [application_id, two.letter.application_id, acknowledgement.letter.application_id]
    assert await mailroom.standings(ids) == {
        ids[0]: Standing(revision=4, newest=(1, 3)),
        ids[1]: Standing(revision=2, withdrawn=True, newest=(2, 1)),
        ids[2]: Standing(),
    }


async def test_an_application_whose_import_was_undone_stands_so_for_good(real: InMongo) -> None:
    await real.heads.withdrawn({"a": 1, "b": 1}, {"a"})
    await real.heads.withdrawn({"a": 1})
    assert await real.queue.standings(["a", "b"]) == {
        "a": Standing(revision=1, withdrawn=True, undone=True),
        "b": Standing(revision=1, withdrawn=True),
    }


async def test_who_left_the_list_stands_so_since_the_last_time(real: InMongo) -> None:
    earlier, later = NOW - timedelta(hours=1), NOW
    await real.heads.left({"a": earlier, "b": later})
    await real.heads.left({"a": later, "b": earlier})
    assert await real.queue.standings(["a", "b"]) == {"a": Standing(left_at=later), "b": Standing(left_at=later)}


async def test_emails_are_listed_newest_first_page_by_page_and_by_what_is_asked(mailroom: Mailroom) -> None:
    emails = [new_email(to=f"ada{index}@charity.example") for index in range(5)]
    for email in emails:
        await add(mailroom, email)
    await settle(mailroom, await mailroom.claim(2, 30), SENT)
    everything = [each.email_id for each in await mailroom.list(Wanted())]
    assert sorted(everything) == sorted(email.email_id for email in emails)
    paged: list[str] = []
    while page := await mailroom.list(Wanted(after=paged[-1] if paged else None, limit=2)):
        paged += [each.email_id for each in page]
    assert paged == everything
    assert len(await mailroom.list(Wanted(state="sent"))) == 2
    assert len(await mailroom.list(Wanted(kind="acknowledgement"))) == 0
    for wanted in (Wanted(to="ada3@charity.example"), Wanted(application_id=emails[3].letter.application_id)):
        assert [each.email_id for each in await mailroom.list(wanted)] == [emails[3].email_id]
    assert await mailroom.find("no such email") is None
    assert await mailroom.counts() == {("outcome", "sent"): 2, ("outcome", "pending"): 3}


async def test_dispatchers_that_claim_at_the_same_time_never_hold_the_same_email(real: InMongo) -> None:
    await add(real, *(new_email() for _ in range(60)))
    claims = await asyncio.gather(*(real.claim(20, 30) for _ in range(8)))
    held = [email.email_id for claim in claims for email in claim.emails]
    assert len(held) == len(set(held))


async def test_a_report_the_broker_did_not_take_is_published_by_the_sweeper(real: InMongo) -> None:
    email = new_email()
    await add(real, email)
    real.publisher.away = True
    await settle(real, await real.claim(1, 30), SENT)
    assert (await record(real, email)).state == "sent"
    real.publisher.away = False
    await real.database["emails"].update_one({}, {"$set": {"outbox.due": datetime(2020, 1, 1, tzinfo=UTC)}})
    assert await real.emails.outbox.sweep() == 1
    assert await real.emails.outbox.sweep() == 0
    assert real.reported() == [(email.email_id, "sent")]


async def test_a_report_has_the_same_id_however_often_and_wherever_it_is_published(
    real: InMongo, database: Database
) -> None:
    email = new_email()
    await add(real, email)
    await settle(real, await real.claim(1, 30), SENT)
    elsewhere = Recorder()
    await Emails(database, elsewhere).add([email], "bulk", await real.clock.read())
    first, second = real.publisher.events[0][0], elsewhere.events[0][0]
    assert (first.id, first.data) == (second.id, second.data)


async def test_a_report_goes_out_in_the_lane_and_the_trace_of_its_email(real: InMongo) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await add(real, replace(new_email(), trace=trace), lane="interactive")
    await settle(real, await real.claim(1, 30), SENT)
    event, lane = real.publisher.events[0]
    assert (event.traceparent, lane) == (trace, "interactive")


def activated(policy_hash: str = POLICY.hash, effective_from: datetime = NOW) -> PolicyActivated:
    return PolicyActivated(policy_hash=policy_hash, effective_from=effective_from, document=POLICY.document)


async def test_a_policy_is_held_for_until_it_is_announced_and_then_known_to_every_replica(database: Database) -> None:
    one, other = Policies(database), Policies(database)
    with pytest.raises(Transient, match="announced"):
        await one.document(POLICY.hash)
    with pytest.raises(Transient, match="announced"):
        await one.current(NOW)
    await other.activated(activated())
    await other.activated(activated())
    await Policies(database).activated(activated())
    assert await one.document(POLICY.hash) == POLICY.document
    assert await one.current(NOW) == (POLICY.hash, POLICY.document)


async def test_the_current_policy_is_the_newest_in_force_else_the_first_to_come(database: Database) -> None:
    policies = Policies(database)
    for name, day in (("first", 1), ("second", 5), ("third", 9)):
        await policies.activated(activated(name, datetime(2021, 10, day, tzinfo=UTC)))
    found = [(await policies.current(datetime(2021, 10, day, tzinfo=UTC)))[0] for day in (5, 8, 9)]
    assert found == ["second", "second", "third"]
    assert (await policies.current(datetime(2021, 9, 1, tzinfo=UTC)))[0] == "first"


async def test_a_replica_that_has_heard_nothing_yet_finds_each_version_there_is(database: Database) -> None:
    """An invitation says what has changed since the reader asked, whichever replica writes it."""
    await Policies(database).activated(activated().model_copy(update={"number": 3}))
    found = await Policies(database).find(activated().policy_hash)
    assert found == activated().document
    assert await Policies(database).document(activated().policy_hash) == found
    assert await Policies(database).find("0" * 64) is None


async def test_a_policy_that_is_activated_again_is_the_current_one_again(database: Database) -> None:
    """Also for a replica that was not told of it itself, and before activations were counted."""
    policies = Policies(database)
    await database["policies"].insert_one(
        {"_id": "old", "effective_from": NOW, "document": POLICY.document.model_dump(mode="json")}
    )
    for number, name in ((1, "new"), (2, "old"), (3, "new"), (4, "old")):
        days = timedelta(days=min(number, 3))
        event = activated(name, NOW + days).model_copy(update={"number": number})
        await (policies if number % 2 else Policies(database)).activated(event)
    found = [(await policies.current(NOW + timedelta(days=days)))[0] for days in (0, 1, 2, 3)]
    assert found == ["old", "new", "old", "old"]


async def test_only_a_newer_version_of_a_pause_is_kept(database: Database) -> None:
    policies = Policies(database)
    for version in (1, 3, 2):
        changed = PauseChanged(pause_id="p", version=version, effective_from=NOW, pause={"until": str(version)})
        await policies.pause_changed(changed)
    kept = await database["pauses"].find_one({"_id": "p"})
    assert kept is not None
    assert (kept["version"], kept["pause"]) == (3, {"until": "3"})


async def test_where_an_application_stands_is_read_from_an_index_alone(real: InMongo) -> None:
    await add(real, new_email())
    plan = await real.database.command(
        "explain",
        {
            "find": "emails",
            "filter": {"application_id": {"$in": ["x"]}, "kind": "outcome"},
            "projection": {"_id": 0, "application_id": 1, "revision": 1, "number": 1},
        },
    )
    assert "PROJECTION_COVERED" in str(plan["queryPlanner"]["winningPlan"])
