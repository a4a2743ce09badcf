"""An application is applied for, decided and mailed, and erased: afterwards no database and no queue names anybody.

And wherever a process is killed on the way, and in whatever order the events come, the end is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import bson
import httpx
import pika
import pymongo
import pytest

from deploy.local.stack import Stack
from shared.stopping import Point
from shared.topology import CONSUMED, LANES, Topology
from tests import running
from tests.e2e.browser import window
from tests.e2e.test_applicant import form_of, letter, link_in
from tests.servers import Servers
from tests.stopping import start_to_stop

HTML = {"Accept": "text/html"}
Databases = list[pymongo.database.Database[Any]]
ORGANISATION, PERSON, ADDRESS = "Quixotic Lighthouse Trust", "Wilhelmina Quartz", "wilhelmina@quixotic.example"
NOMINEE, NOMINEES_ADDRESS = "Nicodemus Nightingale", "nicodemus@quixotic.example"
NAMES = (ORGANISATION, PERSON, ADDRESS, "registered-as-7731", NOMINEE, NOMINEES_ADDRESS)


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("erasure"), servers) as started:
        yield started


@pytest.fixture
def databases(stack: Stack, servers: Servers) -> Iterator[Databases]:
    """The three services' databases."""
    with pymongo.MongoClient[Any](servers.mongo_url, tz_aware=True) as client:
        yield [client[f"{stack.namespace}_{service}"] for service in CONSUMED]


def apply(stack: Stack) -> str:
    """Apply during the pause, which holds it; the application's id."""
    submission = {
        "category": "civil_society_organisation",
        "organisation": {"name": ORGANISATION, "country": "PT"},
        "contact": {"name": PERSON, "email": ADDRESS},
        "consent": {"register_interest": True},
        "answers": {
            "registration.number": "registered-as-7731",
            "registration.country": "PT",
            "nominees.senior.name": NOMINEE,
            "nominees.senior.email": NOMINEES_ADDRESS,
        },
    }
    with stack.client("intake", "channel") as client:
        return str(running.ask(client.post, "/v1/applications", json=submission)["application_id"])


def erase(stack: Stack, application_id: str) -> None:
    with stack.client("intake", "operator") as client:
        running.ask(client.delete, f"/v1/applications/{application_id}")


def held(databases: Databases) -> list[str]:
    """Where a database holds one of the names, in whatever field."""
    return [
        f"{database.name}.{name}: {word}"
        for database in databases
        for name in database.list_collection_names()
        for document in database[name].find({})
        for word in NAMES
        if word.encode() in bson.encode(document)
    ]


def queued(servers: Servers, stack: Stack) -> list[str]:
    """Which of the names wait in a queue, events and dead letters alike. What is looked at goes back."""
    topology = Topology(stack.namespace)
    names = [topology.dead_letter_queue(service) for service in CONSUMED]
    names += [topology.queue(service, lane) for service in CONSUMED for lane in LANES]
    names += [topology.partner_queue, topology.partner_dead_letter_queue]
    found = []
    connection = pika.BlockingConnection(pika.URLParameters(servers.rabbitmq_url))
    channel = connection.channel()
    for name in names:
        while (answer := channel.basic_get(name))[0] is not None:
            found += [f"{name}: {word}" for word in NAMES if word in answer[2].decode()]
    connection.close()
    return found


def mailed(stack: Stack, application_id: str) -> bool:
    records = [each for each in running.emails(stack) if each["application_id"] == application_id]
    return len(records) >= 2 and all(each["state"] == "sent" for each in records)


def until_nobody_is_named(stack: Stack, servers: Servers, databases: Databases) -> None:
    found: list[str] = []

    def clean() -> bool:
        found[:] = held(databases) + queued(servers, stack)
        return not found

    try:
        running.until(clean, "nobody is named anywhere", 60)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{found}") from error


def check_the_end(stack: Stack, application_id: str) -> None:
    """What every erasure comes to."""
    ledger = running.until_closed(stack, len(running.applications(stack)))
    assert ledger["total"]["gap"] == 0
    assert ledger["total"]["erased"] == ledger["total"]["accepted"]
    with stack.client("intake", "operator") as client:
        status = running.ask(client.get, f"/v1/applications/{application_id}")
    assert (status["state"], status["organisation_name"]) == ("erased", "")
    with stack.client("eligibility", "operator") as client:
        assert client.get(f"/v1/applications/{application_id}/decisions").status_code == 410
        interests = running.ask(client.get, "/v1/interests")["interests"]
        assert application_id not in {each["application_id"] for each in interests}
        running.until(
            lambda: bool(erasers(client, application_id)), "the audit says who erased it, though it is erased"
        )
        assert len(erasers(client, application_id)) == 1
    records = [each for each in running.emails(stack) if each["application_id"] == application_id]
    assert {(each["to"], each["subject"]) for each in records} <= {("", "")}
    assert {each["state"] for each in records} <= {"sent", "superseded"}


def erasers(client: httpx.Client, application_id: str) -> list[str]:
    """Who erased it, as the audit tells: a key's name, or the applicant."""
    audit = running.ask(client.get, f"/v1/audit?about=application&subject_id={application_id}")["entries"]
    return [each["by"] for each in audit if each["what"] == "erased"]


def test_an_applicant_erases_everything_from_the_page_and_nothing_names_them_any_more(
    stack: Stack, servers: Servers, databases: Databases
) -> None:
    application_id = apply(stack)
    link = link_in(letter(stack, application_id, "on hold"))
    running.until(lambda: mailed(stack, application_id), "both emails are sent")
    assert len(held(databases)) > 10
    with httpx.Client(headers=HTML, follow_redirects=True, timeout=30, trust_env=False) as browser:
        assert ORGANISATION in browser.get(link).text
        receipt = link_in(browser.get(link).text.replace('"', " "), "interests")
        page = browser.post(f"{link}/erase", data={"form": form_of(browser.get(f"{link}/erase"))})
        assert (page.status_code, "This application was erased" in page.text) == (410, True)
        until_nobody_is_named(stack, servers, databases)
        assert ORGANISATION not in browser.get(receipt).text
    check_the_end(stack, application_id)


def test_the_pages_of_an_erasure(stack: Stack, servers: Servers, databases: Databases, chromium: Any) -> None:
    application_id = apply(stack)
    link = link_in(letter(stack, application_id, "on hold"))
    with stack.client("intake") as client, window(chromium, str(client.base_url)) as visitor:
        visitor.open(link).press("Erase everything").look("erase-1-asked")
        visitor.press("Erase everything").look("erase-2-erased")
        assert visitor.heading.endswith("This application was erased")
        assert application_id in visitor.text
    until_nobody_is_named(stack, servers, databases)


def test_dead_letters_of_the_application_go_and_a_replay_brings_nothing_back(
    stack: Stack, servers: Servers, databases: Databases
) -> None:
    application_id = apply(stack)
    running.until(lambda: mailed(stack, application_id), "both emails are sent")
    revision = databases[0]["revisions"].find_one({"_id": f"{application_id}:1"})
    assert revision is not None
    kept = [put_aside(servers, stack, service, application_id) for service in CONSUMED]
    kept += [put_aside(servers, stack, service, str(uuid4())) for service in CONSUMED]
    erase(stack, application_id)
    until_nobody_is_named(stack, servers, databases)
    for service in CONSUMED:
        with stack.client(service, "operator") as client:
            replayed = running.ask(client.post, "/v1/dead-letters/replay")["replayed"]
        assert replayed == 1  # the one of another application
    put_aside(servers, stack, "eligibility", application_id)  # one that was just being replayed
    with stack.client("eligibility", "operator") as client:
        running.ask(client.post, "/v1/dead-letters/replay")
    until_nobody_is_named(stack, servers, databases)
    check_the_end(stack, application_id)


def put_aside(servers: Servers, stack: Stack, service: str, application_id: str) -> str:
    """Put an event into a service's dead-letter queue, as it would have been given up; of this application it names its
    contact."""
    named = {"name": PERSON, "email": ADDRESS}
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "type": "application.withdrawn.v1",
        "source": "/accede/intake",
        "subject": application_id,
        "time": "2021-10-04T09:00:00Z",
        "data": {"application_id": application_id, "revision": 1, "withdrawn_at": "2021-10-04T09:00:00Z"},
        "was": named,
    }
    if application_id not in {each["application_id"] for each in running.applications(stack)}:
        del event["was"]
    publish(servers, Topology(stack.namespace).dead_letter_exchange, service, json.dumps([event]).encode())
    return application_id


def test_an_erasure_that_overtakes_the_submission_leaves_nothing_to_decide(
    stack: Stack, servers: Servers, databases: Databases
) -> None:
    stopped = ("eligibility", "notifications")
    for service in stopped:
        stack.services[service][0].stop()
    try:
        application_id = apply(stack)
        erase(stack, application_id)
        held_back = {service: submission_held_back(servers, stack, service) for service in stopped}
    finally:
        for service in stopped:
            stack.services[service][0].start()
    known = {"_id": application_id}
    running.until(lambda: all(each["erasures"].count_documents(known) for each in databases), "all know of the erasure")
    for service, body in held_back.items():
        publish(servers, "", Topology(stack.namespace).queue(service, "interactive"), body)
    another = apply(stack)
    running.until(lambda: mailed(stack, another), "what came after it is decided and mailed")
    erase(stack, another)
    until_nobody_is_named(stack, servers, databases)
    check_the_end(stack, application_id)
    assert databases[1]["decisions"].count_documents({"application_id": application_id}) == 0
    assert databases[2]["emails"].count_documents({"application_id": application_id}) == 0


def submission_held_back(servers: Servers, stack: Stack, service: str) -> bytes:
    """Take the submission out of what waits for a service that is down, and leave the erasure there."""
    name = Topology(stack.namespace).queue(service, "interactive")
    connection = pika.BlockingConnection(pika.URLParameters(servers.rabbitmq_url))
    channel = connection.channel()
    running.until(lambda: _depth(channel, name) >= 2, "both events wait", 30)
    found = b""
    while (answer := channel.basic_get(name))[0] is not None:
        if b"application.submitted.v1" in answer[2]:
            found = answer[2]
            channel.basic_ack(answer[0].delivery_tag)
    connection.close()
    assert found
    return found


def publish(servers: Servers, exchange: str, routing_key: str, body: bytes) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(servers.rabbitmq_url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(exchange, routing_key, body, mandatory=True)
    connection.close()


def _depth(channel: Any, name: str) -> int:
    return int(channel.queue_declare(name, passive=True).method.message_count)


KILLS = [
    # the second facts of an operator's request: the first is that they asked for it, and nothing is promised by then
    ("intake", f"{Point.FACT_WRITTEN}#2"),
    ("intake", Point.ERASURE_BEGUN),
    ("intake", f"{Point.FACT_PUBLISHED}#2"),
    ("eligibility", Point.ERASURE_BEGUN),
    ("eligibility", Point.MESSAGE_SETTLED),
    ("notifications", Point.ERASURE_BEGUN),
    ("notifications", Point.MESSAGE_SETTLED),
]


@pytest.mark.parametrize(("service", "point"), KILLS, ids=[f"{service}-{point}" for service, point in KILLS])
def test_killed_there_and_started_again_everything_is_erased_all_the_same(
    stack: Stack, servers: Servers, databases: Databases, service: str, point: str
) -> None:
    application_id = apply(stack)
    running.until(lambda: mailed(stack, application_id), "both emails are sent")
    process = stack.services[service][0]
    process.stop()
    # as if the erasures before had been told often enough: telling them again would bring the process to its point
    databases[0]["applications"].update_many({"state": "erased"}, {"$unset": {"due": ""}})
    start_to_stop(process, point)
    if service == "intake":
        with stack.client("intake", "operator") as client, pytest.raises(running.DISCONNECTED):
            client.delete(f"/v1/applications/{application_id}")
    else:
        erase(stack, application_id)
    process.wait_ended()
    process.start()
    # as if the publish lease had run out
    databases[0]["erasures"].update_many({"outbox.due": {"$exists": True}}, [{"$set": {"outbox.due": "$erased_at"}}])
    until_nobody_is_named(stack, servers, databases)
    check_the_end(stack, application_id)
