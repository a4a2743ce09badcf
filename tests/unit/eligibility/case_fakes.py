"""The queue of cases and the steps taken, in memory; the storage tests run against these and the real ones alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.eligibility.domain.cases import Case, Step
from services.eligibility.domain.decisions import Decision
from services.eligibility.storage.cases import words_of
from services.eligibility.use_cases.cases import Filter, Page
from shared.application import Application


class FakeCases:
    """Cases by application."""

    def __init__(self) -> None:
        self.stored: dict[str, Case] = {}

    async def open(self, cases: Sequence[Case]) -> None:
        for each in cases:
            self.stored.setdefault(each.application_id, each)

    async def keep(self, cases: Sequence[Case]) -> None:
        for each in cases:
            known = self.stored.get(each.application_id)
            if known is None or (
                known.facts <= each.facts and known.state != "erased" and (each.withdrawn or not known.withdrawn)
            ):
                self.stored[each.application_id] = each

    async def close(self, application_ids: Collection[str]) -> None:
        for name in application_ids:
            if name in self.stored and self.stored[name].state != "erased":
                self.stored[name] = replace(self.stored[name], state="closed", withdrawn=True)

    async def among(self, application_ids: Collection[str]) -> set[str]:
        return self.stored.keys() & set(application_ids)

    async def ids(self, wanted: Filter, limit: int) -> Sequence[str]:
        return [each.application_id for each in self._found(wanted)][:limit]

    async def names(self, application_ids: Collection[str]) -> Mapping[str, str]:
        return {each: self.stored[each].organisation_name for each in application_ids if each in self.stored}

    def _found(self, wanted: Filter) -> list[Case]:
        fitting = (each for each in self.stored.values() if _fits(each, wanted))
        return sorted(fitting, key=lambda each: (each.reply_by, each.application_id))

    async def page(self, wanted: Filter, after: str | None, limit: int) -> Page:
        found = self._found(wanted)
        total = len(found)
        if after in self.stored:
            last = self.stored[after]
            found = [each for each in found if (each.reply_by, each.application_id) > (last.reply_by, after)]
        return Page(tuple(found[:limit]), total, found[limit - 1].application_id if len(found) > limit else None)

    async def counts(self) -> dict[str, int]:
        states = [each.state for each in self.stored.values()]
        return {state: states.count(state) for state in states}

    async def erase(self, application_ids: Collection[str]) -> None:
        for name in self.stored.keys() & set(application_ids):
            self.stored[name] = replace(self.stored[name], state="erased", organisation_name="", country="", asked="")


class FakeCaseKeeper:
    """What a decision tells of cases; `admitted` are those whose later revisions are judged no more."""

    def __init__(self) -> None:
        self.admitted: set[str] = set()
        self.decisions: list[Decision] = []
        self.told: list[str] = []

    async def amended(self, revisions: Sequence[Application]) -> Collection[str]:
        return self.admitted & {each.application_id for each in revisions}

    async def decided(self, decisions: Sequence[Decision]) -> None:
        self.decisions += decisions

    async def tell_again(self, application_ids: Collection[str]) -> None:
        self.told += application_ids


class FakeSteps:
    """Steps by application; `decisions` has what deciding ones decided, `told` what applicants were told."""

    def __init__(self) -> None:
        self.stored: dict[str, list[Step]] = {}
        self.decisions: list[Decision] = []
        self.told: list[Step] = []

    async def append(self, step: Step, about: Decision, decision: Decision | None, real: datetime) -> bool:
        mine = self.stored.setdefault(step.application_id, [])
        if step.number <= len(mine):
            return mine[step.number - 1] == step
        mine.append(step)
        if decision is not None:
            self.decisions.append(decision)
        if decision is not None or step.what == "information_requested":
            self.told.append(step)
        return True

    async def of(self, application_ids: Collection[str]) -> Mapping[str, Sequence[Step]]:
        return {name: list(self.stored[name]) for name in application_ids if name in self.stored}

    async def since(self, at: datetime) -> set[str]:
        return {name for name, steps in self.stored.items() if any(each.at >= at for each in steps)}

    async def tell_again(self, application_ids: Collection[str]) -> None:
        self.told += [each for each in self.told if each.application_id in application_ids]

    async def remind(self, limit: int) -> int:
        return 0

    async def erase(self, application_ids: Collection[str]) -> None:
        for name in self.stored.keys() & set(application_ids):
            self.stored[name] = [replace(each, text="", questions=()) for each in self.stored[name]]


def _fits(case: Case, wanted: Filter) -> bool:
    same = all(
        getattr(wanted, name) in (None, getattr(case, name)) for name in ("outcome", "category", "owner", "flagged")
    )
    return (
        same
        and (not wanted.states or case.state in wanted.states)
        and wanted.appealed in (None, bool(case.appeal_id))
        and (wanted.due_before is None or case.reply_by < wanted.due_before)
        and (not wanted.text or _found(case, wanted.text))
    )


def _found(case: Case, text: str) -> bool:
    words = words_of(case.organisation_name)
    named = all(any(word.startswith(each) for word in words) for each in words_of(text)) and bool(words_of(text))
    return named or (len(text) >= 4 and case.application_id.startswith(text.casefold()))
