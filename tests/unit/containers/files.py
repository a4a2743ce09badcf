"""The deployment files, read for tests."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from shared.settings import PREFIX, PlatformSettings

CHECKOUT = Path(__file__).parents[3]
SERVICES = ("intake", "eligibility", "notifications")
PORTS = {"intake": 8080, "eligibility": 8081, "notifications": 8082}


@cache
def compose() -> dict[str, Any]:
    """docker-compose.yml as it stands, its variables not filled in."""
    found: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    return found


@cache
def kubernetes() -> list[dict[str, Any]]:
    """Every document of deploy/kubernetes."""
    folder = CHECKOUT / "deploy" / "kubernetes"
    return [document for file in sorted(folder.glob("*.yaml")) for document in yaml.safe_load_all(file.read_text())]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """The Kubernetes objects of that kind, by name."""
    return {found["metadata"]["name"]: found for found in kubernetes() if found["kind"] == kind}


def stages() -> dict[str, str]:
    """The Dockerfile's stages by name, each as its text."""
    text = (CHECKOUT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    return dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", text, re.S | re.M))


def image_environment(stage: str) -> dict[str, str]:
    """The variables that a stage of the Dockerfile sets itself."""
    lines = re.findall(r"^ENV (.+)$", stages()[stage], re.M)
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def settings_of(service: str) -> type[PlatformSettings]:
    """A service's settings class."""
    found: type[PlatformSettings] = import_module(f"services.{service}.settings").Settings
    return found


def unknown(variables: set[str], service: str) -> set[str]:
    """Those of our variables that the service has no setting for; a file may hold any setting."""
    names = {PREFIX + name.upper() for name in settings_of(service).model_fields}
    ours = {variable for variable in variables if variable.startswith(PREFIX)}
    return {variable for variable in ours if variable not in names and variable.removesuffix("_FILE") not in names}
