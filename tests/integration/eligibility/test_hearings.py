"""Appeals are heard by somebody else than who decided, and one deed is done about many cases, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from shared.batches import Event
from shared.events import ApplicationAppealed, ApplicationDecided, ApplicationSummary, NominationAnswered
from shared.policy.nominees import nomination_id
from tests.integration.eligibility.running import KEYS, Running, event_of
from tests.unit.eligibility.making import AFTER, application
from tests.unit.policy.packs import complete
from tests.waiting import eventually

DAY = timedelta(days=1)


async def post(eligibility: Running, path: str, caller: str, **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[caller][1]}"}
    return await eligibility.client.post(f"/v1{path}", json=body, headers=headers)


async def decided(eligibility: Running, **answers: Any) -> str:
    made = application(complete("civil_society_organisation", **answers), received_at=AFTER)
    await eligibility.elsewhere.tell(event_of(made))
    await eligibility.until_told((made.application_id, 1))
    return made.application_id


def told(eligibility: Running, name: str) -> list[tuple[str, int, str, str, str]]:
    """What others were told of decisions of people, oldest first."""
    found = {event.id: event.data for event in eligibility.elsewhere.of_type("application.decided.v1")}
    mine = [
        (each.stage, each.number, each.outcome, each.decided_by, each.reason)
        for each in found.values()
        if isinstance(each, ApplicationDecided) and each.application.application_id == name and each.number > 1
    ]
    return sorted(mine, key=lambda each: each[1])


async def appeal(eligibility: Running, name: str, number: int) -> str:
    """Intake tells that the applicant appealed; the appeal's id, once its case waits."""
    made = application(complete("civil_society_organisation"), application_id=name, received_at=AFTER)
    data = ApplicationAppealed(
        application=ApplicationSummary.of(made), appeal_id=f"appeal {number} {name}", stage=f"appeal-{number}",
        statement="We do.", decision_revision=1, decision_number=number, appealed_at=AFTER + DAY,
    )  # fmt: skip
    await eligibility.elsewhere.tell(Event(f"appealed {number}", name, AFTER, "/accede/intake", data))

    async def waits() -> bool:
        row = await eligibility.database["cases"].find_one({"_id": name})
        return bool(row and row["appeal_id"] == data.appeal_id)

    await eventually(waits, "the case waits for the hearing")
    return data.appeal_id


async def test_an_accepted_appeal_goes_back_to_people_and_whoever_declines_then_does_not_hear_the_next(
    eligibility: Running,
) -> None:
    name = await decided(eligibility, aims__accepted=False)
    first = await appeal(eligibility, name, 1)
    path = f"/appeals/{first}/hearing"
    heard = await post(eligibility, path, "dora", verdict="accepted", reason="They say so.")
    assert (heard.status_code, heard.json()["state"], heard.json()["heard_by"]) == (200, "heard", "dora"), heard.text
    again = await post(eligibility, path, "ada", verdict="rejected", reason="No.")
    assert (again.status_code, "dora accepted it" in again.json()["detail"]) == (409, True)
    declined = await post(eligibility, "/bulk-actions", "dora", kind="decline", cases=[name], text="Not enough.")
    assert (
        await post(eligibility, f"/bulk-actions/{declined.json()['action_id']}/confirmation", "olga")
    ).status_code == 403
    confirmed = await post(eligibility, f"/bulk-actions/{declined.json()['action_id']}/confirmation", "dora")
    assert confirmed.json()["state"] in ("running", "done")
    await eventually(lambda: len(told(eligibility, name)) == 2, "they are told of both")
    second = await appeal(eligibility, name, 3)
    path = f"/appeals/{second}/hearing"
    own = await post(eligibility, path, "dora", verdict="rejected", reason="I said so.")
    assert (own.status_code, "somebody else" in own.json()["detail"]) == (409, True)
    assert (await post(eligibility, path, "olga", verdict="rejected", reason="No.")).status_code == 403
    assert (await post(eligibility, path, "ada", verdict="rejected", reason="")).status_code == 422
    assert (await post(eligibility, path, "ada", verdict="rejected", reason="It is not enough.")).status_code == 200
    await eventually(lambda: len(told(eligibility, name)) == 3, "they are told of the second hearing")
    assert told(eligibility, name) == [
        ("appeal-1", 2, "referred", "dora", "They say so."),
        ("review-2", 3, "declined", "dora", "Not enough."),
        ("appeal-3", 4, "declined", "ada", "It is not enough."),
    ]
    assert (
        await post(eligibility, "/appeals/nothing/hearing", "ada", verdict="accepted", reason="x")
    ).status_code == 404


async def test_many_cases_are_assigned_at_once_and_admitted_by_two_people_of_two_roles(eligibility: Running) -> None:
    names = [await decided(eligibility, registration__number=f"10895{number}1") for number in range(3)]
    proposed = (await post(eligibility, "/bulk-actions", "olga", kind="assign", cases=names, owner="kim")).json()
    assert (proposed["state"], [each["will_be_done"] for each in proposed["cases"]]) == ("proposed", [True] * 3)
    path = f"/bulk-actions/{proposed['action_id']}"
    await post(eligibility, f"{path}/confirmation", "olga")

    async def done() -> bool:
        return bool((await eligibility.get(f"/v1/bulk-actions/{proposed['action_id']}"))["state"] == "done")

    await eventually(done, "all are assigned")
    assert [each["done"] for each in (await eligibility.get(f"/v1{path}"))["cases"]] == [True] * 3
    owners = [row["owner"] async for row in eligibility.database["cases"].find({"_id": {"$in": names}})]
    assert owners == ["kim"] * 3
    refused = await post(eligibility, "/bulk-actions", "dora", kind="admit", cases=names)
    assert (refused.status_code, "nominee" in refused.json()["detail"]) == (409, True)
    for name in names:
        for role, email in (("senior", "ada@example.org"), ("working", "ben@example.org")):
            said = NominationAnswered(
                nomination_id=nomination_id(name, role, email), application_id=name, role=role, answer="confirmed",
                answered_at=AFTER + DAY,
            )  # fmt: skip
            await eligibility.elsewhere.tell(Event(f"answered {name} {role}", name, AFTER, "/accede/intake", said))
    answers = eligibility.database["nominations"]

    async def confirmed() -> bool:
        return await answers.count_documents({"application_id": {"$in": names}}) == 6

    await eventually(confirmed, "all nominees have confirmed")
    proposed = (await post(eligibility, "/bulk-actions", "dora", kind="admit", cases=names)).json()
    path = f"/bulk-actions/{proposed['action_id']}"
    for who, status in (("olga", 403), ("dora", 409)):
        assert (await post(eligibility, f"{path}/confirmation", who)).status_code == status
    assert (await post(eligibility, f"{path}/confirmation", "ada")).status_code == 200
    await eventually(done, "all are admitted")
    await eventually(lambda: all(len(told(eligibility, name)) == 1 for name in names), "all are told")
    assert {told(eligibility, name)[0][:4] for name in names} == {("review", 2, "admitted", "ada")}
    assert (await post(eligibility, "/bulk-actions", "olga", kind="expel", cases=names)).status_code == 422
    assert (await post(eligibility, "/bulk-actions", "olga", kind="assign", cases=["x"])).status_code == 422
    assert (await eligibility.call("/v1/bulk-actions", "chan")).status_code == 403
    assert (await eligibility.call("/v1/bulk-actions/nothing")).status_code == 404
    assert len((await eligibility.get("/v1/bulk-actions"))["actions"]) == 2
