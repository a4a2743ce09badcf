"""The ledger, as intake reports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import TYPE_OF, LedgerReported

REPORTED: Final = TYPE_OF[LedgerReported]


class Reports(Protocol):
    """Keeps the newest report; idempotent, in any order."""

    async def keep(self, report: LedgerReported) -> None: ...


def handlers(reports: Reports) -> Mapping[str, Handler]:
    """Event type → its handler."""

    async def reported(events: Sequence[Event], lane: Lane) -> None:
        found = [each.data for each in events if isinstance(each.data, LedgerReported)]
        for each in sorted(found, key=lambda report: report.reported_at)[-1:]:
            await reports.keep(each)

    return {REPORTED: reported}
