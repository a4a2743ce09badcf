"""The services as processes: started with their environment, stopped, killed, started again."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from deploy.local.errors import StartFailed
from deploy.local.stack import External, Stack
from tests.servers import Servers


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    external = External(servers.rabbitmq_url, servers.mongo_url)
    data = tmp_path_factory.mktemp("stack")
    with Stack(data, external=external, namespace=f"stack-{uuid4().hex[:8]}", replicas={"eligibility": 2}) as stack:
        yield stack


def test_every_replica_is_ready_at_an_address_of_its_own(stack: Stack) -> None:
    assert [process.name for process in stack.processes] == [
        "intake-1",
        "eligibility-1",
        "eligibility-2",
        "notifications-1",
    ]
    assert len({process.url for process in stack.processes}) == 4
    assert all(process.ready() for process in stack.processes)


def test_the_generated_keys_open_the_api_and_none_does_not(stack: Stack) -> None:
    with stack.client("intake") as client:
        assert client.get("/v1/applications").status_code == 200
    assert httpx.get(f"{stack.intake_url}/v1/applications", trust_env=False).status_code == 401
    with stack.client("intake", role="channel") as client:
        assert client.get("/v1/applications").status_code == 403


def test_a_killed_replica_comes_back_at_the_same_address(stack: Stack) -> None:
    process = stack.services["eligibility"][1]
    address, first = process.url, process.pid
    process.kill()
    assert not process.alive
    assert not process.ready()
    process.start()
    assert process.url == address
    assert process.pid != first
    assert process.ready()


def test_sigterm_ends_a_service_cleanly(stack: Stack) -> None:
    process = stack.services["notifications"][0]
    assert process.stop() == 0
    process.start()


def test_a_service_that_refuses_its_settings_is_told_with_its_own_sentence(stack: Stack) -> None:
    process = stack.services["notifications"][0]
    process.stop()
    with pytest.raises(StartFailed, match="ACCEDE_SMTP_PORT"):
        process.start({"ACCEDE_SMTP_PORT": "not a port"})
    process.start()
