"""Simulations over HTTP, by a running service: asked for, followed, read, exported."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx

from shared.application import Application
from shared.mongo import Database
from shared.topology import Topology
from tests.integration.eligibility.running import KEYS, Running, event_of, running, settings_for
from tests.servers import Servers
from tests.unit.eligibility.making import AFTER, DURING, application
from tests.unit.eligibility.simulating import CHARITY, COMPANY, STATE, draft, rule
from tests.unit.policy.packs import complete
from tests.waiting import eventually

OPERATOR = {"Authorization": f"Bearer {KEYS['olga'][1]}"}
DRAFT = draft(rule("draft.focus", "civil_society.child_protection_focus", COMPANY), without=["aims.accepted"])


def applications() -> list[Application]:
    """Four companies that say nothing of children, three charities that refuse the aims, two held ones, and a state."""
    silent = complete(COMPANY, civil_society__child_protection_focus=None)
    return [
        *(application(silent, received_at=AFTER) for _ in range(4)),
        *(application(complete(CHARITY, aims__accepted=False), received_at=AFTER) for _ in range(3)),
        *(application(complete(COMPANY), received_at=DURING) for _ in range(2)),
        application(complete(STATE), received_at=AFTER),
    ]


async def decide(eligibility: Running, made: list[Application]) -> None:
    await eligibility.elsewhere.tell(*(event_of(each) for each in made))

    async def decided() -> bool:
        found = eligibility.elsewhere.decided()
        return all((each.application_id, 1) in found for each in made)

    await eventually(decided, "everything is decided")


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await client.request(method, f"/v1/simulations{path}", json=body, headers=OPERATOR)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def simulated(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a simulation and wait for its end."""
    name = (await ask(client, "POST", "", body, 202))["simulation_id"]
    seen: dict[str, Any] = {}

    async def done() -> bool:
        seen.update(await ask(client, "GET", f"/{name}"))
        return seen["state"] not in ("waiting", "running")

    await eventually(done, "the simulation ends")
    assert (seen["state"], seen["fault"]) == ("done", "")
    return seen


async def test_a_draft_is_simulated_over_all_that_was_decided(eligibility: Running) -> None:
    made = applications()
    await decide(eligibility, made)
    client = eligibility.client
    document = DRAFT.document.model_dump(mode="json")
    found = await simulated(client, {"document": document, "note": "For the board."})
    assert (found["note"], found["by"]) == ("For the board.", "olga")
    assert found["supposition"]["policy"] == DRAFT.hash
    assert found["supposition"]["policy_label"] == "Draft"
    assert found["progress"] == {"seen": 10, "total": 10, "seconds_left": None}
    assert (found["result"]["judged"], found["result"]["flipped"]) == (10, 7)
    assert {(each["old"], each["new"]): each["count"] for each in found["result"]["outcomes"]} == {
        ("eligible", "incomplete"): 4,
        ("not_eligible", "eligible"): 3,
        ("on_hold", "on_hold"): 2,
        ("eligible", "eligible"): 1,
    }
    assert {(each["criterion"], each["old"], each["new"], each["count"]) for each in found["result"]["criteria"]} == {
        ("draft.focus", None, "missing", 4),
        ("aims.accepted", "not_met", None, 3),
    }
    await check_flips(client, found["simulation_id"], made)
    await check_case(client, found["simulation_id"], made)


async def test_a_draft_of_the_policy_is_simulated_by_its_id(eligibility: Running) -> None:
    """The one that the service keeps of the pack it was started with: everything stays as it is."""
    await decide(eligibility, applications()[:3])
    (draft_found,) = (await eligibility.get("/v1/policies/drafts"))["drafts"]
    assert draft_found["draft_id"] != draft_found["policy_hash"]
    found = await simulated(eligibility.client, {"policy": draft_found["draft_id"]})
    assert found["supposition"]["policy"] == draft_found["policy_hash"]
    assert (found["result"]["judged"], found["result"]["flipped"]) == (3, 0)


async def check_flips(client: httpx.AsyncClient, name: str, made: list[Application]) -> None:
    """Named, page by page, by what is wanted, and as files."""
    flipping = sorted(each.application_id for each in made[:7])
    page = await ask(client, "GET", f"/{name}/flips?limit=5")
    rest = await ask(client, "GET", f"/{name}/flips?limit=5&after={page['next']}")
    assert [each["application_id"] for each in page["flips"] + rest["flips"]] == flipping
    assert rest["next"] is None
    charities = await ask(client, "GET", f"/{name}/flips?category={CHARITY}&criterion=aims.accepted")
    assert {each["organisation"] for each in charities["flips"]} == {each.organisation.name for each in made[4:7]}
    answer = await client.get(f"/v1/simulations/{name}/flips.csv", headers=OPERATOR)
    assert answer.headers["content-disposition"].startswith('attachment; filename="simulation-')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["application_id"] for row in rows] == flipping
    assert {row["criteria"] for row in rows} == {
        "draft.focus: not asked → missing",
        "aims.accepted: not_met → not asked",
    }
    answer = await client.get(f"/v1/simulations/{name}/flips.jsonl", headers=OPERATOR)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["application_id"], line["organisation"]) for line in lines] == [
        (row["application_id"], row["organisation"]) for row in rows
    ]


async def check_case(client: httpx.AsyncClient, name: str, made: list[Application]) -> None:
    """Both receipts of one application, side by side."""
    case = await ask(client, "GET", f"/{name}/cases/{made[0].application_id}")
    assert (case["old"]["outcome"], case["new"]["outcome"]) == ("eligible", "incomplete")
    assert (case["new"]["policy_label"], case["left_out"], case["fault"]) == ("Draft", None, "")
    differing = {row["criterion"]: row for row in case["receipt"] if row["differs"]}
    assert differing.keys() == {"draft.focus", "aims.accepted"}
    assert differing["draft.focus"]["old"] is None
    assert differing["draft.focus"]["new"]["answer"] == "missing"
    assert differing["aims.accepted"]["old"]["answer"] == "met"
    await ask(client, "GET", f"/{name}/cases/nobody", status=404)


async def test_a_pause_that_was_shorter_is_simulated_over_those_it_held(eligibility: Running) -> None:
    """A filter chooses the held ones; the pause of the same id stands for the real one."""
    await decide(eligibility, applications())
    pause = {"pause_id": "review-2021", "from": "2021-07-01T00:00", "until": "2021-09-01T00:00"}
    body = {"pause": {**pause, "timezone": "Europe/London"}, "selection": {"outcomes": ["on_hold"]}}
    found = await simulated(eligibility.client, body)
    (moved,) = found["result"]["outcomes"]
    assert (moved["old"], moved["new"], moved["count"]) == ("on_hold", "eligible", 2)
    assert found["result"]["skipped"]["not_selected"] == 8
    assert found["supposition"]["pause"]["starts"] == "2021-06-30T23:00:00Z"
    listed = await ask(eligibility.client, "GET", "?limit=1")
    assert listed["simulations"][0] == found
    name = found["simulation_id"]
    await ask(eligibility.client, "POST", f"/{name}/stop", status=409)
    await ask(eligibility.client, "DELETE", f"/{name}", status=204)
    for method, path in (
        ("GET", f"/{name}"),
        ("GET", f"/{name}/flips"),
        ("GET", f"/{name}/flips.csv"),
        ("GET", f"/{name}/cases/x"),
        ("POST", f"/{name}/stop"),
        ("DELETE", f"/{name}"),
    ):
        await ask(eligibility.client, method, path, status=404)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"policy": "0" * 64}, "/policy"),
    ({"policy": "0" * 64, "document": DRAFT.document.model_dump(mode="json")}, "/document"),
    ({"document": {"id": "x"}}, "/document/version_label"),
    ({"pause": {"from": "noon", "until": "2021-09-01T00:00"}}, "/pause/from"),
    ({"pause": {"from": "2021-07-01T00:00", "until": "2021-09-01T00:00", "timezone": "Mars"}}, "/pause/timezone"),
    ({"selection": {"outcomes": ["admitted"]}}, "/selection/outcomes/0"),
]


async def test_what_cannot_be_simulated_is_refused_with_its_field(eligibility: Running) -> None:
    """And channels may not ask at all."""
    for body, pointer in REFUSED:
        refused = await ask(eligibility.client, "POST", "", body, 422)
        assert pointer in [each["pointer"] for each in refused["errors"]]
    headers = {"Authorization": f"Bearer {KEYS['chan'][1]}"}
    assert (await eligibility.client.post("/v1/simulations", json={}, headers=headers)).status_code == 403


async def test_another_replica_goes_on_where_one_ended(
    servers: Servers, database: Database, topology: Topology
) -> None:
    """What was asked of a service that stopped is done by the next one."""
    made = applications()
    async with running(settings_for(servers, database, topology), database) as first:
        await decide(first, made)
        name = (await ask(first.client, "POST", "", {"pauses": "none"}, 202))["simulation_id"]
    async with running(settings_for(servers, database, topology), database) as second:

        async def done() -> bool:
            return bool((await ask(second.client, "GET", f"/{name}"))["state"] == "done")

        await eventually(done, "the simulation ends")
        assert (await ask(second.client, "GET", f"/{name}"))["result"]["judged"] == len(made)
