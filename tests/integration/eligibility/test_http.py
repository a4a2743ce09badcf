"""What eligibility shows: the API for operators, the receipt for whoever holds its link, the front page for anybody."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.application import Organisation
from shared.mongo import Database
from shared.topology import Topology
from shared.web.links import Links
from tests.integration.eligibility.running import (
    WEPROTECT,
    Running,
    event_of,
    running,
    settings_for,
    withdrawal_of,
)
from tests.servers import Servers
from tests.unit.eligibility.making import AFTER, DURING, application
from tests.unit.policy.packs import complete, weprotect
from tests.unit.policy.test_policy_as_data import ADDITION
from tests.waiting import eventually

PAGE = {"Accept": "text/html"}


async def decided(eligibility: Running, *made: Any) -> None:
    await eligibility.elsewhere.tell(*(event_of(each) for each in made))
    await eligibility.until_told(*((each.application_id, each.revision) for each in made))


async def receipt_page(eligibility: Running, application_id: str) -> str:
    """The page behind the link that operators are given."""
    link = (await eligibility.get(f"/v1/applications/{application_id}/decisions"))["receipt_page"]
    base, _, path = link.partition("/receipts/")
    assert base == "http://decisions.example"
    response = await eligibility.call(f"/receipts/{path}", caller=None, **PAGE)
    assert response.status_code == 200
    return response.text


async def test_a_decision_is_explained_criterion_by_criterion(eligibility: Running) -> None:
    refused = application(complete("un_member_state", aims__accepted=False, government__letter=None), received_at=AFTER)
    await decided(eligibility, refused)
    (found,) = (await eligibility.get(f"/v1/applications/{refused.application_id}/decisions"))["decisions"]
    assert (found["outcome"], found["policy_hash"], found["pause"]) == ("not_eligible", weprotect().hash, None)
    lines = {line["criterion"]: line for line in found["receipt"]}
    assert lines["aims.accepted"]["answer"] == "not_met"
    assert lines["aims.accepted"]["evidence"] == {"aims.accepted": False}
    assert lines["aims.accepted"]["source"] == 17
    letter = lines["un-member-state.letter"]
    assert letter["answer"] == "missing"
    assert letter["missing"] == [{"question": "government.letter", "label": "Reference of the government's letter"}]
    assert letter["remedy"]
    assert lines["un-member-state.member"]["evidence"] == {"country.un_member": True}


async def test_a_held_application_shows_the_pause_and_no_verdict(eligibility: Running) -> None:
    held = application(complete("financial_institution", financial__licence=None), received_at=DURING)
    await decided(eligibility, held)
    (found,) = (await eligibility.get(f"/v1/applications/{held.application_id}/decisions"))["decisions"]
    assert (found["outcome"], found["receipt"]) == ("on_hold", [])
    assert found["pause"]["until"] == "2022-01-01T00:00:00Z"
    assert found["pause"]["interest_registered"] is True
    page = await receipt_page(eligibility, held.application_id)
    for sentence in ("on hold until the end of 2021", "1 January 2022, 00:00 GMT", "Yes, at the address you gave"):
        assert sentence in page
    assert "licence" not in page
    interests = await eligibility.get("/v1/interests?category=financial_institution")
    assert [each["application_id"] for each in interests["interests"]] == [held.application_id]
    assert interests["counts"] == {"financial_institution": {"live": 1, "left": 0, "told": 0}}


async def test_the_receipt_page_says_what_stands_in_the_way_and_what_to_do(eligibility: Running) -> None:
    wanting = application(
        complete("regional_organisation", response__statement=None, aims__accepted=False), received_at=AFTER
    )
    await decided(eligibility, wanting)
    page = await receipt_page(eligibility, wanting.application_id)
    for sentence in (
        "Example Organisation",
        "Regional organisation",
        "Your organisation does not meet the criteria for membership",
        "Not eligible",
        "How do you put the Model National Response into practice",
        '<q dir="auto">No</q>',
        "West Africa",
        "To appeal",
        weprotect().hash,
        "computed again just now",
    ):
        assert sentence in page, sentence
    assert page.index("Not met") < page.index("Missing") < page.index("For people to judge")
    assert "un-member-state" not in page


async def test_what_applicants_write_is_shown_as_text(eligibility: Running) -> None:
    """Names and answers are theirs; none of it is markup, and a value in a template's language stays what it is."""
    given = complete("technology_company", response__statement="<script>alert(1)</script> {{ 7 * 7 }}")
    named = given.model_copy(update={"organisation": Organisation(name="<b>Bold & Co</b>", country="GB")})
    made = application(named, received_at=AFTER)
    await decided(eligibility, made)
    page = await receipt_page(eligibility, made.application_id)
    assert "&lt;b&gt;Bold &amp; Co&lt;/b&gt;" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }}" in page
    assert "<script" not in page


async def test_a_receipt_can_be_recomputed_over_the_api(eligibility: Running) -> None:
    made = application("international_organisation", received_at=AFTER)
    await decided(eligibility, made)
    base = f"/v1/applications/{made.application_id}/decisions"
    found = await eligibility.get(f"{base}/1/recompute")
    assert (found["same"], found["outcome"]) == (True, "eligible")
    assert (await eligibility.call(f"{base}/2/recompute")).status_code == 404
    await eligibility.database["decisions"].update_one(
        {"_id": f"{made.application_id}:1:automatic"}, {"$set": {"receipt.0.answer": "not_met"}}
    )
    assert (await eligibility.get(f"{base}/1/recompute"))["same"] is False
    assert "This receipt does not add up" in await receipt_page(eligibility, made.application_id)


async def test_the_page_shows_the_newest_decision_and_names_the_others(eligibility: Running) -> None:
    first = application(complete("technology_company", aims__accepted=None), received_at=AFTER)
    second = application(
        "technology_company",
        application_id=first.application_id,
        revision=2,
        received_at=AFTER + timedelta(hours=1),
        first_received_at=AFTER,
    )
    await decided(eligibility, first)
    await decided(eligibility, second)
    await eligibility.elsewhere.tell(withdrawal_of(first.application_id, 2))

    async def withdrawn() -> bool:
        path = f"/v1/applications/{first.application_id}/decisions"
        return (await eligibility.get(path))["withdrawn_at"] is not None

    await eventually(withdrawn, "the withdrawal is shown")
    page = await receipt_page(eligibility, first.application_id)
    assert "Your organisation meets the criteria for membership" in page
    assert "Other decisions about this application" in page
    assert "This application was withdrawn" in page


async def test_what_is_asked_for_and_not_there_says_so(eligibility: Running) -> None:
    nobody = "99999999-9999-4999-8999-999999999999"
    missing = await eligibility.call(f"/v1/applications/{nobody}/decisions")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    assert (await eligibility.call("/v1/policies/" + "0" * 64)).status_code == 404
    assert (await eligibility.call("/v1/policies/short")).status_code == 422
    links = Links("0123456789abcdef" * 4)
    for token, sentence in (
        (links.sign("receipt", nobody), "not decided yet"),
        (links.sign("status", nobody), "not valid"),
        ("forged", "not valid"),
    ):
        response = await eligibility.call(f"/receipts/{token}", caller=None, **PAGE)
        assert response.status_code == 404
        assert sentence in response.text


async def test_only_pauses_in_force_and_pages_are_public(eligibility: Running) -> None:
    nobody = "99999999-9999-4999-8999-999999999999"
    for path in (
        f"/v1/applications/{nobody}/decisions",
        f"/v1/applications/{nobody}/decisions/1/recompute",
        "/v1/policies",
        f"/v1/policies/{weprotect().hash}",
        "/v1/pauses/versions",
        "/v1/interests",
        "/v1/liaison-requests",
        f"/v1/liaison-requests/{nobody}",
    ):
        assert (await eligibility.call(path, caller=None)).status_code == 401, path
        assert (await eligibility.call(path, caller="chan")).status_code == 403, path
    for path in ("/v1/pauses", "/"):
        assert (await eligibility.call(path, caller=None)).status_code == 200, path


async def test_policies_and_pauses_are_shown_as_they_stand(eligibility: Running) -> None:
    (policy,) = (await eligibility.get("/v1/policies"))["policies"]
    assert (policy["hash"], policy["in_force"]) == (weprotect().hash, True)
    whole = await eligibility.get(f"/v1/policies/{policy['hash']}")
    assert whole["document"] == weprotect().document.model_dump(mode="json")
    (pause,) = (await eligibility.get("/v1/pauses/versions"))["pauses"]
    assert (pause["pause_id"], pause["version"], pause["starts"]) == ("review-2021", 1, "2021-06-30T23:00:00Z")
    assert (await eligibility.get("/v1/pauses", caller=None)) == {"pauses": []}, "it is long over"
    admin = {"Authorization": "Bearer ada-key"}
    clock = {"now": "2021-10-04T09:00:00Z"}
    assert (await eligibility.client.put("/v1/clock", json=clock, headers=admin)).status_code == 200
    (now,) = (await eligibility.get("/v1/pauses", caller=None))["pauses"]
    assert now["exempt"] == ["un_member_state", "international_organisation", "regional_organisation"]
    assert "Applications are on hold" in (await eligibility.call("/", caller=None, **PAGE)).text


async def test_the_front_page_counts_decisions_by_category_and_outcome(eligibility: Running) -> None:
    await decided(
        eligibility,
        application("un_member_state"),
        application("technology_company"),
        application("technology_company", received_at=AFTER),
    )
    page = " ".join((await eligibility.call("/", caller=None, **PAGE)).text.split())
    row = page[page.index(">Technology company<") :].partition("</tr>")[0]
    cells = [cell.partition("<")[0] for cell in row.split('class="number">')[1:]]
    assert cells == ["1", "0", "0", "0", "1", "2"]
    assert "2021-07 public page" in page


async def test_a_question_and_its_rule_in_yaml_alone_are_decided_and_explained(
    servers: Servers, database: Database, topology: Topology, tmp_path: Path
) -> None:
    """Policy is data: nothing but the pack changes, and applicants read of it on their receipt."""
    pack = Path(shutil.copytree(WEPROTECT, tmp_path / "pack"))
    (pack / "safeguarding.yaml").write_text(ADDITION, encoding="utf-8")
    settings = settings_for(servers, database, topology, policy=pack)
    silent = application(received_at=AFTER)
    wrong = application(
        complete("civil_society_organisation", safeguarding__officer="e@example.com"), received_at=AFTER
    )
    right = application(
        complete("civil_society_organisation", safeguarding__officer="e@example.org"), received_at=AFTER
    )
    async with running(settings, database) as eligibility:
        await decided(eligibility, silent, wrong, right)
        told = eligibility.elsewhere.decided()
        outcomes = [{outcome for _, outcome in told[each.application_id, 1]} for each in (silent, wrong, right)]
        assert outcomes == [{"incomplete"}, {"not_eligible"}, {"eligible"}]
        page = await receipt_page(eligibility, silent.application_id)
        assert "The organisation has a safeguarding officer." in page
        assert "Email address of your safeguarding officer" in page
        assert "Name your safeguarding officer." in page
        assert "e@example.com" in await receipt_page(eligibility, wrong.application_id)


@pytest.mark.parametrize("change", ["needs: [no.such.question]", "judge: dice"])
async def test_a_wrong_pack_ends_the_service_with_every_mistake(tmp_path: Path, change: str) -> None:
    """Status 78, a line a mistake with its file and line; no server is asked."""
    pack = Path(shutil.copytree(WEPROTECT, tmp_path / "pack"))
    (pack / "more.yaml").write_text(ADDITION.replace("needs: [safeguarding.officer]", change), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.eligibility",
        env={**os.environ, "ACCEDE_POLICY": str(pack), "ACCEDE_LINK_SECRET": "0123456789abcdef" * 4},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 78
    assert f"{pack}/more.yaml:" in said.decode()


async def test_a_held_applicant_leaves_the_list_with_one_post_and_looking_changes_nothing(
    eligibility: Running,
) -> None:
    held = application("technology_company", received_at=DURING)
    await decided(eligibility, held)
    path = f"/interests/{Links('0123456789abcdef' * 4).sign('interest', held.application_id)}"
    for _ in range(2):
        page = await eligibility.call(path, caller=None, **PAGE)
        assert "We write to you when the pause is over" in page.text
        assert held.organisation.name not in page.text  # the link is never revoked, so its page names nobody
    # as a mail program does it for its reader (RFC 8058)
    left = await eligibility.client.post(path, data={"List-Unsubscribe": "One-Click"}, headers=PAGE)
    assert (left.status_code, "You have left the list" in left.text) == (200, True)
    assert "We do not write to you" in (await eligibility.call(path, caller=None, **PAGE)).text
    counts = (await eligibility.get("/v1/interests"))["counts"]
    assert counts["technology_company"] == {"live": 0, "left": 1, "told": 0}
    await eligibility.elsewhere.tell(event_of(held))  # told again, it is not registered again
    await eligibility.client.post(path)
    assert (await eligibility.get("/v1/interests"))["counts"] == counts


async def test_whoever_is_not_on_the_list_is_told_so_and_a_link_of_another_purpose_opens_nothing(
    eligibility: Running,
) -> None:
    links = Links("0123456789abcdef" * 4)
    nobody = "99999999-9999-4999-8999-999999999999"
    for method in ("GET", "POST"):
        page = await eligibility.client.request(method, f"/interests/{links.sign('interest', nobody)}", headers=PAGE)
        assert "You are not on the list" in page.text
        for purpose in ("status", "receipt"):
            token = links.sign(purpose, nobody)
            assert (await eligibility.client.request(method, f"/interests/{token}", headers=PAGE)).status_code == 404
