"""Two replicas of each service, real servers, both channels: the samples' outcomes equal the reference table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.stack import Stack
from deploy.samples import samples
from tests import running
from tests.servers import Servers

REFERENCE = Path("tests/reference/outcomes.csv")


def reference() -> dict[str, dict[str, str]]:
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        return {row["sample"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("stack"), servers, replicas=2) as started:
        yield started


@pytest.fixture(scope="module")
def decided(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Both chapters sent through both channels and both replicas; sample id → application."""
    table, total = reference(), 0
    found: dict[str, dict[str, Any]] = {}
    for chapter, now in ((1, running.DURING_THE_PAUSE), (2, running.AFTER_THE_PAUSE)):
        running.set_clock(stack, now)
        batch = samples(chapter, running.commitments_hash())
        by_file = [sample for sample in batch if sample.channel == "file"]
        by_api = [sample for sample in batch if sample.channel == "api"]
        path = tmp_path_factory.mktemp("files") / f"chapter-{chapter}.csv"
        import_id = running.upload(stack, by_file, path)
        ids = running.post(stack, by_api[::2], replica=0) | running.post(stack, by_api[1::2], replica=1)
        total += len(batch)
        running.until_closed(stack, total)
        known = running.applications(stack)
        by_id = {item["application_id"]: item for item in known}
        found |= {sample: by_id[identity] for sample, identity in ids.items()}
        rows = {item["row"]: item for item in known if item.get("import_id") == import_id}
        found |= {sample.id: rows[number] for number, sample in enumerate(by_file, start=1)}
    assert set(found) == set(table)
    return found


def test_every_outcome_equals_the_reference_table(decided: dict[str, dict[str, Any]]) -> None:
    wrong = [
        f"{sample}: {decided[sample]['state']} instead of {row['outcome']} (requirement {row['requirement']}: {row['why']})"
        for sample, row in reference().items()
        if decided[sample]["state"] != row["outcome"]
    ]
    assert not wrong, "\n".join(wrong)


def test_every_application_is_decided_once_and_mailed_once(stack: Stack, decided: dict[str, dict[str, Any]]) -> None:
    """Two emails each, and one to each of the two nominees of those that are eligible by the reference table."""
    eligible = sum(row["outcome"] == "eligible" for row in reference().values())
    running.check_decided_once_and_mailed_once(stack, len(decided), eligible)


def test_a_repeated_request_is_answered_by_either_replica_with_the_same_application(
    stack: Stack, decided: dict[str, dict[str, Any]]
) -> None:
    sample = next(item for item in samples(1, running.commitments_hash()) if item.channel == "api")
    for replica in (0, 1):
        assert running.post(stack, [sample], replica) == {sample.id: decided[sample.id]["application_id"]}


def test_each_decision_shows_its_receipt(stack: Stack, decided: dict[str, dict[str, Any]]) -> None:
    """A held application shows the pause and no criterion; any other its criteria, each with a sentence."""
    table = reference()
    held = next(sample for sample, row in table.items() if row["outcome"] == "on_hold")
    judged = next(sample for sample, row in table.items() if row["outcome"] == "incomplete")
    with stack.client("eligibility", "operator") as client:
        (decision,) = running.ask(client.get, f"/v1/applications/{decided[held]['application_id']}/decisions")[
            "decisions"
        ]
        assert decision["receipt"] == []
        assert decision["pause"]["message"]
        (decision,) = running.ask(client.get, f"/v1/applications/{decided[judged]['application_id']}/decisions")[
            "decisions"
        ]
        assert all(line["statement"] for line in decision["receipt"])
        assert any(line["answer"] == "missing" and line["missing"] for line in decision["receipt"])
