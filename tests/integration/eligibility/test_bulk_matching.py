"""One deed for all cases that match: on the console, and over HTTP."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from services.eligibility.pages.console import cases as queue_page
from tests.integration.eligibility.running import KEYS, Running
from tests.integration.eligibility.test_console import browser, decided, enter, opened, send
from tests.unit.eligibility.making import AFTER, application


def hidden(page: httpx.Response, *names: str) -> dict[str, str]:
    """The hidden fields of these names."""
    pairs = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    return {name: pairs[name] for name in names}


async def test_all_that_match_are_taken_from_the_queue_and_fixed_by_the_preview(
    eligibility: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_page, "PAGE", 1)
    await decided(eligibility, *(application(received_at=AFTER) for _ in range(3)))
    link = await opened(eligibility, "kim", "decider")
    async with browser(eligibility) as client:
        await enter(client, link)
        queue = await client.get("/console/cases?outcome=eligible&ask=nobody")
        assert "… about all 3" in queue.text
        fields = hidden(queue, *queue_page.ASKED)
        assert fields == {"q": "", "state": "open", "ask": "nobody", "outcome": "eligible", "category": ""}
        new = await send(client, "/console/bulk/new", queue, matching="yes", **fields)
        assert "Do one thing about 3 cases" in new.text
        fields = hidden(new, "matching", *queue_page.ASKED)
        proposed = await send(client, "/console/bulk", new, kind="assign", owner="kim", text="", **fields)
        assert proposed.status_code == 303, proposed.text
        await decided(eligibility, application(received_at=AFTER))
        shown = await client.get(proposed.headers["location"])
        assert "It can be done about 3 of 3 cases" in shown.text
        assert "All that matched then: state open, outcome eligible, owner nobody" in shown.text
        narrow = await send(client, "/console/bulk", new, kind="assign", owner="kim", text="", **{**fields, "q": "x"})
        assert "matches no case" in narrow.text


async def test_all_that_match_over_http(eligibility: Running) -> None:
    await decided(eligibility, *(application(received_at=AFTER) for _ in range(2)))

    async def propose(**body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {KEYS['olga'][1]}"}
        deed = {"kind": "assign", "owner": "kim"}
        return await eligibility.client.post("/v1/bulk-actions", json=deed | body, headers=headers)

    answer = await propose(matching={"state": ["open"], "flagged": False})
    assert (answer.status_code, len(answer.json()["cases"])) == (201, 2), answer.text
    assert answer.json()["matching"] == {"state": "open", "flagged": "no"}
    one = answer.json()["cases"][0]["application_id"]
    for wrong in ({"matching": {"overdue": True}}, {"matching": {}, "cases": [one]}, {"matching": {"of": "x"}}, {}):
        assert (await propose(**wrong)).status_code == 422, wrong
    assert (await propose(cases=[one])).json()["matching"] == {}
