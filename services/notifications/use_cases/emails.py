"""Writing emails: each acknowledgement and each outcome becomes one email record, once, whatever comes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifications.domain import letters
from services.notifications.domain.letters import Letter
from shared.application import Application, Lane, id_of
from shared.clock import Clock, Reading
from shared.events import ApplicationDecided
from shared.policy.pack import PolicyDocument


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter in bytes. `to` is the address as SMTP carries it; `failure` says why it cannot be sent, if so."""

    to: str
    subject: str
    mime: bytes
    message_id: str
    locale: str
    template_version: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class NewEmail:
    """An email record to be. `trace` is the traceparent of the event that caused it."""

    email_id: str
    letter: Letter
    composed: Composed
    trace: str | None


class Composer(Protocol):
    """Puts letters into bytes. Raises Permanent when a letter cannot be written."""

    def compose(self, letter: Letter, policy: PolicyDocument, email_id: str, date: datetime) -> Composed: ...


class PolicySource(Protocol):
    """The policy versions announced so far."""

    async def document(self, policy_hash: str) -> PolicyDocument:
        """The version of that hash. Raises Transient while it has not been announced."""

    async def current(self, now: datetime) -> tuple[str, PolicyDocument]:
        """The hash and the version in force at `now`. Raises Transient while none has been announced."""


class EmailStore(Protocol):
    """Where emails are kept."""

    async def add(self, emails: Sequence[NewEmail], lane: Lane, reading: Reading) -> None:
        """Store those that are new. For one that is there already and in a final state, its event is published again.

        Raises Transient; adding again is safe."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Which event asks for a letter: its id and traceparent."""

    event_id: str
    trace: str | None


class Correspondence:
    """Writes what events ask for."""

    def __init__(self, store: EmailStore, policies: PolicySource, composer: Composer, clock: Clock) -> None:
        self._store = store
        self._policies = policies
        self._composer = composer
        self._clock = clock

    async def acknowledge(self, submitted: Sequence[tuple[Cause, Application]], lane: Lane) -> None:
        """Write an acknowledgement for each first revision."""
        wanted = [(cause, application) for cause, application in submitted if letters.is_acknowledged(application)]
        if not wanted:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        pairs = [(cause, letters.acknowledgement(application, policy_hash)) for cause, application in wanted]
        await self._write(pairs, lane, reading)

    async def announce(self, decided: Sequence[tuple[Cause, ApplicationDecided]], lane: Lane) -> None:
        """Write a letter for each outcome."""
        if not decided:
            return
        reading = await self._clock.read()
        await self._write([(cause, letters.outcome(decision)) for cause, decision in decided], lane, reading)

    async def _write(self, pairs: Sequence[tuple[Cause, Letter]], lane: Lane, reading: Reading) -> None:
        hashes = {letter.policy_hash for _, letter in pairs}
        policies = {policy_hash: await self._policies.document(policy_hash) for policy_hash in hashes}
        emails: dict[str, NewEmail] = {}
        for cause, letter in pairs:
            email_id = id_of(cause.event_id, letter.template, letter.address)
            composed = self._composer.compose(letter, policies[letter.policy_hash], email_id, reading.now)
            emails[email_id] = NewEmail(email_id, letter, composed, cause.trace)
        await self._store.add(list(emails.values()), lane, reading)
