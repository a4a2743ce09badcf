"""Twins: two applications of one organisation. The second is looked at by a person, who sees the first.

The first to claim an organisation's keys (its registration, its website's domain, its name with the country) is decided
like any other. Whoever meets a claimed key afterwards is referred. An earlier application stands in nobody's way once it

    was withdrawn, undone or erased,
    is on hold: held organisations are invited to apply anew when the pause is over, and hold no keys,
    was found not eligible before the other one came in: that is an organisation that tries again, as it may.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.events import Outcome
from shared.policy.identity import IdentityKey, MatchedBy


@dataclass(frozen=True, slots=True)
class Twin:
    """The earlier application of the same organisation, and what both share."""

    application_id: str
    matched_by: MatchedBy

    @property
    def reference(self) -> str:
        """What people call the earlier application by: the first eight digits of its id."""
        return self.application_id[:8].upper()


@dataclass(frozen=True, slots=True)
class Claim:
    """An application's claim to the keys of its organisation, strongest first; `first_received_at` is its first receipt.
    That of a later revision takes the place of the earlier one's."""

    application_id: str
    first_received_at: datetime
    keys: tuple[IdentityKey, ...]
    revision: int = 1

    def contested_by(self, holders: Mapping[IdentityKey, str]) -> Twin | None:
        """The twin, where others hold some of the keys: the one that holds the strongest."""
        return next((Twin(holders[key], key.kind) for key in self.keys if key in holders), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the newest decision about an application came out, and when."""

    outcome: Outcome
    decided_at: datetime


def out_of_the_way(
    claim: Claim, holders: Collection[str], withdrawn: Collection[str], standings: Mapping[str, Standing]
) -> set[str]:
    """Those of the holders whose applications stand in the way of this claim no longer. One that is not decided yet
    does."""
    return {each for each in holders if each in withdrawn or _is_over(standings.get(each), claim)}


def _is_over(standing: Standing | None, claim: Claim) -> bool:
    if standing is None:
        return False
    declined = standing.outcome in ("not_eligible", "declined") and standing.decided_at < claim.first_received_at
    return declined or standing.outcome == "on_hold"
