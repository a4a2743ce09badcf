"""Appeals through HTTP and events: from the applicant's page and over the API, kept once and closed visibly."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.intake.domain.appeals import Appeal
from services.intake.storage.appeals import MongoAppeals
from shared.batches import Event
from shared.events import ApplicationSummary
from shared.mongo import Database
from tests.integration.intake.running import Running
from tests.unit.intake.fakes import NOW
from tests.unit.intake.nomination_fakes import FakeAppeals
from tests.unit.intake.samples import application
from tests.waiting import eventually

HTML = {"Accept": "text/html"}
WHY = "We are registered: <b>the number</b> has a dash in it.\nThe register is online."
BOTH = pytest.mark.parametrize("kind", ["fake", "real"])


class Silent:
    """Publishes to nobody."""

    async def publish(self, events: Any, lane: Any) -> None:
        assert all(isinstance(each, Event) for each in events)


async def nothing(appeals: Any) -> None:
    """A projection that is not looked at."""


@BOTH
async def test_an_appeal_is_kept_whole_and_the_first_one_against_a_decision_stays(
    kind: str, database: Database
) -> None:
    store = FakeAppeals() if kind == "fake" else MongoAppeals(database, Silent(), nothing)
    first = Appeal(ApplicationSummary.of(application()), 1, "appeal-1", WHY, NOW, "alpha", "k1", "00-trace")
    later = replace(first, number=2, stage="appeal-2")
    other = replace(first, application=ApplicationSummary.of(application(name="b")))
    for each in (later, first, other):
        assert await store.append(each, NOW) == each
    assert await store.append(replace(first, statement="Other words"), NOW) == first
    assert sorted(await store.of("a"), key=lambda each: each.number) == [first, later]
    await store.erase(["a"])
    assert list(await store.of("a")) == []
    assert list(await store.of("b")) == [other]


async def refused(intake: Running) -> tuple[str, str]:
    """An application that was found not eligible: its id, and the path of its page."""
    accepted = (await intake.submit()).json()
    name, page = accepted["application_id"], str(accepted["status_page"]).removeprefix("http://join.example")
    await intake.elsewhere.decide(await intake.application(name), "not_eligible")
    await intake.until(name, state="not_eligible")
    return name, page


async def read(intake: Running, path: str) -> str:
    response = await intake.call("GET", path, None, headers=HTML)
    assert response.status_code == 200, response.text
    return " ".join(html.unescape(response.text).split())


async def send(intake: Running, page: str, statement: str) -> httpx.Response:
    """Fill in the form and press its button."""
    text = (await intake.call("GET", f"{page}/appeal", None, headers=HTML)).text
    match = re.search(r'name="form" value="([^"]+)"', text)
    assert match, text
    entries = {"form": match.group(1), "statement": statement}
    return await intake.call("POST", f"{page}/appeal", None, data=entries, headers=HTML)


async def appealed(intake: Running) -> list[dict[str, Any]]:
    """The events about appeals that wait for eligibility, once there is one."""
    found: list[dict[str, Any]] = []

    async def told() -> bool:
        found.extend(each for each in await intake.elsewhere.heard() if each["type"] == "application.appealed.v1")
        return bool(found)

    await eventually(told, "the appeal is published")
    return found


async def test_an_applicant_appeals_from_their_page_and_sees_where_it_stands(intake: Running) -> None:
    name, page = await refused(intake)
    assert "If you think we are wrong" in await read(intake, page)
    assert "within 60 days" in await read(intake, f"{page}/appeal")
    answer = await send(intake, page, WHY.replace("\n", "\r\n"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}#appeal")
    seen = await read(intake, page)
    assert "Your appeal has arrived" in seen
    assert "An appeal against the decision was received" in seen
    assert "If you think we are wrong" not in seen
    assert "&lt;b&gt;the number&lt;/b&gt;" in (await intake.call("GET", page, None, headers=HTML)).text
    assert (await intake.call("GET", f"{page}/appeal", None, headers=HTML)).status_code == 303
    (told,) = await appealed(intake)
    assert told["subject"] == name
    assert told["data"]["statement"] == WHY
    assert (told["data"]["stage"], told["data"]["decision_revision"], told["data"]["decision_number"]) == (
        "appeal-1",
        1,
        1,
    )


async def test_what_is_wrong_with_an_appeal_is_said_beside_what_was_written(intake: Running) -> None:
    _, page = await refused(intake)
    empty = await send(intake, page, " ")
    assert (empty.status_code, "What you wrote is empty" in html.unescape(empty.text)) == (422, True)
    long = await send(intake, page, "x" * 5000)
    assert long.status_code == 422
    assert "x" * 5000 in long.text
    old = await intake.call("POST", f"{page}/appeal", None, data={"statement": WHY, "form": "x"}, headers=HTML)
    assert (old.status_code, "open for too long" in old.text) == (422, True)
    assert await intake.database["appeals"].count_documents({}) == 0


async def test_an_application_that_is_not_refused_offers_no_appeal(intake: Running) -> None:
    accepted = (await intake.submit()).json()
    page = str(accepted["status_page"]).removeprefix("http://join.example")
    await intake.elsewhere.decide(await intake.application(accepted["application_id"]), "incomplete")
    await intake.until(accepted["application_id"], state="incomplete")
    assert "If you think we are wrong" not in await read(intake, page)
    assert (await intake.call("GET", f"{page}/appeal", None, headers=HTML)).status_code == 303


@pytest.mark.parametrize("how", ["amended", "withdrawn"])
async def test_amending_or_withdrawing_closes_the_appeal_visibly(intake: Running, how: str) -> None:
    name, page = await refused(intake)
    await send(intake, page, WHY)
    if how == "amended":
        document = (await intake.application(name)).submission().model_dump(mode="json")
        answer = await intake.call("POST", f"/v1/applications/{name}/amendments", json=document)
    else:
        answer = await intake.call("POST", f"/v1/applications/{name}/withdrawal")
    assert answer.is_success, answer.text
    seen = await read(intake, page)
    assert "Your appeal was closed" in seen
    assert f"The appeal was closed: the application was {how}" in seen
    (shown,) = (await intake.get(f"/v1/applications/{name}/appeals", "alpha"))["appeals"]
    assert shown["state"] == "closed"


async def post(intake: Running, name: str, body: Any, caller: str = "alpha", **headers: str) -> httpx.Response:
    sent = {each.replace("_", "-"): value for each, value in headers.items()}
    return await intake.call("POST", f"/v1/applications/{name}/appeals", caller, json=body, headers=sent)


async def test_a_channel_appeals_once_under_its_key(intake: Running) -> None:
    name, page = await refused(intake)
    first = await post(intake, name, {"statement": WHY}, Idempotency_Key="k1")
    assert first.status_code == 202, first.text
    assert (first.json()["state"], first.json()["stage"], first.json()["revision"]) == ("received", "appeal-1", 1)
    again = await post(intake, name, {"statement": WHY}, Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (202, first.json())
    for other in (
        await post(intake, name, {"statement": "Other words."}, Idempotency_Key="k1"),
        await post(intake, name, {"statement": "Other words."}, Idempotency_Key="k2"),
    ):
        assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
    assert await intake.database["appeals"].count_documents({}) == 1
    assert "Your appeal has arrived" in await read(intake, page)
    assert [each["what"] for each in (await intake.status(name))["history"]].count("appealed") == 1


async def test_what_cannot_be_appealed_is_said_as_a_problem(intake: Running) -> None:
    name, _ = await refused(intake)
    wrong = await post(intake, name, {"statement": " ", "more": 1})
    assert wrong.status_code == 422
    assert {each["pointer"] for each in wrong.json()["errors"]} == {"/statement", "/more"}
    assert (await post(intake, name, {"statement": WHY}, "beta")).status_code == 404
    pending = (await intake.submit()).json()["application_id"]
    refusal = await post(intake, pending, {"statement": WHY})
    assert (refusal.status_code, "not decided yet" in refusal.json()["detail"]) == (409, True)
    erased = (await intake.call("DELETE", f"/v1/applications/{name}", "olga")).status_code
    assert erased < 300
    assert (await post(intake, name, {"statement": WHY})).status_code == 410
