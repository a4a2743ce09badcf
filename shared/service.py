"""The life of a service process: start, watch, stop. Each service's `app.py` wires its parts and hands them here.

Start: answer `/healthz` at once, then wait for database and broker (as long as it takes), declare the topology, consume.
Watch: end the process when its consumer is silently dead, so that whatever supervises it starts a new one.
Stop (SIGTERM, SIGINT): take no more requests and messages, finish what is in flight, let rounds of loops end, return
the rest to the broker, close.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from fastapi import FastAPI

from shared import logs, mongo, retry, work
from shared.batches import BatchConsumer, Handler
from shared.broker import Broker
from shared.clock import DatabaseClock
from shared.dead_letters import DeadLetters
from shared.errors import Transient
from shared.outbox import Outbox
from shared.settings import PlatformSettings
from shared.topology import Topology
from shared.web.auth import ApiKeys, parse_keys
from shared.web.clock_routes import clock_routes
from shared.web.dead_letter_routes import dead_letter_routes
from shared.web.links import Links
from shared.web.service import Check
from shared.web.serving import WebServer

log = structlog.get_logger(__name__)

WATCH_INTERVAL: Final = 5.0
WATCH_PATIENCE: Final = 6
"""Bad looks in a row (30 s) before the watchdog ends the process."""
SWEEP_INTERVAL: Final = 2.0
EX_SOFTWARE: Final = 70

Prepare = Callable[[], Awaitable[None]]


class Platform:
    """What every service is built from, made from its settings; nothing is contacted before `run`."""

    def __init__(self, name: str, settings: PlatformSettings) -> None:
        logs.configure(name, settings.log_level)
        self.name = name
        self.settings = settings
        self.client = mongo.connect(settings.mongo_url.get_secret_value(), f"accede-{name}")
        self.database = self.client[settings.mongo_database or f"accede_{name}"]
        self.clock = DatabaseClock(self.database)
        self.broker = Broker(settings.rabbitmq_url.get_secret_value(), Topology(settings.namespace), name)
        self.leases = work.Leases(self.database)
        self.dead_letters = DeadLetters(self.database, self.broker, self.clock)
        self.api_keys: ApiKeys = parse_keys(settings.api_keys.get_secret_value())
        self.links = Links(settings.link_secret.get_secret_value())


@dataclass(slots=True)
class Parts:
    """What a service adds to the platform.

    Attributes:
        web: its HTTP edge, made with `create_web(readiness=lifecycle.readiness)`.
        handlers: event type → handler.
        outboxes: swept by every replica.
        loops: its background work.
        prepare: run once the database answers: indexes, seeds; idempotent.
        checks: further conditions of readiness.
    """

    web: FastAPI
    handlers: Mapping[str, Handler]
    outboxes: Sequence[Outbox] = ()
    loops: Sequence[work.Loop] = ()
    prepare: Sequence[Prepare] = ()
    checks: Sequence[Callable[[], Awaitable[Check]]] = field(default_factory=tuple)


class Lifecycle:
    """Runs one service until it is told to stop. `readiness` may be asked at any time."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.stopping = asyncio.Event()
        self._started = False
        self._parts: Parts | None = None
        self._died = False

    async def readiness(self) -> list[Check]:
        """Database, consumers, and what the service itself adds."""
        if self.stopping.is_set():
            return [Check("running", False, "stopping")]
        if not self._started or self._parts is None:
            return [Check("started", False, "waiting for the database and the broker")]
        problems = await self.platform.broker.consuming()
        checks = [await self._database(), Check("consuming", not problems, "; ".join(problems))]
        checks += [await check() for check in self._parts.checks]
        return checks

    async def _database(self) -> Check:
        try:
            await self.platform.clock.read()
        except Transient as error:
            return Check("database", False, str(error))
        return Check("database", True)

    async def run(self, parts: Parts) -> int:
        """Serve until SIGTERM or SIGINT; the exit status."""
        self._parts = parts
        platform, settings = self.platform, self.platform.settings
        self._add_operator_routes(parts.web)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        server = WebServer(parts.web, settings.http_host, settings.http_port)
        await server.start()
        log.info("listening", host=settings.http_host, port=server.port)
        tasks = [asyncio.create_task(self._work(parts), name="work"), asyncio.create_task(server.wait(), name="web")]
        stopping = asyncio.create_task(self.stopping.wait())
        await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        self.stopping.set()
        await server.stop()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        stopping.cancel()
        platform.client.close()
        failures = [result for result in results if isinstance(result, Exception)]
        for failure in failures:
            log.error("ended by an error", exc_info=failure)
        log.info("stopped", died=self._died)
        return EX_SOFTWARE if failures or self._died else 0

    async def _work(self, parts: Parts) -> None:
        platform = self.platform
        if not await self._start(parts):
            return
        outboxes = [*parts.outboxes, platform.dead_letters.outbox]
        loops = [*parts.loops, *(_sweeping(outbox) for outbox in outboxes)]
        running = [
            asyncio.create_task(work.run_loop(loop, platform.leases, self.stopping), name=loop.name) for loop in loops
        ]
        running.append(asyncio.create_task(self._watch(), name="watchdog"))
        await self.stopping.wait()
        await _best_effort("stop consuming", platform.broker.stop_consuming)
        await asyncio.gather(*running)
        await _best_effort("close", platform.broker.close)

    async def _start(self, parts: Parts) -> bool:
        """Prepare, connect, consume; held while the world is away. False when told to stop meanwhile."""
        platform = self.platform
        consumer = BatchConsumer(platform.name, parts.handlers, platform.dead_letters)
        platform.broker.consume(consumer)
        steps: list[Prepare] = [platform.clock.prepare, platform.dead_letters.outbox.prepare]
        steps += [outbox.prepare for outbox in parts.outboxes]
        steps += [*parts.prepare, platform.broker.connect, platform.broker.start_consuming]
        for step in steps:
            held = 0
            while not self.stopping.is_set():
                try:
                    await step()
                    break
                except Transient as error:
                    held += 1
                    log.warning("start held", reason=str(error))
                    await work.wait(self.stopping, retry.backoff(held, longest=3.0))
        self._started = not self.stopping.is_set()
        return self._started

    async def _watch(self) -> None:
        bad = 0
        while not self.stopping.is_set():
            await work.wait(self.stopping, WATCH_INTERVAL)
            problems = await self.platform.broker.consuming()
            away = problems and not await self.platform.broker.reachable()
            bad = bad + 1 if problems and not away else 0
            if bad >= WATCH_PATIENCE and not self.stopping.is_set():
                log.error("the consumer is dead: ending the process", problems=problems)
                self._died = True
                self.stopping.set()

    def _add_operator_routes(self, web: FastAPI) -> None:
        if self.platform.settings.clock_settable:
            web.include_router(clock_routes(self.platform.clock))
        web.include_router(dead_letter_routes(self.platform.dead_letters))


def _sweeping(outbox: Outbox) -> work.Loop:
    async def sweep() -> bool:
        return await outbox.sweep() > 0

    return work.Loop(f"sweep-{outbox.name}", sweep, SWEEP_INTERVAL)


async def _best_effort(what: str, step: Prepare) -> None:
    """While stopping, a broker that is gone must not keep the process from ending."""
    try:
        async with asyncio.timeout(30):
            await step()
    except (Transient, TimeoutError) as error:
        log.warning("while stopping", step=what, reason=str(error))
