"""API keys: stored as hashes, three roles each including the one before."""

from __future__ import annotations

import httpx
import pytest

from shared.web.auth import ROLES, ApiKeys, Caller, KeysInvalid, hash_key, key_line, new_key, parse_keys
from tests.unit.web.apps import KEYS, bearer, make_app


def test_a_key_is_known_by_its_hash() -> None:
    key = new_key()
    keys = parse_keys(f"# who may call\n\n  {key_line('web-form', 'channel', key)}  \n")
    assert keys.caller(key) == Caller("web-form", "channel")
    assert keys.caller(key + "x") is None
    assert keys.caller(hash_key(key)) is None
    assert len(keys) == 1


def test_keys_may_stand_on_one_line() -> None:
    text = ",".join(key_line(name, "operator", new_key()) for name in ("a", "b"))
    assert len(parse_keys(text)) == 2


def test_no_text_means_no_keys() -> None:
    assert len(parse_keys("")) == 0
    assert ApiKeys({}).caller("") is None


def test_new_keys_are_long_and_never_the_same() -> None:
    assert len({new_key() for _ in range(100)}) == 100
    assert len(new_key()) >= 43


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("hunter2", "name:role:sha256hex"),
        ("web:channel:hunter2", "64 lower-case hex digits"),
        (f"web:channel:{'A' * 64}", "64 lower-case hex digits"),
        (f"web:boss:{'a' * 64}", "channel, operator, decider, admin"),
        (f"Web form:channel:{'a' * 64}", "the name must be"),
        (f"a:channel:{'a' * 64}\nb:admin:{'a' * 64}", "entry 2: the name or the key is there twice"),
        (f"a:channel:{'a' * 64}\na:admin:{'b' * 64}", "entry 2: the name or the key is there twice"),
    ],
)
def test_a_wrong_line_is_explained_and_never_repeated(line: str, fault: str) -> None:
    with pytest.raises(KeysInvalid, match=fault) as caught:
        parse_keys(line)
    assert "hunter2" not in str(caught.value)
    assert "a" * 64 not in str(caught.value)


def test_all_wrong_lines_are_named_at_once() -> None:
    with pytest.raises(KeysInvalid, match=r"entry 1: .*; entry 3: "):
        parse_keys(f"x\na:channel:{'a' * 64}\ny")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_includes_those_before_it(role: str) -> None:
    rank = ROLES.index(role)
    allowed = [other for other in ROLES if Caller("x", ROLES[rank]).may(other)]
    assert allowed == list(ROLES[: rank + 1])


@pytest.mark.parametrize("role", ["operator", "decider", "admin"])
async def test_who_has_the_role_or_more_comes_in(client: httpx.AsyncClient, role: str) -> None:
    response = await client.get("/v1/operators", headers=bearer(role))
    assert response.json() == {"name": role, "role": role}


async def test_a_lesser_role_is_refused_with_both_names(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/operators", headers=bearer("channel"))
    assert response.status_code == 403
    assert response.json()["detail"] == "This needs a key with the role operator; yours has the role channel."


@pytest.mark.parametrize(
    ("header", "error"),
    [({}, False), ({"Authorization": f"Basic {KEYS['admin']}"}, False), ({"Authorization": "Bearer no"}, True)],
)
async def test_without_a_known_key_one_is_asked_for(
    client: httpx.AsyncClient, header: dict[str, str], error: bool
) -> None:
    response = await client.get("/v1/operators", headers=header)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert ("invalid_token" in response.headers["www-authenticate"]) is error
    assert response.headers["www-authenticate"].startswith('Bearer realm="accede"')


def test_the_openapi_document_shows_what_needs_a_key() -> None:
    document = make_app().openapi()
    assert document["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"
    assert document["paths"]["/v1/operators"]["get"]["security"] == [{"ApiKey": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]
