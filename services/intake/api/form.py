"""`/v1/form`: what an application may say, for programs that build one: the categories and questions of the policy."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.intake.use_cases.policies import NoPolicyYet, Policies
from shared.policy.base import Localised, QuestionType
from shared.policy.pack import PolicyDocument
from shared.web.problem import unavailable


class CategoryAsked(BaseModel):
    """A kind of organisation that may apply; `id` is what a submission has as `category`."""

    id: str
    label: Localised
    hint: Localised


class ChoiceAsked(BaseModel):
    """A value that an answer may have."""

    value: str
    label: Localised


class QuestionAsked(BaseModel):
    """A question; `id` is its key in a submission's `answers`. `boolean` takes true or false, `choices` and `list` a list
    of texts, every other type a text."""

    id: str
    type: QuestionType
    label: Localised
    hint: Localised | None
    choices: list[ChoiceAsked]
    max_length: int = Field(description="Characters of each text.")
    multiline: bool
    asked_of: list[str] = Field(description="Ids of the categories it is for; empty is all.")


class Form(BaseModel):
    """What the policy in force asks. Texts by locale."""

    policy_hash: str
    categories: list[CategoryAsked]
    questions: list[QuestionAsked]


def form_routes(policies: Policies) -> APIRouter:
    """The form; needs no key, as the public page needs none."""
    router = APIRouter(prefix="/v1/form", tags=["applications"])

    @router.get("", summary="The categories and questions of the policy in force; needs no key")
    async def read_form() -> Form:
        try:
            policy = await policies.current()
        except NoPolicyYet:
            raise unavailable("No policy is in force here yet. Try again shortly.") from None
        return form_of(policy.hash, policy.document)

    return router


def form_of(policy_hash: str, document: PolicyDocument) -> Form:
    """What a policy asks."""
    categories = [
        CategoryAsked(id=name, label=each.label, hint=each.hint) for name, each in document.categories.items()
    ]
    questions = [
        QuestionAsked(
            id=name,
            type=each.type,
            label=each.label,
            hint=each.hint,
            choices=[ChoiceAsked(value=value, label=label) for value, label in each.choices.items()],
            max_length=each.max_length,
            multiline=each.multiline,
            asked_of=list(each.asked_of),
        )
        for name, each in document.questions.items()
    ]
    return Form(policy_hash=policy_hash, categories=categories, questions=questions)
