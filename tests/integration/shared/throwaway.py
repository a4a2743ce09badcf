"""A service of a few lines, run as a process by the tests of the life of services: `python -m …throwaway`.

Its variables, beside those of every service: `THROWAWAY_WATCH`, `THROWAWAY_GRACE` and `THROWAWAY_ANSWER` shorten the
watchdog's look, the grace times and the wait for the broker's answers (seconds); `THROWAWAY_HANDLER` says what its
handler does (`count`; `away`: the world it needs is away for good; `hang`); with `THROWAWAY_LOOP=hang` a round of its
loop never ends.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

import structlog

from shared import amqp, broker, receiving, service, settings, watchdog
from shared.application import Lane
from shared.batches import Event
from shared.errors import Transient
from shared.service import Lifecycle, Parts, Platform
from shared.settings import PlatformSettings
from shared.web.service import create_web
from shared.work import Loop

log = structlog.get_logger(__name__)


async def handle(events: Sequence[Event], lane: Lane) -> None:
    """Does as told."""
    log.info("handling", subjects=[event.subject for event in events])
    told = os.environ.get("THROWAWAY_HANDLER", "count")
    if told == "away":
        raise Transient("what it needs is away")
    if told == "hang":
        await asyncio.Event().wait()


async def work() -> bool:
    """One round of its loop."""
    log.info("round")
    if os.environ.get("THROWAWAY_LOOP") == "hang":
        await asyncio.Event().wait()
    return False


async def main() -> int:
    """Run until told to stop."""
    vars(watchdog)["WATCH_INTERVAL"] = float(os.environ.get("THROWAWAY_WATCH", "5"))
    vars(service)["ROUND_GRACE"] = vars(receiving)["GRACE"] = float(os.environ.get("THROWAWAY_GRACE", "6"))
    for module in (amqp, broker, receiving):
        vars(module)["ANSWER_LIMIT"] = float(os.environ.get("THROWAWAY_ANSWER", "3"))
    platform = Platform("eligibility", settings.load(PlatformSettings))
    lifecycle = Lifecycle(platform)
    web = create_web(
        title="Throwaway",
        service=platform.name,
        version="0",
        readiness=lifecycle.readiness,
        api_keys=platform.api_keys,
    )
    parts = Parts(web=web, handlers={"application.withdrawn.v1": handle}, loops=[Loop("rounds", work, 0.1)])
    return await lifecycle.run_process(parts)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
