"""Erasing over the API and from the applicant's page, on a real database and a real broker."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import bson
import httpx
import pytest

from shared.mongo import Database
from tests.integration.intake.running import Running, emailed, submission
from tests.integration.intake.test_evidence import token_of
from tests.integration.intake.test_imports import csv_of, row
from tests.waiting import eventually

FORM = "multipart/form-data; boundary=b"
HTML = {"Accept": "text/html"}
NAMES = (b"Safer Screens", b"Ann Example", b"ann@safer.example", b"registered-as-7731", b"a-key-of-ann")


async def named_in(database: Database, names: tuple[bytes, ...] = NAMES) -> dict[str, set[bytes]]:
    """Collection → which of these names it holds, wherever in its documents."""
    found: dict[str, set[bytes]] = {}
    for name in await database.list_collection_names():
        async for document in database[name].find({}):
            content = bson.encode(document)
            if held := {each for each in names if each in content}:
                found.setdefault(name, set()).update(held)
    return found


async def accepted(intake: Running, **headers: str) -> tuple[str, str]:
    """An application's id and the path of its page."""
    document = submission(answers={"registration.number": "registered-as-7731"})
    answer = (await intake.submit(document, **headers)).json()
    return answer["application_id"], str(answer["status_page"]).removeprefix("http://join.example")


async def erase(intake: Running, application_id: str, caller: str = "olga") -> httpx.Response:
    return await intake.call("DELETE", f"/v1/applications/{application_id}", caller)


async def test_after_an_erasure_no_collection_names_anybody_and_the_ledger_closes(intake: Running) -> None:
    application_id, _ = await accepted(intake, Idempotency_Key="a-key-of-ann")
    changed = submission(organisation={"name": "Safer Screens International", "country": "GB"})
    await intake.call("POST", f"/v1/applications/{application_id}/amendments", json=changed)
    asked = {"email": "ann@safer.example", "reference": application_id[:8]}
    await intake.call("POST", "/v1/links", None, json=asked)
    await eventually(lambda: _count(intake, "link_requests", 1), "the link is requested")
    await intake.elsewhere.decide(await intake.application(application_id, 2), "incomplete")
    await intake.elsewhere.tell(
        emailed(application_id, "acknowledgement", failed="no Ann Example here"), application_id
    )
    await intake.until(application_id, state="incomplete")
    await eventually(lambda: _fate(intake, application_id, "failed"), "the acknowledgement failed")
    await intake.call("POST", f"/v1/applications/{application_id}/withdrawal")
    assert await named_in(intake.database)

    erased = (await erase(intake, application_id)).json()
    assert (erased["application_id"], erased["revision"]) == (application_id, 2)
    assert await named_in(intake.database) == {}
    status = await intake.status(application_id)
    assert (status["state"], status["organisation_name"], status["outcome"]) == ("erased", "", None)
    assert status["erased_at"] == erased["erased_at"]
    again = (await erase(intake, application_id)).json()
    link = "status_page"  # signed anew each time, with the second in which it is
    assert {**again, link: ""} == {**erased, link: ""}
    ledger = await intake.get("/v1/ledger")
    assert (ledger["closes"], ledger["total"]["erased"], ledger["total"]["gap"]) == (True, 1, 0)


async def _count(intake: Running, collection: str, count: int) -> bool:
    return await intake.database[collection].count_documents({}) == count


async def _fate(intake: Running, application_id: str, state: str) -> bool:
    return bool((await intake.status(application_id))["emails"]["acknowledgement"]["state"] == state)


async def test_what_is_asked_of_an_erased_application_is_answered_with_410(intake: Running) -> None:
    application_id, page = await accepted(intake, Idempotency_Key="k")
    await erase(intake, application_id)
    for answer in (
        await intake.call("POST", f"/v1/applications/{application_id}/amendments", json=submission()),
        await intake.call("POST", f"/v1/applications/{application_id}/withdrawal"),
        await intake.submit(submission(), Idempotency_Key="k"),
        await intake.call("GET", f"{page}/export.json", None),
        await intake.call("GET", f"{page}/withdraw", None),
    ):
        assert answer.status_code == 410
        assert "This application was erased" in answer.json()["detail"]


async def test_channels_may_not_erase_and_what_is_not_there_is_not_found(intake: Running) -> None:
    application_id, _ = await accepted(intake)
    assert (await erase(intake, application_id, "alpha")).status_code == 403
    assert (await erase(intake, "11111111-1111-4111-8111-111111111111")).status_code == 404
    assert await _count(intake, "erasures", 0)


async def test_the_applicant_is_asked_first_and_then_everything_goes(intake: Running) -> None:
    application_id, page = await accepted(intake)
    asked = await intake.call("GET", f"{page}/erase", None, headers=HTML)
    assert "What stays, and why" in asked.text
    refused = await intake.call("POST", f"{page}/erase", None, data={"form": "x"}, headers=HTML)
    assert (refused.status_code, "Nothing was erased" in refused.text) == (422, True)
    assert await _count(intake, "erasures", 0)
    match = re.search(r'name="form" value="([^"]+)"', asked.text)
    assert match
    pressed = await intake.call("POST", f"{page}/erase", None, data={"form": match.group(1)}, headers=HTML)
    assert (pressed.status_code, pressed.headers["location"]) == (303, page)
    left = await intake.call("GET", page, None, headers=HTML)
    assert (left.status_code, "This application was erased" in left.text) == (410, True)
    assert application_id in left.text
    assert "Safer" not in left.text
    assert await named_in(intake.database) == {}
    (fact,) = await intake.database["erasures"].find({}).to_list(None)
    assert fact["client"] == "the applicant"


async def test_what_was_begun_before_an_erasure_and_arrives_after_it_is_not_kept(intake: Running) -> None:
    application_id, page = await accepted(intake)
    await intake.elsewhere.decide(await intake.application(application_id), "not_eligible")
    await intake.until(application_id, state="not_eligible")
    form = (await intake.call("GET", f"{page}/appeal", None, headers=HTML)).text
    appeal = re.search(r'name="form" value="([^"]+)"', form)
    assert appeal
    token, channels = token_of(page), f"/v1/applications/{application_id}"
    file = b'Content-Disposition: form-data; name="%s"; filename="a.txt"\r\n\r\nAnn Example'
    entry = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--b\r\n'
    words = f"form={appeal.group(1)}&statement=Ann+Example+".encode()
    bodies = {
        (f"{page}/documents", None, FORM): (entry % (b"form", token.encode()) + file % b"file.other", b"\r\n--b--\r\n"),
        (f"{channels}/evidence", "alpha", FORM): (entry % (b"kind", b"other") + file % b"file", b"\r\n--b--\r\n"),
        (f"{page}/appeal", None, "application/x-www-form-urlencoded"): (words, b"of+Safer+Screens"),
        (f"{channels}/appeals", "alpha", "application/json"): (b'{"statement": "Ann Example', b' of Safer Screens"}'),
    }
    begun, erased = asyncio.Semaphore(0), asyncio.Event()

    async def held(first: bytes, rest: bytes) -> AsyncIterator[bytes]:
        yield first
        begun.release()
        await erased.wait()
        yield rest

    async def send(path: str, caller: str | None, kind: str, body: tuple[bytes, bytes]) -> int:
        headers = {**HTML, "Content-Type": kind}
        return (await intake.call("POST", path, caller, content=held(*body), headers=headers)).status_code

    sent = [asyncio.create_task(send(*request, body)) for request, body in bodies.items()]
    for _ in sent:
        await begun.acquire()
    assert (await erase(intake, application_id)).is_success
    erased.set()
    assert await asyncio.gather(*sent) == [410] * len(sent)
    assert await named_in(intake.database) == {}
    for name in ("evidence_folders", "evidence.files", "evidence_loose", "appeals"):
        assert await _count(intake, name, 0), name


async def test_others_hear_of_it_once_everything_is_erased_here(intake: Running) -> None:
    application_id, _ = await accepted(intake)
    await intake.elsewhere.heard()
    await erase(intake, application_id)
    heard: list[dict[str, Any]] = []

    async def told() -> bool:
        heard.extend(each for each in await intake.elsewhere.heard() if each["type"] == "application.erased.v1")
        return bool(heard)

    await eventually(told, "the erasure is published")
    assert {each["data"]["application_id"] for each in heard} == {application_id}
    assert not any(name.decode() in str(heard) for name in NAMES)


async def test_late_decisions_and_emails_leave_no_trace(intake: Running) -> None:
    application_id, _ = await accepted(intake)
    about = await intake.application(application_id)
    await erase(intake, application_id)
    before = await intake.database["applications"].find_one({"_id": application_id})
    await intake.elsewhere.decide(about, "eligible")
    await intake.elsewhere.tell(emailed(application_id, "eligible", 1, 1, failed="Ann Example left"), application_id)
    other, _ = await accepted(intake)
    await intake.elsewhere.decide(await intake.application(other), "eligible")
    await intake.until(other, state="eligible")  # what was told before is heard by now
    assert await intake.database["applications"].find_one({"_id": application_id}) == before


@pytest.mark.parametrize("running", [False, True], ids=["a finished import", "an import that still runs"])
async def test_the_file_that_brought_it_goes_when_its_import_is_at_its_end(intake: Running, running: bool) -> None:
    rows = [row(number) for number in range(1, 4)] + [row(4, category="friend")]
    sent = await intake.call(
        "POST", "/v1/imports?filename=safer.csv", content=csv_of(rows), headers={"Content-Type": "text/csv"}
    )
    import_id = sent.json()["import_id"]

    async def done() -> bool:
        return bool((await intake.get(f"/v1/imports/{import_id}"))["state"] == "done")

    await eventually(done, "the import is done")
    if running:
        await intake.database["imports"].update_one({"_id": import_id}, {"$set": {"state": "previewed"}})
    found = (await intake.get(f"/v1/applications?import_id={import_id}"))["applications"]
    await erase(intake, found[0]["application_id"])
    assert await _count(intake, "import_files.files", 1 if running else 0)
    if running:
        await intake.database["imports"].update_one({"_id": import_id}, {"$set": {"state": "done"}})
        await erase(intake, found[1]["application_id"])
    assert await _count(intake, "import_files.files", 0)
    assert await _count(intake, "import_files.chunks", 0)
    assert (await intake.get(f"/v1/imports/{import_id}"))["filename"] == "a file that was deleted"
    answer = await intake.call("GET", f"/v1/imports/{import_id}/errors?format=file")
    assert (answer.status_code, "was deleted" in answer.json()["detail"]) == (410, True)
    assert len((await intake.get(f"/v1/imports/{import_id}/errors"))["errors"]) == 1
    ledger = await intake.get("/v1/ledger")
    assert (ledger["total"]["accepted"], ledger["total"]["erased"]) == (3, 2 if running else 1)
