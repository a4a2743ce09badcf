"""The public pages say what the policy says, and what became of an application."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from services.intake.domain.policies import KnownPause, KnownPolicy, PolicyBook
from services.intake.domain.status import Status
from services.intake.domain.status_changes import accepted, with_decision, with_revision, with_withdrawal
from services.intake.pages.joining import joining_routes
from services.intake.pages.status import Elsewhere, seen
from services.intake.pages.words import listed, until_in_words
from services.intake.use_cases.policies import Policies
from shared.events import ApplicationDecided, PauseNotice, ReceiptLine
from shared.web.auth import ApiKeys
from shared.web.layout import pages
from shared.web.links import INVITATION, Links, read_status_subject
from shared.web.service import create_web
from tests.unit.intake.fakes import NOW, FakeClock, FakePolicies
from tests.unit.intake.samples import POLICY, application, decided, withdrawal

PAUSE = POLICY.document.pauses[0]
PLACES: dict[str, Any] = {
    "token": "t",
    "receipt_page": "/receipts/x",
    "interest_page": "/interests/x",
    "again_page": "/invitations/x",
    "panels": (),
}

BOOK = PolicyBook(
    {POLICY.hash: KnownPolicy(POLICY.hash, POLICY.document.effective_from, POLICY.document)},
    (KnownPause(PAUSE.id, 1, POLICY.document.effective_from, PAUSE),),
)
SITE = pages("services.intake.pages")


def words(html: str) -> str:
    """The text of a page, as a reader sees it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html.partition("<main")[2])).split())


async def joining_page(clock: FakeClock, policies: FakePolicies) -> httpx.Response:
    async def ready() -> list[object]:
        return []

    web = create_web(title="t", service="intake", version="1", readiness=ready, api_keys=ApiKeys({}))  # type: ignore[arg-type]
    web.include_router(joining_routes(Policies(policies, clock), SITE))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as client:
        return await client.get("/", headers={"Accept": "text/html"})


def known() -> FakePolicies:
    store = FakePolicies()
    store.policies, store.pauses = dict(BOOK.policies), {each.id: each for each in BOOK.pauses}
    return store


async def test_the_public_page_shows_every_category_declaration_commitment_and_benefit() -> None:
    text = words((await joining_page(FakeClock(), known())).text)
    document = POLICY.document
    shown = [each.label for each in document.categories.values()]
    shown += [evidence for each in document.categories.values() for evidence in each.evidence]
    shown += [each.statement for each in document.declarations]
    shown += [each.text for each in document.commitments.items]
    shown += [point.text for each in document.commitments.items for point in each.points]
    shown += [each.text for each in document.benefits]
    shown += [document.commitments.statement]
    assert [each["en"] for each in shown if " ".join(each["en"].split()) not in text] == []
    assert "Not yet available" in text


async def test_a_pause_is_shown_with_message_reason_end_and_who_is_exempt() -> None:
    text = words((await joining_page(FakeClock(), known())).text)
    assert PAUSE.message["en"] in text
    assert PAUSE.reason["en"] in text
    assert "the end of 31 December 2021 (London time)" in text
    assert text.count("Can apply now") == 3
    assert text.count("On hold for now") == 3


async def test_when_no_pause_is_on_the_page_says_so() -> None:
    clock = FakeClock()
    clock.now = PAUSE.until
    text = words((await joining_page(clock, known())).text)
    assert "No pause is on" in text
    assert "On hold for now" not in text


async def test_before_there_is_a_policy_the_page_asks_to_come_back() -> None:
    response = await joining_page(FakeClock(), FakePolicies())
    assert response.status_code == 503
    assert "being prepared" in response.text


def status_page(status: Status, book: PolicyBook = BOOK) -> str:
    return words(SITE.render("status.html", **PLACES, **seen(status, book, NOW)))


def judged(outcome: str, *lines: ReceiptLine, pause: PauseNotice | None = None) -> ApplicationDecided:
    return decided().model_copy(update={"outcome": outcome, "receipt": list(lines), "pause": pause})


CRITERION = POLICY.document.criteria[0]
QUESTION = next(iter(POLICY.document.questions))


def test_an_incomplete_application_is_told_what_is_missing_and_what_to_do() -> None:
    lines = [
        ReceiptLine(criterion=CRITERION.id, answer="missing", missing=[QUESTION]),
        ReceiptLine(criterion=POLICY.document.criteria[1].id, answer="needs_human"),
        ReceiptLine(criterion=POLICY.document.criteria[2].id, answer="met"),
    ]
    text = status_page(with_decision(accepted(application()), judged("incomplete", *lines)))
    assert "Safer Screens" in text
    assert "Civil society organisation" in text
    assert POLICY.document.texts["outcome.incomplete.headline"]["en"] in text
    for sentence in (CRITERION.statement, CRITERION.remedy, POLICY.document.questions[QUESTION].label):
        assert sentence["en"] in text
    assert POLICY.document.criteria[1].statement["en"] in text
    assert "1 of 3 criteria are met" in text
    assert "It was found incomplete" in text


def test_a_declined_application_is_told_why_and_may_correct_what_was_entered_wrongly() -> None:
    line = ReceiptLine(criterion=CRITERION.id, answer="not_met")
    text = status_page(with_decision(accepted(application()), judged("not_eligible", line)))
    assert CRITERION.statement["en"] in text
    assert "Correct your application" in text  # how to appeal, a panel says


NOTICE = PauseNotice(
    pause_id=PAUSE.id,
    message=PAUSE.message,
    reason=PAUSE.reason,
    until=PAUSE.until,
    exempt=list(PAUSE.exempt),
    interest_registered=True,
)


def held_page(*changed: KnownPause) -> str:
    status = with_decision(accepted(application()), judged("on_hold", pause=NOTICE))
    return page_of(status, PolicyBook(BOOK.policies, (*BOOK.pauses, *changed)))


def test_a_held_application_is_told_the_end_that_the_pause_has_now() -> None:
    """Its decision names the end of then, and stays as it is."""
    longer = PAUSE.model_copy(update={"until": PAUSE.until + timedelta(days=31)})
    text = words(held_page(KnownPause(PAUSE.id, 2, NOW - timedelta(days=1), longer)))
    assert "the end of 31 January 2022 (London time)" in text
    assert "31 December" not in text
    other = longer.model_copy(update={"id": "other"})
    assert "the end of 31 January 2022" in words(held_page(KnownPause("other", 1, NOW, other))), "it goes on in another"


@pytest.mark.parametrize("change", [{"until": NOW}, {"exempt": (*PAUSE.exempt, application().category)}])
def test_a_held_application_is_led_to_a_form_that_is_filled_in_once_nothing_holds_its_kind(
    change: dict[str, Any],
) -> None:
    html = held_page(KnownPause(PAUSE.id, 2, NOW, PAUSE.model_copy(update=change)))
    assert "you can apply now" in words(html)
    assert 'href="/invitations/x"' in html
    assert PAUSE.message["en"] not in words(html)
    assert "you can apply now" not in words(held_page())
    unheard = PolicyBook(BOOK.policies)
    status = with_decision(accepted(application()), judged("on_hold", pause=NOTICE))
    assert "31 December 2021" in status_page(status, unheard), "before this service has heard of the pause"


def test_the_way_to_apply_anew_is_the_page_of_an_invitation_and_ends_with_the_links_of_the_application() -> None:
    links = Links("0123456789abcdef" * 4)
    status = replace(accepted(application()), link_generation=2)
    page, _, token = Elsewhere(links, "http://decide.example").again(status).rpartition("/")
    assert page == "/invitations"
    assert read_status_subject(links.open(INVITATION, token)) == (status.application_id, 2)


def test_a_held_application_is_shown_the_pause_and_no_verdict() -> None:
    text = status_page(with_decision(accepted(application()), judged("on_hold", pause=NOTICE)))
    assert "the end of 31 December 2021 (London time)" in text
    assert "You asked us to write to you when the pause is over" in text
    assert "criteria are met" not in text


def test_an_application_in_the_making_says_what_is_next() -> None:
    fresh = accepted(application())
    assert "It is being decided" in status_page(fresh)
    amended = status_page(with_revision(with_decision(fresh, decided()), application(2)))
    assert "It is being decided" in amended
    assert "(revision 2)" in amended
    assert "was withdrawn" in status_page(with_withdrawal(fresh, withdrawal()))


def test_a_page_can_be_shown_though_the_policy_it_was_decided_by_is_not_known_here() -> None:
    status = with_decision(accepted(application()), judged("eligible"))
    assert "Eligible" in status_page(status, PolicyBook())
    assert "remplit les critères" in status_page(replace(status, locale="fr-CA"))
    assert "meets the criteria" in status_page(replace(status, locale="de"))


@pytest.mark.parametrize(
    ("zone", "words_"),
    [
        ("Europe/London", "the end of 31 December 2021 (London time)"),
        ("Pacific/Auckland", "1 January 2022, 13:00 NZDT"),
        ("UTC", "the end of 31 December 2021 (UTC)"),
    ],
)
def test_the_end_of_a_pause_is_said_as_people_say_it(zone: str, words_: str) -> None:
    assert until_in_words(PAUSE.until, zone) == words_
    assert until_in_words(NOW + timedelta(hours=1), "UTC") == "4 October 2021, 10:00 UTC"


def test_lists_are_read_as_sentences() -> None:
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"]), listed([])] == [
        "a",
        "a and b",
        "a, b and c",
        "",
    ]


def page_of(status: Status, book: PolicyBook) -> str:
    return SITE.render("status.html", **PLACES, **seen(status, book, NOW))


def test_the_page_is_english_and_says_where_the_policy_speaks_another_language() -> None:
    status = replace(with_decision(accepted(application()), judged("eligible")), locale="fr-CA")
    texts = {**POLICY.document.texts, "outcome.eligible.headline": {"en": "Welcome", "fr": "Bienvenue <ici>"}}
    known_policy = replace(BOOK.policies[POLICY.hash], document=POLICY.document.model_copy(update={"texts": texts}))
    book = PolicyBook({POLICY.hash: known_policy}, BOOK.pauses)
    html = SITE.render("status.html", **PLACES, **seen(status, book, NOW))
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert '<h2><span lang="fr" dir="ltr">Bienvenue &lt;ici&gt;</span></h2>' in html
    category = POLICY.document.categories[status.category].label["fr"]
    assert f'<span lang="fr" dir="ltr">{category}</span>' in html


def test_a_name_that_runs_the_other_way_turns_nothing_around_it() -> None:
    status = replace(accepted(application()), organisation_name="منظمة")
    html = SITE.render("status.html", **PLACES, **seen(status, BOOK, NOW))
    assert html.count("<bdi>منظمة</bdi>") == 2
