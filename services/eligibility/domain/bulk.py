"""Bulk actions: one deed for many cases. Somebody proposes it and sees for each case whether it can be done; nothing happens
until it is confirmed, and to each case only what was shown of it.

    proposed → running → done
        └→ dropped

Nobody admits many organisations alone: what one proposes, somebody else of another role confirms.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

from shared.errors import Conflict, FieldError, Refused

Kind = Literal["assign", "request_information", "decline", "admit"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
DECISIONS: Final[tuple[Kind, ...]] = ("decline", "admit")
"""What only a decider confirms."""
DECIDERS: Final = ("decider", "admin")
"""The roles that decide about applications."""
State = Literal["proposed", "running", "done", "dropped"]
STATES: Final[tuple[State, ...]] = get_args(State)
Answer = Literal["confirmed", "dropped"]
MOST: Final = 500
"""Cases that one action names."""
MOST_MATCHING: Final = 2000
"""Cases of one action that takes all that match."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who does something: the name of an account or API key, and its role."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Item:
    """One case as it was shown: its revision and the number of its last step. `why`: why the deed cannot be done about it;
    empty when it can be."""

    application_id: str
    revision: int
    version: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What is proposed. `owner` is whom cases are assigned to, `text` the reason or what is asked for, `questions` what is
    to be answered anew. `matching`: what was asked of the queue for all that match, by name; empty where cases were chosen.
    The cases are those of then, whatever matches later."""

    action_id: str
    kind: Kind
    by: Person
    at: datetime
    items: tuple[Item, ...]
    owner: str = ""
    text: str = ""
    questions: tuple[str, ...] = ()
    matching: Mapping[str, str] = field(default_factory=dict)

    @property
    def doable(self) -> list[Item]:
        """The cases about which it is done."""
        return [each for each in self.items if not each.why]


@dataclass(frozen=True, slots=True)
class Ending:
    """Somebody confirmed the action, or dropped it."""

    action_id: str
    answer: Answer
    by: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it for one case. `why`: why it was not done; empty when it was."""

    action_id: str
    application_id: str
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """An action with what became of it so far."""

    action: Action
    ending: Ending | None = None
    results: tuple[Result, ...] = ()

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.ending is None:
            return "proposed"
        if self.ending.answer == "dropped":
            return "dropped"
        return "done" if not self.left() else "running"

    def left(self) -> list[Item]:
        """The cases that are still to be done."""
        done = {each.application_id for each in self.results}
        return [each for each in self.action.doable if each.application_id not in done]


def may_confirm(action: Action, by: Person) -> bool:
    """Whether somebody of that role may ever confirm it: what decides about applications, deciders do."""
    return action.kind not in DECISIONS or by.role in DECIDERS


def require_cases(application_ids: Collection[str]) -> None:
    """Raises Refused when there are none, or too many."""
    if not application_ids:
        raise _refused("cases", "names no case")
    if len(application_ids) > MOST:
        raise _refused("cases", f"names more than {MOST:,} cases: do it in several actions")


def require_matching(application_ids: Collection[str]) -> None:
    """Raises Refused when no case matches, or too many do."""
    if not application_ids:
        raise _refused("matching", "matches no case")
    if len(application_ids) > MOST_MATCHING:
        raise _refused("matching", f"matches more than {MOST_MATCHING:,} cases: ask for less, in several actions")


def require_wording(kind: Kind, owner: str, text: str) -> None:
    """Raises Refused when what the deed needs is not said."""
    if kind == "assign" and len(owner) > 64:
        raise _refused("owner", "is longer than 64 characters")
    if kind in ("request_information", "decline") and not text.strip():
        raise _refused("text", "is needed: every applicant reads it")


def require_doable(items: Sequence[Item]) -> None:
    """Raises Conflict when it cannot be done about any of the cases; the first reason is told."""
    if all(each.why for each in items):
        raise Conflict(f"This can be done about none of these cases. {items[0].why}")


def answered(progress: Progress, answer: Answer, by: Person, at: datetime) -> Ending:
    """Confirm an action, or drop it. Raises Conflict when it was answered otherwise, or this person may not."""
    action, ending = progress.action, progress.ending
    if ending is not None:
        if (ending.answer, ending.by) == (answer, by):
            return ending
        raise Conflict(f"{ending.by.name} {ending.answer} this action already.")
    if answer == "confirmed" and action.kind == "admit":
        if by.name == action.by.name:
            raise Conflict("You proposed to admit these organisations: somebody else has to confirm it.")
        if by.role == action.by.role:
            raise Conflict(
                f"{action.by.name}, who proposed this, is {action.by.role} as you are: somebody of another role has to "
                "confirm that many organisations are admitted."
            )
    return Ending(action.action_id, answer, by, at)


def _refused(name: str, sentence: str) -> Refused:
    return Refused("Nothing was proposed.", [FieldError(f"/{name}", sentence)])
