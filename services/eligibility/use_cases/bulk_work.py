"""Carrying out what was confirmed for many cases, one by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.eligibility.domain.bulk import Action, Ending, Item, Result
from services.eligibility.domain.case_changes import Seen, Through
from services.eligibility.use_cases.bulk import NO_CASE, Actions, Cases, Work, sentence_of
from services.eligibility.use_cases.case_changes import NoSuchCase
from shared.clock import Clock
from shared.errors import Conflict, Refused

log = structlog.get_logger(__name__)


class CarryOut:
    """Does what was confirmed. Safe to kill anywhere, and to run in several replicas at once: each deed is a step of its
    case under a number that is taken once, and whoever finds it taken looks whether it was this one."""

    def __init__(self, actions: Actions, cases: Cases, work: Work, clock: Clock) -> None:
        self._actions = actions
        self._cases = cases
        self._work = work
        self._clock = clock

    async def unfinished(self) -> Sequence[str]:
        """The actions of which something is left. Raises Transient."""
        return await self._actions.unfinished()

    async def __call__(self, action_id: str, go_on: Callable[[], Awaitable[bool]]) -> None:
        """Do what is left of one, case by case, while `go_on` says so. Raises Transient."""
        found = await self._actions.find(action_id)
        if found is None or found.ending is None or found.ending.answer != "confirmed":
            return
        for item in found.left():
            if not await go_on():
                return
            why = await self._done(found.action, found.ending, item)
            reading = await self._clock.read()
            await self._actions.note(Result(action_id, item.application_id, reading.now, why))
        await self._actions.finish(action_id)
        log.info("bulk action done", action=action_id, kind=found.action.kind)

    async def _done(self, action: Action, ending: Ending, item: Item) -> str:
        """Do it about one case; why not, if it could not be done."""
        seen = Seen(item.revision, item.version)
        try:
            await self._do(action, ending.by.name, item.application_id, seen)
        except NoSuchCase:
            return NO_CASE
        except (Conflict, Refused) as refusal:
            done = await self._was_done(action, item)
            return "" if done else sentence_of(refusal)
        return ""

    async def _do(self, action: Action, by: str, name: str, seen: Seen) -> None:
        through = Through(action.action_id, action.by.name)
        match action.kind:
            case "assign":
                await self._work.assign(name, action.owner, by, seen, through)
            case "request_information":
                await self._work.request_information(name, action.text, action.questions, by, seen, through)
            case "decline":
                await self._work.decline(name, action.text, by, seen, through)
            case "admit":
                await self._work.admit(name, action.text, by, seen, through)

    async def _was_done(self, action: Action, item: Item) -> bool:
        """Whether the step after the one that was seen is this deed: whoever took it was killed before noting it."""
        file = (await self._cases([item.application_id])).get(item.application_id)
        steps = [] if file is None else file.steps
        return any((each.number, each.action_id) == (item.version + 1, action.action_id) for each in steps)
