"""Applications over the API: accepted once, refused with every failing field, amended, withdrawn."""

from __future__ import annotations

import asyncio
from typing import Any

from shared.events import TwinNotice
from shared.mongo import Database
from shared.topology import Topology
from tests.integration.intake.running import Running, emailed, running, settings_for, submission
from tests.servers import Servers
from tests.waiting import eventually


async def test_an_application_is_accepted_published_decided_and_mailed(intake: Running) -> None:
    response = await intake.submit()
    assert response.status_code == 202
    accepted = response.json()
    name = accepted["application_id"]
    assert response.headers["location"] == f"/v1/applications/{name}"
    assert accepted["revision"] == 1
    assert accepted["status_url"] == f"http://join.example/v1/applications/{name}"
    assert (await intake.status(name, "alpha"))["state"] == "pending"

    async def published() -> bool:
        fact = await intake.database["revisions"].find_one({"_id": f"{name}:1"})
        return fact is not None and "published_at" in fact["outbox"]

    await eventually(published, "the event is published and marked so")
    application = await intake.application(name)
    await intake.elsewhere.decide(application, "incomplete")
    await intake.elsewhere.tell(emailed(name, "acknowledgement"), name)
    await intake.elsewhere.tell(emailed(name, "incomplete", number=1), name)
    status = await intake.until(name, state="incomplete")

    async def mailed() -> bool:
        emails = (await intake.status(name))["emails"]
        return {each["state"] for each in emails.values() if each} == {"sent"} and bool(emails["outcome"])

    await eventually(mailed, "both emails are known to be sent")
    status = await intake.status(name)
    assert status["outcome"] == "incomplete"
    assert status["decision"]["met"] == 1
    assert [line["answer"] for line in status["decision"]["unmet"]] == ["missing"]
    assert {entry["what"] for entry in status["history"]} == {"submitted", "decided", "email_sent"}


async def test_the_same_key_and_document_get_the_same_answer_and_another_document_is_refused(intake: Running) -> None:
    reordered = dict(reversed(submission().items()))
    first, second = (await intake.submit(Idempotency_Key="k1"), await intake.submit(reordered, Idempotency_Key="k1"))
    assert [first.status_code, second.status_code] == [202, 202]
    keep = ("application_id", "revision", "received_at", "status_url")
    assert [first.json()[name] for name in keep] == [second.json()[name] for name in keep]
    other = await intake.submit(submission(locale="fr"), Idempotency_Key="k1")
    assert other.status_code == 409
    assert other.json()["type"] == "urn:accede:problem:conflict"
    of_another_client = await intake.submit(caller="beta", Idempotency_Key="k1")
    assert of_another_client.json()["application_id"] != first.json()["application_id"]
    assert await intake.database["revisions"].count_documents({}) == 2


async def test_the_same_key_sent_at_once_many_times_makes_one_application(intake: Running) -> None:
    same = [intake.submit(Idempotency_Key="k") for _ in range(20)]
    others = [intake.submit(submission(locale="fr"), Idempotency_Key="k") for _ in range(3)]
    answers = await asyncio.gather(*same, *others)
    accepted = {answer.json()["application_id"] for answer in answers if answer.status_code == 202}
    assert len(accepted) == 1
    assert [answer.status_code for answer in answers] == [202] * 20 + [409] * 3
    assert await intake.database["revisions"].count_documents({}) == 1


async def test_what_is_not_public_needs_a_key_of_the_right_role(intake: Running) -> None:
    assert (await intake.call("GET", "/v1/applications", None)).status_code == 401
    assert (await intake.call("GET", "/v1/applications", "alpha")).status_code == 403
    assert (await intake.call("POST", "/v1/applications", None, json=submission())).status_code == 401


async def test_a_client_sees_its_own_applications_alone(intake: Running) -> None:
    name = (await intake.submit()).json()["application_id"]
    for method, path in [("GET", ""), ("POST", "/amendments"), ("POST", "/withdrawal")]:
        answer = await intake.call(method, f"/v1/applications/{name}{path}", "beta", json=submission())
        assert answer.status_code == 404
    assert (await intake.call("GET", f"/v1/applications/{name}", "olga")).status_code == 200


REFUSALS: list[tuple[Any, list[str]]] = [
    ({}, ["/category", "/organisation", "/contact"]),
    ([], [""]),
    (submission(received_at="2020-01-01T00:00:00Z"), ["/received_at"]),
    (submission(category="friend"), ["/category"]),
    (
        submission(answers={"no.such": "x", "registration.country": "ZZ"}),
        ["/answers/no.such", "/answers/registration.country"],
    ),
    (submission(answers={"aims.accepted": "yes"}), ["/answers/aims.accepted"]),
    (submission(answers={"registration.number": 7}), ["/answers/registration.number"]),
    (submission(contact={"name": "A\r\nBcc: x@example.org", "email": "a@example.org"}), ["/contact/name"]),
    (
        {"category": "friend", "organisation": {"name": "x", "country": "GB"}, "answers": {"no.such": True}},
        ["/contact", "/category", "/answers/no.such"],
    ),
]


async def test_a_bad_document_is_refused_with_every_failing_field(intake: Running) -> None:
    for document, pointers in REFUSALS:
        response = await intake.call("POST", "/v1/applications", json=document)
        assert response.status_code == 422, document
        assert response.headers["content-type"] == "application/problem+json"
        assert [error["pointer"] for error in response.json()["errors"]] == pointers
    assert await intake.database["revisions"].count_documents({}) == 0


NO_DOCUMENTS = [
    (b"{", "application/json", 400),
    (b'{"category": "\xff"}', "application/json", 400),
    ('{"category": "x"}'.encode("utf-16"), "application/json", 400),
    (b'{"a": 1, "a": 2}', "application/json", 400),
    (b"[" * 5000, "application/json", 400),
    (b"{}", "text/plain", 415),
    (b'{"a": "' + b"x" * (1 << 20) + b'"}', "application/json", 413),
]


async def test_what_is_no_json_document_is_refused_before_it_costs_anything(intake: Running) -> None:
    for body, kind, status in NO_DOCUMENTS:
        response = await intake.call("POST", "/v1/applications", content=body, headers={"Content-Type": kind})
        assert response.status_code == status, body[:20]
    assert await intake.database["revisions"].count_documents({}) == 0


async def test_a_bad_idempotency_key_is_refused(intake: Running) -> None:
    assert (await intake.submit(Idempotency_Key="with space")).status_code == 422
    assert (await intake.submit(Idempotency_Key="x" * 201)).status_code == 422


async def test_an_amendment_is_the_next_revision_and_keeps_the_first_receipt_time(intake: Running) -> None:
    first = (await intake.submit()).json()
    name = first["application_id"]
    path = f"/v1/applications/{name}/amendments"
    await intake.elsewhere.decide(await intake.application(name), "incomplete")
    await intake.until(name, state="incomplete")
    answers = [
        await intake.call("POST", path, json=submission(locale="fr"), headers={"Idempotency-Key": "a"})
        for _ in range(2)
    ]
    assert [answer.json()["revision"] for answer in answers] == [2, 2]
    assert answers[0].json()["received_at"] > first["received_at"]
    conflict = await intake.call("POST", path, json=submission(locale="de"), headers={"Idempotency-Key": "a"})
    assert conflict.status_code == 409
    status = await intake.status(name)
    assert (status["state"], status["revision"], status["outcome"]) == ("pending", 2, None)
    assert status["first_received_at"] == first["received_at"]

    await intake.elsewhere.decide(await intake.application(name, 1), "eligible", number=2)
    await intake.elsewhere.decide(await intake.application(name, 2), "eligible")
    status = await intake.until(name, state="eligible")
    assert status["decision"]["revision"] == 2


async def test_a_stale_amendment_is_refused(intake: Running) -> None:
    name = (await intake.submit()).json()["application_id"]
    etag = (await intake.call("GET", f"/v1/applications/{name}")).headers["etag"]
    path = f"/v1/applications/{name}/amendments"
    fits = await intake.call("POST", path, json=submission(), headers={"If-Match": etag})
    assert fits.status_code == 202
    late = await intake.call("POST", path, json=submission(), headers={"If-Match": etag})
    assert late.status_code == 412
    query = await intake.call("POST", path + "?expected_revision=1", json=submission())
    assert query.status_code == 409


async def test_concurrent_amendments_each_become_a_revision_of_their_own(intake: Running) -> None:
    name = (await intake.submit()).json()["application_id"]
    path = f"/v1/applications/{name}/amendments"
    answers = await asyncio.gather(*(intake.call("POST", path, json=submission()) for _ in range(8)))
    assert sorted(answer.json()["revision"] for answer in answers) == list(range(2, 10))
    assert (await intake.until(name, revision=9))["state"] == "pending"


async def test_a_withdrawal_is_for_good(intake: Running) -> None:
    name = (await intake.submit()).json()["application_id"]
    first, second = [await intake.call("POST", f"/v1/applications/{name}/withdrawal") for _ in range(2)]
    assert first.status_code == 200
    assert first.json()["withdrawn_at"] == second.json()["withdrawn_at"]
    amended = await intake.call("POST", f"/v1/applications/{name}/amendments", json=submission())
    assert amended.status_code == 409
    await intake.elsewhere.decide(await intake.application(name), "eligible")
    await intake.elsewhere.tell(emailed(name, "acknowledgement"), name)

    async def told() -> bool:
        return bool((await intake.status(name))["emails"]["acknowledgement"]["state"] == "sent")

    await eventually(told, "the acknowledgement is reported, after the decision was")
    status = await intake.status(name)
    assert (status["state"], status["outcome"]) == ("withdrawn", None)


async def test_without_a_policy_nothing_is_accepted_and_the_answer_says_why(
    servers: Servers, database: Database, topology: Topology
) -> None:
    async with running(settings_for(servers, database, topology), database, announce=False) as intake:
        response = await intake.submit()
        assert response.status_code == 503
        assert "No policy is in force" in response.json()["detail"]
        assert response.headers["retry-after"]


async def test_operators_list_applications_by_state_channel_and_category(intake: Running) -> None:
    names = sorted([(await intake.submit()).json()["application_id"] for _ in range(3)])
    await intake.elsewhere.decide(await intake.application(names[0]), "eligible")
    await intake.until(names[0], state="eligible")
    page = await intake.get("/v1/applications?state=pending&channel=api&limit=1")
    assert [each["application_id"] for each in page["applications"]] == [names[1]]
    rest = await intake.get(f"/v1/applications?state=pending&limit=5&after={page['next']}")
    assert [each["application_id"] for each in rest["applications"]] == [names[2]]
    assert rest["next"] is None
    assert (await intake.get("/v1/applications?category=other"))["applications"] == []


async def test_operators_see_the_twin_and_neither_channel_nor_applicant_does(intake: Running) -> None:
    """Somebody else may have sent the other one: that it is there is all that is said."""
    accepted = (await intake.submit()).json()
    name, other = accepted["application_id"], "0f1f3d1e-0c34-5d8e-9a59-6f3d1f2f4b6a"
    twin = TwinNotice(application_id=other, reference="0F1F3D1E", matched_by="registration")
    await intake.elsewhere.decide(await intake.application(name), "referred", twin=twin)
    status = await intake.until(name, state="referred")
    assert status["decision"]["twin"] == {
        "application_id": other,
        "reference": "0F1F3D1E",
        "matched_by": "registration",
        "status_url": f"http://join.example/v1/applications/{other}",
    }
    assert (await intake.get("/v1/applications?state=referred"))["applications"][0]["decision"]["twin"]
    channel = await intake.call("GET", f"/v1/applications/{name}")
    page = await intake.call("GET", accepted["status_page"].removeprefix("http://join.example"), None)
    export = await intake.call(
        "GET", accepted["status_page"].removeprefix("http://join.example") + "/export.json", None
    )
    assert channel.json()["decision"]["twin"] is None
    assert "has reached us before" in page.text
    for seen in (channel.text, page.text, export.text):
        assert other not in seen
        assert "0F1F3D1E" not in seen
