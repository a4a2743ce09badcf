"""What operators and holders of links see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from itsdangerous import TimestampSigner

from services.notifications.api.emails import email_routes
from services.notifications.api.templates import template_routes
from services.notifications.domain.emails import Transition
from services.notifications.domain.letters import TEMPLATES
from services.notifications.pages.desk_emails import desk_email_routes
from services.notifications.pages.emails import DESCRIPTIONS, page_routes
from services.notifications.use_cases.emails import NewEmail
from services.notifications.use_cases.previews import Previews
from shared.web.auth import hash_key, parse_keys
from shared.web.layout import pages
from shared.web.links import Links
from shared.web.service import create_web
from tests.unit.notifications.fakes import FakeClock, FakeMailroom
from tests.unit.notifications.letters import NOW, POLICY, composer, letter
from tests.unit.notifications.test_correspondence import FakePolicies

OPERATOR, CHANNEL = {"Authorization": "Bearer olga-key"}, {"Authorization": "Bearer chan-key"}
LINKS = Links("0123456789abcdef" * 4)


class Site:
    """The web side of the service over emails in memory."""

    def __init__(self) -> None:
        self.mailroom, self.policies = FakeMailroom(), FakePolicies()
        self.policies.known[POLICY.hash] = POLICY.document
        keys = f"olga:operator:{hash_key('olga-key')}\nchan:channel:{hash_key('chan-key')}"
        self.app: FastAPI = create_web(
            title="Notifications",
            service="notifications",
            version="1",
            readiness=self._ready,
            api_keys=parse_keys(keys),
        )
        previews = Previews(self.policies, composer(), FakeClock(NOW))
        self.app.include_router(
            email_routes(self.mailroom, lambda each: f"https://x.example/{LINKS.sign('email', each)}")
        )
        self.app.include_router(template_routes(previews))
        own = pages("services.notifications.pages")
        self.app.include_router(desk_email_routes(own, self.mailroom, LINKS))
        self.app.include_router(page_routes(own, self.mailroom, previews, LINKS, "https://join.example"))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")

    async def _ready(self) -> list[Any]:
        return []

    async def add(
        self, organisation: str = "Kinder schützen e.V.", address: str = "ada@charity.example", **of: Any
    ) -> NewEmail:
        written = letter("incomplete", organisation=organisation, address=address, **of)
        email_id = f"00000000-0000-5000-8000-{len(self.mailroom.rows):012}"
        email = NewEmail(email_id, written, composer().compose(written, POLICY.document, email_id, NOW), None)
        await self.mailroom.add([email], "bulk", await FakeClock(NOW).read())
        return email

    async def sent(self, email: NewEmail) -> None:
        claim = await self.mailroom.claim(1, 30)
        transition = Transition("sent", "250 queued as 7", None)
        await self.mailroom.settle(claim, [(claim.emails[0], transition)], await FakeClock(NOW).read())


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    async with made.client:
        yield made


@pytest.mark.parametrize(
    "path", ["/v1/emails", "/v1/emails/counts", "/v1/emails/x", "/v1/templates", "/v1/templates/eligible/preview"]
)
async def test_the_api_is_for_operators(site: Site, path: str) -> None:
    assert (await site.client.get(path)).status_code == 401
    assert (await site.client.get(path, headers=CHANNEL)).status_code == 403


async def test_an_email_is_listed_with_its_state_its_history_and_a_signed_page(site: Site) -> None:
    email = await site.add()
    await site.sent(email)
    answer = (await site.client.get("/v1/emails", params={"state": "sent"}, headers=OPERATOR)).json()
    (shown,) = answer["emails"]
    assert answer["next"] is None
    assert (shown["email_id"], shown["state"], shown["kind"]) == (email.email_id, "sent", "outcome")
    assert [(entry["state"], entry["detail"]) for entry in shown["history"]] == [
        ("pending", "written"),
        ("sent", "250 queued as 7"),
    ]
    assert shown["created_at"] == "2021-10-04T09:00:00Z"
    assert LINKS.open("email", shown["page"].rpartition("/")[2]) == email.email_id
    assert (await site.client.get("/v1/emails", params={"state": "failed"}, headers=OPERATOR)).json()["emails"] == []


async def test_the_list_goes_on_where_a_page_ended(site: Site) -> None:
    written = {(await site.add()).email_id for _ in range(3)}
    first = (await site.client.get("/v1/emails", params={"limit": 2}, headers=OPERATOR)).json()
    rest = (await site.client.get("/v1/emails", params={"limit": 2, "after": first["next"]}, headers=OPERATOR)).json()
    assert rest["next"] is None
    assert {each["email_id"] for each in first["emails"] + rest["emails"]} == written


async def test_a_state_that_does_not_exist_is_refused_by_name(site: Site) -> None:
    answer = await site.client.get("/v1/emails", params={"state": "lost"}, headers=OPERATOR)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/state"


async def test_one_email_is_read_with_both_its_parts(site: Site) -> None:
    email = await site.add()
    shown = (await site.client.get(f"/v1/emails/{email.email_id}", headers=OPERATOR)).json()
    assert "Kinder schützen e.V." in shown["text"]
    assert shown["html"].startswith("<!doctype html>")
    assert (await site.client.get("/v1/emails/unknown", headers=OPERATOR)).status_code == 404


async def test_emails_are_counted_by_kind_and_state(site: Site) -> None:
    await site.add()
    await site.sent(await site.add())
    assert (await site.client.get("/v1/emails/counts", headers=OPERATOR)).json() == {
        "total": 2,
        "by_state": {"sent": 1, "pending": 1},
        "by_kind": {"outcome": {"sent": 1, "pending": 1}},
    }


async def test_every_template_is_listed_with_its_version_and_described(site: Site) -> None:
    templates = (await site.client.get("/v1/templates", headers=OPERATOR)).json()["templates"]
    languages = ["ar", "en", "es", "fr"]
    assert [(each["name"], each["locale"]) for each in templates] == [(a, b) for a in TEMPLATES for b in languages]
    assert len({each["version"] for each in templates}) == len(templates)
    assert all(len(each["version"]) == 12 for each in templates)
    assert set(DESCRIPTIONS) == set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
async def test_every_template_has_a_preview_in_html_and_text_and_a_page(site: Site, name: str) -> None:
    html = await site.client.get(f"/v1/templates/{name}/preview", headers=OPERATOR)
    assert html.headers["content-type"].startswith("text/html")
    assert "sandbox" in html.headers["content-security-policy"]
    text = await site.client.get(f"/v1/templates/{name}/preview", params={"format": "text"}, headers=OPERATOR)
    assert text.headers["content-type"].startswith("text/plain")
    signed = POLICY.document.texts["alliance.name"]["en"]
    assert signed in html.text
    assert signed in text.text
    page = await site.client.get(f"/templates/en/{name}")
    assert "<iframe" in page.text
    assert 'sandbox=""' in page.text


async def test_a_template_that_does_not_exist_is_not_found_and_another_locale_falls_back(site: Site) -> None:
    assert (await site.client.get("/v1/templates/welcome/preview", headers=OPERATOR)).status_code == 404
    assert (await site.client.get("/templates/en/welcome")).status_code == 404
    for locale, found in (("fr-CA", "fr"), ("de", "en")):
        answer = await site.client.get("/v1/templates/eligible/preview", params={"locale": locale}, headers=OPERATOR)
        assert answer.headers["content-language"] == found


async def test_a_preview_says_its_version_and_its_page_shows_it_in_every_language(site: Site) -> None:
    versions = {
        each["locale"]: each["version"]
        for each in (await site.client.get("/v1/templates", headers=OPERATOR)).json()["templates"]
        if each["name"] == "eligible"
    }
    answer = await site.client.get("/v1/templates/eligible/preview", params={"locale": "ar"}, headers=OPERATOR)
    assert answer.headers["accede-template-version"] == versions["ar"]
    page = (await site.client.get("/templates/ar/eligible")).text
    assert versions["ar"] in page
    assert '<pre lang="ar" dir="rtl"' in page
    assert all(f'href="/templates/{locale}/eligible"' in page for locale in versions if locale != "ar")


async def test_an_email_s_page_shows_it_in_its_language_with_its_template_s_version(site: Site) -> None:
    written = letter("incomplete", locale="ar")
    email_id = "00000000-0000-5000-8000-00000000000a"
    email = NewEmail(email_id, written, composer().compose(written, POLICY.document, email_id, NOW), None)
    await site.mailroom.add([email], "bulk", await FakeClock(NOW).read())
    page = (await site.client.get(f"/emails/view/{LINKS.sign('email', email_id)}")).text
    assert f'<bdi lang="ar">{email.composed.subject}</bdi>' in page
    assert f"العربية, version {email.composed.template_version}" in page
    listed = (await site.client.get(f"/v1/emails/{email_id}", headers=OPERATOR)).json()
    assert (listed["locale"], listed["template_version"]) == ("ar", email.composed.template_version)


async def test_without_a_policy_a_preview_is_to_be_tried_again_and_its_page_says_so(site: Site) -> None:
    site.policies.known.clear()
    assert (await site.client.get("/v1/templates/eligible/preview", headers=OPERATOR)).status_code == 503
    page = await site.client.get("/templates/en/eligible")
    assert page.status_code == 200
    assert "no policy has been announced" in page.text


async def test_the_overview_counts_emails_and_leads_to_the_templates(site: Site) -> None:
    for _ in range(3):
        await site.add()
    page = await site.client.get("/")
    assert page.status_code == 200
    assert "What applicants are told" in page.text
    assert all(f'href="/templates/en/{name}"' in page.text for name in TEMPLATES)
    assert '<td class="number">3</td>' in page.text


async def test_whoever_holds_its_link_sees_an_email_and_nothing_in_it_can_run(site: Site) -> None:
    email = await site.add(organisation='<script>alert("x")</script>"><img src=x>')
    page = await site.client.get(f"/emails/view/{LINKS.sign('email', email.email_id)}")
    assert page.status_code == 200
    assert "ada@charity.example" in page.text
    assert email.composed.subject in page.text
    assert email.composed.message_id in page.text
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "script-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("purpose", ["status", "emails"])
async def test_a_link_for_another_purpose_opens_no_email(site: Site, purpose: str) -> None:
    assert (await site.client.get(f"/emails/view/{LINKS.sign(purpose, 'x')}")).status_code == 404
    assert (await site.client.get(f"/emails/view/{LINKS.sign('email', 'unknown')}")).status_code == 404


async def test_a_link_of_the_desk_opens_the_emails_of_its_application_and_of_no_other_for_an_hour(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = await site.add(), await site.add(application_id=str(uuid4()))
    path = f"/desk/emails/{LINKS.sign('desk-emails', own.letter.application_id)}"
    listed = (await site.client.get(path)).text
    assert f"{path}/{own.email_id}" in listed
    assert other.email_id not in listed
    assert "/emails/view/" not in listed, "that would open for a year"
    assert "Kinder schützen e.V." in (await site.client.get(f"{path}/{own.email_id}")).text
    assert (await site.client.get(f"{path}/{other.email_id}")).status_code == 404
    now = TimestampSigner("any").get_timestamp()
    for passed, opens in ((3_500, True), (3_700, False)):
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self, at=now + passed: at)
        answers = [await site.client.get(each) for each in (path, f"{path}/{own.email_id}")]
        assert [each.status_code == 200 for each in answers] == [opens, opens]
