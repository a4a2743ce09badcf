"""One organisation applies through each of the five channels: it is decided once, the others are referred to that
application, and its contact reads one acknowledgement."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from deploy.samples import Sample, samples
from tests import running
from tests.e2e.test_channels import by_api, by_email, by_file, by_form, by_partner
from tests.e2e.test_two_replicas import REFERENCE
from tests.servers import Servers


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("twins"), servers, replicas=2) as started:
        yield started


def an_eligible_one() -> Sample:
    """An application of January that the reference table finds eligible, with a website and a registration."""
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        eligible = {row["sample"] for row in csv.DictReader(file) if row["outcome"] == "eligible"}
    return next(
        each
        for each in samples(2, running.commitments_hash())
        if each.id in eligible
        and each.submission["organisation"]["website"]
        and "registration.number" in each.submission["answers"]
    )


def again(sample: Sample, suffix: str, **organisation: Any) -> Sample:
    """The same application, sent anew, with changes of how the organisation is written."""
    written = {**sample.submission["organisation"], **organisation}
    return replace(sample, id=f"{sample.id}-{suffix}", submission={**sample.submission, "organisation": written})


def test_five_channels_one_decision_one_acknowledgement(stack: Stack, tmp_path: Path) -> None:
    running.set_clock(stack, running.AFTER_THE_PAUSE)
    first = an_eligible_one()
    name = first.submission["organisation"]["name"]
    ids = by_api(stack, [first], tmp_path)
    running.until_closed(stack, 1)
    rows = [
        again(first, "loud", name=f"  {name.upper()} ", website=None),
        again(first, "renamed", name="An Altogether Different Name"),
    ]
    ids |= by_file(stack, rows, tmp_path)
    ids |= by_partner(stack, [again(first, "partner")], tmp_path)
    ids |= by_form(stack, [again(first, "form", name=f"{name} Ltd")], tmp_path)
    ids |= by_email(stack, [again(first, "email", name=f"{name} Limited")], tmp_path)
    running.until_closed(stack, 6)
    known = {item["application_id"]: item for item in running.applications(stack)}
    original = ids.pop(first.id)
    assert known[original]["outcome"] == "eligible"
    for identity in ids.values():
        assert known[identity]["outcome"] == "referred"
        assert known[identity]["decision"]["twin"]["application_id"] == original
        page = httpx.get(known[identity]["status_page"], trust_env=False).text
        assert "has reached us before" in page
        assert original not in page
    acknowledged_once(stack, first, original, set(ids.values()) - {ids[f"{first.id}-renamed"]})


def acknowledged_once(stack: Stack, first: Sample, original: str, others: set[str]) -> None:
    """The one that gives another name is another organisation to whoever writes acknowledgements."""
    address = first.submission["contact"]["email"]
    subjects = Counter(message["subject"].partition(" (")[0] for message in stack.mailbox.messages(to=address))
    assert subjects["We have received your application"] == 2
    records = {each["application_id"]: each for each in running.emails(stack) if each["kind"] == "acknowledgement"}
    assert records[original]["state"] == "sent"
    for identity in others:
        assert records[identity]["state"] == "superseded"
        assert "had been acknowledged to the same address" in records[identity]["history"][-1]["detail"]
    line = running.account(stack, "file")["emails"]
    assert (line["superseded"], line["outstanding"]) == (1, 0)


def test_undoing_a_file_makes_room_for_the_right_one(stack: Stack, tmp_path: Path) -> None:
    """Whoever imported the wrong file sends the right one, and nobody is referred for it."""
    accepted = len(running.applications(stack))
    batch = [each for each in samples(2, running.commitments_hash()) if each.kind == "fine"][3:6]
    path = tmp_path / "wrong.csv"
    import_id = running.upload(stack, batch, path)
    running.until_closed(stack, accepted + len(batch))
    before = outcomes_of(stack, import_id)
    with stack.client("intake", "operator") as client:
        running.ask(client.post, f"/v1/imports/{import_id}/undo")
    running.until(lambda: set(outcomes_of(stack, import_id)) == {"withdrawn"}, "every one is withdrawn")
    running.until_closed(stack, accepted + len(batch))
    running.until(lambda: withdrawals(stack, import_id), "eligibility knows")
    second_id = running.upload(stack, batch, tmp_path / "right.csv")
    running.until_closed(stack, accepted + 2 * len(batch))
    assert outcomes_of(stack, second_id) == before


def outcomes_of(stack: Stack, import_id: str) -> list[str]:
    found = [item for item in running.applications(stack) if item["import_id"] == import_id]
    return [item["state"] for item in sorted(found, key=lambda item: item["row"])]


def withdrawals(stack: Stack, import_id: str) -> bool:
    """Whether eligibility has noted that every application of an import was withdrawn."""
    ids = [item["application_id"] for item in running.applications(stack) if item["import_id"] == import_id]
    with stack.client("eligibility", "operator") as client:
        found = [running.ask(client.get, f"/v1/applications/{each}/decisions") for each in ids]
    return all(each["withdrawn_at"] for each in found)
