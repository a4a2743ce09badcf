"""Changing pauses: each change is a version of its own, with author and reason, stored once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from services.eligibility.domain import pause_changes as rules
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import LEAD, Rulebook
from services.eligibility.use_cases.policies import Moment, Pauses, Rules
from shared.clock import Clock
from shared.errors import Conflict
from shared.policy.pack import Pause

log = structlog.get_logger(__name__)

Change = Callable[[PauseVersion], Callable[[datetime], PauseVersion]]
"""Reads what is asked for beside the newest version; then makes the next one, from the instant from which it counts."""


class NoSuchPause(Exception):
    """There is no pause of that id."""


class ChangePauses:
    """What the secretariat does to pauses. Everything raises Transient when the database is away; asking again is safe."""

    def __init__(
        self, pauses: Pauses, rules: Rules, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pauses = pauses
        self._rules = rules
        self._clock = clock
        self._monotonic = monotonic

    async def start(self, pause: Callable[[datetime], Pause], author: Author) -> PauseVersion:
        """Start a pause. `pause` makes it from the instant at which it can begin at the earliest.

        Raises:
            Refused: it names no known category, or a time that is past.
            Conflict: there is another pause of that id. The same one, asked for again, is answered as the first time.
        """
        versions, rulebook = await self._pauses.all(), await self._rules.current()
        moment = await Moment.read(self._clock, self._monotonic)
        at = moment.reading.now + LEAD
        wanted = pause(at)
        first = next((each for each in versions if each.pause_id == wanted.id and each.version == 1), None)
        if first is None:
            _require_known(wanted, rulebook, at)
            version = rules.started(wanted, at, author)
            moment.require_prompt()
            (first,) = await self._pauses.append([version], moment.reading)
        same = wanted.model_copy(update={"from_": first.pause.from_}) if wanted.from_ == at else wanted
        if (first.pause, first.by) == (same, author.name):
            return first
        raise Conflict(f"There is a pause '{wanted.id}' already. Change that one, or choose another id.")

    async def change(self, pause_id: str, change: Change, expected: int | None) -> PauseVersion:
        """Add the next version of a pause. `expected`: the newest one that was seen, if that is to be the newest still.

        Raises:
            NoSuchPause: there is none of that id.
            Refused, Conflict: what `change` raises; or somebody else changed the pause meanwhile.
        """
        versions = [each for each in await self._pauses.all() if each.pause_id == pause_id]
        if not versions:
            raise NoSuchPause(pause_id)
        newest = max(versions, key=lambda each: each.version)
        following = change(newest)
        if expected is not None and expected != newest.version:
            raise Conflict(
                f"The newest version is {newest.version}, by {newest.by}, not {expected}: read the pause again, then "
                "change it."
            )
        rulebook = await self._rules.current()
        moment = await Moment.read(self._clock, self._monotonic)
        wanted = following(moment.reading.now + LEAD)
        if (wanted.pause.covers, wanted.pause.exempt) != (newest.pause.covers, newest.pause.exempt):
            # one that names a category which the policy has no more must be lifted and extended all the same
            _require_known(wanted.pause, rulebook, wanted.effective_from)
        moment.require_prompt()
        (stored,) = await self._pauses.append([wanted], moment.reading)
        if stored != wanted:
            raise Conflict(f"{stored.by} changed this pause at the same time: read it again, then change it.")
        log.info("pause changed", pause=pause_id, version=stored.version, by=stored.by)
        return stored

    async def versions(self) -> Sequence[PauseVersion]:
        """Every version of every pause, as stored: whoever has just changed one sees it."""
        return await self._pauses.all()


def _require_known(pause: Pause, rulebook: Rulebook, at: datetime) -> None:
    rules.require_known(pause, rulebook.policy_at(at).document.categories.keys())
