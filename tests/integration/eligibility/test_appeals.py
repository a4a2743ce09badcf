"""Appeals and nominees' answers: kept by the fake and the real store alike, and shown to operators."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from services.eligibility.domain.appeals import Appeal, Ending, Hearing
from services.eligibility.domain.nominations import Answered
from services.eligibility.storage.appeals import MongoAppeals
from services.eligibility.storage.nominations import MongoNominations
from shared.application import Application
from shared.batches import Event
from shared.events import ApplicationAppealed, ApplicationErased, ApplicationSummary, NominationAnswered
from shared.mongo import Database
from shared.policy.nominees import nomination_id
from tests.integration.eligibility.running import Running, event_of, withdrawal_of
from tests.unit.eligibility.appeal_fakes import FakeAppeals, FakeNominations
from tests.unit.eligibility.making import AFTER, application
from tests.unit.policy.packs import complete
from tests.waiting import eventually

BOTH = pytest.mark.parametrize("kind", ["fake", "real"])
DAY = timedelta(days=1)


def appeal(about: Application, **changes: Any) -> Appeal:
    summary = ApplicationSummary.of(about)
    made = Appeal(
        f"{about.application_id}:{about.revision}", summary, "appeal-1", "Why\nnot?", about.revision, 1, AFTER
    )
    return replace(made, deciders=("policy",), **changes)


def answer(name: str, said: Any, at: timedelta, application_id: str = "a") -> Answered:
    return Answered(name, application_id, "senior", said, AFTER + at)


@BOTH
async def test_an_appeal_is_kept_as_it_first_came_and_closed_once(kind: str, database: Database) -> None:
    store = FakeAppeals() if kind == "fake" else MongoAppeals(database)
    if isinstance(store, MongoAppeals):
        await store.prepare()
    first, other = application(received_at=AFTER), application(received_at=AFTER)
    again = application(application_id=first.application_id, revision=3, received_at=AFTER)
    kept = [appeal(first), appeal(other, appealed_at=AFTER + DAY), appeal(again, appealed_at=AFTER + 2 * DAY)]
    await store.append(kept[:2])
    await store.append([replace(kept[0], statement="Other words"), kept[2]])
    assert list(await store.list(None, 10)) == kept[::-1]
    assert list(await store.list("received", 2)) == kept[:0:-1]
    await store.close([Ending(first.application_id, "amended", AFTER + DAY, 3)])
    await store.close([Ending(first.application_id, "withdrawn", AFTER + 2 * DAY)])
    closed = {each.decision_revision: each.closed_because for each in await store.list("closed", 10)}
    assert closed == {1: "amended", 3: "withdrawn"}
    assert [each.appeal_id for each in await store.list("received", 10)] == [kept[1].appeal_id]
    hearings = [
        Hearing(other.application_id, 1, number, accepted, by, AFTER + 3 * DAY)
        for number, accepted, by in ((7, False, "ada"), (1, True, "ben"), (1, False, "ada"))
    ]
    await store.hear(hearings)
    (heard,) = await store.list("heard", 10)
    assert (heard.appeal_id, heard.accepted, heard.heard_by) == (kept[1].appeal_id, True, "ben")
    assert await store.find(heard.appeal_id) == heard
    assert await store.find("nothing") is None
    await store.erase([first.application_id])
    assert [each.appeal_id for each in await store.list(None, 10)] == [kept[1].appeal_id]


@BOTH
async def test_of_each_nomination_the_latest_answer_is_kept_in_whichever_order_they_come(
    kind: str, database: Database
) -> None:
    store = FakeNominations() if kind == "fake" else MongoNominations(database)
    if isinstance(store, MongoNominations):
        await store.prepare()
    await store.keep([])
    await store.keep([answer("n", "declined", 2 * DAY), answer("n", "confirmed", DAY), answer("m", "confirmed", DAY)])
    await store.keep(
        [answer("n", "confirmed", DAY), answer("m", "declined", 3 * DAY), answer("o", "confirmed", DAY, "b")]
    )
    assert {each.nomination_id: each.answer for each in await store.of("a")} == {"n": "declined", "m": "declined"}
    assert list(await store.of("b")) == [answer("o", "confirmed", DAY, "b")]
    await store.erase(["a"])
    assert list(await store.of("a")) == []
    assert len(await store.of("b")) == 1


async def told(eligibility: Running, data: BaseModel, subject: str) -> None:
    await eligibility.elsewhere.tell(Event(str(uuid4()), subject, AFTER, "/accede/intake", data))


async def decided(eligibility: Running, made: Application) -> str:
    await eligibility.elsewhere.tell(event_of(made))
    await eligibility.until_told((made.application_id, made.revision))
    return made.application_id


async def until(eligibility: Running, path: str, wanted: Any) -> Any:
    found: list[Any] = []

    async def there() -> bool:
        found.append(await eligibility.get(path))
        return bool(wanted(found[-1]))

    await eventually(there, path)
    return found[-1]


async def test_operators_see_whom_an_application_names_and_who_agreed(eligibility: Running) -> None:
    made = application("civil_society_organisation", received_at=AFTER)
    name = await decided(eligibility, made)
    path = f"/v1/applications/{name}/nominations"
    found = await eligibility.get(path)
    assert [(each["label"], each["name"], each["state"]) for each in found["nominations"]] == [
        ("Senior lead", "Ada Moreno", "waiting"),
        ("Working-level contact", "Ben Okafor", "waiting"),
    ]
    for role, email in (("senior", "ada@example.org"), ("working", "ben@example.org")):
        identity = nomination_id(name, role, email)
        data = NominationAnswered(
            nomination_id=identity, application_id=name, role=role, answer="confirmed", answered_at=AFTER + DAY
        )
        await told(eligibility, data, name)
    found = await until(eligibility, path, lambda answer: answer["all_confirmed"])
    assert {each["state"] for each in found["nominations"]} == {"confirmed"}
    assert (await eligibility.call(path, "chan")).status_code == 403
    assert (await eligibility.call(f"/v1/applications/{uuid4()}/nominations")).status_code == 404


async def test_operators_see_appeals_with_who_decided_until_they_are_closed(eligibility: Running) -> None:
    made = application(complete("civil_society_organisation", aims__accepted=False), received_at=AFTER)
    name = await decided(eligibility, made)
    data = ApplicationAppealed(
        application=ApplicationSummary.of(made),
        appeal_id="an appeal",
        stage="appeal-1",
        statement="We accept them.\nSee page two.",
        decision_revision=1,
        decision_number=1,
        appealed_at=AFTER + DAY,
    )
    await told(eligibility, data, name)
    await told(eligibility, data, name)
    (found,) = (await until(eligibility, "/v1/appeals?state=received", lambda answer: answer["appeals"]))["appeals"]
    assert (found["application_id"], found["stage"], found["deciders"]) == (name, "appeal-1", ["policy"])
    assert found["statement"] == "We accept them.\nSee page two."
    await eligibility.elsewhere.tell(withdrawal_of(name))
    (found,) = (await until(eligibility, "/v1/appeals?state=closed", lambda answer: answer["appeals"]))["appeals"]
    assert found["closed_because"] == "withdrawn"
    assert (await eligibility.get("/v1/appeals?state=received"))["appeals"] == []
    assert (await eligibility.call("/v1/appeals?state=lost")).status_code == 422
    assert (await eligibility.call("/v1/appeals", "chan")).status_code == 403


async def test_what_was_erased_has_neither_appeals_nor_answers(eligibility: Running) -> None:
    made = application(complete("civil_society_organisation", aims__accepted=False), received_at=AFTER)
    name = await decided(eligibility, made)
    answered = NominationAnswered(
        nomination_id="n", application_id=name, role="senior", answer="confirmed", answered_at=AFTER
    )
    await told(eligibility, answered, name)

    async def kept() -> bool:
        return bool(await eligibility.database["nominations"].count_documents({"application_id": name}))

    await eventually(kept, "the answer is kept")
    await told(eligibility, ApplicationErased(application_id=name, revision=1, erased_at=AFTER), name)

    async def gone() -> bool:
        return not await kept()

    await eventually(gone, "the answer is erased")
