"""`/v1/policies`: the policy versions there are, and what each of them says."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel

from services.eligibility.domain.policies import PolicyVersion
from services.eligibility.use_cases.policies import Clock, Rules
from shared.web.auth import require
from shared.web.problem import not_found

PolicyHash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the policy, 64 hex digits.")]


class PolicyView(BaseModel):
    """A policy version without its text. `in_force`: new applications are judged by it now."""

    hash: str
    id: str
    version_label: str
    effective_from: AwareDatetime
    stored_at: AwareDatetime
    in_force: bool


class PolicyList(BaseModel):
    """All versions, in the order in which they came into force."""

    policies: list[PolicyView]


class PolicyWhole(PolicyView):
    """A policy version with everything it says."""

    document: dict[str, Any]


def routes(rules: Rules, clock: Clock) -> APIRouter:
    """The routes, for operators."""
    router = APIRouter(prefix="/v1/policies", tags=["policies"], dependencies=[Depends(require("operator"))])

    @router.get("", summary="The policy versions there are")
    async def list_policies() -> PolicyList:
        rulebook, reading = await rules.current(), await clock.read()
        now = rulebook.policy_at(reading.now)
        return PolicyList(policies=[PolicyView(**_fields(version, now)) for version in rulebook.policies])

    @router.get("/{policy_hash}", summary="One policy version, whole")
    async def get_policy(policy_hash: PolicyHash) -> PolicyWhole:
        rulebook, reading = await rules.current(), await clock.read()
        version = rulebook.policy(policy_hash)
        if version is None:
            raise not_found("policy")
        document = version.document.model_dump(mode="json")
        return PolicyWhole(**_fields(version, rulebook.policy_at(reading.now)), document=document)

    return router


def _fields(version: PolicyVersion, now: PolicyVersion) -> dict[str, Any]:
    return {
        "hash": version.hash,
        "id": version.document.id,
        "version_label": version.document.version_label,
        "effective_from": version.effective_from,
        "stored_at": version.stored_at,
        "in_force": version is now,
    }
