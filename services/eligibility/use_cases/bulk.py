"""One deed for many cases: proposed with a preview, confirmed, and then done one by one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol
from uuid import uuid4

import structlog

from services.eligibility.domain import bulk as rules
from services.eligibility.domain import case_changes
from services.eligibility.domain.bulk import Action, Answer, Ending, Item, Kind, Person, Progress, Result
from services.eligibility.domain.case_changes import By, Seen, Through
from services.eligibility.domain.nominations import Nomination
from services.eligibility.use_cases.cases import CaseFile, Filter
from shared.clock import Clock
from shared.errors import Conflict, Refused

log = structlog.get_logger(__name__)

CHUNK: Final = 100
"""Cases that are read at once."""
NO_CASE: Final = "There is no case of that application."


class NoSuchAction(Exception):
    """There is no bulk action of that id."""


class NotAllowed(Exception):
    """Somebody of this role may not confirm it; the message is a sentence."""


class Actions(Protocol):
    """Stored actions; everything is inserted once. Everything raises Transient."""

    async def propose(self, action: Action) -> None: ...
    async def end(self, ending: Ending) -> Ending:
        """The ending that is stored now."""

    async def note(self, result: Result) -> None: ...
    async def finish(self, action_id: str) -> None: ...
    async def unfinished(self) -> Sequence[str]: ...
    async def find(self, action_id: str) -> Progress | None: ...
    async def newest(self, limit: int) -> Sequence[Progress]: ...


class Cases(Protocol):
    """The cases of applications, by id; those that have one."""

    async def __call__(self, application_ids: Collection[str]) -> Mapping[str, CaseFile]: ...


class Work(Protocol):
    """What is done about one case."""

    async def assign(self, application_id: str, owner: str, by: str, seen: Seen, through: Through) -> CaseFile: ...
    async def request_information(
        self, application_id: str, text: str, questions: Sequence[str], by: str, seen: Seen, through: Through
    ) -> CaseFile: ...
    async def decline(self, application_id: str, reason: str, by: str, seen: Seen, through: Through) -> CaseFile: ...
    async def admit(self, application_id: str, reason: str, by: str, seen: Seen, through: Through) -> CaseFile: ...
    async def nominations(self, file: CaseFile) -> tuple[list[Nomination], list[str]]: ...
    async def questions(self, file: CaseFile) -> Collection[str]:
        """The ids of the questions that this application answers."""


class Queue(Protocol):
    """The queue of cases."""

    async def ids(self, wanted: Filter, limit: int) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be done: `owner`, `text` and `questions` as an action has them."""

    kind: Kind
    owner: str = ""
    text: str = ""
    questions: Sequence[str] = ()


class BulkActions:
    """Proposes, confirms and drops. Everything raises Transient."""

    def __init__(self, actions: Actions, cases: Cases, queue: Queue, work: Work, clock: Clock) -> None:
        self._actions = actions
        self._cases = cases
        self._queue = queue
        self._work = work
        self._clock = clock

    async def propose(self, deed: Proposal, application_ids: Sequence[str], by: Person) -> Progress:
        """Propose a deed for chosen cases; what it would do about each. Nothing is done about any.

        Raises:
            Refused: no case is named, or too many; or what it needs is not said.
            Conflict: it can be done about none of them.
        """
        ids = list(dict.fromkeys(application_ids))
        rules.require_cases(ids)
        return await self._propose(deed, ids, by, {})

    async def propose_matching(self, deed: Proposal, wanted: Filter, overdue: bool, by: Person) -> Progress:
        """Propose a deed for all cases that the queue shows for `wanted`, the overdue ones alone if that is asked. It is
        about these from then on, whatever matches later. Raises as `propose` does."""
        asked = described(wanted, overdue)
        if overdue:
            wanted = wanted.overdue((await self._clock.read()).now.date())
        ids = await self._queue.ids(wanted, rules.MOST_MATCHING + 1)
        rules.require_matching(ids)
        return await self._propose(deed, ids, by, asked)

    async def _propose(self, deed: Proposal, ids: Sequence[str], by: Person, matching: Mapping[str, str]) -> Progress:
        rules.require_wording(deed.kind, deed.owner, deed.text)
        now = (await self._clock.read()).now
        owner, text, questions = deed.owner.strip(), deed.text.strip(), tuple(deed.questions)
        action = Action(str(uuid4()), deed.kind, by, now, (), owner, text, questions, matching)
        items: list[Item] = []
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            files = await self._cases(chunk)
            items += [await self._item(each, files.get(each), action) for each in chunk]
        rules.require_doable(items)
        action = replace(action, items=tuple(items))
        await self._actions.propose(action)
        log.info("bulk action proposed", action=action.action_id, kind=deed.kind, cases=len(items), by=by.name)
        return Progress(action)

    async def answer(self, action_id: str, answer: Answer, by: Person) -> Progress:
        """Confirm or drop an action. Raises NoSuchAction, NotAllowed, Conflict."""
        found = await self.find(action_id)
        if answer == "confirmed" and not rules.may_confirm(found.action, by):
            raise NotAllowed("Only a decider confirms this: it decides about applications.")
        ending = rules.answered(found, answer, by, (await self._clock.read()).now)
        stored = await self._actions.end(ending)
        if (stored.answer, stored.by) != (answer, by):
            raise Conflict(f"{stored.by.name} {stored.answer} this action already.")
        log.info("bulk action", action=action_id, answer=answer, by=by.name)
        return await self.find(action_id)

    async def find(self, action_id: str) -> Progress:
        """An action with what became of it. Raises NoSuchAction."""
        found = await self._actions.find(action_id)
        if found is None:
            raise NoSuchAction(action_id)
        return found

    async def newest(self, limit: int) -> Sequence[Progress]:
        """The newest actions."""
        return await self._actions.newest(limit)

    async def _item(self, application_id: str, file: CaseFile | None, action: Action) -> Item:
        if file is None:
            return Item(application_id, 0, 0, NO_CASE)
        why = await self._hindrance(file, action)
        return Item(application_id, file.case.revision, file.case.version, why)

    async def _hindrance(self, file: CaseFile, action: Action) -> str:
        """Why it cannot be done about this case: the rule for one case says it."""
        case, by = file.case, By(action.by.name, action.at)
        try:
            match action.kind:
                case "assign":
                    done = case_changes.assigned(case, action.owner, by)
                    return "" if done else "It is theirs already."
                case "request_information":
                    known = await self._work.questions(file)
                    case_changes.information_requested(case, action.text, action.questions, known, by)
                case "decline":
                    case_changes.declined(case, action.text, by)
                case "admit":
                    people, unnamed = await self._work.nominations(file)
                    case_changes.admitted(case, people, unnamed, action.text, by)
        except (Conflict, Refused) as refusal:
            return sentence_of(refusal)
        return ""


def described(wanted: Filter, overdue: bool) -> dict[str, str]:
    """What is asked of the queue, by the names that its API has for it."""
    pairs = {
        "state": "open" if overdue else ", ".join(wanted.states) or "any",
        "outcome": wanted.outcome,
        "category": wanted.category,
        "owner": wanted.owner,
        "flagged": _said(wanted.flagged),
        "appealed": _said(wanted.appealed),
        "overdue": "yes" if overdue else None,
        "q": wanted.text or None,
    }
    return {name: value for name, value in pairs.items() if value is not None}


def _said(asked: bool | None) -> str | None:
    return None if asked is None else "yes" if asked else "no"


def sentence_of(refusal: Conflict | Refused) -> str:
    """Why something is not done, as it is said of one case."""
    errors = refusal.errors if isinstance(refusal, Refused) else ()
    return " ".join(each.message for each in errors) or str(refusal)
