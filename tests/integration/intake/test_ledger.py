"""Nothing accepted is lost: the ledger, the sweeper and the reconciler on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from services.intake.app import create_app
from services.intake.settings import Settings
from shared.events import EventDeadLettered
from shared.mongo import Database
from shared.topology import Topology
from tests.integration.intake.running import KEYS, Running, emailed, running, settings_for, submission
from tests.integration.intake.test_imports import csv_of, ended, row, send
from tests.servers import Servers
from tests.waiting import eventually


async def finish(intake: Running, name: str, outcome: Any = "eligible") -> None:
    """Everything the other services tell about an application."""
    await intake.elsewhere.decide(await intake.application(name), outcome)
    await intake.elsewhere.tell(emailed(name, "acknowledgement"), name)
    await intake.elsewhere.tell(emailed(name, outcome, number=1), name)


async def closes(intake: Running) -> bool:
    return bool((await intake.get("/v1/ledger"))["closes"])


async def test_the_ledger_accounts_for_everything_and_closes_in_the_end(intake: Running) -> None:
    names = [(await intake.submit()).json()["application_id"] for _ in range(4)]
    assert (await intake.submit(submission(category="friend"))).status_code == 422
    await ended(intake, await send(intake, csv_of([row(1), row(2, category="friend")])))
    ledger = await intake.get("/v1/ledger")
    api, file = ledger["channels"]
    assert (api["rows"], api["accepted"], api["refused"], api["pending"], api["gap"]) == (5, 4, 1, 4, 0)
    assert (file["rows"], file["accepted"], file["refused"], file["pending"]) == (2, 1, 1, 1)
    assert ledger["total"]["emails"] == {"expected": 5, "sent": 0, "failed": 0, "outstanding": 5, "superseded": 0}
    assert not ledger["closes"]

    await intake.call("POST", f"/v1/applications/{names[0]}/withdrawal")
    for name in names[1:]:
        await finish(intake, name)
    (imported,) = (await intake.get("/v1/applications?channel=file"))["applications"]
    await finish(intake, imported["application_id"], "on_hold")
    await eventually(lambda: closes(intake), "the ledger closes")
    total = (await intake.get("/v1/ledger"))["total"]
    assert (total["eligible"], total["on_hold"], total["withdrawn"], total["emails"]["sent"]) == (3, 1, 1, 8)
    assert (await intake.call("GET", "/v1/ledger", "alpha")).status_code == 403


async def test_emails_that_a_withdrawal_overtook_do_not_keep_the_ledger_open(intake: Running) -> None:
    """One was left out by notifications, the other was never written: nothing is outstanding, nothing failed."""
    left_out, unwritten = [(await intake.submit()).json()["application_id"] for _ in range(2)]
    await intake.elsewhere.decide(await intake.application(left_out), "incomplete")
    await intake.until(left_out, state="incomplete")
    for name in (left_out, unwritten):
        await intake.call("POST", f"/v1/applications/{name}/withdrawal")
    await intake.elsewhere.tell(emailed(left_out, "acknowledgement"), left_out)
    report = emailed(left_out, "incomplete", number=1, failed="superseded: the application was withdrawn")
    await intake.elsewhere.tell(report.model_copy(update={"superseded": True}), left_out)

    async def known() -> bool:
        outcome = (await intake.status(left_out))["emails"]["outcome"]
        return bool(outcome and outcome["state"] == "superseded")

    await eventually(known, "the email is known to be left out")
    ledger = await intake.get("/v1/ledger")
    assert ledger["total"]["emails"] == {"expected": 1, "sent": 1, "failed": 0, "outstanding": 0, "superseded": 1}
    assert ledger["closes"]
    assert "email_superseded" in {each["what"] for each in (await intake.status(left_out))["history"]}


async def test_a_dead_letter_shows_in_the_ledger_until_the_application_is_decided(intake: Running) -> None:
    name = (await intake.submit()).json()["application_id"]
    received = (await intake.application(name)).received_at
    letter = EventDeadLettered(
        event_id="e",
        event_type="application.submitted.v1",
        application_id=name,
        service="eligibility",
        queue="q",
        reason="KeyError",
        at=received,
    )
    await intake.elsewhere.tell(letter, name)
    await intake.until(name, dead_lettered=True)
    api = (await intake.get("/v1/ledger"))["channels"][0]
    assert (api["pending"], api["dead_lettered"], api["gap"]) == (0, 1, 0)
    await finish(intake, name)
    await eventually(lambda: closes(intake), "the ledger closes")
    assert not (await intake.status(name))["dead_lettered"]


async def test_the_reconciler_emits_the_newest_revision_and_the_withdrawal_again_under_the_same_ids(
    servers: Servers, database: Database, topology: Topology
) -> None:
    settings = settings_for(servers, database, topology, reconcile_after=1)
    async with running(settings, database) as intake:
        first, second = [(await intake.submit()).json()["application_id"] for _ in range(2)]
        await intake.call("POST", f"/v1/applications/{first}/amendments", json=submission(locale="fr"))
        await intake.call("POST", f"/v1/applications/{second}/withdrawal")
        heard: dict[str, list[str]] = {}

        async def repeated() -> bool:
            for event in await intake.elsewhere.heard():
                # what is reported of the whole every second (the ledger's lines, the receipts) is new each time
                if event["subject"] in (first, second):
                    heard.setdefault(f"{event['type']} {event['subject']}", []).append(event["id"])
            return all(
                len(heard.get(key, [])) >= 2
                for key in (f"application.amended.v1 {first}", f"application.withdrawn.v1 {second}")
            )

        await eventually(repeated, "both are emitted again")
        assert len(heard[f"application.submitted.v1 {first}"]) == 1
        assert all(len(set(ids)) == 1 for ids in heard.values())


async def test_a_status_that_was_lost_shows_as_a_gap_and_is_made_again(
    servers: Servers, database: Database, topology: Topology
) -> None:
    settings = settings_for(servers, database, topology, reconcile_after=1)
    async with running(settings, database) as intake:
        name = (await intake.submit()).json()["application_id"]
        await database["applications"].delete_one({"_id": name})

        async def healed() -> bool:
            return await database["applications"].count_documents({"_id": name}) == 1

        await eventually(healed, "the status is made from the facts")
        assert (await intake.get("/v1/ledger"))["channels"][0]["gap"] == 0


@asynccontextmanager
async def without_broker(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Intake while nothing listens at the broker's address."""
    settings = settings.model_copy(update={"rabbitmq_url": SecretStr("amqp://guest:guest@127.0.0.1:9/")})
    lifecycle, parts = create_app(settings)
    task = asyncio.create_task(lifecycle.run(parts))
    headers = {"Authorization": f"Bearer {KEYS['alpha'][1]}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(parts.web), base_url="http://t", headers=headers
    ) as client:
        try:
            yield client
        finally:
            lifecycle.stopping.set()
            assert await task == 0


@pytest.mark.parametrize("status_lost", [False, True])
async def test_while_the_broker_is_away_applications_are_accepted_and_published_when_it_is_back(
    servers: Servers, database: Database, topology: Topology, status_lost: bool
) -> None:
    settings = settings_for(servers, database, topology)
    async with running(settings, database):
        pass  # the policy is known from now on
    async with without_broker(settings) as client:
        answers = [await client.post("/v1/applications", json=submission()) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 202]
        assert (await client.get("/readyz")).status_code == 503
    if status_lost:  # as if the process had been killed before it wrote the statuses
        await database["applications"].delete_many({})
    earlier = {"$subtract": ["$outbox.due", 60_000]}
    await database["revisions"].update_many({}, [{"$set": {"outbox.due": earlier}}])
    async with running(settings, database) as intake:

        async def swept() -> bool:
            return await database["revisions"].count_documents({"outbox.published_at": {"$exists": True}}) == 3

        await eventually(swept, "the sweeper publishes what was left")
        for answer in answers:
            await intake.elsewhere.decide(await intake.application(answer.json()["application_id"]), "eligible")
        await intake.until(answers[-1].json()["application_id"], state="eligible")
