"""Lift campaigns in the background: every replica works on them; one at a time counts their dry runs."""

from __future__ import annotations

import asyncio
from typing import Final

from services.eligibility.use_cases.campaign_waves import SOON, CountCampaigns, RunCampaigns
from shared.work import Loop

INTERVAL: Final = 1.0
COUNTING: Final = 60.0
"""Seconds of the lease; counting for longer than that costs another replica's work, and no more."""


def campaign_loops(run: RunCampaigns, count: CountCampaigns) -> list[Loop]:
    """The loops."""

    async def work() -> bool:
        due = await run()
        if due is None or due > SOON:
            return False
        await asyncio.sleep(due.total_seconds())
        return True

    return [
        Loop("campaigns", work, INTERVAL),
        Loop("campaign counts", count, INTERVAL, lease=COUNTING),
    ]
