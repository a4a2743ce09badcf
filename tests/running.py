"""The whole system as processes, for end-to-end and fault tests, and the questions they ask it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import httpx

from deploy.local.stack import External, Stack
from deploy.samples import Sample, write_csv
from shared.policy.loader import load_pack
from shared.web.auth import Role
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
}


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
) -> Iterator[Stack]:
    """A started stack, with its clock in October 2021. `servers` None: RabbitMQ and MongoDB of its own."""
    external = External(servers.rabbitmq_url, servers.mongo_url) if servers else None
    stack = Stack(
        data,
        replicas=dict.fromkeys(("intake", "eligibility", "notifications"), replicas),
        external=external,
        namespace=f"e{uuid4().hex[:8]}",
        extra_env={**QUICK, **(env or {})},
        service_env=service_env,
    )
    with stack:
        set_clock(stack, DURING_THE_PAUSE)
        yield stack


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


def until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait for a condition of running processes."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.1)


def ledger(stack: System) -> dict[str, Any]:
    with stack.client("intake", "operator") as client:
        found: dict[str, Any] = ask(client.get, "/v1/ledger")
        return found


def account(stack: System, channel: str) -> dict[str, Any]:
    """A channel's line of the ledger."""
    (found,) = (line for line in ledger(stack)["channels"] if line["channel"] == channel)
    assert isinstance(found, dict)
    return found


def until_closed(stack: System, accepted: int, seconds: float = 120) -> dict[str, Any]:
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


def check_decided_once_and_mailed_once(stack: System, expected: int) -> None:
    """Every application decided once, one email record of each kind, and in the mailbox no second copy unless its record
    went through `unknown`."""
    known = applications(stack)
    assert len({item["application_id"] for item in known}) == len(known) == expected
    records = emails(stack)
    per_application = Counter((record["application_id"], record["kind"]) for record in records)
    assert set(per_application.values()) == {1}
    assert len(per_application) == 2 * expected
    assert {record["state"] for record in records} == {"sent"}
    doubtful = {
        record["message_id"] for record in records if any(entry["state"] == "unknown" for entry in record["history"])
    }
    copies = Counter(message["message_id"] for message in stack.mailbox.messages())
    assert set(copies) == {record["message_id"] for record in records}
    assert {identity for identity, count in copies.items() if count > 1} <= doubtful
