"""Many submissions in one request: each is answered on its own, and sent again it is answered the same."""

from __future__ import annotations

from typing import Any

import httpx

from tests.integration.intake.running import Running, submission


async def batch(intake: Running, items: Any, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await intake.call("POST", "/v1/applications:batch", json=items, headers=sent)


async def test_each_submission_is_accepted_or_refused_on_its_own(intake: Running) -> None:
    items = [submission(), submission(locale=7, answers={"no.question": "x"}), 7, submission()]
    answer = await batch(intake, items)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["accepted"], found["refused"]) == (2, 2)
    assert [(each["index"], each["status"]) for each in found["results"]] == [(0, 202), (1, 422), (2, 422), (3, 202)]
    alone = await intake.submit(items[1])
    assert found["results"][1]["problem"]["errors"] == alone.json()["errors"]
    first = found["results"][0]
    assert (await intake.status(first["application_id"]))["state"] == "pending"
    assert first["status_page"].startswith("http://join.example/status/")
    stored = await intake.database["revisions"].find_one({"_id": f"{first['application_id']}:1"})
    assert stored is not None
    assert stored["outbox"]["lane"] == "bulk"
    ledger = await intake.get("/v1/ledger")
    line = next(each for each in ledger["channels"] if each["channel"] == "api")
    assert (line["accepted"], line["refused"]) == (2, 3)


async def test_a_batch_sent_again_with_its_faults_corrected_accepts_the_rest(intake: Running) -> None:
    items = [submission(), submission(category="friend")]
    first = (await batch(intake, items, Idempotency_Key="b")).json()
    items[1] = submission()
    second = (await batch(intake, items, Idempotency_Key="b")).json()
    assert (first["accepted"], second["accepted"]) == (1, 2)
    assert first["results"][0] == second["results"][0]
    items[0] = submission(locale="fr")
    third = (await batch(intake, items, Idempotency_Key="b")).json()
    assert [each["status"] for each in third["results"]] == [409, 202]
    assert third["results"][0]["problem"]["type"] == "urn:accede:problem:conflict"
    assert await intake.database["revisions"].count_documents({}) == 2


async def test_five_hundred_are_taken_and_more_are_not(intake: Running) -> None:
    answer = await batch(intake, [submission()] * 500)
    assert answer.json()["accepted"] == 500
    for items in ([submission()] * 501, [], submission(), "x"):
        refused = await batch(intake, items)
        assert refused.status_code == 422
        assert "1 to 500" in refused.json()["errors"][0]["detail"]
    assert await intake.database["revisions"].count_documents({}) == 500


async def test_what_is_no_batch_is_refused_whole(intake: Running) -> None:
    path = "/v1/applications:batch"
    json = {"Content-Type": "application/json"}
    assert (await intake.call("POST", path, content=b"[", headers=json)).status_code == 400
    assert (await intake.call("POST", path, content=b"[]", headers={"Content-Type": "text/csv"})).status_code == 415
    assert (await intake.call("POST", path, None, json=[])).status_code == 401
    assert (await intake.call("POST", path, content=b" " * (17 << 20), headers=json)).status_code == 413
