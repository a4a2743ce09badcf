"""`/console/cases/{id}`: one case, with its receipt, evidence, history, emails, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.eligibility.domain.cases import Deed, Step
from services.eligibility.domain.decisions import AUTOMATIC, Decision
from services.eligibility.pages.console.cases import PATH, STATE_WORDS
from services.eligibility.pages.console.categories import labels_of
from services.eligibility.pages.console.frame import OperatorVisit, Visit
from services.eligibility.pages.receipts import sections_of
from services.eligibility.use_cases.case_files import Folder, ShowCases
from services.eligibility.use_cases.policies import Rules
from services.eligibility.use_cases.receipts import ShowReceipts
from shared.errors import Gone, Permanent
from shared.policy.base import text_in
from shared.policy.pack import PolicyDocument
from shared.policy.receipt import label_of, text_of
from shared.web.problem import not_found

DEED_WORDS: Final[Mapping[Deed, str]] = {
    "assigned": "gave it to",
    "reply_by_set": "set another day to reply by",
    "commented": "commented",
    "information_requested": "asked the applicant",
    "flagged": "raised the due-diligence flag",
    "cleared": "cleared the due-diligence flag",
    "found_eligible": "found it eligible",
    "admitted": "admitted the organisation",
    "declined": "declined the organisation",
    "appeal_accepted": "accepted the appeal",
    "appeal_rejected": "rejected the appeal",
    "amended": "sent another revision",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the case's history: a step, a decision of the policy, or an appeal."""

    at: datetime
    who: str
    what: str
    words: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where other services show more of an application, by its id: its emails, its documents."""

    emails: Callable[[str], str]
    documents: Callable[[str], str]


class CasePage:
    """Shows one case."""

    def __init__(self, show: ShowCases, receipts: ShowReceipts, rules: Rules, elsewhere: Elsewhere) -> None:
        self._show = show
        self._receipts = receipts
        self._rules = rules
        self._elsewhere = elsewhere

    async def __call__(self, visit: Visit, application_id: str, problems: Permanent | None = None) -> HTMLResponse:
        """The page. `problems`: why something was not done."""
        folder = await self._show(application_id)
        if folder is None:
            raise not_found("case")
        document = await self._document(folder.file.base.judgement.policy_hash)
        return visit.page(
            "console/case.html",
            problems=problems if problems is not None else (),
            folder=folder,
            case=folder.file.case,
            applicant=folder.file.base.applicant,
            sections=await self._sections(application_id),
            answers=answers_of(folder, document),
            questions=[(name, text_in(each.label, "en")) for name, each in document.questions.items()],
            category=labels_of(document)[folder.file.case.category],
            history=history_of(folder),
            states=STATE_WORDS,
            emails=self._elsewhere.emails(application_id),
            documents=self._elsewhere.documents(application_id),
            text_in=text_in,
        )

    async def _sections(self, application_id: str) -> Any:
        """The receipt of the newest decision, in the secretariat's language; nothing of one that was erased."""
        try:
            newest = (await self._receipts(application_id, "en")).newest
        except Gone:
            return []
        return sections_of(newest) if newest else []

    async def _document(self, policy_hash: str) -> PolicyDocument:
        policy = (await self._rules.current()).policy(policy_hash)
        if policy is None:
            raise not_found("policy version")
        return policy.document


def routes(page: CasePage) -> APIRouter:
    """The page."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PATH}/{{application_id}}")
    async def show_case(visit: OperatorVisit, application_id: str) -> HTMLResponse:
        return await page(visit, application_id)

    return router


def answers_of(folder: Folder, document: PolicyDocument) -> list[tuple[str, str]]:
    """Everything that was answered, in words and in the policy's order; what it no longer asks comes last."""
    given = dict(folder.file.base.applicant.answers or {})
    names = [*(name for name in document.questions if name in given), *sorted(given.keys() - document.questions.keys())]
    found = []
    for name in names:
        known = name in document.questions
        words = text_of(document, name, given[name], "en") if known else str(given[name])
        found.append((label_of(document, name, "en") if known else name, words or ""))
    return found


def history_of(folder: Folder) -> list[Happening]:
    """What happened, the newest first."""
    policy = [each for each in folder.file.decisions if each.stage == AUTOMATIC]
    appeals = [Happening(each.appealed_at, "applicant", "appealed", each.statement) for each in folder.file.appeals]
    found = [*(_decided(each) for each in policy), *(_done(each) for each in folder.file.steps), *appeals]
    return sorted(found, key=lambda each: each.at, reverse=True)


def _decided(decision: Decision) -> Happening:
    outcome = decision.judgement.outcome.replace("_", " ")
    passed = ", which counts for nothing" if decision.superseded else ""
    what = f"judged revision {decision.applicant.revision}: {outcome}{passed}"
    return Happening(decision.decided_at, decision.decided_by, what)


def _done(step: Step) -> Happening:
    what = DEED_WORDS[step.what]
    if step.what == "assigned":
        what = f"{what} {step.new}" if step.new else "gave it back"
        what = "took it" if step.new == step.by else what
    if step.action_id:
        what += f", with others at once, as {step.proposed_by} proposed"
    return Happening(step.at, step.by, what, step.text, _plain(step.old), _plain(step.new))


def _plain(value: str) -> str:
    return value.replace("_", " ")
