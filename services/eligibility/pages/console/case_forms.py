"""What the forms of a case's page do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from services.eligibility.domain.case_changes import Seen, refused
from services.eligibility.pages.console.case_page import CasePage
from services.eligibility.pages.console.cases import PATH
from services.eligibility.pages.console.frame import DeciderVisit, OperatorVisit, Visit
from services.eligibility.use_cases.case_changes import NoSuchCase, WorkCases
from services.eligibility.use_cases.cases import CaseFile
from shared.errors import Conflict, Refused
from shared.web.problem import not_found

ONE: Final = f"{PATH}/{{application_id}}"
Do = Callable[[], Awaitable[CaseFile]]


class CaseForms:
    """Does what a form asks for, and shows the case again: with what was done, or with why it was not."""

    def __init__(self, page: CasePage) -> None:
        self._page = page

    async def __call__(self, visit: Visit, application_id: str, do: Do, said: str) -> Response:
        """See other, or the page with the problems."""
        try:
            await do()
        except NoSuchCase:
            raise not_found("case") from None
        except (Refused, Conflict) as error:
            return await self._page(visit, application_id, error)
        return visit.done(f"{PATH}/{application_id}", said)


def routes(work: WorkCases, page: CasePage) -> APIRouter:
    """The forms of everyone who works here, and those of deciders."""
    router = APIRouter(include_in_schema=False)
    forms = CaseForms(page)
    _add_work(router, work, forms)
    _add_decisions(router, work, forms)
    return router


def _add_work(router: APIRouter, work: WorkCases, forms: CaseForms) -> None:
    @router.post(f"{ONE}/assignment")
    async def assign(visit: OperatorVisit, application_id: str) -> Response:
        owner = visit.name if visit.text("do") == "take" else visit.text("owner")
        said = f"It is {owner}'s now." if owner else "It is nobody's now."
        return await forms(
            visit, application_id, lambda: work.assign(application_id, owner, visit.name, seen_in(visit)), said
        )

    @router.post(f"{ONE}/reply-by")
    async def reply_by(visit: OperatorVisit, application_id: str) -> Response:
        async def do() -> CaseFile:
            day, reason = day_in(visit), visit.text("why_another_day")
            return await work.set_reply_by(application_id, day, reason, visit.name, seen_in(visit))

        return await forms(visit, application_id, do, "The day is set.")

    @router.post(f"{ONE}/comments")
    async def comment(visit: OperatorVisit, application_id: str) -> Response:
        text = visit.text("text")
        return await forms(
            visit, application_id, lambda: work.comment(application_id, text, visit.name), "Your comment is on record."
        )

    @router.post(f"{ONE}/information-requests")
    async def ask(visit: OperatorVisit, application_id: str) -> Response:
        text, questions = visit.text("asked"), visit.texts("questions")
        return await forms(
            visit,
            application_id,
            lambda: work.request_information(application_id, text, questions, visit.name, seen_in(visit)),
            "The applicant is told by email, and on their page. The case waits for their answer.",
        )


def _add_decisions(router: APIRouter, work: WorkCases, forms: CaseForms) -> None:
    @router.post(f"{ONE}/flag")
    async def flag(visit: DeciderVisit, application_id: str) -> Response:
        up, reason = visit.text("do") == "flag", visit.text("reason")
        change = work.flag if up else work.clear
        said = "The flag is up: nobody is admitted while it is." if up else "The flag is cleared."
        return await forms(
            visit, application_id, lambda: change(application_id, reason, visit.name, seen_in(visit)), said
        )

    @router.post(f"{ONE}/decision")
    async def decide(visit: DeciderVisit, application_id: str) -> Response:
        ways = {"eligible": work.find_eligible, "admitted": work.admit, "declined": work.decline}
        chosen, reason = ways.get(visit.text("outcome")), visit.text("decision_reason")

        async def do() -> CaseFile:
            if chosen is None:
                raise refused("outcome", "is to be chosen")
            return await chosen(application_id, reason, visit.name, seen_in(visit))

        return await forms(visit, application_id, do, "It is decided. The applicant is told by email.")


def seen_in(visit: Visit) -> Seen:
    """The revision and the step that the page showed."""
    return Seen(_number(visit.text("revision")), _number(visit.text("version")))


def _number(text: str) -> int | None:
    """A number of a form of ours; nothing where somebody wrote something else there."""
    return int(text) if text.isdecimal() and len(text) < 10 else None


def day_in(visit: Visit) -> date:
    """The day that was typed. Raises Refused."""
    try:
        return date.fromisoformat(visit.text("reply_by"))
    except ValueError:
        raise refused("reply_by", "is not a day, such as 2022-02-01") from None
