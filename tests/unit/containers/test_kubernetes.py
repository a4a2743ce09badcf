"""The Kubernetes manifests fit the services: ports, probes, variables and secrets are those that the code knows."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.compose.make_secrets import contents, known
from shared.settings import PREFIX
from tests.unit.containers.files import CHECKOUT, PORTS, SERVICES, kubernetes, of_kind, settings_of, unknown

each_service = pytest.mark.parametrize("service", SERVICES)


def pod(service: str) -> dict[str, Any]:
    found: dict[str, Any] = of_kind("Deployment")[service]["spec"]["template"]["spec"]
    return found


def container(service: str) -> dict[str, Any]:
    (found,) = pod(service)["containers"]
    assert isinstance(found, dict)
    return found


def test_there_is_one_deployment_service_and_autoscaler_of_each_service() -> None:
    for kind in ("Deployment", "Service", "HorizontalPodAutoscaler"):
        assert set(of_kind(kind)) == set(SERVICES)


def test_kustomization_names_every_file_and_image() -> None:
    files = {path.name for path in (CHECKOUT / "deploy" / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    (kustomization,) = (found for found in kubernetes() if found["kind"] == "Kustomization")

    assert set(kustomization["resources"]) == files
    images = {container(service)["image"].partition(":")[0] for service in SERVICES}
    assert {image["name"] for image in kustomization["images"]} == images


@each_service
def test_ports_are_those_the_service_listens_on(service: str) -> None:
    ports = {each["name"]: each["containerPort"] for each in container(service)["ports"]}
    published = {each["targetPort"]: each["port"] for each in of_kind("Service")[service]["spec"]["ports"]}
    listens = {each["name"]: each["value"] for each in container(service)["env"] if "value" in each}

    assert ports == published
    assert ports.pop("http") == PORTS[service]
    assert settings_of(service).model_fields["http_port"].default == PORTS[service]
    assert all(listens[f"ACCEDE_{name.upper()}_PORT"] == str(port) for name, port in ports.items())


@each_service
def test_probes_ask_the_routes_made_for_them(service: str) -> None:
    probes = container(service)
    assert probes["startupProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert probes["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert probes["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert probes["readinessProbe"]["timeoutSeconds"] > 5, "a readiness check may take 5 s before it says no"


@each_service
def test_every_variable_is_a_setting_of_the_service(service: str) -> None:
    (config,) = of_kind("ConfigMap").values()
    assert container(service)["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]

    variables = {entry["name"] for entry in container(service)["env"]} | set(config["data"])

    assert unknown(variables, service) == set()
    assert all(variable.startswith(PREFIX) for variable in variables)


@each_service
def test_the_mounted_secrets_are_those_that_are_read_and_those_that_make_secrets_writes(service: str) -> None:
    (volume,) = (volume["secret"] for volume in pod(service)["volumes"] if "secret" in volume)
    (mount,) = (mount for mount in container(service)["volumeMounts"] if mount["name"] == "secrets")
    files = {entry["value"] for entry in container(service)["env"] if entry["name"].endswith("_FILE")}

    assert {f"{mount['mountPath']}/{item['path']}" for item in volume["items"]} == files
    assert {item["key"] for item in volume["items"]} <= set(contents(known))
    others = [f"mongo-url-{other}" for other in SERVICES if other != service]
    assert not any(item["key"] in others for item in volume["items"]), "a service sees its own database's login alone"


@each_service
def test_pods_run_without_rights_and_with_requests_to_scale_by(service: str) -> None:
    security = container(service)["securityContext"]
    assert pod(service)["securityContext"]["runAsNonRoot"] is True
    assert security["runAsUser"] == 10001
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert container(service)["resources"]["requests"]["cpu"]
    assert "replicas" not in of_kind("Deployment")[service]["spec"], "the autoscaler decides"
    assert of_kind("HorizontalPodAutoscaler")[service]["spec"]["scaleTargetRef"]["name"] == service


@each_service
def test_selectors_match_the_pods(service: str) -> None:
    deployment = of_kind("Deployment")[service]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("Service")[service]["spec"]["selector"] == labels
