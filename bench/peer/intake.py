"""The peer's intake: reads the file named on standard input, row by row, and keeps the status."""

from __future__ import annotations

import asyncio
import csv
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from faststream import FastStream
from faststream.rabbit import RabbitQueue

from bench.peer.common import DECIDED, SENT, SUBMITTED, Decided, Sent, broker, database, policy, run
from bench.peer.rows import submission_of
from shared.application import Application, Provenance, Submission, application_of
from shared.policy.answers import check

IN_FLIGHT = 16
"""Rows at a time: kinder to the peer than one after the other."""

RECEIVED_AT = datetime(2021, 10, 4, 9, tzinfo=UTC)

bus = broker()
app = FastStream(bus)
store = database()


@bus.subscriber(RabbitQueue("peer.intake.decided", durable=True), DECIDED)
async def on_decided(message: Decided) -> None:
    await store["status"].update_one(
        {"_id": message.decided.application.application_id}, {"$set": {"state": message.decided.outcome}}, upsert=True
    )


@bus.subscriber(RabbitQueue("peer.intake.sent", durable=True), SENT)
async def on_sent(message: Sent) -> None:
    await store["status"].update_one(
        {"_id": message.application_id}, {"$set": {f"emails.{message.template}": "sent"}}, upsert=True
    )


async def accept(row: dict[str, str], number: int) -> None:
    submission = Submission.model_validate(submission_of(row, policy.document))
    assert not check(policy.document, submission)
    application: Application = application_of(
        submission,
        application_id=str(uuid4()),
        revision=1,
        provenance=Provenance(channel="file", client="bench", row=number),
        received_at=RECEIVED_AT + timedelta(milliseconds=number),
        first_received_at=RECEIVED_AT,
    )
    await store["applications"].insert_one({"_id": application.application_id, **application.model_dump()})
    await store["status"].insert_one({"_id": application.application_id, "state": "pending"})
    await bus.publish(application, exchange=SUBMITTED, persist=True)


async def take_in() -> None:
    path = await asyncio.to_thread(sys.stdin.readline)
    print(f"started {time.monotonic()}", flush=True)
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one(row: dict[str, str], number: int) -> None:
        async with slots:
            await accept(row, number)

    with Path(path.strip()).open(encoding="utf-8", newline="") as file:  # noqa: ASYNC230 - a plain peer reads plainly
        await asyncio.gather(*(one(row, number) for number, row in enumerate(csv.DictReader(file), start=1)))


if __name__ == "__main__":
    run(app, take_in)
