"""Carries out confirmed bulk actions: each replica takes one at a time, under a lease."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.eligibility.use_cases.bulk_work import CarryOut
from shared.work import Leases, Loop, keeping

INTERVAL: Final = 1.0


def carrying_out(carry_out: CarryOut, leases: Leases, stopping: Callable[[], bool], lease: float) -> Loop:
    """The loop. After a kill another replica goes on when the lease has run out, after so many seconds."""

    async def work() -> bool:
        for action_id in await carry_out.unfinished():
            if stopping():
                return False
            name = f"bulk:{action_id}"
            if await leases.acquire(name, lease):
                try:
                    await carry_out(action_id, keeping(leases, name, lease, lease / 3, stopping))
                finally:
                    await leases.release(name)
                return True
        return False

    return Loop("bulk-actions", work, INTERVAL)
