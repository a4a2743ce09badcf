"""Changing and completing an application from its page, on a real database: filled in, compared, sent as a revision."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.intake.domain.drafts import KEPT, Amends, Draft
from services.intake.storage.drafts import MongoDrafts
from shared.events import ReceiptLine
from shared.mongo import Database
from tests.integration.intake.forms import Visitor
from tests.integration.intake.running import POLICY, Running, decided, submission
from tests.unit.intake.fakes import REAL, FakeDrafts
from tests.waiting import eventually

BOTH = pytest.mark.parametrize("kind", ["fake", "real"])
COMMITMENTS = POLICY.document.commitments
REGISTERED = "civil-society-organisation.registered"


async def drafts_of(kind: str, database: Database) -> FakeDrafts | MongoDrafts:
    if kind == "fake":
        return FakeDrafts()
    real = MongoDrafts(database)
    await real.prepare()
    return real


@BOTH
async def test_a_draft_is_kept_whole_and_found_by_the_application_that_it_changes(
    kind: str, database: Database
) -> None:
    drafts = await drafts_of(kind, database)
    values: dict[str, Any] = {"organisation.name": "S", "a.list": ["x"], "a.flag": False}
    real = REAL.replace(year=2040)
    kept = Draft(
        "d",
        "club",
        real + KEPT,
        values=values,
        begun=real,
        address="a@b.example",
        amends=Amends("app", 2, 1),
        locale="pt",
    )
    sent = Draft("s", "club", real + KEPT, application_id="app", amends=Amends("app", 1))
    other, new = Draft("o", "club", real + KEPT, amends=Amends("other", 1)), Draft("n", "club", real + KEPT)
    for each in (kept, sent, other, new):
        await drafts.add(each)
    assert await drafts.find("d", real) == kept
    assert await drafts.find("n", real) == new
    assert await drafts.find("n", real + KEPT) is None
    assert await drafts.amending("app") == [kept]
    assert await drafts.amending(new.about) == []
    assert [{each.draft_id for each in await drafts.of(name)} for name in ("app", new.about)] == [{"d", "s"}, {"n"}]


@BOTH
async def test_drafts_that_change_an_application_or_became_it_are_erased_with_it(kind: str, database: Database) -> None:
    drafts = await drafts_of(kind, database)
    real = REAL.replace(year=2040)
    new, other = Draft("n", "club", real + KEPT), Draft("o", "club", real + KEPT)
    for each in (Draft("d", "club", real + KEPT, amends=Amends("app", 2)), new, other):
        await drafts.add(each)
    for _ in range(2):
        await drafts.erase(["app", new.about])
    assert [each for each in ("d", "n", "o") if await drafts.find(each, real)] == ["o"]


def path_of(address: str) -> str:
    return address.removeprefix("http://join.example")


async def accepted(intake: Running, **changes: Any) -> dict[str, Any]:
    """An application over the API."""
    found: dict[str, Any] = (await intake.submit(submission(**changes))).json()
    return found


async def changing(intake: Running, accepted: dict[str, Any]) -> tuple[Visitor, str]:
    """A visitor who has begun to change an application, and the address of the draft."""
    visitor = Visitor(intake)
    await visitor.open(f"{path_of(accepted['status_page'])}/amend")
    assert visitor.status == 200
    assert await intake.database["drafts"].count_documents({}) in (0, 1), "looking begins nothing"
    await visitor.send()
    assert visitor.status == 200
    return visitor, visitor.path


async def revision(intake: Running, application_id: str, number: int) -> Any:
    return await intake.application(application_id, number)


async def test_what_was_sent_is_filled_in_and_what_is_sent_again_is_the_next_revision(intake: Running) -> None:
    application = await accepted(intake, locale="pt")
    visitor, base = await changing(intake, application)
    assert application["application_id"][:8].upper() in visitor.text
    assert "You are changing the application of" in visitor.text
    await visitor.open(f"{base}/questions/kind")
    assert 'value="1089599"' in visitor.text
    await visitor.open(f"{base}/check")
    assert "There is nothing to send yet" in visitor.text
    assert visitor.form.action == ""
    await (await visitor.open(f"{base}/questions/kind")).send(
        {"registration.number": "1089600", "registration.country": "GB", "registration.authority": "Charity Commission"}
    )
    await visitor.open(f"{base}/check")
    changed = visitor.text.partition("The whole application, as it will be")[0]
    assert "<del>1089599</del>" in changed
    assert "<ins>1089600</ins>" in changed
    assert "not answered" in changed, "the authority was not named before"
    assert "Safer Screens</ins>" not in changed
    await visitor.send()
    assert "Your changes were sent" in visitor.text
    first = await revision(intake, application["application_id"], 1)
    second = await revision(intake, application["application_id"], 2)
    assert (first.provenance.channel, first.provenance.client) == ("api", "alpha")
    assert (second.provenance.channel, second.provenance.client) == ("form", "the applicant")
    added = {"registration.number": "1089600", "registration.authority": "Charity Commission"}
    assert second.answers == {**first.answers, **added}
    assert (second.locale, second.consent, second.contact) == ("pt", first.consent, first.contact)
    assert second.first_received_at == first.first_received_at < second.received_at
    await visitor.open(next(each for each in visitor.links if "/status/" in each))
    assert "(revision 2)" in visitor.text
    status = await intake.status(application["application_id"])
    assert (status["channel"], status["client"]) == ("api", "alpha"), "it is still its sender's"
    (line,) = (each for each in (await intake.get("/v1/ledger"))["channels"] if each["accepted"])
    assert (line["channel"], line["accepted"], line["gap"]) == ("api", 1, 0)


async def test_sent_twice_at_once_it_is_one_revision(intake: Running) -> None:
    application = await accepted(intake)
    visitor, base = await changing(intake, application)
    await (await visitor.open(f"{base}/questions/kind")).send(
        {"registration.number": "2", "registration.country": "GB"}
    )
    windows = [await Visitor(intake).open(f"{base}/check") for _ in range(4)]
    await asyncio.gather(*(each.send() for each in windows))
    assert {each.path for each in windows} == {f"{base}/sent"}
    assert await intake.database["revisions"].count_documents({}) == 2
    (draft,) = await intake.database["drafts"].find({}).to_list(None)
    assert draft["values"] == {}


async def test_whoever_was_overtaken_is_told_by_what_and_begins_again_with_their_changes(intake: Running) -> None:
    application = await accepted(intake)
    visitor, base = await changing(intake, application)
    await (await visitor.open(f"{base}/questions/kind")).send(
        {"registration.number": "mine", "registration.country": "GB"}
    )
    waiting = await Visitor(intake).open(f"{base}/check")
    theirs = submission(
        organisation={"name": "Safest Screens", "country": "GB"},
        answers={"registration.number": "theirs", "registration.country": "FR"},
    )
    path = f"/v1/applications/{application['application_id']}/amendments"
    assert (await intake.call("POST", path, json=theirs)).status_code == 202
    await waiting.send()
    assert waiting.path == f"{base}/newest", "nothing of theirs is overwritten unseen"
    for said in ("Safest Screens", "<ins>theirs</ins>", "<ins>mine</ins>", "revision 2"):
        assert said in waiting.text
    assert await intake.database["revisions"].count_documents({}) == 2
    await visitor.open(base)
    assert visitor.path == f"{base}/newest"
    await visitor.send()
    assert visitor.path == base
    await visitor.open(f"{base}/check")
    changed = visitor.text.partition("The whole application, as it will be")[0]
    assert "<ins>mine</ins>" in changed
    assert "<del>theirs</del>" in changed
    assert "Safest Screens</ins>" not in changed
    await visitor.send()
    third = await revision(intake, application["application_id"], 3)
    assert third.organisation.name == "Safest Screens"
    assert (third.answers["registration.number"], third.answers["registration.country"]) == ("mine", "FR")


async def test_a_withdrawn_application_is_not_changed_and_the_page_says_so(intake: Running) -> None:
    application = await accepted(intake)
    visitor, base = await changing(intake, application)
    await (await visitor.open(f"{base}/questions/kind")).send(
        {"registration.number": "2", "registration.country": "GB"}
    )
    waiting = await Visitor(intake).open(f"{base}/check")
    await intake.call("POST", f"/v1/applications/{application['application_id']}/withdrawal")
    await waiting.send()
    for path in (base, f"{base}/check", f"{base}/newest", f"{path_of(application['status_page'])}/amend"):
        await visitor.open(path)
        assert (visitor.status, "This application was withdrawn" in visitor.text) == (409, True), path
    assert waiting.status == 409
    assert await intake.database["revisions"].count_documents({}) == 1
    await visitor.open(path_of(application["status_page"]))
    assert not any(each.endswith("/amend") for each in visitor.links)


async def test_revoking_the_links_of_an_application_closes_the_drafts_begun_with_them(intake: Running) -> None:
    application = await accepted(intake)
    visitor, base = await changing(intake, application)
    await intake.call("POST", f"/v1/applications/{application['application_id']}/links/revocation", "olga")
    for path in (base, f"{base}/check", f"{base}/organisation"):
        await visitor.open(path)
        assert (visitor.status, "Send me a new link" in visitor.text) == (404, True)


async def test_an_erased_application_takes_its_drafts_and_their_links_along(intake: Running) -> None:
    application = await accepted(intake)
    visitor, base = await changing(intake, application)
    await (await visitor.open(base)).send({"address": "ann@safer.example"})
    assert await intake.database["draft_links"].count_documents({}) == 1
    await intake.call("DELETE", f"/v1/applications/{application['application_id']}", "ada")

    async def gone() -> bool:
        left = [await intake.database[each].count_documents({}) for each in ("drafts", "draft_links")]
        return left == [0, 0]

    await eventually(gone, "the drafts are erased")
    assert (await visitor.open(base)).status == 404


async def test_what_a_decision_found_missing_comes_first_until_it_is_answered(intake: Running) -> None:
    application = await accepted(intake)
    newest = await revision(intake, application["application_id"], 1)
    data = decided(newest, "incomplete").model_copy(
        update={
            "receipt": [
                ReceiptLine(criterion=REGISTERED, answer="missing", missing=["registration.authority"]),
                ReceiptLine(criterion="commitments.current-text", answer="missing", missing=["commitments.text_hash"]),
            ]
        }
    )
    await intake.elsewhere.tell(data, application["application_id"])
    await intake.until(application["application_id"], state="incomplete")
    visitor = await Visitor(intake).open(path_of(application["status_page"]))
    assert visitor.text.count(">Complete your application</a>") == 1
    visitor, base = await changing(intake, application)
    assert visitor.text.count("Something is missing") == 2
    assert f"{base}/questions/kind#registration.authority" in visitor.links
    assert "Read the commitments and sign them" in visitor.text
    await (await visitor.open(f"{base}/questions/kind")).send(
        {"registration.number": "1", "registration.country": "GB", "registration.authority": "Charity Commission"}
    )
    await visitor.open(base)
    assert visitor.text.count("Something is missing") == 1


async def test_commitments_that_changed_since_are_signed_anew_and_dated_anew(intake: Running) -> None:
    signed = {
        "commitments.signatory": "Ann Example",
        "commitments.role": "Director",
        "commitments.signed_on": "2021-10-04",
    }
    application = await accepted(intake, answers={**signed, "commitments.text_hash": "0" * 64})
    visitor, base = await changing(intake, application)
    assert "The commitments have changed" in visitor.text
    await visitor.open(f"{base}/questions/commitments")
    for _ in COMMITMENTS.items:
        await visitor.send()
    assert 'value="Ann Example"' in visitor.text
    assert 'value="2021-10-04"' not in visitor.text
    await visitor.send({**signed, "commitments.signed_on": "2022-01-05"})
    await visitor.open(f"{base}/check")
    assert "<del>An earlier text</del>" in visitor.text
    assert "<ins>The text as it is now</ins>" in visitor.text


async def test_a_signature_under_the_commitments_of_now_stays(intake: Running) -> None:
    signed = {
        "commitments.signatory": "Ann Example",
        "commitments.role": "Director",
        "commitments.signed_on": "2021-10-04",
    }
    application = await accepted(intake, answers={**signed, "commitments.text_hash": COMMITMENTS.hash})
    visitor, base = await changing(intake, application)
    assert "The commitments have changed" not in visitor.text
    await visitor.open(f"{base}/questions/commitments")
    assert 'value="2021-10-04"' in visitor.text


async def test_whoever_comes_back_goes_on_with_what_they_began_or_begins_anew(intake: Running) -> None:
    application = await accepted(intake)
    _, base = await changing(intake, application)
    page = f"{path_of(application['status_page'])}/amend"
    visitor = await Visitor(intake).open(page)
    assert "You have begun already" in visitor.text
    went_on = next(each for each in visitor.links if each.startswith("/apply/"))
    await (await visitor.open(f"{base}/questions/kind")).send(
        {"registration.number": "2", "registration.country": "GB"}
    )
    await visitor.open(f"{went_on}/questions/kind")
    assert 'value="2"' in visitor.text
    await (await visitor.open(page)).send()
    await visitor.open(f"{visitor.path}/questions/kind")
    assert 'value="1089599"' in visitor.text


async def test_another_kind_of_organisation_is_a_change_like_others_and_says_what_falls_away(intake: Running) -> None:
    application = await accepted(intake)
    visitor, base = await changing(intake, application)
    await (await visitor.open(f"{base}/category")).send({"category": "un_member_state"})
    await visitor.open(f"{base}/check")
    changed = visitor.text.partition("The whole application, as it will be")[0]
    assert "<ins>Member state of the United Nations</ins>" in changed
    assert "<del>1089599</del>" in changed
    assert "No longer answered" in changed
    await visitor.send()
    second = await revision(intake, application["application_id"], 2)
    assert second.category == "un_member_state"
    assert "registration.number" not in second.answers


async def test_a_form_of_another_link_begins_nothing(intake: Running) -> None:
    application, other = await accepted(intake), await accepted(intake)
    visitor = await Visitor(intake).open(f"{path_of(application['status_page'])}/amend")
    foreign = (await Visitor(intake).open(f"{path_of(other['status_page'])}/amend")).form.hidden["form"]
    for token in ("", "x", foreign):
        await (await visitor.open(f"{path_of(application['status_page'])}/amend")).send(form=token)
        assert (visitor.status, "Please press the button again" in visitor.text) == (422, True)
    assert await intake.database["drafts"].count_documents({}) == 0


async def test_the_export_has_what_was_begun_and_where_its_link_was_sent(intake: Running) -> None:
    application = await accepted(intake)
    visitor, base = await changing(intake, application)
    await (await visitor.open(base)).send({"address": "bo@safer.example"})
    page = path_of(application["status_page"])
    export = (await intake.call("GET", f"{page}/export.json", None)).json()
    (draft,) = export["drafts"]
    assert (draft["sent"], draft["values"]["registration.number"]) == (False, "1089599")
    assert [each["sent_to"] for each in export["draft_links"]] == ["bo@safer.example"]
    await visitor.open(f"{page}/export")
    assert "bo@safer.example" in visitor.text
    assert "Changes that were begun" in visitor.text
