"""The public site, the OpenAPI document, the probes."""

from __future__ import annotations

import re
from typing import Any

from openapi_spec_validator import validate

from tests.integration.intake.running import POLICY, Running
from tests.waiting import eventually


async def page(intake: Running, address: str) -> tuple[int, str]:
    """Status and text of a page, without a key."""
    response = await intake.call(
        "GET", address.removeprefix("http://join.example"), None, headers={"Accept": "text/html"}
    )
    assert response.headers["content-type"].startswith("text/html")
    assert "<script" not in response.text
    return response.status_code, re.sub(r"\s+", " ", response.text)


async def test_the_front_page_follows_the_clock_into_the_pause_and_out_of_it(intake: Running) -> None:
    shown = []
    for now, paused in (("2021-12-31T23:59:50Z", True), ("2022-01-01T00:00:00Z", False)):
        assert (await intake.call("PUT", "/v1/clock", "ada", json={"now": now})).status_code == 200

        async def noticed(paused: bool = paused) -> bool:
            return ("No pause is on" in (await page(intake, "/"))[1]) != paused

        await eventually(noticed, f"the page shows how it is at {now}", 5)
        shown.append(POLICY.document.pauses[0].message["en"] in (await page(intake, "/"))[1])
    assert shown == [True, False]


async def test_whoever_holds_the_link_sees_the_application_and_nobody_else_does(intake: Running) -> None:
    accepted = (await intake.submit()).json()
    status, text = await page(intake, accepted["status_page"])
    assert status == 200
    assert "Safer Screens" in text
    assert "ann@safer.example" not in text
    await intake.elsewhere.decide(await intake.application(accepted["application_id"]), "incomplete")
    await intake.until(accepted["application_id"], state="incomplete")
    _, text = await page(intake, accepted["status_page"])
    assert POLICY.document.criteria[1].statement["en"] in text.replace("&#39;", "'")
    assert "/receipts/" in text
    forged = accepted["status_page"][:-3] + "xyz"
    assert (await page(intake, forged))[0] == 404
    assert (await page(intake, "/status/nonsense"))[0] == 404


async def test_the_openapi_document_is_valid_and_shows_bodies_keys_and_examples(intake: Running) -> None:
    document: dict[str, Any] = (await intake.call("GET", "/openapi.json", None)).json()
    validate(document)
    submit = document["paths"]["/v1/applications"]["post"]
    schema = submit["requestBody"]["content"]["application/json"]
    assert "organisation" in schema["schema"]["properties"]
    assert schema["example"]["category"]
    assert submit["security"] == [{"ApiKey": []}]
    upload = document["paths"]["/v1/imports"]["post"]["requestBody"]["content"]
    workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert set(upload) == {"text/csv", "application/x-ndjson", "application/jsonl", workbook, "multipart/form-data"}
    blank = {f"/v1/form/template.{kind}" for kind in ("csv", "xlsx", "txt")}
    public = {"/healthz", "/readyz", "/metrics", "/v1/links", "/v1/form"} | blank
    assert "GET /v1/form" in submit["requestBody"]["description"]
    assert "Location" in submit["responses"]["202"]["headers"]
    assert "ETag" in document["paths"]["/v1/applications/{application_id}"]["get"]["responses"]["200"]["headers"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation.get("security") or path in public, path
    assert "/status/{token}" not in document["paths"]


async def test_what_is_not_there_is_a_problem_that_says_so(intake: Running) -> None:
    for path in ("/v1/applications/nobody", "/v1/imports/nobody", "/v1/imports/nobody/errors"):
        response = await intake.call("GET", path)
        assert response.status_code == 404
        assert response.json()["type"] == "urn:accede:problem:not-found"


async def test_metrics_show_the_ledgers_gap_and_imported_rows(intake: Running) -> None:
    text = (await intake.call("GET", "/metrics", None)).text
    assert "accede_ledger_gap" in text
    assert "accede_import_rows_total" in text
