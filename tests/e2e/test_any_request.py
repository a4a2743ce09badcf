"""Requests that nobody thought of, made from the OpenAPI documents: no answer is a failure of ours, every answer is one the
document describes, and no document that breaks the schema is accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from deploy.local.stack import SERVICES, Stack
from tests import running
from tests.servers import Servers

EXAMPLES = 10
"""Of each kind for each operation."""
CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
TEXT = {"type", "title", "description"}
"""What the schema of a parameter says that takes any text."""
TOO_LONG = (414, 431)
"""Refusals that schemathesis does not count as such: no address and no header is read to its end whatever its length."""
ANSWERS_EACH_ON_ITS_OWN = "/v1/applications:batch"
"""It answers 200 and refuses documents one by one."""


def without_keys(service: str) -> dict[str, Any]:
    """A service's document as if it asked for no API key: that a key is asked for is tested elsewhere, and a request that
    lacks one would be given ours."""
    document: dict[str, Any] = json.loads((Path("docs/api") / f"{service}.openapi.json").read_text())
    for methods in document["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    return document


SUBMISSION = Draft202012Validator(
    without_keys("intake")["paths"]["/v1/applications"]["post"]["requestBody"]["content"]["application/json"]["schema"]
)
DOCUMENTS = {service: schemathesis.openapi.from_dict(without_keys(service)) for service in SERVICES}
OPERATIONS = {
    f"{service} {operation.method.upper()} {operation.path}": (service, operation)
    for service, document in DOCUMENTS.items()
    for found in document.get_all_operations()
    if isinstance(found, Ok) and (operation := found.ok())
}


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("any"), servers) as started:
        yield started


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """It takes no proxy from the environment."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_any_request_is_answered_as_described(
    stack: Stack, session: requests.Session, name: str, mode: GenerationMode
) -> None:
    service, operation = OPERATIONS[name]
    if mode is GenerationMode.NEGATIVE and not takes_something(operation):
        return
    checks = [*CHECKS, nothing_wrong_is_accepted] if mode is GenerationMode.NEGATIVE else CHECKS
    with stack.client(service) as client:
        base_url, authorization = str(client.base_url).rstrip("/"), client.headers["Authorization"]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def each(case: Any) -> None:
        case.call_and_validate(
            base_url=base_url, session=session, headers={"Authorization": authorization}, checks=checks
        )

    each()


def nothing_wrong_is_accepted(context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """A request that breaks the document is refused; in a batch, each item that does is."""
    if case.operation.path != ANSWERS_EACH_ON_ITS_OWN:
        return None if response.status_code in TOO_LONG else negative_data_rejection(context, response, case)
    if response.status_code == 200:
        sent_ones: Any = case.body
        for sent, answer in zip(sent_ones, response.json()["results"], strict=True):
            assert answer["status"] != 202 or SUBMISSION.is_valid(sent), f"accepted: {sent}"
    return None


def takes_something(operation: Any) -> bool:
    """Whether there is a body, or a parameter that could be wrong: one that is more than any text at all."""
    schemas = [each.definition["schema"] for each in operation.iter_parameters()]
    return bool(operation.body) or any(each.keys() - TEXT or each["type"] != "string" for each in schemas)
