"""The life of a service process: start, watch, stop. Each service's `app.py` wires its parts and hands them here.

Start: answer `/healthz` at once, then wait for database and broker (as long as it takes), declare the topology, consume.
Watch: end the process when its consumer is silently dead, so that whatever supervises it starts a new one.
Stop (SIGTERM, SIGINT): take no more requests and messages, finish what is in flight, let rounds of loops end, return
the rest to the broker, close.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from fastapi import FastAPI

from shared import logs, mongo, retry, work
from shared import settings as environment
from shared.batches import Handler
from shared.broker import Broker
from shared.clock import DatabaseClock
from shared.consumer import BatchConsumer
from shared.dead_letters import DeadLetters
from shared.deeds import MongoDeeds
from shared.errors import Transient
from shared.outbox import Outbox
from shared.recorder import Recorder
from shared.requests import Desk, RequestConsumer
from shared.settings import PlatformSettings
from shared.topology import Topology
from shared.watchdog import Watchdog
from shared.web.auth import ApiKeys, parse_keys
from shared.web.clock_routes import clock_routes
from shared.web.dead_letter_routes import dead_letter_routes
from shared.web.links import Links
from shared.web.service import Check
from shared.web.serving import CannotListen, WebServer

log = structlog.get_logger(__name__)

SWEEP_INTERVAL: Final = 2.0
CHECK_LIMIT: Final = 3.0
"""Seconds for the database to answer a readiness check."""
ROUND_GRACE: Final = 6.0
"""Seconds that rounds of loops have to end in once a stop is asked for. What they do is safe to break off."""
LAST_GRACE: Final = 1.0
"""Seconds for the interpreter to end when something was left behind."""
EX_SOFTWARE: Final = 70

Prepare = Callable[[], Awaitable[None]]


class Platform:
    """What every service is built from, made from its settings; nothing is contacted before `run`."""

    def __init__(self, name: str, settings: PlatformSettings) -> None:
        logs.configure(name, settings.log_level)
        self.name = name
        self.settings = settings
        try:
            self.client = mongo.connect(settings.mongo_url.get_secret_value(), f"accede-{name}")
            self.broker = Broker(settings.rabbitmq_url.get_secret_value(), Topology(settings.namespace), name)
        except ValueError as error:
            environment.refuse(str(error))
        try:
            self.api_keys: ApiKeys = parse_keys(settings.api_keys.get_secret_value())
        except ValueError as error:
            environment.refuse(f"ACCEDE_API_KEYS: {error}")
        try:
            self.links = Links(settings.link_secret.get_secret_value())
        except ValueError as error:
            environment.refuse(f"ACCEDE_LINK_SECRET: {error}")
        self.database = self.client[settings.mongo_database or f"accede_{name}"]
        self.clock = DatabaseClock(self.database)
        self.leases = work.Leases(self.database)
        self.deeds = MongoDeeds(self.database, self.broker, name)
        self.record = Recorder(self.deeds, self.clock, name)
        self.dead_letters = DeadLetters(self.database, self.broker, self.clock, self.record)


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
        desk: answers what partners send; without it the partners' queue is left alone.
    """

    web: FastAPI
    handlers: Mapping[str, Handler]
    outboxes: Sequence[Outbox] = ()
    loops: Sequence[work.Loop] = ()
    prepare: Sequence[Prepare] = ()
    checks: Sequence[Callable[[], Awaitable[Check]]] = field(default_factory=tuple)
    desk: Desk | None = None


class Lifecycle:
    """Runs one service until it is told to stop. `readiness` may be asked at any time."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.stopping = asyncio.Event()
        self._waiting_for: Check | None = Check("started", False, "starting")
        self._parts: Parts | None = None
        self._watchdog = Watchdog(platform.broker)
        self._died = False
        self._left_behind = False

    async def readiness(self) -> list[Check]:
        """Database, consumers, and what the service itself adds; while it starts, what it waits for."""
        if self.stopping.is_set():
            return [Check("running", False, "stopping")]
        if self._waiting_for is not None or self._parts is None:
            return [self._waiting_for or Check("started", False, "starting")]
        return await asyncio.gather(self._database(), self._consuming(), *(_safe(each) for each in self._parts.checks))

    async def _database(self) -> Check:
        try:
            async with asyncio.timeout(CHECK_LIMIT):
                await self.platform.clock.read()
        except Transient as error:
            return Check("database", False, str(error))
        except TimeoutError:
            return Check("database", False, f"no answer within {CHECK_LIMIT:g} seconds")
        return Check("database", True)

    async def _consuming(self) -> Check:
        problems = await self.platform.broker.consuming()
        return Check("consuming", not problems, "; ".join(problems))

    async def run(self, parts: Parts) -> int:
        """Serve until SIGTERM or SIGINT; the exit status: 0, 70 when it ended by itself, 78 when it cannot listen."""
        self._parts = parts
        settings = self.platform.settings
        self._add_operator_routes(parts.web)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_unheard)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        server = WebServer(parts.web, settings.http_host, settings.http_port)
        try:
            await server.start()
        except CannotListen as error:
            log.error("cannot listen", reason=str(error))
            return environment.EX_CONFIG
        log.info("listening", host=settings.http_host, port=server.port)
        tasks = [asyncio.create_task(self._work(parts), name="work"), asyncio.create_task(server.wait(), name="web")]
        await self._until_stopping(*tasks)
        results = await asyncio.gather(server.stop(), *tasks, return_exceptions=True)
        self.platform.client.close()
        failures = [result for result in results if isinstance(result, BaseException)]
        for failure in failures:
            log.error("ended by an error", exc_info=failure)
        died = bool(failures or self._died or self._watchdog.dead)
        log.info("stopped", died=died)
        return EX_SOFTWARE if died else 0

    async def run_process(self, parts: Parts) -> int:
        """`run`, where the process is the service's own and ends with it."""
        gc.freeze()  # what it is made of stays until it ends, and is not looked through again and again
        gc.enable()
        status = await self.run(parts)
        if self._left_behind:
            _end_soon(status)
        return status

    async def _until_stopping(self, *tasks: asyncio.Task[None]) -> None:
        """Return when a stop is asked for. That a task ends before is a fault, and stops the rest."""
        told = asyncio.create_task(self.stopping.wait())
        await asyncio.wait([*tasks, told], return_when=asyncio.FIRST_COMPLETED)
        if not self.stopping.is_set():
            log.error("ended by itself", tasks=[task.get_name() for task in tasks if task.done()])
            self._died = True
            self.stopping.set()
        told.cancel()

    async def _work(self, parts: Parts) -> None:
        platform = self.platform
        if await self._start(parts):
            outboxes = [*parts.outboxes, platform.dead_letters.outbox, platform.deeds.outbox]
            loops = [*parts.loops, *(_sweeping(outbox) for outbox in outboxes)]
            running = [
                asyncio.create_task(work.run_loop(loop, platform.leases, self.stopping), name=loop.name)
                for loop in loops
            ]
            watching = asyncio.create_task(self._watchdog.watch(self.stopping), name="watchdog")
            await self._until_stopping(*running, watching)
            watching.cancel()  # it may wait for an answer that does not come
            await asyncio.gather(_best_effort("stop consuming", platform.broker.stop_consuming), self._ended(running))
        await _best_effort("close", platform.broker.close)

    async def _ended(self, running: Sequence[asyncio.Task[None]]) -> None:
        done, late = await asyncio.wait(running, timeout=ROUND_GRACE)
        for task in late:
            log.warning("round broken off", loop=task.get_name())
            task.cancel()
            self._left_behind = True
        for task in done:
            if (error := task.exception()) is not None:
                log.error("loop ended by an error", loop=task.get_name(), exc_info=error)
                self._died = True

    async def _start(self, parts: Parts) -> bool:
        """Prepare, connect, consume; held while the world is away. False when told to stop meanwhile."""
        platform, broker = self.platform, self.platform.broker
        broker.consume(BatchConsumer(platform.name, parts.handlers, platform.dead_letters))
        if parts.desk is not None:
            broker.consume_requests(RequestConsumer(parts.desk, broker))
        prepare: list[Prepare] = [platform.clock.prepare, platform.dead_letters.outbox.prepare]
        prepare += [platform.deeds.prepare, platform.deeds.outbox.prepare]
        prepare += [outbox.prepare for outbox in parts.outboxes]
        steps = [("database", step) for step in (*prepare, *parts.prepare)]
        steps += [("broker", broker.connect), ("broker", broker.start_consuming)]
        for name, step in steps:
            held = 0
            while not self.stopping.is_set():
                try:
                    await self._unless_stopping(step)
                    break
                except Transient as error:
                    held += 1
                    self._waiting_for = Check(name, False, str(error))
                    log.warning("start held", waiting_for=name, reason=str(error))
                    await work.wait(self.stopping, retry.backoff(held, longest=3.0))
        if self.stopping.is_set():
            return False
        self._waiting_for = None
        log.info("started")
        return True

    async def _unless_stopping(self, step: Prepare) -> None:
        """Do a step of the start, but leave it where it is when a stop is asked for: it may hang as long as the world."""
        told = asyncio.create_task(self.stopping.wait())
        doing = asyncio.ensure_future(step())
        await asyncio.wait([doing, told], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if doing.done():
            await doing
        else:
            doing.cancel()
            self._left_behind = True

    def _add_operator_routes(self, web: FastAPI) -> None:
        if self.platform.settings.clock_settable:
            web.include_router(clock_routes(self.platform.clock))
        web.include_router(dead_letter_routes(self.platform.dead_letters))


def _sweeping(outbox: Outbox) -> work.Loop:
    async def sweep() -> bool:
        return await outbox.sweep() > 0

    return work.Loop(f"sweep-{outbox.name}", sweep, SWEEP_INTERVAL)


def _unheard(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An error nobody waited for. The loop's own way to tell it quotes the error's message."""
    log.error("an error nobody waited for", what=context["message"], exc_info=context.get("exception"))


def _end_soon(status: int) -> None:
    """A call to a database that hangs goes on in its thread when its task is cancelled, and the interpreter would wait
    for it before it ends."""
    leaving = threading.Timer(LAST_GRACE, os._exit, (status,))
    leaving.daemon = True
    leaving.start()


async def _safe(check: Callable[[], Awaitable[Check]]) -> Check:
    name = getattr(check, "__name__", "check")
    try:
        async with asyncio.timeout(CHECK_LIMIT):
            return await check()
    except Transient as error:
        return Check(name, False, str(error))
    except TimeoutError:
        return Check(name, False, f"no answer within {CHECK_LIMIT:g} seconds")


async def _best_effort(what: str, step: Prepare) -> None:
    """While stopping, a broker that is gone must not keep the process from ending."""
    try:
        await step()
    except Transient as error:
        log.warning("while stopping", step=what, reason=str(error))
