"""`/v1/policies`: the policy versions there are, what each of them says, and when each came into force; putting one in
force, and rolling that back (admins)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.eligibility.domain.activations import State, What, instant_in
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.policies import Activation, PolicyVersion
from services.eligibility.use_cases.drafts import ChangePolicy, NoSuchPolicy
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock
from shared.web.auth import AdminCaller, require
from shared.web.limits import read_model
from shared.web.openapi import json_body
from shared.web.problem import not_found

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PolicyHash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the policy, 64 hex digits.")]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
WHY = Field(description="Why this is done, for the record. It is not shown to the public.")
NUMBER = Field(
    default=None, ge=0, description="The newest activation you have seen; refused with 409 if there is a newer."
)


class PolicyView(BaseModel):
    """A policy version without its text. `effective_from`: since when it was first in force; `in_force`: new applications
    are judged by it now."""

    hash: str
    id: str
    version_label: str
    effective_from: AwareDatetime
    stored_at: AwareDatetime
    in_force: bool


class PolicyList(BaseModel):
    """All versions that were ever activated, in the order in which they first came into force."""

    policies: list[PolicyView]


class PolicyWhole(PolicyView):
    """A policy version with everything it says."""

    document: dict[str, Any]


class ActivationView(BaseModel):
    """That a version comes into force, by whom and why. `number` counts them all; 0 are those of before they were."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    policy_hash: str
    version_label: str
    effective_from: AwareDatetime
    stored_at: AwareDatetime
    what: What
    by: str
    why: str
    state: State


class ActivationList(BaseModel):
    """All activations, in the order in which they were made."""

    activations: list[ActivationView]


class ActivationForm(BaseModel):
    """A version to put in force: a draft by its id, or a draft or version by its hash. Without `effective_from` it is at the
    date that the pack names, or as soon as can be."""

    model_config = ConfigDict(extra="forbid")

    policy: Hash
    effective_from: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] | None = Field(
        default=None, description="A wall-clock time of `timezone`, or an instant with an offset."
    )
    timezone: str = Field(default="UTC", examples=["Europe/London"], max_length=64)
    why: Why = WHY
    number: int | None = NUMBER

    def instant(self) -> datetime | None:
        """`effective_from` by the clocks of `timezone`. Raises Refused."""
        return instant_in("effective_from", self.effective_from, self.timezone)


class RollbackForm(BaseModel):
    """Why the newest activation is undone."""

    model_config = ConfigDict(extra="forbid")

    why: Why = WHY
    number: int | None = NUMBER


def routes(rules: Rules, clock: Clock, changing: ChangePolicy) -> APIRouter:
    """The routes: reading for operators, changing for admins."""
    router = APIRouter(prefix="/v1/policies", tags=["policies"])
    operators = [Depends(require("operator"))]

    @router.get("", summary="The policy versions there are", dependencies=operators)
    async def list_policies() -> PolicyList:
        rulebook, reading = await rules.current(), await clock.read()
        now = rulebook.policy_at(reading.now)
        return PolicyList(policies=[PolicyView(**_fields(version, now)) for version in rulebook.policies])

    _add_activations(router, changing)

    @router.get("/{policy_hash}", summary="One policy version, whole", dependencies=operators)
    async def get_policy(policy_hash: PolicyHash) -> PolicyWhole:
        rulebook, reading = await rules.current(), await clock.read()
        version = rulebook.policy(policy_hash)
        if version is None:
            raise not_found("policy")
        document = version.document.model_dump(mode="json")
        return PolicyWhole(**_fields(version, rulebook.policy_at(reading.now)), document=document)

    return router


def _add_activations(router: APIRouter, changing: ChangePolicy) -> None:
    async def views() -> list[ActivationView]:
        return [ActivationView.model_validate(each) for each in await changing.told()]

    @router.get(
        "/activations", summary="When which version comes into force", dependencies=[Depends(require("operator"))]
    )
    async def list_activations() -> ActivationList:
        return ActivationList(activations=await views())

    async def made(activation: Activation) -> ActivationView:
        return next(view for view in await views() if view.number == activation.number)

    @router.post(
        "/activations",
        status_code=201,
        summary="Put a version in force, at a date",
        openapi_extra=json_body(ActivationForm, "Which version, from when, and why."),
    )
    async def activate(request: Request, caller: AdminCaller) -> ActivationView:
        form = await read_model(request, ActivationForm)
        author = Author(caller.name, form.why)
        try:
            return await made(await changing.activate(form.policy, form.instant(), author, form.number))
        except NoSuchPolicy:
            raise not_found("policy") from None

    @router.post(
        "/rollback",
        status_code=201,
        summary="Undo the newest activation",
        openapi_extra=json_body(RollbackForm, "Why."),
    )
    async def roll_back(request: Request, caller: AdminCaller) -> ActivationView:
        form = await read_model(request, RollbackForm)
        return await made(await changing.roll_back(Author(caller.name, form.why), form.number))


def _fields(version: PolicyVersion, now: PolicyVersion) -> dict[str, Any]:
    return {
        "hash": version.hash,
        "id": version.document.id,
        "version_label": version.document.version_label,
        "effective_from": version.effective_from,
        "stored_at": version.stored_at,
        "in_force": version is now,
    }
