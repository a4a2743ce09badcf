"""The audit over the real collections, and that nothing anybody does changes what stands in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from services.eligibility.domain.audit import Entry, Wanted, newest
from services.eligibility.domain.audit_entries import of_liaison
from services.eligibility.domain.liaison import assigned, noted
from services.eligibility.storage.audit import LiaisonFacts
from services.eligibility.storage.liaison import MongoLiaison
from shared.batches import Event
from shared.events import ApplicationErased, DeedRecorded, deed_id, event_id
from shared.mongo import Database
from tests.integration.eligibility.running import KEYS, Running
from tests.integration.eligibility.test_console import PASSWORD, browser, by_password, enter, opened, send
from tests.integration.eligibility.test_pause_changes import PAUSE
from tests.integration.eligibility.test_storage import liaison_request
from tests.publishing import Published
from tests.unit.eligibility.fakes import NOW
from tests.waiting import eventually

HOUR = timedelta(hours=1)


async def test_the_queue_s_deeds_are_found_by_time_person_and_thing_and_paged_without_a_gap(database: Database) -> None:
    queue, source = MongoLiaison(database, Published()), LiaisonFacts(database)
    await queue.prepare()
    told: list[Entry] = []
    for number in range(4):
        made = liaison_request(f"{number}1111111-1111-4111-8111-111111111111", number // 2)
        worked = noted(assigned(made, "Sam", "olga", NOW + HOUR), "They called.", "sam", NOW + number * HOUR)
        await queue.add([made])
        assert await queue.replace(made, worked, NOW)
        told += of_liaison(worked)
    found: list[Entry] = []
    while page := await source.entries(Wanted(before=found[-1].place if found else None), 2):
        found += page
    assert found == newest(told, 99)
    for wanted in (
        Wanted(by="olga"),
        Wanted(by="sam", since=NOW + HOUR, until=NOW + 3 * HOUR),
        Wanted(subject_id=told[0].subject_id),
        Wanted(until=NOW),
        Wanted(by="nobody"),
    ):
        assert list(await source.entries(wanted, 99)) == newest(filter(wanted.covers, told), 99)


async def entries(eligibility: Running, **asked: Any) -> list[dict[str, Any]]:
    """All of them, by pages of two."""
    found: list[dict[str, Any]] = []
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    page = await eligibility.get(f"/v1/audit?limit=2&{query}")
    while True:
        found += page["entries"]
        if page["next"] is None:
            return found
        cursor = page["next"].replace("+", "%2B")
        page = await eligibility.get(f"/v1/audit?limit=2&{query}&before={cursor}")


async def test_every_deed_is_in_the_audit_and_stays_as_it_was_told(eligibility: Running) -> None:
    """Append-only: after each deed everything told before is told again, word for word; no way in changes an entry."""

    async def do(method: str, path: str, **body: Any) -> None:
        headers = {"Authorization": f"Bearer {KEYS['ada'][1]}"}
        answer = await eligibility.client.request(method, f"/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text

    request = liaison_request()
    await MongoLiaison(eligibility.database, Published()).add([request])
    path = f"/liaison-requests/{request.request_id}"
    told = await entries(eligibility)
    for deed in (
        ("PUT", "/clock", {"now": "2022-01-10T09:00:00Z"}),
        ("POST", "/pauses", PAUSE),
        ("POST", "/pauses/spring-review/extension", {"until": "2022-04-01T00:00", "why": "Not done."}),
        ("POST", f"{path}/assignment", {"owner": "Sam"}),
        ("POST", f"{path}/notes", {"note": "They called."}),
        ("POST", "/pauses/spring-review/lifting", {"why": "Done."}),
        ("POST", f"{path}/closing", {"note": "By email."}),
    ):
        await do(deed[0], deed[1], **deed[2])
        now = await entries(eligibility)
        assert sorted(map(str, told)) == sorted(str(each) for each in now if each in told)
        assert len(now) == len(told) + (deed[1] != "/clock")
        told = now
    by_ada = await entries(eligibility, by="ada")
    assert sorted(each["what"] for each in by_ada) == sorted(
        ["started", "extended", "assigned", "noted", "lifted", "closed"]
    )
    (assigned_,) = (each for each in by_ada if each["what"] == "assigned")
    assert (assigned_["old"], assigned_["new"]) == ({"owner": None}, {"owner": "Sam"})
    assert [each["what"] for each in await entries(eligibility, about="pause", subject_id="spring-review")] == [
        "lifted",
        "extended",
        "started",
    ]
    assert (await eligibility.call("/v1/audit", "chan")).status_code == 403
    assert (await eligibility.call("/v1/audit?before=nonsense")).status_code == 422
    assert (await eligibility.call("/v1/audit?about=nonsense")).status_code == 422
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        headers = {"Authorization": f"Bearer {KEYS['ada'][1]}"}
        assert (await eligibility.client.request(method, "/v1/audit", json={}, headers=headers)).status_code == 405


def short(found: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(each["about"], each["subject_id"], each["what"], each["by"]) for each in found]


async def test_who_came_in_and_who_did_not_is_in_the_audit(eligibility: Running) -> None:
    """With the way they took and who had made their link; of a name that is nobody's, not the name: it may be a password."""
    link = await opened(eligibility, "uma")
    async with browser(eligibility) as client:
        await enter(client, link)
        own = await client.get("/console/account")
        await send(client, "/console/account/password", own, password=PASSWORD, again=PASSWORD)
        await send(client, "/console/sign-out", await client.get("/console/account"))
    async with browser(eligibility) as client:
        for name, password in (("uma", "not it"), ("uma", "nor this"), (PASSWORD, "uma"), ("wim", "who knows")):
            assert (await by_password(client, name, password)).status_code == 403
        assert (await by_password(client, "uma", PASSWORD)).status_code == 303

    async def told() -> bool:
        there = await entries(eligibility, about="account")
        return len([each for each in there if each["subject_id"] == "uma"]) == 8 and len(there) > 8

    await eventually(told, "refusals are noted after the answer")
    found = await entries(eligibility, subject_id="uma")
    assert sorted((each["what"], each["by"], str(each["new"])) for each in found) == [
        ("link made", "ada", "{}"),
        ("opened", "ada", "{'full_name': 'Uma Example', 'role': 'operator', 'active': True}"),
        ("password set", "uma", "{}"),
        ("sign_in_refused", "unknown", "{}"),
        ("sign_in_refused", "unknown", "{}"),
        ("signed_in", "uma", "{'way': 'link', 'link_made_by': 'ada'}"),
        ("signed_in", "uma", "{'way': 'password'}"),
        ("signed_out", "uma", "{}"),
    ]
    nobody = ("account", "unknown", "sign_in_refused", "unknown")
    assert set(short(await entries(eligibility, subject_id="unknown"))) == {nobody}
    assert PASSWORD not in str(await eligibility.database["deeds"].find({}).to_list(None))
    async with browser(eligibility) as client:
        assert (await by_password(client, "uma", PASSWORD)).status_code == 303
        shown = (await client.get("/console/audit?about=account&subject=uma")).text
        for words in ("Signed in", "Way: Password", "Link made by: ada", "by somebody unknown"):
            assert words in shown


async def test_the_page_names_kinds_of_organisation_as_the_policy_does(eligibility: Running) -> None:
    link = await opened(eligibility, "uma")
    async with browser(eligibility) as client:
        await enter(client, link)
        shown = (await client.get("/console/audit?about=pause&subject=review-2021")).text
    assert "Exempt: Member state of the United Nations, " in shown
    assert "Un member state" not in shown


async def test_what_was_done_in_another_service_is_told_once_also_of_what_is_erased(eligibility: Running) -> None:
    """Events come twice and in any order; whatever else comes about an erased application is passed over."""
    name, at = str(uuid4()), datetime(2022, 1, 10, 9, 0, tzinfo=UTC)
    erased = ApplicationErased(application_id=name, revision=1, erased_at=at)
    await eligibility.elsewhere.tell(
        Event(event_id(name, 1, "application.erased.v1"), name, at, "/accede/intake", erased), lane="interactive"
    )
    deeds = [
        DeedRecorded(
            deed_id=deed_id("test", name, what),
            service="intake",
            about="application",
            subject_id=name,
            what=what,
            by="olga",
            at=at + timedelta(minutes=minute),
            new=new,
        )
        for minute, (what, new) in enumerate((("links_revoked", {"link_generation": 1}), ("erased", {})))
    ]
    events = [
        Event(event_id(each.deed_id, 1, "deed.recorded.v1"), each.deed_id, each.at, "/accede/intake", each)
        for each in deeds
    ]
    await eligibility.elsewhere.tell(*events, *reversed(events), lane="interactive")

    async def told() -> bool:
        return len(await entries(eligibility, subject_id=name)) == 2

    await eventually(told, "both deeds are there")
    await eligibility.elsewhere.tell(*events)
    found = await entries(eligibility, subject_id=name, by="olga")
    assert short(found) == [("application", name, "erased", "olga"), ("application", name, "links_revoked", "olga")]
    assert [each["new"] for each in found] == [{}, {"link_generation": 1}]


async def test_that_a_simulation_was_asked_for_is_told_also_when_it_is_removed(eligibility: Running) -> None:
    headers = {"Authorization": f"Bearer {KEYS['olga'][1]}"}
    asked = await eligibility.client.post("/v1/simulations", json={"note": "What if?"}, headers=headers)
    assert asked.status_code == 202, asked.text
    path = f"/v1/simulations/{asked.json()['simulation_id']}"

    async def ended() -> bool:
        return (await eligibility.get(path))["state"] not in ("open", "waiting", "running")

    await eventually(ended, "there is nothing to judge")
    headers = {"Authorization": f"Bearer {KEYS['ada'][1]}"}
    assert (await eligibility.client.delete(path, headers=headers)).status_code == 204
    assert (await eligibility.call(path)).status_code == 404
    assert not (await eligibility.get("/v1/simulations"))["simulations"]
    name = asked.json()["simulation_id"]
    found = await entries(eligibility, subject_id=name)
    assert sorted(short(found)) == [("simulation", name, "asked", "olga"), ("simulation", name, "removed", "ada")]
