"""How the mailbox misbehaves, so that anyone can see what a sender does about it.

By recipient's domain, always on:

    bounce.example   550, final
    defer.example    451 the first time an address is tried, accepted afterwards
    lost.example     the message is kept, but the connection is dropped instead of the reply; a message of the same
                     Message-ID that comes again is answered
    slow.example     the reply after the final dot comes late

By a switch (PUT /api/behaviour): refuse everything, lose every reply, answer everything late.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

BOUNCE, DEFER, LOST, SLOW = "bounce.example", "defer.example", "lost.example", "slow.example"


class Switches(BaseModel):
    """What holds for every message, whoever it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    refuse_all: bool = Field(default=False, description="Refuse every recipient with `refuse_code`.")
    refuse_code: Literal[451, 550] = Field(default=451, description="451: later; 550: never.")
    lose_replies: bool = Field(default=False, description="Keep messages, drop the connection instead of the reply.")
    delay_ms: int = Field(default=0, ge=0, le=600_000, description="Milliseconds before each reply to a message.")
    slow_ms: int = Field(default=3_000, ge=0, le=600_000, description=f"The same for recipients at {SLOW}.")


@dataclass(frozen=True, slots=True)
class Reply:
    """What happens after the final dot: wait, then either answer 250 or drop the connection."""

    delay_ms: int = 0
    lost: bool = False


class Behaviour:
    """The rules above, and counts of what they did."""

    def __init__(self) -> None:
        self.switches = Switches()
        self.counts: Counter[str] = Counter()
        self._deferred: set[str] = set()
        self._lost: set[str] = set()

    def refusal(self, recipient: str) -> str | None:
        """The reply to RCPT that refuses this recipient; None to take it."""
        switches = self.switches
        domain = _domain(recipient)
        if switches.refuse_all:
            self.counts["refused"] += 1
            return _REFUSALS[switches.refuse_code]
        if domain == BOUNCE:
            self.counts["bounced"] += 1
            return "550 5.1.1 No such mailbox here"
        if domain == DEFER and recipient.casefold() not in self._deferred:
            self._deferred.add(recipient.casefold())
            self.counts["deferred"] += 1
            return "451 4.7.1 Not now, try again later"
        return None

    def after_the_dot(self, recipients: Iterable[str], message_id: str) -> Reply:
        """What to do once a message is kept."""
        switches = self.switches
        domains = {_domain(recipient) for recipient in recipients}
        lost = switches.lose_replies or (LOST in domains and message_id not in self._lost)
        if lost:
            self._lost.add(message_id)
            self.counts["lost"] += 1
        if SLOW in domains:
            self.counts["slow"] += 1
        return Reply(max(switches.delay_ms, switches.slow_ms if SLOW in domains else 0), lost)

    def forget(self) -> None:
        """Begin again: what was tried once counts as never tried."""
        self.counts.clear()
        self._deferred.clear()
        self._lost.clear()


_REFUSALS = {
    451: "451 4.3.0 Refusing everything for now, try again later",
    550: "550 5.7.1 Refusing everything",
}


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()
