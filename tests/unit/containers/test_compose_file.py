"""docker-compose.yml and the Dockerfile fit the services and the secrets."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deploy.compose.gateway import Door, doors
from deploy.compose.make_secrets import contents, known
from tests.unit.containers.files import (
    CHECKOUT,
    PORTS,
    SERVICES,
    compose,
    image_environment,
    settings_of,
    stages,
    unknown,
)

each_service = pytest.mark.parametrize("service", SERVICES)


def secrets_of(service: dict[str, Any]) -> set[str]:
    return {entry if isinstance(entry, str) else entry["source"] for entry in service.get("secrets", [])}


@each_service
def test_every_variable_is_a_setting_of_the_service(service: str) -> None:
    variables = set(compose()["services"][service]["environment"])
    for stage in ("application", service):
        variables |= set(image_environment(stage))

    assert unknown(variables, service) == set()


@each_service
def test_every_secret_that_is_read_is_mounted_and_no_other(service: str) -> None:
    found = compose()["services"][service]
    files = {value for name, value in found["environment"].items() if name.endswith("_FILE")}

    assert files == {f"/run/secrets/{name}" for name in secrets_of(found)}


def test_secrets_are_the_files_that_make_secrets_writes() -> None:
    names = {entry["file"].rpartition("/")[2] for entry in compose()["secrets"].values()}
    assert names <= set(contents(known))
    mounted = set[str]().union(*(secrets_of(service) for service in compose()["services"].values()))
    assert mounted == set(compose()["secrets"])


@each_service
def test_image_probe_and_door_use_the_port_the_service_listens_on(service: str) -> None:
    assert image_environment(service)["ACCEDE_HTTP_PORT"] == str(PORTS[service])
    assert f"EXPOSE {PORTS[service]}" in stages()[service]
    assert settings_of(service).model_fields["http_port"].default == PORTS[service]
    through = doors(compose()["services"]["gateway"]["environment"]["ACCEDE_DOORS"])
    assert Door(PORTS[service], service, PORTS[service]) in through


def test_only_this_machine_reaches_published_ports() -> None:
    published = {name: service["ports"] for name, service in compose()["services"].items() if "ports" in service}
    assert set(published) == {"gateway", "mailbox"}, "replicas of a service publish nothing, so that any number can run"
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_every_service_has_limits_restarts_and_bounded_logs() -> None:
    for name, service in compose()["services"].items():
        assert service["restart"] == "unless-stopped", name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert service["logging"]["options"]["max-size"], name


def test_every_variable_of_the_stack_is_explained_at_the_top() -> None:
    text = (CHECKOUT / "docker-compose.yml").read_text() + (CHECKOUT / "deploy/compose/mailbox.yml").read_text()
    head = text[: text.index("\nname:")]
    used = set(re.findall(r"\$\{(\w+)", text))

    assert {name for name in used if not re.search(rf"\b{name}\b", head)} == set()


def test_both_mailboxes_listen_where_the_stack_looks() -> None:
    mailboxes = yaml.safe_load((CHECKOUT / "deploy/compose/mailbox.yml").read_text())["services"]
    assert set(mailboxes) == {"mailpit", "own"}
    assert "EXPOSE 1025 8025" in stages()["mailbox"]  # Mailpit's are the same


def test_final_images_are_unprivileged_and_use_nothing_older_engines_refuse() -> None:
    text = (CHECKOUT / "deploy" / "Dockerfile").read_text()
    assert "USER 10001:10001" in stages()["base"]
    assert "STOPSIGNAL SIGTERM" in stages()["base"]
    assert "syntax=" not in text.splitlines()[0]
    assert "--link" not in re.sub(r"#.*", "", text)
    assert "<<" not in text
    assert all(line.startswith("CMD [") for line in text.splitlines() if line.startswith("CMD"))
