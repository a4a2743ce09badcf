"""What people do in intake is told to the service that shows the audit: who, what, to which, and once."""

from __future__ import annotations

from typing import Any

from tests.integration.intake.running import Running
from tests.integration.intake.test_imports import csv_of, row, send
from tests.waiting import eventually

Told = tuple[str, str, str, str]


async def told(intake: Running, count: int) -> tuple[set[Told], dict[str, Any]]:
    """The deeds that were told so far, and the `new` of each kind; `count`: how many are waited for."""
    found: dict[str, dict[str, Any]] = {}

    async def there() -> bool:
        for event in await intake.elsewhere.heard():
            if event["type"] == "deed.recorded.v1":
                assert found.setdefault(event["id"], event["data"]) == event["data"], "the same deed, told otherwise"
                assert event["subject"] == event["data"]["deed_id"]
        return len(found) >= count

    await eventually(there, f"{count} deeds are told")
    data = list(found.values())
    assert {each["service"] for each in data} == {"intake"}
    return (
        {(each["about"], each["subject_id"], each["what"], each["by"]) for each in data},
        {each["what"]: each["new"] for each in data},
    )


async def test_what_is_done_to_an_application_is_told_with_who_did_it(intake: Running) -> None:
    name = (await intake.submit()).json()["application_id"]
    path = f"/v1/applications/{name}"
    assert (await intake.call("POST", f"{path}/links/revocation", "alpha")).status_code == 403
    assert (await intake.call("POST", f"{path}/links/revocation", "olga")).status_code == 200
    for caller in ("alpha", "olga"):  # withdrawn once, whoever asks again
        assert (await intake.call("POST", f"{path}/withdrawal", caller)).status_code == 200
    for caller in ("ada", "olga"):
        assert (await intake.call("DELETE", path, caller)).status_code == 200
    deeds, new = await told(intake, 3)
    assert deeds == {
        ("application", name, "links_revoked", "olga"),
        ("application", name, "withdrawn", "alpha"),
        ("application", name, "erased", "ada"),
    }, "what was refused, and what was so already, is no deed"
    assert new["links_revoked"] == {"link_generation": 1}
    assert await intake.database["deeds"].count_documents({}) == 3


async def test_that_an_import_is_committed_and_undone_is_told(intake: Running) -> None:
    sent = await send(intake, csv_of([row(1), row(2)]), "?commit=false")
    assert sent.status_code == 202, sent.text
    name = sent.json()["import_id"]

    async def is_in(*states: str) -> bool:
        return (await intake.get(f"/v1/imports/{name}"))["state"] in states

    await eventually(lambda: is_in("previewed"), "it is previewed")
    for caller in ("olga", "alpha"):
        assert (await intake.call("POST", f"/v1/imports/{name}/commit", caller)).status_code == 202
    await eventually(lambda: is_in("done"), "it is taken in")
    for caller in ("olga", "ada"):
        assert (await intake.call("POST", f"/v1/imports/{name}/undo", caller)).status_code == 202
    await eventually(lambda: is_in("undone"), "it is undone")
    deeds, _ = await told(intake, 2)
    assert deeds == {("import", name, "committed", "olga"), ("import", name, "undone", "olga")}
