"""Campaigns over the API: who may do what, and how one is counted, started, stopped, set going again and read."""

from __future__ import annotations

from typing import Any

import httpx

from shared.batches import Event
from shared.events import TYPE_OF, InterestInvited, ReceiptsDecided, event_id
from tests.integration.eligibility.running import KEYS, Running, event_of
from tests.unit.eligibility.making import AFTER, DURING, application
from tests.waiting import eventually

CAMPAIGN = "/v1/campaigns/review-2021:1"


async def ask(eligibility: Running, path: str, body: Any = None, caller: str = "ada") -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[caller][1]}"}
    method = "GET" if body is None else "POST"
    return await eligibility.client.request(method, path, json=body, headers=headers)


async def shown(eligibility: Running) -> dict[str, Any]:
    found = await ask(eligibility, CAMPAIGN, caller="olga")
    return found.json() if found.is_success else {}


async def until(eligibility: Running, what: str, **wanted: Any) -> None:
    async def there() -> bool:
        found = await shown(eligibility)
        return all(found.get(name) == value for name, value in wanted.items())

    await eventually(there, what, 60)


async def test_a_campaign_is_counted_started_stopped_and_set_going_again(eligibility: Running) -> None:
    three = [application("technology_company", received_at=DURING) for _ in range(3)]
    for each in three:
        await eligibility.elsewhere.tell(event_of(each))
        await eligibility.until_told((each.application_id, 1))
    answer = await eligibility.client.put(
        "/v1/clock", json={"now": AFTER.isoformat()}, headers={"Authorization": f"Bearer {KEYS['ada'][1]}"}
    )
    assert answer.is_success
    await until(eligibility, "the lift opens a campaign", state="draft")
    assert (await ask(eligibility, f"{CAMPAIGN}/start", {"why": "Go."}, "olga")).status_code == 403, (
        "an admin starts it"
    )
    refused = await ask(eligibility, f"{CAMPAIGN}/start", {"why": "Go.", "wave": 501})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/wave")
    assert (await ask(eligibility, f"{CAMPAIGN}/count", {}, "olga")).status_code == 202

    async def counted() -> bool:
        dry = (await shown(eligibility))["dry_run"]
        return dry is not None and (dry["invited"], dry["pending"]) == (3, False)

    await eventually(counted, "the dry run counts three", 60)
    started = await ask(eligibility, f"{CAMPAIGN}/start", {"why": "Go.", "per_minute": 1, "wave": 1})
    assert (started.json()["state"], started.json()["per_minute"]) == ("running", 1)
    await until(eligibility, "the first is invited, the next in a minute", invited=1, waiting=2)
    assert (await shown(eligibility))["estimated_end"] is not None
    assert (await ask(eligibility, f"{CAMPAIGN}/stop", {"why": "Wait."})).json()["state"] == "stopped"
    again = await ask(eligibility, f"{CAMPAIGN}/stop", {"why": "Wait."})
    assert (again.status_code, "stopped" in again.text) == (409, True)
    assert (await ask(eligibility, f"{CAMPAIGN}/pace", {"why": "Faster.", "wave": 2})).json()["per_minute"] == 1
    resumed = await ask(eligibility, f"{CAMPAIGN}/resume", {"why": "Go on.", "per_minute": 60_000})
    assert (resumed.json()["per_minute"], resumed.json()["wave"]) == (60_000, 2)
    report = ReceiptsDecided(before=AFTER, reported_at=AFTER)
    identity = event_id("receipts", "1", TYPE_OF[ReceiptsDecided])
    await eligibility.elsewhere.tell(Event(identity, "receipts", AFTER, "/accede/intake", report))
    await until(eligibility, "all are invited, and every receipt is decided", state="done", invited=3, waiting=0)
    found = (await ask(eligibility, f"{CAMPAIGN}/invitations?limit=2", caller="olga")).json()
    rest = (await ask(eligibility, f"{CAMPAIGN}/invitations?after={found['next']}", caller="olga")).json()
    both = [*found["invitations"], *rest["invitations"]]
    assert {each["application_id"] for each in both} == {each.application_id for each in three}
    steps = [(each["what"], each["by"]) for each in (await shown(eligibility))["steps"]]
    assert [what for what, _ in steps] == ["started", "stopped", "paced", "resumed", "done"]
    assert [by for _, by in steps] == ["ada"] * 4 + ["accede"]
    assert (await ask(eligibility, "/v1/campaigns/none:1")).status_code == 404
    heard = eligibility.elsewhere.of_type(TYPE_OF[InterestInvited])
    assert len({each.id for each in heard}) == 3
