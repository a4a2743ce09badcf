"""The status of one application: a projection of its revisions, its decisions and its emails; and when the reconciler looks
at it. What happens to it is `status_changes`'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from services.intake.domain.history import (
    Happened,
)
from shared.events import (
    EntitlementNotice,
    Outcome,
    PauseNotice,
    ReceiptLine,
    TwinNotice,
)

State = Literal[
    "pending",
    "on_hold",
    "referred",
    "not_eligible",
    "incomplete",
    "eligible",
    "admitted",
    "declined",
    "withdrawn",
    "erased",
]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
ENDED: Final[tuple[State, ...]] = ("withdrawn", "erased")
"""States that nothing leads out of, but that what was withdrawn may be erased."""
SETTLED: Final[tuple[State, ...]] = ("admitted", *ENDED)
"""States of applications that are not amended any more. Who is admitted stays so until they withdraw."""
STATES: Final[tuple[State, ...]] = ("pending", *OUTCOMES, *ENDED)
SAID: Final[Mapping[State, int]] = {"withdrawn": 1, "erased": 3}
"""How often it is said again that an application ended, since no answer comes. An erasure finds what was being written
when it came first."""
LONGEST_DOUBLING: Final = 8
"""An unanswered application is emitted again after 1, 2, 4 … 256 times the setting."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The newest decision. `unmet` are the receipt's lines whose answer is not `met`; `met` counts the others. `twin` is for
    operators alone: the applicant is told that there is another application, and not which. `reason`: what a person who
    decided tells the applicant; `entitlements`: what an admission gives."""

    revision: int
    number: int
    stage: str
    outcome: Outcome
    decided_by: str
    decided_at: datetime
    policy_hash: str
    unmet: tuple[ReceiptLine, ...] = ()
    met: int = 0
    pause: PauseNotice | None = None
    twin: TwinNotice | None = None
    reason: str = ""
    entitlements: tuple[EntitlementNotice, ...] = ()

    @property
    def pair(self) -> tuple[int, int]:
        return self.revision, self.number


@dataclass(frozen=True, slots=True)
class Email:
    """What is known of an email: expected until notifications reports its fate. The acknowledgement has the pair (1, 0),
    an outcome's email that of its decision."""

    state: Literal["expected", "sent", "failed", "superseded"]
    revision: int = 1
    number: int = 0
    at: datetime | None = None
    reason: str | None = None

    @property
    def pair(self) -> tuple[int, int]:
        return self.revision, self.number


REPLIED: Final = Email("superseded", reason="the reply to the email that brought it says that it arrived")
"""The acknowledgement of an application that came by email: the reply to that email stands for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the secretariat asks the applicant for, in its words; `questions` are to be answered anew. `number` counts what
    was done about the application; of two requests the one with the greater is the later."""

    revision: int
    number: int
    text: str
    questions: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A service gave up an event of this application."""

    service: str
    event_type: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """One application as it stands. `due` is the real time at which the reconciler looks at it; None when nothing is
    awaited. `emitted` counts its tries, `version` the writes of this record. Links of a lower `link_generation` open
    nothing."""

    application_id: str
    channel: str
    client: str
    category: str
    organisation_name: str
    locale: str
    revision: int
    received_at: datetime
    first_received_at: datetime
    state: State = "pending"
    import_id: str | None = None
    row: int | None = None
    historical: bool = False
    decision: Decision | None = None
    withdrawn_at: datetime | None = None
    erased_at: datetime | None = None
    dead_letter: DeadLetter | None = None
    link_generation: int = 0
    acknowledgement: Email = Email("expected")
    outcome_email: Email | None = None
    asked: Asked | None = None
    history: tuple[Happened, ...] = ()
    due: datetime | None = None
    emitted: int = 0
    version: int = 1

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the newest revision, once it is decided and while it is not withdrawn or erased."""
        if self.decision is None or self.state in ENDED:
            return None
        current = self.decision.revision == self.revision or self.state == "admitted"
        return self.decision.outcome if current else None

    @property
    def asks(self) -> Asked | None:
        """What the applicant is asked for, until they amend the application or it is decided about."""
        asked, decision = self.asked, self.decision
        if asked is None or asked.revision < self.revision or self.state in SETTLED:
            return None
        decided = decision is not None and decision.revision == asked.revision and decision.decided_at > asked.at
        return None if decided else asked


Change = Callable[[Status], Status]
"""What happened, as a function from the status before to the status after; the same object when nothing changes."""


def is_open(status: Status) -> bool:
    """Whether something is still awaited: the decision of the newest revision, or an email's fate. Of an application that
    has ended nothing is; that it ended is said again, since no answer comes."""
    if status.state in ENDED:
        return status.emitted < SAID[status.state]
    if status.state == "pending" or status.acknowledgement.state == "expected":
        return True
    return status.outcome_email is not None and status.outcome_email.state == "expected"


def scheduled(before: Status | None, status: Status, real: datetime, after: timedelta) -> Status:
    """`status` with the time at which the reconciler looks at it. `real` is the real time, `after` the setting."""
    if not is_open(status):
        return status if status.due is None else replace(status, due=None)
    fresh = before is None or before.due is None or (status.emitted == 0 and before.emitted > 0)
    return replace(status, due=real + after) if fresh else status


def emitted_again(status: Status, real: datetime, after: timedelta) -> Status:
    """After the reconciler emitted it again: the next time is twice as far. One that waits for a person because a
    service gave it up is only emitted at the longest distance."""
    doublings = LONGEST_DOUBLING if status.dead_letter else min(status.emitted + 1, LONGEST_DOUBLING)
    emitted = replace(status, emitted=status.emitted + 1)
    return replace(emitted, due=real + after * 2**doublings) if is_open(emitted) else replace(emitted, due=None)
