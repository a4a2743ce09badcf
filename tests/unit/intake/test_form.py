"""The form for programs names what the policy asks, and what it names can be sent."""

from __future__ import annotations

import httpx

from services.intake.api.form import form_routes
from services.intake.use_cases.policies import Policies
from shared.web.auth import ApiKeys
from shared.web.service import create_web
from tests.unit.intake.fakes import FakeClock, FakePolicies
from tests.unit.intake.samples import POLICY
from tests.unit.intake.test_pages import known


async def form(store: FakePolicies) -> httpx.Response:
    async def ready() -> list[object]:
        return []

    web = create_web(title="t", service="intake", version="1", readiness=ready, api_keys=ApiKeys({}))  # type: ignore[arg-type]
    web.include_router(form_routes(Policies(store, FakeClock())))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://t") as client:
        return await client.get("/v1/form")


async def test_every_category_and_question_of_the_policy_is_named_without_a_key() -> None:
    found = (await form(known())).json()
    document = POLICY.document
    assert found["policy_hash"] == POLICY.hash
    assert [each["id"] for each in found["categories"]] == list(document.categories)
    asked = {each["id"]: each for each in found["questions"]}
    assert list(asked) == list(document.questions)
    for name, question in document.questions.items():
        assert (asked[name]["type"], asked[name]["label"]) == (question.type, question.label)
        assert [each["value"] for each in asked[name]["choices"]] == list(question.choices)


async def test_before_there_is_a_policy_there_is_no_form() -> None:
    assert (await form(FakePolicies())).status_code == 503
