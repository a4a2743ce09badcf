"""Bulk actions in memory, and a desk that does the deeds; the storage tests run against these and the real ones alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from services.eligibility.domain import case_changes as changes
from services.eligibility.domain.bulk import Action, Ending, Progress, Result
from services.eligibility.domain.case_changes import By, Seen, Through
from services.eligibility.domain.cases import Step, case_of
from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.nominations import Nomination
from services.eligibility.use_cases.case_changes import NoSuchCase
from services.eligibility.use_cases.cases import CaseFile
from shared.errors import Transient
from tests.unit.eligibility.fakes import NOW


class FakeBulk:
    """Actions by id."""

    def __init__(self) -> None:
        self.actions: dict[str, Action] = {}
        self.endings: dict[str, Ending] = {}
        self.results: dict[tuple[str, str], Result] = {}
        self.open: set[str] = set()

    async def propose(self, action: Action) -> None:
        self.actions.setdefault(action.action_id, action)

    async def end(self, ending: Ending) -> Ending:
        if ending.action_id not in self.endings and ending.answer == "confirmed":
            self.open.add(ending.action_id)
        return self.endings.setdefault(ending.action_id, ending)

    async def note(self, result: Result) -> None:
        self.results.setdefault((result.action_id, result.application_id), result)

    async def finish(self, action_id: str) -> None:
        self.open.discard(action_id)

    async def unfinished(self) -> Sequence[str]:
        return sorted(self.open, key=lambda each: self.endings[each].at)

    async def find(self, action_id: str) -> Progress | None:
        if action_id not in self.actions:
            return None
        mine = [each for each in self.results.values() if each.action_id == action_id]
        return Progress(self.actions[action_id], self.endings.get(action_id), tuple(mine))

    async def newest(self, limit: int) -> Sequence[Progress]:
        ordered = sorted(self.actions.values(), key=lambda each: (each.at, each.action_id), reverse=True)
        return [found for each in ordered[:limit] if (found := await self.find(each.action_id))]

    async def erase(self, application_ids: Collection[str]) -> None:
        for name, action in self.actions.items():
            items = [
                replace(each, why="it was erased") if each.why and each.application_id in application_ids else each
                for each in action.items
            ]
            named = {each.application_id for each in items}
            text = "" if named <= set(application_ids) else action.text
            matching = dict(action.matching)
            if "q" in matching and named & set(application_ids):
                matching["q"] = ""
            self.actions[name] = replace(action, items=tuple(items), text=text, matching=matching)
        for key, result in self.results.items():
            if result.why and result.application_id in application_ids:
                self.results[key] = replace(result, why="it was erased")


class FakeDesk:
    """Cases of these decisions, and what is done about them. `fails_after`: so many deeds later the database goes away, just
    after a step was stored."""

    def __init__(self, *decisions: Decision, waits_for_nominees: Collection[str] = ()) -> None:
        self.decisions = {each.applicant.application_id: each for each in decisions}
        self.steps: dict[str, list[Step]] = {}
        self.waits = set(waits_for_nominees)
        self.fails_after: int | None = None

    async def __call__(self, application_ids: Collection[str]) -> Mapping[str, CaseFile]:
        return {each: self.file(each) for each in application_ids if each in self.decisions}

    def file(self, name: str) -> CaseFile:
        steps = self.steps.get(name, [])
        case = case_of([self.decisions[name]], steps, (), None, 10)
        assert case is not None
        return CaseFile(case, (self.decisions[name],), tuple(steps), ())

    async def nominations(self, file: CaseFile) -> tuple[list[Nomination], list[str]]:
        return [], self._unnamed(file.case.application_id)

    async def questions(self, file: CaseFile) -> Collection[str]:
        return ("registration.number",)

    async def assign(self, application_id: str, owner: str, by: str, seen: Seen, through: Through) -> CaseFile:
        who = By(by, NOW, through)
        return self._take(application_id, seen, lambda file, who: changes.assigned(file.case, owner, who), who)

    async def request_information(
        self, application_id: str, text: str, questions: Sequence[str], by: str, seen: Seen, through: Through
    ) -> CaseFile:
        known = ("registration.number",)
        return self._take(
            application_id,
            seen,
            lambda file, who: changes.information_requested(file.case, text, questions, known, who),
            By(by, NOW, through),
        )

    async def decline(self, application_id: str, reason: str, by: str, seen: Seen, through: Through) -> CaseFile:
        who = By(by, NOW, through)
        return self._take(application_id, seen, lambda file, who: changes.declined(file.case, reason, who), who)

    async def admit(self, application_id: str, reason: str, by: str, seen: Seen, through: Through) -> CaseFile:
        unnamed = self._unnamed(application_id)
        who = By(by, NOW, through)
        return self._take(
            application_id, seen, lambda file, who: changes.admitted(file.case, [], unnamed, reason, who), who
        )

    def _unnamed(self, name: str) -> list[str]:
        return ["a nominee"] if name in self.waits else []

    def _take(self, name: str, seen: Seen, deed, who: By) -> CaseFile:  # type: ignore[no-untyped-def]
        if name not in self.decisions:
            raise NoSuchCase(name)
        file = self.file(name)
        changes.require_seen(file.case, seen)
        if (step := deed(file, who)) is not None:
            self.steps.setdefault(name, []).append(step)
        if self.fails_after is not None:
            self.fails_after -= 1
            if self.fails_after == 0:
                self.fails_after = None
                raise Transient("the database is away")
        return self.file(name)
