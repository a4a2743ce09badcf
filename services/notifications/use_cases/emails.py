"""Writing emails: each acknowledgement, outcome and notice becomes one email record, once, whatever comes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifications.domain import letters
from services.notifications.domain.letters import Letter
from shared.application import Application, Lane, id_of
from shared.clock import Clock, Reading
from shared.events import ApplicationDecided, ApplicationSummary, LinkRequested
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


class LinkGenerations(Protocol):
    """Which links of applications open now."""

    async def link_generations(self, application_ids: Sequence[str]) -> Mapping[str, int]:
        """Application id → the generation of its links, where they were ever revoked. Raises Transient."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Which event asks for a letter: its id and traceparent."""

    event_id: str
    trace: str | None


class Correspondence:
    """Writes what events ask for."""

    def __init__(
        self, store: EmailStore, policies: PolicySource, composer: Composer, clock: Clock, generations: LinkGenerations
    ) -> None:
        self._store = store
        self._policies = policies
        self._composer = composer
        self._clock = clock
        self._generations = generations

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

    async def send_links(self, requested: Sequence[tuple[Cause, LinkRequested]], lane: Lane) -> None:
        """Write to each who asked for a link, at the address that the application names."""
        if not requested:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        await self._write([(cause, letters.status_link(each, policy_hash)) for cause, each in requested], lane, reading)

    async def confirm_withdrawals(self, withdrawn: Sequence[tuple[Cause, ApplicationSummary]], lane: Lane) -> None:
        """Write to each whose application was withdrawn."""
        if not withdrawn:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        await self._write([(cause, letters.withdrawn(each, policy_hash)) for cause, each in withdrawn], lane, reading)

    async def _write(self, pairs: Sequence[tuple[Cause, Letter]], lane: Lane, reading: Reading) -> None:
        hashes = {letter.policy_hash for _, letter in pairs}
        policies = {policy_hash: await self._policies.document(policy_hash) for policy_hash in hashes}
        generations = await self._generations.link_generations([letter.application_id for _, letter in pairs])
        emails: dict[str, NewEmail] = {}
        for cause, plain in pairs:
            letter = plain.with_links_of(generations.get(plain.application_id, 0))
            email_id = id_of(cause.event_id, letter.template, letter.address)
            composed = self._composer.compose(letter, policies[letter.policy_hash], email_id, reading.now)
            emails[email_id] = NewEmail(email_id, letter, composed, cause.trace)
        await self._store.add(list(emails.values()), lane, reading)
