"""The system in containers: the images are built, compose runs three of eligibility, and applications go all the way."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.samples import Sample, samples
from shared.topology import LANES, Topology
from tests import running
from tests.e2e.compose_stack import SERVICES, ComposeFailed, ComposeStack
from tests.servers import container_engine_answers
from tests.unit.samples.table import rows

pytestmark = pytest.mark.containers

BY_API, BY_FILE = 60, 120
NO_ENGINE = "no container engine answers"


def engine_answers() -> bool:
    """Whether there is an engine, and `docker compose` to drive it."""
    if not container_engine_answers() or shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[ComposeStack]:
    """The stack with three of eligibility, its clock in October 2021."""
    if not engine_answers():
        if os.environ.get("ACCEDE_REQUIRE_CONTAINERS"):
            pytest.fail(f"{NO_ENGINE}, and ACCEDE_REQUIRE_CONTAINERS asks for one")
        pytest.skip(NO_ENGINE)
    started = ComposeStack()
    started.build()
    failed_before = request.session.testsfailed
    try:
        started.up(eligibility=3)
        running.set_clock(started, running.DURING_THE_PAUSE)
        yield started
    finally:
        if request.session.testsfailed > failed_before:
            print(started.logs(200))
        started.down()


@pytest.fixture(scope="module")
def sent(stack: ComposeStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    """Applications sent by API and as a file, once the ledger has closed over them; application id → sample."""
    chapter = samples(1, running.commitments_hash())
    by_api = [sample for sample in chapter if sample.channel == "api"][:BY_API]
    by_file = [sample for sample in chapter if sample.channel == "file"][:BY_FILE]
    import_id = running.upload(stack, by_file, tmp_path_factory.mktemp("files") / "applications.csv")
    ids = running.post(stack, by_api)
    running.until_closed(stack, len(by_api) + len(by_file))
    imported = {item["row"]: item for item in running.applications(stack) if item["import_id"] == import_id}
    assert len(imported) == len(by_file)
    found = {imported[number]["application_id"]: sample for number, sample in enumerate(by_file, start=1)}
    return found | {ids[sample.id]: sample for sample in by_api}


def test_everything_is_healthy_with_three_of_eligibility(stack: ComposeStack) -> None:
    counts = Counter(each["Config"]["Labels"]["com.docker.compose.service"] for each in stack.containers())
    assert counts == {
        "gateway": 1,
        "mailbox": 1,
        "rabbitmq": 1,
        "mongo": 1,
        **dict.fromkeys(SERVICES, 1),
        "eligibility": 3,
    }
    assert {each["State"]["Health"]["Status"] for each in stack.containers()} == {"healthy"}


def test_every_application_gets_the_outcome_of_the_reference_table(
    stack: ComposeStack, sent: dict[str, Sample]
) -> None:
    expected = {row["sample"]: row["outcome"] for row in rows(1)}
    states = {item["application_id"]: item["state"] for item in running.applications(stack)}
    assert {sample.id: states[found] for found, sample in sent.items()} == {
        sample.id: expected[sample.id] for sample in sent.values()
    }
    assert len(set(states.values())) >= 4, "the samples should show nearly every outcome"


def test_every_expected_email_is_in_the_mailbox(stack: ComposeStack, sent: dict[str, Sample]) -> None:
    """Two for each: the acknowledgement and the outcome, each once, to whoever applied. And one to each of the two people
    whom an application nominates that is eligible by the reference table."""
    eligible = {row["sample"] for row in rows(1) if row["outcome"] == "eligible"}
    expected, asked = Counter[str](), [sample for sample in sent.values() if sample.id in eligible]
    for sample in sent.values():
        expected[sample.submission["contact"]["email"].casefold()] += 2
    for sample in asked:
        for question in ("nominees.senior.email", "nominees.working.email"):
            expected[str(sample.submission["answers"][question]).casefold()] += 1
    running.check_decided_once_and_mailed_once(stack, len(sent), len(asked))
    recipients = Counter(name.casefold() for message in stack.mailbox.messages() for name in message["recipients"])
    assert recipients == expected


def test_every_replica_of_eligibility_consumes(stack: ComposeStack) -> None:
    """Three consumers on each queue, though none was told of the others."""
    table = stack.compose("exec", "-T", "rabbitmq", "rabbitmqctl", "--quiet", "list_queues", "name", "consumers")
    consumers = dict(line.split() for line in table.splitlines())
    assert {consumers[Topology().queue("eligibility", lane)] for lane in LANES} == {"3"}


def test_the_database_asks_who_is_there(stack: ComposeStack) -> None:
    """It is a replica set with logins: nobody reads without one, and a service's login opens its own database alone."""
    find = "db.runCommand({find: 'decisions', limit: 1})"
    with pytest.raises(ComposeFailed, match="requires authentication"):
        stack.compose("exec", "-T", "mongo", "mongosh", "--quiet", "--host", "mongo", "--eval", find)
    script = 'mongosh --quiet "$(cat /run/secrets/mongo-url-intake)" --eval "$1"'
    with pytest.raises(ComposeFailed, match="not authorized on admin"):
        stack.compose("exec", "-T", "mongo", "bash", "-c", script, "-", find)


def test_services_run_without_rights_on_a_file_system_they_cannot_write(stack: ComposeStack) -> None:
    for service in SERVICES:
        (first, *_) = stack.containers(service)
        assert first["Config"]["User"] == "10001:10001"
        assert first["HostConfig"]["ReadonlyRootfs"] is True
        assert first["HostConfig"]["CapDrop"] == ["ALL"]
        assert first["HostConfig"]["Privileged"] is False
        environment = " ".join(first["Config"]["Env"])
        assert "development-only" not in environment, "secrets come as files, never in the environment"


def test_services_stop_cleanly_and_start_again_where_they_were(stack: ComposeStack, sent: dict[str, Sample]) -> None:
    """SIGTERM ends each with status 0 within its time, and nothing is lost or sent again afterwards."""
    stack.compose("stop", *SERVICES)
    ends = {each["Name"]: each["State"]["ExitCode"] for service in SERVICES for each in stack.containers(service)}
    assert set(ends.values()) == {0}, ends

    stack.up(eligibility=3)

    ledger: dict[str, Any] = running.until_closed(stack, len(sent))
    assert ledger["closes"]
    running.check_decided_once_and_mailed_once(stack, len(sent))
