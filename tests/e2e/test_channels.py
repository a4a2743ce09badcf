"""The same applications sent through each channel: identical decisions, and one set of emails each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.local.stack import Stack
from deploy.samples import Sample, samples
from shared.topology import Topology
from tests import running
from tests.partners import partner_at
from tests.servers import Servers

CHAPTERS = ((1, running.DURING_THE_PAUSE), (2, running.AFTER_THE_PAUSE))
EACH = 20

Send = Callable[[Stack, Sequence[Sample], Path], dict[str, str]]
"""Sends samples; sample id → application id, once every one is taken in."""


def chosen(chapter: int) -> list[Sample]:
    """Some of a chapter's samples, from its beginning to its end."""
    found = samples(chapter, running.commitments_hash())
    return found[:: len(found) // EACH][:EACH]


def by_api(stack: Stack, batch: Sequence[Sample], folder: Path) -> dict[str, str]:
    return running.post(stack, batch)


def by_file(stack: Stack, batch: Sequence[Sample], folder: Path) -> dict[str, str]:
    import_id = running.upload(stack, batch, folder / f"{batch[0].id}.csv")
    found: dict[int, str] = {}

    def taken_in() -> bool:
        known = [item for item in running.applications(stack) if item["import_id"] == import_id]
        found.update({item["row"]: item["application_id"] for item in known})
        return len(found) == len(batch)

    running.until(taken_in, "every row is taken in")
    return {sample.id: found[number] for number, sample in enumerate(batch, start=1)}


def by_partner(stack: Stack, batch: Sequence[Sample], folder: Path) -> dict[str, str]:
    async def send() -> dict[str, str]:
        user = str(urlsplit(stack.rabbitmq_url).username)
        async with partner_at(stack.rabbitmq_url, user, Topology(stack.namespace)) as partner:
            for sample in batch:
                await partner.send(sample.submission, message_id=sample.id, correlation_id=sample.id)
            answers = await partner.answers(len(batch), seconds=60)
            return {sample: documents[0]["application_id"] for sample, documents in answers.items()}

    return asyncio.run(send())


SENDING: dict[str, Send] = {"api": by_api, "file": by_file, "partner": by_partner}


def outcome_of(decision: dict[str, Any]) -> dict[str, Any]:
    """What a decision says, without when it was made and about whom."""
    lines = [(line["criterion"], line["answer"], tuple(line["missing"])) for line in decision["receipt"]]
    pause = (decision["pause"] or {}).get("pause_id")
    same = {name: decision[name] for name in ("outcome", "stage", "number", "policy_hash")}
    return {**same, "receipt": lines, "pause": pause}


def what_became_of(stack: Stack, ids: dict[str, str]) -> dict[str, Any]:
    """Sample id → its decisions, and the templates of its emails."""
    mailed: dict[str, list[tuple[str, str]]] = {}
    for record in running.emails(stack):
        mailed.setdefault(record["application_id"], []).append((record["template"], record["state"]))
    with stack.client("eligibility", "operator") as client:
        return {
            sample: {
                "decisions": [
                    outcome_of(decision)
                    for decision in running.ask(client.get, f"/v1/applications/{identity}/decisions")["decisions"]
                ],
                "emails": sorted(mailed[identity]),
            }
            for sample, identity in ids.items()
        }


@pytest.fixture(scope="module")
def became(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Channel → what became of every sample. Each channel has a system of its own: nobody applies twice."""
    found: dict[str, dict[str, Any]] = {}
    for channel, send in SENDING.items():
        folder = tmp_path_factory.mktemp(channel)
        with running.running(folder, servers) as stack:
            ids: dict[str, str] = {}
            for chapter, now in CHAPTERS:
                running.set_clock(stack, now)
                ids |= send(stack, chosen(chapter), folder)
                running.until_closed(stack, len(ids))
            assert running.account(stack, channel)["accepted"] == len(ids)
            found[channel] = what_became_of(stack, ids)
    return found


@pytest.mark.parametrize("channel", [channel for channel in SENDING if channel != "api"])
def test_each_channel_comes_to_what_the_api_comes_to(became: dict[str, dict[str, Any]], channel: str) -> None:
    assert became[channel] == became["api"]


def test_the_samples_show_something(became: dict[str, dict[str, Any]]) -> None:
    """Forty samples, several outcomes, some with a receipt; one decision and one set of emails for each."""
    api = became["api"]
    assert len(api) == 2 * EACH
    assert all(len(item["decisions"]) == 1 for item in api.values())
    assert len({item["decisions"][0]["outcome"] for item in api.values()}) >= 4
    assert {len(item["emails"]) for item in api.values()} == {2}
    assert {state for item in api.values() for _, state in item["emails"]} == {"sent"}
