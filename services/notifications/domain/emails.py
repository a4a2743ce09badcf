"""The states of an email, and what a try to send it makes of them.

    pending → claimed → sending → sent | failed | unknown | superseded
       ▲          │         │                        │
       └──────────┴─────────┴── tried again ─────────┘

`sent`, `failed` and `superseded` are final. `unknown` means that the server may have it: its reply to the final dot was
lost. Such an email is sent again, byte for byte the same, so that a recipient may get a second copy but never a different
one, and never one that is not on record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

State = Literal["pending", "claimed", "sending", "sent", "failed", "unknown", "superseded"]
Kind = Literal["acknowledgement", "outcome", "admission", "notice", "nomination", "invitation"]
"""An admission is the one outcome that no amendment overtakes. A notice answers what an applicant did: asked for a link,
withdrew; or asks them for something. A nomination goes to whom the application names, an invitation to who asked to be told
when a pause is over."""

STATES: Final[tuple[State, ...]] = ("pending", "claimed", "sending", "sent", "failed", "unknown", "superseded")
FINAL: Final[frozenset[State]] = frozenset({"sent", "failed", "superseded"})
KINDS: Final[tuple[Kind, ...]] = ("acknowledgement", "outcome", "admission", "notice", "nomination", "invitation")
LANE_ORDER: Final = {"interactive": 0, "bulk": 1}
"""Lane → its place in the queue; lower goes first."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took it: 250 after the final dot."""

    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not taken now (4xx, or the connection was lost before the final dot): it surely has not been delivered."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused for good (5xx)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The whole email was sent and no reply came: it may or may not have been delivered."""

    reason: str


@dataclass(frozen=True, slots=True)
class Untried:
    """Nothing was said to the server about this email: it is as if it had not been claimed."""

    reason: str


Result = Accepted | Deferred | Rejected | Lost | Untried
"""What came of handing one email to the SMTP server."""


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How long to wait after a failed try (doubling from `first` up to `longest`), and how long to keep trying."""

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=1)
    give_up_after: timedelta = timedelta(days=3)

    def wait(self, attempt: int) -> timedelta:
        """The time to wait after the `attempt`-th failed try (1, 2, …)."""
        return min(self.longest, self.first * 2.0 ** min(attempt - 1, 30))


@dataclass(frozen=True, slots=True)
class Transition:
    """What becomes of an email. `wait`: from now until it is due again, None for a final state. `tries`: how many more
    tries it has behind it."""

    state: State
    detail: str
    wait: timedelta | None
    tries: int = 1


def settle(result: Result, attempts: int, age: timedelta, rules: RetryRules) -> Transition:
    """What a try makes of an email that had `attempts` tries before it and was written `age` ago."""
    attempt = attempts + 1
    match result:
        case Accepted(reply):
            return Transition("sent", reply, None)
        case Rejected(reason):
            return Transition("failed", reason, None)
        case Untried(reason):
            return Transition("pending", reason, timedelta(0), tries=0)
        case Deferred(reason) if age >= rules.give_up_after:
            return Transition("failed", f"given up after {attempt} tries: {reason}", None)
        case Lost(reason) if age >= rules.give_up_after:
            return Transition("failed", f"given up after {attempt} tries; it may have been delivered: {reason}", None)
        case Deferred(reason):
            return Transition("pending", reason, rules.wait(attempt))
        case Lost(reason):
            return Transition("unknown", reason, rules.wait(attempt))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an application stands: its newest revision known here, whether it was withdrawn, the newest pair (revision,
    decision number) for which there is an outcome email, whether the import that brought it was undone, whether it was
    erased, and when its applicant last left the list of those who are told (also that of an interest of the short form)."""

    revision: int = 0
    withdrawn: bool = False
    newest: tuple[int, int] = (0, 0)
    undone: bool = False
    erased: bool = False
    left_at: datetime | None = None


def superseded(
    kind: Kind, revision: int, number: int, standing: Standing, invited_at: datetime | None = None
) -> str | None:
    """Why an email must not go out any more, or None. An acknowledgement, a notice or an admission stays true, so it
    goes out; unless the application should never have been there. A nominee whom an amendment names still is to be asked,
    and who is invited to apply anew may have amended the old application. `invited_at`: of an invitation; who leaves the
    list after it and asks anew gets the next one."""
    if standing.erased:
        return "superseded: the application was erased"
    if standing.undone:
        return "superseded: the import that brought the application was undone"
    if standing.withdrawn and kind in ("outcome", "admission", "nomination", "invitation"):
        return "superseded: the application was withdrawn"
    if invited_at is not None and standing.left_at is not None and standing.left_at >= invited_at:
        return "superseded: they left the list"
    if kind != "outcome":
        return None
    if standing.revision > revision:
        return f"superseded: the application was amended (revision {standing.revision})"
    if standing.newest > (revision, number):
        return "superseded: there is a newer decision"
    return None
