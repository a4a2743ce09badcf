"""The web form, on a real database: filled in without scripts, judged like every channel, sent once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.intake.pages.form_site import BEGINNINGS
from tests.integration.intake.forms import ORGANISATION, Visitor
from tests.integration.intake.running import POLICY, Running, submission
from tests.waiting import eventually

PAUSE = POLICY.document.pauses[0]
COMMITMENTS = POLICY.document.commitments
DURING, AFTER = "2021-10-04T09:00:00Z", "2022-01-10T09:00:00Z"
KIND = {"registration.number": "1089599", "registration.country": "GB"}


async def at(intake: Running, now: str, paused: bool) -> None:
    """Set the clock, and wait until the policy is known and pages go by it."""
    assert (await intake.call("PUT", "/v1/clock", "ada", json={"now": now})).status_code == 200

    async def noticed() -> bool:
        return ("on hold" in (await Visitor(intake).open("/apply")).text) == paused

    await eventually(noticed, f"the form knows that it is {now}", 5)


@pytest.fixture
async def visitor(intake: Running) -> Visitor:
    """Somebody in the middle of the pause."""
    await at(intake, DURING, paused=True)
    return Visitor(intake)


async def test_the_next_page_goes_by_a_clock_that_was_set(intake: Running, visitor: Visitor) -> None:
    for now, paused in ((AFTER, False), (DURING, True), (AFTER, False)):
        assert (await intake.call("PUT", "/v1/clock", "ada", json={"now": now})).status_code == 200
        assert ("on hold" in (await visitor.open("/apply")).text) == paused


async def begun(visitor: Visitor, category: str) -> str:
    """Choose a kind of organisation; the address of the draft."""
    await (await visitor.open("/apply")).send({"category": category})
    assert visitor.status == 200
    return visitor.path


async def signed(visitor: Visitor, base: str) -> None:
    """Read the commitments one by one and sign them."""
    await visitor.open(f"{base}/questions/commitments")
    for number, commitment in enumerate(COMMITMENTS.items, start=1):
        assert visitor.path.endswith(f"/{number}")
        assert commitment.text["en"] in visitor.text
        assert COMMITMENTS.statement["en"] in visitor.text
        await visitor.send()
    assert COMMITMENTS.statement["en"] in visitor.text
    await visitor.send(
        {
            "commitments.signatory": "Ann Example",
            "commitments.role": "Director",
            "commitments.signed_on": "2021-10-04",
        }
    )


async def stored(intake: Running) -> list[dict[str, Any]]:
    """The revisions that were accepted."""
    return await intake.database["revisions"].find({}).to_list(None)


async def test_a_held_organisation_is_told_before_the_first_question_applies_and_consents(visitor: Visitor) -> None:
    await visitor.open("/apply")
    before_the_question = visitor.text.partition("What kind of organisation are you?")[0]
    for said in (PAUSE.message["en"], PAUSE.reason["en"], "Member state of the United Nations"):
        assert said in before_the_question
    base = await begun(visitor, "civil_society_organisation")
    assert "Applications of your kind are on hold" in visitor.text
    await (await visitor.follow("/organisation")).send(ORGANISATION)
    assert visitor.path.endswith("/questions/kind")
    assert "registration.number" in visitor.form.names
    assert "government.level" not in visitor.form.names
    await visitor.send(KIND)
    await signed(visitor, base)
    await visitor.open(f"{base}/check")
    assert visitor.path.endswith("/consent")
    await visitor.send()
    assert visitor.status == 422
    assert 'href="#consent-1"' in visitor.text
    await visitor.send({"consent": "yes"})
    assert "This application will be put on hold" in visitor.text
    await visitor.send()
    assert "Your application was sent" in visitor.text
    (revision,) = await stored(visitor.intake)
    application = visitor.intake.stored(revision)
    assert application.provenance.channel == "form"
    assert application.provenance.client == "public"
    assert application.consent.register_interest
    assert application.answers["commitments.text_hash"] == COMMITMENTS.hash
    assert application.first_received_at.isoformat()[:10] == "2021-10-04"
    assert application.application_id[:8].upper() in visitor.text
    await visitor.open(next(link for link in visitor.links if "/status/" in link).removeprefix("http://join.example"))
    assert "Safer Screens" in visitor.text


async def test_a_government_is_not_held_and_not_asked_for_consent(visitor: Visitor) -> None:
    base = await begun(visitor, "un_member_state")
    assert "are on hold" not in visitor.text
    await (await visitor.open(f"{base}/organisation")).send(ORGANISATION)
    await visitor.send({"government.level": "national", "government.letter": "Letter 7 of 2021"})
    await visitor.open(f"{base}/check")
    assert visitor.path.endswith("/check")
    assert "The national government" in visitor.text
    await visitor.send()
    (revision,) = await stored(visitor.intake)
    assert visitor.intake.stored(revision).category == "un_member_state"


async def test_the_form_gives_the_messages_of_the_api_at_the_field_and_above_with_a_link(visitor: Visitor) -> None:
    base = await begun(visitor, "civil_society_organisation")
    wrong: dict[str, str | list[str]] = {
        **ORGANISATION, "organisation.name": "", "organisation.website": "ftp://x", "contact.email": "nobody"
    }  # fmt: skip
    await (await visitor.open(f"{base}/organisation")).send(wrong)
    assert visitor.status == 422
    document = submission(
        organisation={"country": "GB", "website": "ftp://x"}, contact={"name": "Ann", "email": "nobody"}
    )
    problem = (await visitor.intake.submit(document)).json()
    assert len(problem["errors"]) == 3
    for error in problem["errors"]:
        name = error["pointer"][1:].replace("/", ".")
        assert f'href="#{name}"' in visitor.text
        assert visitor.text.count(error["detail"]) == 2
        assert f"{name}-error" in visitor.ids
    assert 'value="ftp://x"' in visitor.text, "what was entered is still there"


async def test_what_was_entered_is_there_on_the_next_visit_and_nothing_is_asked_of_another_kind(
    visitor: Visitor,
) -> None:
    base = await begun(visitor, "civil_society_organisation")
    await (await visitor.open(f"{base}/questions/kind")).send(KIND)
    await visitor.open(f"{base}/questions/kind")
    assert 'value="1089599"' in visitor.text
    await (await visitor.open(f"{base}/category")).send({"category": "financial_institution"})
    await visitor.open(f"{base}/questions/kind")
    assert "registration.number" not in visitor.form.names
    await (await visitor.open(f"{base}/organisation")).send(ORGANISATION)
    await (await visitor.open(f"{base}/consent")).send({"consent": "no"})
    await visitor.send()
    (revision,) = await stored(visitor.intake)
    assert "registration.number" not in visitor.intake.stored(revision).answers


async def test_two_windows_that_change_different_pages_lose_nothing(visitor: Visitor) -> None:
    base = await begun(visitor, "civil_society_organisation")
    one, other = Visitor(visitor.intake), Visitor(visitor.intake)
    await asyncio.gather(one.open(f"{base}/organisation"), other.open(f"{base}/questions/kind"))
    await asyncio.gather(one.send(ORGANISATION), other.send(KIND))
    await visitor.open(f"{base}/check")
    await visitor.send({"consent": "no"})
    assert "1089599" in visitor.text
    assert "Safer Screens" in visitor.text


async def test_sent_twice_at_once_it_is_one_application_and_the_draft_is_emptied(visitor: Visitor) -> None:
    base = await begun(visitor, "un_member_state")
    await (await visitor.open(f"{base}/organisation")).send(ORGANISATION)
    windows = [await Visitor(visitor.intake).open(f"{base}/check") for _ in range(5)]
    await asyncio.gather(*(each.send() for each in windows))
    assert {each.path for each in windows} == {f"{base}/sent"}
    assert len(await stored(visitor.intake)) == 1
    await windows[0].open(f"{base}/organisation")
    assert windows[0].path == f"{base}/sent"
    (draft,) = await visitor.intake.database["drafts"].find({}).to_list(None)
    assert draft["values"] == {}


async def test_a_form_without_its_own_token_changes_nothing(visitor: Visitor) -> None:
    base = await begun(visitor, "un_member_state")
    page = await visitor.open(f"{base}/organisation")
    other = Visitor(visitor.intake)
    await begun(other, "un_member_state")
    for token in ("", "x", other.form.hidden.get("form", "y")):
        await page.open(f"{base}/organisation")
        await page.send(ORGANISATION, form=token)
        assert page.status == 422
    await (await other.open("/apply")).send({"category": "un_member_state"}, form="forged")
    assert other.status == 422
    drafts = await visitor.intake.database["drafts"].find({}).to_list(None)
    assert [each["values"] for each in drafts] == [{}, {}]


async def test_a_link_that_is_forged_or_expired_opens_no_draft(visitor: Visitor) -> None:
    base = await begun(visitor, "un_member_state")
    for path in (f"{base[:-3]}xyz", "/apply/nonsense", "/apply/nonsense/organisation"):
        await visitor.open(path)
        assert visitor.status == 404
        assert "cannot be opened" in visitor.text
    await visitor.intake.database["drafts"].update_many({}, [{"$set": {"expires": {"$subtract": ["$$NOW", 1000]}}}])
    await visitor.open(base)
    assert visitor.status == 404


async def test_beginning_is_limited_for_all_replicas_together(visitor: Visitor) -> None:
    counters = visitor.intake.database["limits"]
    await (await visitor.open("/apply")).send({"category": "un_member_state"})
    await counters.update_many({}, {"$set": {"count": BEGINNINGS.most}})
    await (await visitor.open("/apply")).send({"category": "un_member_state"})
    assert visitor.status == 429
    assert "Try again in" in visitor.text
    assert BEGINNINGS.window >= timedelta(minutes=1)


async def test_nobody_signs_what_they_have_not_read(visitor: Visitor) -> None:
    base = await begun(visitor, "un_member_state")
    await visitor.open(f"{base}/questions/commitments/{len(COMMITMENTS.items)}")
    await visitor.send()
    assert visitor.path.endswith("/questions/commitments/2"), "reading the last one alone is not reading them"
    await visitor.open(f"{base}/questions/commitments/9")
    assert visitor.status == 404


async def test_commitments_that_change_are_read_and_signed_anew(visitor: Visitor) -> None:
    base = await begun(visitor, "un_member_state")
    await signed(visitor, base)
    drafts = visitor.intake.database["drafts"]
    (draft,) = await drafts.find({}).to_list(None)
    values = {**draft["values"], "commitments.text_hash": "0" * 64}
    await drafts.update_one({"_id": draft["_id"]}, [{"$set": {"values": {"$literal": values}, "read_hash": "0" * 64}}])
    await visitor.open(base)
    assert "The commitments have changed" in visitor.text
    await visitor.open(f"{base}/questions/commitments")
    assert visitor.path.endswith("/questions/commitments/1")


async def test_hostile_answers_are_refused_or_shown_as_text(visitor: Visitor) -> None:
    base = await begun(visitor, "civil_society_organisation")
    page = await visitor.open(f"{base}/questions/kind")
    await page.send({"registration.number": "<script>alert(1)</script>", "registration.country": "XX"})
    assert page.status == 422
    assert "<script" not in page.html
    await (await page.open(f"{base}/questions/kind")).send({"registration.number": "1\x00"})
    assert page.status == 422
    await (await page.open(f"{base}/questions/kind")).send({"registration.number": "9" * 101})
    assert "is longer than 100 characters" in page.text
    (draft,) = await visitor.intake.database["drafts"].find({}).to_list(None)
    assert draft["values"] == {}
