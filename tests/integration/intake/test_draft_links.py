"""The link to a draft by email, on real servers: asked for on the list, kept as a fact, published, limited, forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.draft_links import DraftLinkRequest
from services.intake.storage.draft_links import MongoDraftLinkRequests
from services.intake.use_cases.draft_links import PER_ADDRESS
from shared.clock import DatabaseClock
from shared.events import DraftSaved
from shared.mongo import Database
from shared.web.links import DRAFT, Links
from tests.integration.intake.forms import ORGANISATION, Visitor
from tests.integration.intake.running import Running
from tests.integration.intake.test_links import Heard
from tests.unit.intake.fakes import NOW, REAL, FakeDraftLinkRequests
from tests.waiting import eventually

BOTH = pytest.mark.parametrize("kind", ["fake", "real"])
LINKS = Links("0123456789abcdef" * 4)
REQUEST = DraftLinkRequest(
    request_id="r",
    draft_id="d",
    application_id="app",
    amends=True,
    category="club",
    address="ann@safer.example",
    locale="pt",
    expires_at=REAL + timedelta(days=3650),
    requested_at=NOW,
)


@BOTH
async def test_a_request_is_kept_whole_published_and_erased_with_its_application(kind: str, database: Database) -> None:
    heard = Heard()
    requests = (
        FakeDraftLinkRequests() if kind == "fake" else MongoDraftLinkRequests(database, heard, DatabaseClock(database))
    )
    if isinstance(requests, MongoDraftLinkRequests):
        await requests.prepare()
    for each in (REQUEST, replace(REQUEST, request_id="s", application_id="other")):
        await requests.append(each)
    assert await requests.of("app") == [REQUEST]
    for _ in range(2):
        await requests.erase(["app"])
    assert await requests.of("app") == []
    assert [each.request_id for each in await requests.of("other")] == ["s"]
    if kind == "real":
        (event, _) = heard.events
        assert event.subject == "app", "a dead letter of it is found when the application is erased"
        assert event.data == DraftSaved(
            draft_id="d",
            application_id="app",
            amends=True,
            category="club",
            address="ann@safer.example",
            locale="pt",
            expires_at=REQUEST.expires_at,
            requested_at=NOW,
        )


async def begun(intake: Running) -> tuple[Visitor, str]:
    visitor = Visitor(intake)
    await (await visitor.open("/apply")).send({"category": "un_member_state"})
    return visitor, visitor.path


async def facts(intake: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await intake.database["draft_links"].find({}).to_list(None)
    return found


async def test_the_link_is_sent_to_the_address_entered_and_opens_the_same_draft(intake: Running) -> None:
    visitor, base = await begun(intake)
    await (await visitor.open(f"{base}/organisation")).send(ORGANISATION)
    await visitor.open(base)
    assert 'value="ann@safer.example"' in visitor.text, "the contact's address is offered"
    await visitor.send({"address": " bo@safer.example "})
    assert visitor.path == f"{base}/link"
    assert "bo@safer.example" in visitor.text
    (fact,) = await facts(intake)
    (draft,) = await intake.database["drafts"].find({}).to_list(None)
    assert (fact["address"], fact["draft_id"], fact["category"]) == (
        "bo@safer.example",
        draft["_id"],
        "un_member_state",
    )
    assert (fact["application_id"], fact["expires_at"]) == (draft["about"], draft["expires"])

    async def published() -> bool:
        return await intake.database["draft_links"].count_documents({"outbox.published_at": {"$exists": True}}) == 1

    await eventually(published, "the request is published")
    await visitor.open(f"/apply/{LINKS.sign(DRAFT, fact['draft_id'])}/organisation")
    assert 'value="Safer Screens"' in visitor.text
    await visitor.open(base)
    assert 'value="bo@safer.example"' in visitor.text, "it is asked for once"


async def test_an_address_that_cannot_be_is_named_at_its_field_and_nothing_is_sent(intake: Running) -> None:
    visitor, base = await begun(intake)
    for address in ("", "nobody", "a@b", "a\r\nBcc: c@d.example@e.example", "ü@safer.example"):
        await (await visitor.open(base)).send({"address": address})
        assert visitor.status == 422, address
        assert 'href="#address"' in visitor.text
        assert "address-error" in visitor.ids
    assert await facts(intake) == []


async def test_too_many_are_refused_alike_whether_anybody_reads_the_address_or_not(intake: Running) -> None:
    for address in ("ann@safer.example", "nobody@nowhere.example"):
        visitor, base = await begun(intake)
        for _ in range(PER_ADDRESS.most):
            await (await visitor.open(base)).send({"address": address})
            assert visitor.path == f"{base}/link"
        await (await visitor.open(base)).send({"address": address.upper()})
        assert visitor.status == 429
        assert "Try again in" in visitor.text
    assert len(await facts(intake)) == 2 * PER_ADDRESS.most
    kept = await intake.database["limits"].find({}).to_list(None)
    assert not any("@" in str(each) for each in kept)


async def test_the_page_after_it_is_the_same_for_every_address(intake: Running) -> None:
    visitor, base = await begun(intake)
    pages = []
    for address in ("ann@safer.example", "bob@safer.example"):
        await (await visitor.open(base)).send({"address": address})
        pages.append(visitor.html.replace(address, "…"))
    assert pages[0] == pages[1]


async def test_a_draft_that_was_sent_sends_no_link(intake: Running) -> None:
    visitor, base = await begun(intake)
    await (await visitor.open(f"{base}/organisation")).send(ORGANISATION)
    waiting = await Visitor(intake).open(base)
    await intake.database["drafts"].update_one({}, {"$set": {"application_id": "a", "sealed": True}})
    await waiting.send({"address": "ann@safer.example"})
    assert waiting.path == f"{base}/sent"
    assert await facts(intake) == []
