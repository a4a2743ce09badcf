"""The same applications sent through each channel: identical decisions, and one set of emails each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.local.stack import Stack
from deploy.samples import Sample, samples
from shared.topology import Topology
from tests import mailing, running
from tests.filling import Page, filler
from tests.partners import partner_at
from tests.servers import Servers

CHAPTERS = ((1, running.DURING_THE_PAUSE), (2, running.AFTER_THE_PAUSE))
EACH = 100

IDENTITY = re.compile(r"<code>([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})</code>")
"""An application's id, as its own page shows it."""

TO_NOMINEES = "nomination"
"""Emails to the people whom an application nominates; the channels are compared by them too."""

Send = Callable[[Stack, Sequence[Sample], Path], dict[str, str]]
"""Sends samples; sample id → application id, once every one is taken in."""


def chosen(chapter: int) -> list[Sample]:
    """A hundred of a chapter's samples, from its beginning to its end."""
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


def by_form(stack: Stack, batch: Sequence[Sample], folder: Path) -> dict[str, str]:
    """From a network address each, as a proxy names it: whoever begins sixty forms in an hour is asked to wait."""
    found: dict[str, str] = {}
    known: dict[str, dict[str, Page]] = {}
    for number, sample in enumerate(batch):
        with filler(stack.intake_url, f"10.9.{number // 250}.{number % 250 + 1}", known) as person:
            own_page = person.apply(sample.submission)
            (found[sample.id],) = set(IDENTITY.findall(person.client.get(own_page).raise_for_status().text))
    return found


def by_email(stack: Stack, batch: Sequence[Sample], folder: Path) -> dict[str, str]:
    """Twenty a message, in each shape that is taken in, from a sender each: nobody is answered more than a few times an
    hour."""
    for number, begin in enumerate(range(0, len(batch), 20)):
        sender = f"desk-{number}-{batch[0].id.lower()}@clearing-house.example"
        some = batch[begin : begin + 20]
        shape = mailing.SHAPES[number % len(mailing.SHAPES)]
        mailing.send(stack.inbound_port, sender, shape(some, folder))
    names = {sample.submission["organisation"]["name"]: sample.id for sample in batch}
    found: dict[str, str] = {}

    def taken_in() -> bool:
        for each in running.applications(stack):
            if each["organisation_name"] in names:
                found[names[each["organisation_name"]]] = each["application_id"]
        return len(found) == len(batch)

    running.until(taken_in, "every application is taken in")
    return found


SENDING: dict[str, Send] = {"api": by_api, "email": by_email, "file": by_file, "form": by_form, "partner": by_partner}


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
            running.until_nominees_are_asked(stack)
            found[channel] = what_became_of(stack, ids)
    return found


@pytest.mark.parametrize("channel", [channel for channel in SENDING if channel != "api"])
def test_each_channel_comes_to_what_the_api_comes_to(became: dict[str, dict[str, Any]], channel: str) -> None:
    assert became[channel] == became["api"]


def test_the_samples_show_something(became: dict[str, dict[str, Any]]) -> None:
    """Two hundred samples, several outcomes; for each one decision, one acknowledgement and one letter of its outcome."""
    api = became["api"]
    assert len(api) == 2 * EACH
    assert all(len(item["decisions"]) == 1 for item in api.values())
    assert len({item["decisions"][0]["outcome"] for item in api.values()}) >= 4
    for item in api.values():
        outcome = item["decisions"][0]["outcome"]
        letters = [template for template, _ in item["emails"] if template != TO_NOMINEES]
        assert letters == sorted(["acknowledgement", outcome])
        assert len(item["emails"]) - len(letters) == (2 if outcome == "eligible" else 0)
    assert {state for item in api.values() for _, state in item["emails"]} == {"sent"}
