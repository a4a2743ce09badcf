"""Casework while both replicas of eligibility are killed three times: cases are decided by hand, some of them by two people
at once, and 200 are admitted by one bulk action. Each is decided once, and everybody hears of it once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pymongo
import pytest

from deploy.local.stack import External, Stack
from services.eligibility.domain.cases import DECIDES
from shared.policy.nominees import nomination_id
from shared.stopping import Point
from shared.web.auth import Role
from tests import running
from tests.servers import Servers
from tests.unit.policy.packs import complete

REPLICAS: Final = {"intake": 1, "eligibility": 2, "notifications": 1}
CATEGORY: Final = "civil_society_organisation"
MANY: Final = 200
"""Cases of the bulk action; somebody comments on the first few between the preview and the confirmation."""
TOUCHED: Final = 4
EACH: Final = 6
"""Cases that are admitted, declined, asked for more, and fought over, by hand."""
BY_HAND: Final = ("admitted", "declined", "asked", "contested")
NOMINEES: Final = {"senior": "ada@example.org", "working": "ben@example.org"}
KILLS: Final = (
    (Point.FACT_WRITTEN, Point.FACT_PUBLISHED),
    (Point.FACT_MARKED, Point.FACT_WRITTEN),
    (Point.FACT_PUBLISHED, Point.FACT_MARKED),
)
"""Where each of the two replicas kills itself, three times."""
STEPS: Final = 12
"""Steps after which a replica is killed."""
DONE: Final = (httpx.codes.OK, httpx.codes.CONFLICT)


class Desk:
    """The office: what it has before it, and what it asks for although whoever is asked may die."""

    def __init__(self, stack: Stack, client: pymongo.MongoClient[dict[str, Any]]) -> None:
        self.stack = stack
        self.database = client[f"{stack.namespace}_eligibility"]
        self.replicas = stack.services["eligibility"]
        self._turns = count()

    def take_in(self, many: int) -> list[str]:
        """So many eligible applications, each of an organisation of its own; their ids, once their nominees agreed. The
        answers are put where intake's report of them would be: eight hundred letters would show nothing here."""
        answers = [self._submission(number) for number in range(many)]
        with self.stack.client("intake", "channel") as client:
            results = running.ask(client.post, "/v1/applications:batch", json=answers)["results"]
        ids = [each["application_id"] for each in results]
        running.until(lambda: self.count("cases", state="open", outcome="eligible") == many, "all are cases")
        self.database["nominations"].insert_many(
            {
                "_id": nomination_id(name, role, email),
                "application_id": name,
                "role": role,
                "answer": "confirmed",
                "answered_at": self.database["cases"].find_one({"_id": name}, {"opened_at": 1})["opened_at"],  # type: ignore[index]
            }
            for name in ids
            for role, email in NOMINEES.items()
        )
        return ids

    @staticmethod
    def _submission(number: int) -> dict[str, Any]:
        found = complete(CATEGORY, registration__number=f"PT-{number:05}").model_dump(mode="json")
        return found | {
            "organisation": {"name": f"Casa Aberta {number}", "country": "PT"},
            "contact": {"name": "Inês d'Almeida", "email": f"ines@casa-{number}.example"},
        }

    def count(self, collection: str, **wanted: Any) -> int:
        """Documents of eligibility."""
        return self.database[collection].count_documents(wanted)

    def insist(self, path: str, role: Role = "decider", **body: Any) -> int:
        """Ask one replica and the other by turns until one has answered, as a person would; the status of the answer. 409
        says that it is done already, by whoever did not live to say so, or by somebody else."""
        answers: list[int] = []

        def answered() -> bool:
            with self.stack.client("eligibility", role, next(self._turns) % 2) as client:
                try:
                    answer = client.post(path, json=body)
                except running.DISCONNECTED:
                    return False
            assert answer.status_code in (*DONE, httpx.codes.SERVICE_UNAVAILABLE), answer.text
            answers.append(answer.status_code)
            return answer.status_code in DONE

        running.until(answered, f"an answer to {path}")
        return answers[-1]

    def decide(self, name: str, outcome: str, version: int | None = None) -> int:
        """A decision by hand."""
        path, reason = f"/v1/cases/{name}/decision", "We talked about it."
        return self.insist(path, outcome=outcome, revision=1, version=version, reason=reason)

    def ask_for_more(self, name: str) -> int:
        """A request; whoever sent it already finds that somebody took a step."""
        return self.insist(f"/v1/cases/{name}/information-requests", text="Which?", questions=[], version=0)


@pytest.fixture
def desk(servers: Servers, tmp_path: Path) -> Iterator[Desk]:
    with (
        Stack(
            tmp_path,
            replicas=REPLICAS,
            external=External(servers.rabbitmq_url, servers.mongo_url),
            namespace=f"d{uuid4().hex[:8]}",
            extra_env={**running.QUICK, **running.UNMEASURED},
        ) as stack,
        pymongo.MongoClient[dict[str, Any]](stack.mongodb_url) as client,
    ):
        running.set_clock(stack, running.AFTER_THE_PAUSE)
        yield Desk(stack, client)
        for service in REPLICAS:
            client.drop_database(f"{stack.namespace}_{service}")


def test_each_case_is_decided_once_and_told_once_whatever_is_killed_meanwhile(desk: Desk) -> None:
    ids = desk.take_in(MANY + len(BY_HAND) * EACH)
    many, rest = ids[:MANY], iter(ids[MANY:])
    hand = {name: [next(rest) for _ in range(EACH)] for name in BY_HAND}
    action = propose(desk, many)
    with decided_by_hand(desk, hand):
        kill_at_named_points(desk, action)
        assert desk.count("bulk_results", action_id=action) < MANY, "they were killed in the middle of it"
        for each in desk.replicas:
            each.start()
    running.until(lambda: of_action(desk, action)["state"] == "done", "the bulk action is done")
    done = {each["application_id"] for each in of_action(desk, action)["cases"] if each["done"]}
    assert done == set(many[TOUCHED:])
    check(desk, {**hand, "admitted": [*hand["admitted"], *done]}, len(ids))


def propose(desk: Desk, many: list[str]) -> str:
    """The preview of the bulk action, after which somebody comments on a few cases; its id."""
    with desk.stack.client("eligibility", "decider") as client:
        found = running.ask(client.post, "/v1/bulk-actions", json={"kind": "admit", "cases": many})
        for each in many[:TOUCHED]:
            running.ask(client.post, f"/v1/cases/{each}/comments", json={"text": "Wait for the board."})
    assert all(each["will_be_done"] for each in found["cases"])
    return str(found["action_id"])


def of_action(desk: Desk, action: str) -> Any:
    with desk.stack.client("eligibility", "operator") as client:
        return running.ask(client.get, f"/v1/bulk-actions/{action}")


@contextmanager
def decided_by_hand(desk: Desk, hand: dict[str, list[str]]) -> Iterator[None]:
    """Meanwhile people work: everything they ask for is answered in the end."""
    with ThreadPoolExecutor(4) as people:
        asked = [
            *(people.submit(desk.decide, name, "admitted", 0) for name in hand["admitted"]),
            *(people.submit(desk.decide, name, "declined", 0) for name in hand["declined"]),
            *(people.submit(desk.ask_for_more, name) for name in hand["asked"]),
            *(people.submit(desk.decide, *each) for name in hand["contested"] for each in _both(name)),
        ]
        yield
        for each in asked:
            each.result()


def _both(name: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (name, "admitted"), (name, "declined")


def kill_at_named_points(desk: Desk, action: str) -> None:
    """Each time both replicas start, work, and die by themselves, one after the other."""
    for number, points in enumerate(KILLS):
        for process, point in zip(desk.replicas, points, strict=True):
            process.kill()
            process.begin({"ACCEDE_STOP_AT": f"{point}#{STEPS}"})
        if number == 0:
            desk.insist(f"/v1/bulk-actions/{action}/confirmation", "admin")
        running.until(lambda: not any(each.alive for each in desk.replicas), f"both are dead, {number + 1}")


def check(desk: Desk, hand: dict[str, list[str]], total: int) -> None:
    """What is decided, granted and told at the end."""
    # whoever died after a step left it to the sweeper to store what it decides, and to tell it
    running.until(
        lambda: not desk.count("case_steps", **{"outbox.due": {"$exists": True}}), "all steps are carried out"
    )
    outcomes = decided(desk)
    contested = {name: outcomes[name] for name in hand["contested"]}
    admitted = {*hand["admitted"], *(name for name, outcome in contested.items() if outcome == ["admitted"])}
    declined = {*hand["declined"], *(name for name, outcome in contested.items() if outcome == ["declined"])}
    assert set(contested) <= admitted | declined
    assert outcomes == {name: ["admitted"] for name in admitted} | {name: ["declined"] for name in declined}

    ledger = running.until_closed(desk.stack, total)["total"]
    left = total - len(admitted) - len(declined)
    assert (ledger["admitted"], ledger["declined"], ledger["eligible"]) == (len(admitted), len(declined), left)
    granted = Counter(row["application_id"] for row in desk.database["entitlements"].find({}, {"application_id": 1}))
    assert granted == dict.fromkeys(admitted, 7)

    expected = {"admitted": admitted, "declined": declined, "information_requested": set(hand["asked"])}
    running.until(lambda: letters(desk, expected).total() >= sum(map(len, expected.values())), "all are written to")
    assert letters(desk, expected) == {(name, kind): 1 for kind, names in expected.items() for name in names}
    running.until(lambda: not running.unsent(desk.stack), "everything is sent")
    copies = Counter(message["message_id"] for message in desk.stack.mailbox.messages())
    assert set(copies.values()) == {1}, "notifications was not killed, so nothing is sent twice"


def decided(desk: Desk) -> dict[str, list[str]]:
    """What people decided of each application: by the stored decisions, and the same by the steps."""
    outcomes: dict[str, list[str]] = {}
    for row in desk.database["decisions"].find({"number": {"$gt": 1}}).sort("number", 1):
        outcomes.setdefault(row["application_id"], []).append(row["outcome"])
    steps: dict[str, list[str]] = {}
    for row in desk.database["case_steps"].find({"what": {"$in": list(DECIDES)}}).sort("number", 1):
        steps.setdefault(row["application_id"], []).append(row["new"])
    assert outcomes == steps
    return outcomes


def letters(desk: Desk, templates: dict[str, set[str]]) -> Counter[tuple[str, str]]:
    """How many letters of these kinds were written about each application."""
    found = running.emails(desk.stack)
    return Counter((each["application_id"], each["template"]) for each in found if each["template"] in templates)
