"""The whole system as processes, for end-to-end and fault tests, and the questions they ask it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import httpx
import pymongo

from deploy.local.stack import External, Stack
from deploy.samples import Sample, write_csv
from shared.policy.loader import load_pack
from shared.web.auth import Role
from tests.clocks import wrong_by
from tests.servers import Servers

POLICY = Path("policies/weprotect")
DURING_THE_PAUSE = "2021-10-04T09:00:00Z"
AFTER_THE_PAUSE = "2022-01-10T09:00:00Z"

DISCONNECTED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.ConnectError)
"""What a client sees of a service that dies while it answers."""

QUICK = {
    # Real times are a minute and more; here a fault must show its end state within seconds.
    "ACCEDE_RECONCILE_AFTER": "3",
    "ACCEDE_DISPATCH_LEASE_SECONDS": "5",
    "ACCEDE_IMPORT_LEASE_SECONDS": "5",
    "ACCEDE_BULK_LEASE_SECONDS": "2",
}

UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""For the processes of a stack: measuring their coverage would nearly double what they cost. What they run is measured where
services run in the process of a test, and their start and end as processes in `tests/integration/local/test_stack.py`."""


class Inbox(Protocol):
    """A mailbox that can be looked into."""

    def messages(self, **search: str) -> Iterator[dict[str, Any]]: ...


class System(Protocol):
    """The system, however it runs: as processes, or in containers."""

    @property
    def mailbox(self) -> Inbox: ...

    def client(self, service: str, role: Role = "admin", replica: int = 0) -> httpx.Client: ...


def commitments_hash() -> str:
    """The hash that a signature under the pack's commitments carries."""
    return load_pack(POLICY).document.commitments.hash


@contextmanager
def running(
    data: Path,
    servers: Servers | None,
    replicas: int = 1,
    env: Mapping[str, str] | None = None,
    service_env: Mapping[str, Mapping[str, str]] | None = None,
    clocks_apart: timedelta = timedelta(0),
) -> Iterator[Stack]:
    """A started stack, with its clock in October 2021. `servers` None: RabbitMQ and MongoDB of its own. `clocks_apart`: how
    much later it is on each further replica's machine."""
    external = External(servers.rabbitmq_url, servers.mongo_url) if servers else None
    stack = Stack(
        data,
        replicas=dict.fromkeys(("intake", "eligibility", "notifications"), replicas),
        external=external,
        namespace=f"e{uuid4().hex[:8]}",
        extra_env={**QUICK, **(env or {})},
        service_env=service_env,
    )
    for child in (stack.mailbox, *stack.processes):
        child.env |= UNMEASURED
    for process in stack.processes if clocks_apart else ():
        process.env |= wrong_by(clocks_apart * (process.replica - 1))
    with stack:
        set_clock(stack, DURING_THE_PAUSE)
        yield stack
    if servers:
        _drop_databases(stack)


def _drop_databases(stack: Stack) -> None:
    """What a stack kept on servers that others use too; on servers of its own it goes with them."""
    with pymongo.MongoClient[dict[str, Any]](stack.mongodb_url) as client:
        for service in stack.services:
            client.drop_database(f"{stack.namespace}_{service}")


def set_clock(stack: System, now: str) -> None:
    """Make it `now` in all three services."""
    for service in ("intake", "eligibility", "notifications"):
        with stack.client(service) as client:
            client.put("/v1/clock", json={"now": now}).raise_for_status()


def post(stack: System, samples: Sequence[Sample], replica: int = 0) -> dict[str, str]:
    """Send samples one by one over the API, each under its own Idempotency-Key; sample id → application id."""
    with stack.client("intake", "channel", replica) as client:
        return {
            sample.id: ask(client.post, "/v1/applications", json=sample.submission, headers=key(sample.id))[
                "application_id"
            ]
            for sample in samples
        }


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


def ask(call: Callable[..., Any], path: str, **options: Any) -> Any:
    """The JSON of a successful call; its problem document in the message otherwise."""
    response = call(path, **options)
    assert response.is_success, f"{path}: {response.status_code} {response.text}"
    return response.json()


def upload(stack: System, samples: Sequence[Sample], path: Path) -> str:
    """Write the samples as CSV and start their import; the import's id."""
    write_csv(path, samples)
    return upload_file(stack, path)


def upload_file(stack: System, path: Path) -> str:
    """Start the import of a CSV file; its id."""
    with stack.client("intake", "operator") as client:
        headers = {"Content-Type": "text/csv", **key(uuid4().hex)}
        answer = ask(client.post, "/v1/imports", content=path.read_bytes(), headers=headers)
        return str(answer["import_id"])


def until(condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
    """Wait for a condition of running processes. It is looked at less and less often: looking costs them something."""
    deadline, pause = time.monotonic() + seconds, 0.05
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(pause)
        pause = min(pause * 1.2, 1.0)


def ledger(stack: System) -> dict[str, Any]:
    with stack.client("intake", "operator") as client:
        found: dict[str, Any] = ask(client.get, "/v1/ledger")
        return found


def account(stack: System, channel: str) -> dict[str, Any]:
    """A channel's line of the ledger."""
    (found,) = (line for line in ledger(stack)["channels"] if line["channel"] == channel)
    assert isinstance(found, dict)
    return found


def until_closed(stack: System, accepted: int, seconds: float = 300) -> dict[str, Any]:
    """Wait until the ledger accounts for `accepted` applications and closes; the ledger."""
    seen: dict[str, Any] = {}

    def closed() -> bool:
        seen.clear()
        seen.update(ledger(stack))
        total = seen["total"]["accepted"]
        return bool(seen["closes"]) and total == accepted

    try:
        until(closed, "the ledger closes", seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{seen}") from error
    return seen


def applications(stack: System) -> list[dict[str, Any]]:
    """Every application intake knows, as operators see them."""
    found: list[dict[str, Any]] = []
    with stack.client("intake", "operator") as client:
        after: str | None = None
        while True:
            query: dict[str, Any] = {"limit": 500, **({"after": after} if after else {})}
            page = ask(client.get, "/v1/applications", params=query)
            found += page["applications"]
            after = page.get("next")
            if not after:
                return found


def emails(stack: System) -> list[dict[str, Any]]:
    """Every email record of notifications."""
    found: list[dict[str, Any]] = []
    with stack.client("notifications", "operator") as client:
        after: str | None = None
        while True:
            query: dict[str, Any] = {"limit": 500, **({"after": after} if after else {})}
            page = ask(client.get, "/v1/emails", params=query)
            found += page["emails"]
            after = page.get("next")
            if not after:
                return found


def counts(stack: System) -> dict[str, Any]:
    """How many emails there are, by kind and state."""
    with stack.client("notifications", "operator") as client:
        found: dict[str, Any] = ask(client.get, "/v1/emails/counts")
        return found


def unsent(stack: System) -> int:
    """Emails that are yet to be sent."""
    found = counts(stack)["by_state"]
    return sum(found.get(state, 0) for state in ("pending", "claimed", "sending", "unknown"))


def until_nominees_are_asked(stack: System) -> None:
    """Wait until the letters to the two nominees of every eligible application are written, and everything is sent. The
    ledger does not wait for them: they answer nobody."""
    eligible = len([item for item in applications(stack) if item["state"] == "eligible"])

    def written() -> bool:
        return int(sum(counts(stack)["by_kind"].get("nomination", {}).values())) >= 2 * eligible

    until(written, "the letters to nominees are written")
    until(lambda: not unsent(stack), "everything is sent")


def check_decided_once_and_mailed_once(stack: System, expected: int, eligible: int | None = None) -> None:
    """Every application decided once, one email record of each kind, one to each of the two nominees of an eligible one,
    and in the mailbox no second copy unless its record went through `unknown`. `eligible`: how many there have to be."""
    known = applications(stack)
    assert len({item["application_id"] for item in known}) == len(known) == expected
    found = {item["application_id"] for item in known if item["state"] == "eligible"}
    assert eligible is None or len(found) == eligible
    until_nominees_are_asked(stack)
    records = emails(stack)
    per_application = Counter((record["application_id"], record["kind"]) for record in records)
    nominees = {name: count for (name, kind), count in per_application.items() if kind == "nomination"}
    assert nominees == dict.fromkeys(found, 2)
    others = {key: count for key, count in per_application.items() if key[1] != "nomination"}
    assert set(others.values()) == {1}
    assert len(others) == 2 * expected
    assert {record["state"] for record in records} == {"sent"}
    doubtful = {
        record["message_id"] for record in records if any(entry["state"] == "unknown" for entry in record["history"])
    }
    copies = Counter(message["message_id"] for message in stack.mailbox.messages())
    assert set(copies) == {record["message_id"] for record in records}
    assert {identity for identity, count in copies.items() if count > 1} <= doubtful
