"""Withdrawing from the status page: asked first, done once, confirmed to the contact."""

from __future__ import annotations

import re
from typing import Any

import httpx

from shared.web.links import Links
from tests.integration.intake.running import Running
from tests.waiting import eventually

LINKS = Links("0123456789abcdef" * 4)
HTML = {"Accept": "text/html"}


async def opened(intake: Running, form: str | None = None, path: str = "") -> tuple[str, httpx.Response, str]:
    """An application's page of withdrawal: its path, its answer, and the token of its form."""
    if not path:
        page = (await intake.submit()).json()["status_page"]
        path = str(page).removeprefix("http://join.example") + "/withdraw"
    response = await intake.call("GET", path, None, headers=HTML)
    found = re.search(r'name="form" value="([^"]+)"', response.text)
    return path, response, found.group(1) if found else ""


async def pressed(intake: Running, path: str, **entries: str) -> httpx.Response:
    return await intake.call("POST", path, None, data=entries, headers=HTML)


async def test_nothing_is_withdrawn_before_the_button_is_pressed_and_then_it_is(intake: Running) -> None:
    path, response, form = await opened(intake)
    assert response.status_code == 200
    assert "This cannot be undone" in response.text
    assert await intake.database["withdrawals"].count_documents({}) == 0
    answer = await pressed(intake, path, form=form)
    assert (answer.status_code, answer.headers["location"]) == (303, path.removesuffix("/withdraw"))
    page = (await intake.call("GET", answer.headers["location"], None, headers=HTML)).text
    assert "This application was withdrawn" in page
    assert "/withdraw" not in page
    (fact,) = await intake.database["withdrawals"].find({}).to_list(None)
    assert fact["client"] == "the applicant"
    assert fact["application"]["contact"]["email"] == "ann@safer.example"
    # a second press, and a look at the form afterwards, change nothing
    assert (await pressed(intake, path, form=form)).status_code == 303
    assert (await opened(intake, path=path))[1].status_code == 303
    assert await intake.database["withdrawals"].count_documents({}) == 1


async def test_a_form_of_another_link_or_of_none_withdraws_nothing(intake: Running) -> None:
    path, _, _ = await opened(intake)
    _, _, others = await opened(intake)
    for entries in ({}, {"form": "x"}, {"form": others}, {"form": LINKS.sign("status", "x")}):
        response = await pressed(intake, path, **entries)
        assert response.status_code == 422
        assert "Nothing was withdrawn" in response.text
    assert await intake.database["withdrawals"].count_documents({}) == 0


async def test_a_revoked_link_withdraws_nothing(intake: Running) -> None:
    path, _, form = await opened(intake)
    (status,) = (await intake.get("/v1/applications"))["applications"]
    await intake.call("POST", f"/v1/applications/{status['application_id']}/links/revocation", "olga")
    assert (await pressed(intake, path, form=form)).status_code == 404
    assert await intake.database["withdrawals"].count_documents({}) == 0


async def test_the_event_says_who_is_sent_the_confirmation(intake: Running) -> None:
    path, _, form = await opened(intake)
    await pressed(intake, path, form=form)
    heard: list[dict[str, Any]] = []

    async def told() -> bool:
        heard.extend(each for each in await intake.elsewhere.heard() if each["type"] == "application.withdrawn.v1")
        return bool(heard)

    await eventually(told, "the withdrawal is published")
    assert heard[0]["data"]["application"]["contact"]["email"] == "ann@safer.example"
