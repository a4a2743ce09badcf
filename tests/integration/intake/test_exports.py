"""Everything held of an application, to read and to keep: whole, and only for whoever holds the link."""

from __future__ import annotations

from typing import Any

from shared.application import Application
from tests.integration.intake.running import POLICY, Running, submission
from tests.integration.intake.test_site import page
from tests.waiting import eventually


async def amended_and_decided(intake: Running) -> tuple[str, str]:
    """An application of two revisions, decided, whose link was asked for: its id, and the path of its page."""
    accepted = (await intake.submit(Idempotency_Key="k1")).json()
    name, path = accepted["application_id"], accepted["status_page"].removeprefix("http://join.example")
    answers = {"registration.number": "1089599", "aims.accepted": True, "registration.country": "PT"}
    await intake.call("POST", f"/v1/applications/{name}/amendments", json=submission(answers=answers))
    await intake.elsewhere.decide(await intake.application(name, 2), "incomplete")
    await intake.until(name, state="incomplete")
    await intake.call("POST", "/v1/links", None, json={"email": "ann@safer.example", "reference": name})

    async def granted() -> bool:
        return await intake.database["link_requests"].count_documents({}) == 1

    await eventually(granted, "the link is granted")
    return name, path


async def test_the_document_has_every_revision_whole_and_all_that_happened(intake: Running) -> None:
    name, path = await amended_and_decided(intake)
    response = await intake.call("GET", f"{path}/export.json", None)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-disposition"] == f'attachment; filename="application-{name[:8]}.json"'
    assert response.headers["cache-control"] == "no-store"
    export: dict[str, Any] = response.json()
    stored = [await intake.application(name, number) for number in (1, 2)]
    assert [Application.model_validate(each["application"]) for each in export["revisions"]] == stored
    assert [each["idempotency_key"] for each in export["revisions"]] == ["k1", None]
    assert export["revisions"][0]["application"]["provenance"]["client"] == "alpha"
    assert export["decision"]["outcome"] == "incomplete"
    assert [line["answer"] for line in export["decision"]["unmet"]] == ["missing"]
    assert [each["what"] for each in export["history"]] == ["submitted", "amended", "decided"]
    assert [each["about"] for each in export["emails"]] == ["acknowledgement", "outcome"]
    assert [each["sent_to"] for each in export["link_requests"]] == ["ann@safer.example"]
    assert any("/receipts/" in each["where"] for each in export["held_elsewhere"])
    assert export["withdrawal"] is None


async def test_the_page_says_it_in_the_words_of_the_policy(intake: Running) -> None:
    _, path = await amended_and_decided(intake)
    status, text = await page(intake, f"{path}/export")
    assert status == 200
    questions = POLICY.document.questions
    for label in (questions["registration.number"].label, questions["aims.accepted"].label):
        assert label["en"] in text.replace("&#39;", "'")
    for words in (
        "Portugal",
        "Yes",
        "ann@safer.example",
        "Revision 2, the newest",
        "over the API",
        "A link was asked for",
    ):
        assert words in text
    assert f"{path}/export.json" in text


async def test_an_export_names_the_file_that_an_application_came_in(intake: Running) -> None:
    row = "category,organisation.name,organisation.country,contact.name,contact.email\n"
    row += "civil_society_organisation,=Safer <b>Screens</b>,GB,Ann,ann@safer.example\n"
    created = await intake.call("POST", "/v1/imports", content=row.encode(), headers={"Content-Type": "text/csv"})
    import_id = created.json()["import_id"]

    async def done() -> bool:
        return bool((await intake.get(f"/v1/imports/{import_id}"))["state"] in ("done", "previewed"))

    await eventually(done, "the file is read", 10)
    await intake.call("POST", f"/v1/imports/{import_id}/commit", "olga")

    async def imported() -> bool:
        return bool((await intake.get("/v1/applications"))["applications"])

    await eventually(imported, "the row is an application", 10)
    (shown,) = (await intake.get("/v1/applications"))["applications"]
    _, text = await page(intake, f"{shown['status_page']}/export")
    assert "Row 1 of the file" in text
    assert import_id in text
    assert "Safer &lt;b&gt;Screens" in text  # what applicants send is shown, never run
    assert "<b>Screens" not in text


async def test_a_withdrawal_and_a_revocation_are_part_of_it_and_close_the_old_link(intake: Running) -> None:
    name, path = await amended_and_decided(intake)
    await intake.call("POST", f"/v1/applications/{name}/withdrawal")
    revoked = (await intake.call("POST", f"/v1/applications/{name}/links/revocation", "olga")).json()
    for address in (f"{path}/export", f"{path}/export.json"):
        assert (await intake.call("GET", address, None)).status_code == 404
    new = revoked["status_page"].removeprefix("http://join.example")
    export = (await intake.call("GET", f"{new}/export.json", None)).json()
    assert (export["state"], export["withdrawal"]["by"]) == ("withdrawn", "alpha")
    assert [(each["generation"], each["by"]) for each in export["link_revocations"]] == [(1, "olga")]
    _, text = await page(intake, f"{new}/export")
    assert "by alpha" in text
    assert "Links were revoked" in text
