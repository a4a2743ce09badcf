"""The OpenAPI documents: valid, complete in what users rely on, and the ones that are committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from deploy.api_documents import documents
from deploy.local.stack import SERVICES

PROMISED = {
    "intake": {
        ("post", "/v1/applications"),
        ("get", "/v1/applications/{application_id}"),
        ("post", "/v1/applications/{application_id}/amendments"),
        ("post", "/v1/applications/{application_id}/withdrawal"),
        ("post", "/v1/imports"),
        ("get", "/v1/imports/{import_id}"),
        ("get", "/v1/imports/{import_id}/errors"),
        ("get", "/v1/ledger"),
    },
    "eligibility": {
        ("get", "/v1/applications/{application_id}/decisions"),
        ("get", "/v1/policies"),
        ("get", "/v1/pauses"),
        ("get", "/v1/interests"),
    },
    "notifications": {
        ("get", "/v1/emails"),
        ("get", "/v1/emails/{email_id}"),
        ("get", "/v1/templates/{name}/preview"),
    },
}
EVERYWHERE = {("get", "/healthz"), ("get", "/readyz"), ("get", "/metrics"), ("post", "/v1/dead-letters/replay")}


@pytest.fixture(scope="module")
def current() -> dict[str, dict[str, Any]]:
    """The documents as the services answer them now."""
    return documents()


@pytest.mark.parametrize("service", SERVICES)
def test_it_is_a_valid_openapi_document(current: dict[str, dict[str, Any]], service: str) -> None:
    validate(current[f"{service}.openapi.json"])


@pytest.mark.parametrize("service", SERVICES)
def test_every_promised_route_is_in_it(current: dict[str, dict[str, Any]], service: str) -> None:
    paths = current[f"{service}.openapi.json"]["paths"]
    there = {(method, path) for path, methods in paths.items() for method in methods}
    assert PROMISED[service] | EVERYWHERE <= there


@pytest.mark.parametrize("service", SERVICES)
def test_the_committed_document_is_the_current_one(current: dict[str, dict[str, Any]], service: str) -> None:
    committed = json.loads((Path("docs/api") / f"{service}.openapi.json").read_text(encoding="utf-8"))
    assert committed == current[f"{service}.openapi.json"], "run `make docs`"
