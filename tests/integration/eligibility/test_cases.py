"""Cases over HTTP, on real servers: from the queue to an admission, and what moves a case from outside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from shared.application import Application
from shared.batches import Event
from shared.events import (
    ApplicationDecided,
    ApplicationErased,
    InformationRequested,
    NominationAnswered,
    event_id,
)
from shared.policy.nominees import nomination_id
from tests.integration.eligibility.running import KEYS, Running, event_of, withdrawal_of
from tests.unit.eligibility.making import AFTER, application
from tests.unit.policy.packs import complete
from tests.waiting import eventually

DAY = timedelta(days=1)


async def post(eligibility: Running, path: str, caller: str = "olga", **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[caller][1]}"}
    return await eligibility.client.post(f"/v1/cases/{path}", json=body, headers=headers)


async def decided(eligibility: Running, *made: Application) -> None:
    await eligibility.elsewhere.tell(*(event_of(each) for each in made))
    await eligibility.until_told(*((each.application_id, each.revision) for each in made))


def applied(name: str = "Save the Otters", **answers: Any) -> Application:
    made = application(complete("civil_society_organisation", **answers), received_at=AFTER)
    return made.model_copy(update={"organisation": made.organisation.model_copy(update={"name": name})})


def confirmation(made: Application, role: str, email: str) -> Event:
    data = NominationAnswered(
        nomination_id=nomination_id(made.application_id, role, email),
        application_id=made.application_id,
        role=role,
        answer="confirmed",
        answered_at=AFTER + DAY,
    )
    return Event(event_id(data.nomination_id, 1, "nomination.answered.v1"), made.application_id, AFTER, "/t", data)


async def queue(eligibility: Running, **wanted: Any) -> list[str]:
    response = await eligibility.client.get(
        "/v1/cases", params=wanted, headers={"Authorization": f"Bearer {KEYS['olga'][1]}"}
    )
    assert response.status_code == 200, response.text
    return [each["application_id"] for each in response.json()["cases"]]


async def test_a_case_is_worked_from_the_queue_to_the_admission(eligibility: Running) -> None:
    made, other = applied(), applied("Others", aims__accepted=False)
    await decided(eligibility, made, other)
    name = made.application_id
    assert await queue(eligibility, state="open") == [name], "who is not eligible is no case"
    assert await queue(eligibility, q="otters sav") == await queue(eligibility, q=name[:8].upper()) == [name]
    assert (await post(eligibility, f"{name}/assignment", owner="kim")).json()["owner"] == "kim"
    assert (await post(eligibility, f"{name}/comments", text="They call back.")).json()["version"] == 2
    stale = await post(eligibility, f"{name}/assignment", owner="sam", version=1)
    assert (stale.status_code, "read it again" in stale.json()["detail"]) == (409, True)
    assert await queue(eligibility, owner="kim") == [name]

    for path in ("flag", "decision"):
        body = {"outcome": "admitted", "revision": 1} if path == "decision" else {"reason": "News."}
        assert (await post(eligibility, f"{name}/{path}", **body)).status_code == 403, "that is for deciders"
    assert (await post(eligibility, f"{name}/flag", "dora", reason="News.")).json()["flagged"]
    admit = {"outcome": "admitted", "revision": 1, "reason": "Welcome."}
    assert "flag" in (await post(eligibility, f"{name}/decision", "dora", **admit)).json()["detail"]
    await post(eligibility, f"{name}/flag/clearing", "dora", reason="It was another one.")
    assert "nominee" in (await post(eligibility, f"{name}/decision", "dora", **admit)).json()["detail"]
    await eligibility.elsewhere.tell(
        confirmation(made, "senior", "ada@example.org"), confirmation(made, "working", "ben@example.org")
    )

    async def nothing_hinders() -> bool:
        return not (await eligibility.get(f"/v1/cases/{name}"))["hindrance"]

    await eventually(nothing_hinders, "both nominees have confirmed")
    admitted = await post(eligibility, f"{name}/decision", "dora", **admit)
    assert (admitted.status_code, admitted.json()["state"]) == (200, "admitted"), admitted.text
    await _is_told_and_shown(eligibility, name)


async def _is_told_and_shown(eligibility: Running, name: str) -> None:
    file = await eligibility.get(f"/v1/cases/{name}")
    assert [(each["benefit"], each["available"]) for each in file["entitlements"]][4:6] == [
        ("portal", False),
        ("insight", True),
    ]
    assert len(file["entitlements"]) == 7
    assert [each["what"] for each in file["steps"]] == ["assigned", "commented", "flagged", "cleared", "admitted"]
    assert (file["steps"][-1]["old"], file["steps"][-1]["by"]) == ("eligible", "dora")
    assert [(each["stage"], each["outcome"]) for each in file["decisions"]] == [
        ("automatic", "eligible"),
        ("review", "admitted"),
    ]

    assert (await eligibility.get(f"/v1/applications/{name}/decisions/1/recompute"))["same"]

    def told() -> list[ApplicationDecided]:
        events = eligibility.elsewhere.of_type("application.decided.v1")
        found = [each.data for each in events if isinstance(each.data, ApplicationDecided)]
        return [each for each in found if each.outcome == "admitted"]

    await eventually(lambda: bool(told()), "the admission is told")
    assert (told()[0].number, told()[0].reason, len(told()[0].entitlements)) == (2, "Welcome.", 7)


async def test_what_is_asked_for_waits_for_the_applicant_and_the_amendment_brings_the_case_back(
    eligibility: Running,
) -> None:
    made = applied()
    name = made.application_id
    await decided(eligibility, made)
    unknown = await post(eligibility, f"{name}/information-requests", text="Which?", questions=["no.question"])
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/questions/0")
    asked = await post(eligibility, f"{name}/information-requests", text="Which?", questions=["registration.number"])
    assert (asked.json()["state"], asked.json()["asked"]) == ("waiting", "Which?")
    await eventually(lambda: bool(eligibility.elsewhere.of_type("case.information_requested.v1")), "they are told")
    (event,) = eligibility.elsewhere.of_type("case.information_requested.v1")
    assert isinstance(event.data, InformationRequested)
    assert (event.data.text, event.data.questions) == ("Which?", ["registration.number"])
    await decided(eligibility, made.model_copy(update={"revision": 2, "received_at": AFTER + DAY}))
    file = await eligibility.get(f"/v1/cases/{name}")
    assert (file["state"], file["revision"], file["asked"], file["overtaken"]) == ("open", 2, "", False)
    assert [each["what"] for each in file["steps"]] == ["information_requested", "amended"]
    old = await post(eligibility, f"{name}/decision", "dora", outcome="declined", revision=1, reason="No.")
    assert (old.status_code, "newest revision is 2" in old.json()["detail"]) == (409, True)
    declined = await post(eligibility, f"{name}/decision", "dora", outcome="declined", revision=2, reason="No.")
    assert declined.json()["state"] == "declined"


async def test_a_withdrawal_closes_a_case_and_an_erasure_leaves_no_name(eligibility: Running) -> None:
    made, other = applied("Vexlor Society"), applied("Left")
    name = made.application_id
    await decided(eligibility, made, other)
    await post(eligibility, f"{name}/comments", text="About Vexlor.")
    await post(eligibility, f"{name}/decision", "dora", outcome="declined", revision=1, reason="Vexlor, no.")
    await eligibility.elsewhere.tell(withdrawal_of(other.application_id))

    async def closed() -> bool:
        return await queue(eligibility, state="closed") == [other.application_id]

    await eventually(closed, "who withdrew is nothing to do any more")
    refused = await post(
        eligibility, f"{other.application_id}/decision", "dora", outcome="declined", revision=1, reason="No."
    )
    assert refused.status_code == 409
    erased = ApplicationErased(application_id=name, revision=1, erased_at=AFTER + DAY)
    await eligibility.elsewhere.tell(Event(event_id(name, 1, "application.erased.v1"), name, AFTER, "/t", erased))

    async def gone() -> bool:
        return await queue(eligibility, state="erased") == [name]

    await eventually(gone, "the case is erased")
    for collection in await eligibility.database.list_collection_names():
        async for row in eligibility.database[collection].find({}):
            assert "vexlor" not in str(row).casefold(), collection
    assert (await post(eligibility, f"{name}/comments", text="Who?")).status_code == 410
    assert (await eligibility.get(f"/v1/cases/{name}"))["state"] == "erased"
    assert (await post(eligibility, "nothing/comments", text="Who?")).status_code == 404
    assert (await eligibility.call("/v1/cases/nothing")).status_code == 404
    assert (await eligibility.call("/v1/cases", "chan")).status_code == 403
