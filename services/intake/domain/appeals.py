"""Appeals: which decisions may be appealed against, what an appeal says, and when it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from services.intake.domain.history import Happened, with_appeals_closed, with_entry
from services.intake.domain.status import ENDED, Decision, Status
from shared.application import Application, id_of
from shared.errors import Conflict
from shared.events import ApplicationSummary, Outcome, is_hearing
from shared.events.decisions import HEARING
from shared.policy.answers import is_blank, text_problems

APPEALED: Final[tuple[Outcome, ...]] = ("not_eligible", "declined")
"""The outcomes that may be appealed against: the others are no refusal."""
MOST: Final = 4000
"""Characters of a statement."""

State = Literal["received", "heard", "closed"]


@dataclass(frozen=True, slots=True)
class Appeal:
    """The applicant appeals against one decision, in the words of `statement`. `stage` is that of the decision to come;
    `application` is the revision that was decided. `client` is who sent it."""

    application: ApplicationSummary
    number: int
    stage: str
    statement: str
    appealed_at: datetime
    client: str
    idempotency_key: str | None = None
    trace: str | None = None

    @property
    def revision(self) -> int:
        """The revision that was decided."""
        return self.application.revision

    @property
    def id(self) -> str:
        """The key under which it is stored: one for each decision."""
        return f"{self.application.application_id}:{self.revision}:{self.number}"

    @property
    def appeal_id(self) -> str:
        """Its id for others."""
        return id_of("appeal", self.id)


def appeal_against(
    decision: Decision,
    application: Application,
    statement: str,
    now: datetime,
    client: str,
    idempotency_key: str | None,
    trace: str | None,
) -> Appeal:
    """The appeal against a decision about this revision."""
    return Appeal(
        application=ApplicationSummary.of(application),
        number=decision.number,
        stage=f"{HEARING}{decision.number}",
        statement=statement,
        appealed_at=now,
        client=client,
        idempotency_key=idempotency_key,
        trace=trace,
    )


def appealable(status: Status) -> Decision | None:
    """The decision that may be appealed against now: the newest, if it refuses the organisation and is not on an appeal
    itself."""
    decision = status.decision if status.outcome in APPEALED else None
    return None if decision is None or is_hearing(decision.stage) else decision


def is_final(status: Status) -> bool:
    """Whether an appeal was rejected: the decision stands."""
    decision = status.decision
    return decision is not None and is_hearing(decision.stage) and decision.outcome in APPEALED


def require_appealable(status: Status) -> Decision:
    """The decision that may be appealed against. Raises Conflict when there is none."""
    if (decision := appealable(status)) is not None:
        return decision
    if status.state == "withdrawn":
        raise Conflict("This application was withdrawn: there is no decision to appeal against.")
    if status.state == "pending":
        raise Conflict("This application is not decided yet: there is no decision to appeal against.")
    if status.outcome in APPEALED:
        raise Conflict("An appeal about this application was heard, and the decision stands. That is final.")
    raise Conflict(
        f"Only the outcomes {' and '.join(APPEALED)} can be appealed against; this application's is {status.state}."
    )


def require_same(stored: Appeal, statement: str) -> None:
    """Raises Conflict when a decision was appealed against before, in other words."""
    if stored.statement != statement:
        raise Conflict(
            "This decision was appealed against before, and that appeal was received: it cannot be sent twice. To add to "
            "it, write to us and quote the reference."
        )


def require_same_key(stored: Appeal, statement: str) -> None:
    """Raises Conflict when an idempotency key comes again with other words."""
    if stored.statement != statement:
        raise Conflict("This Idempotency-Key was used for another appeal before. Send a new key with a new appeal.")


def faults_of(statement: str) -> Iterator[str]:
    """What is wrong with a statement."""
    if is_blank(statement):
        yield "is empty: say which criterion you think was judged wrongly, and why"
    else:
        yield from text_problems("text", statement, max_length=MOST, multiline=True)


def in_lines(statement: str) -> str:
    """A statement as it is kept: without white space around it, lines ended by a line feed, as no browser sends them."""
    return "\n".join(statement.strip().splitlines()) if "\r" in statement else statement.strip()


def state_of(appeal: Appeal, status: Status) -> State:
    """Where an appeal stands. It is heard once there is a later decision about its revision; one whose application was
    amended or withdrawn before has no decision any more to be about."""
    decision = status.decision
    if decision is not None and decision.revision == appeal.revision and decision.number > appeal.number:
        return "heard"
    return "closed" if status.revision > appeal.revision or status.state in ENDED else "received"


def with_appeal(status: Status, appeal: Appeal) -> Status:
    """An appeal was received; it may be told after what closed it."""
    if status.state == "erased":
        return status
    history = with_entry(status.history, Happened.appealed(appeal.revision, appeal.number, appeal.appealed_at))
    if status.revision > appeal.revision:
        history = with_appeals_closed(history, status.revision, status.received_at, "amended")
    elif status.withdrawn_at is not None:
        history = with_appeals_closed(history, status.revision + 1, status.withdrawn_at, "withdrawn")
    return status if history is status.history else replace(status, history=history)
