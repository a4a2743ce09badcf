"""Writing emails: each acknowledgement, outcome and notice becomes one email record, once, whatever comes again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from services.notifications.domain import letters
from services.notifications.domain.acknowledgements import REPEATED, Arrival, arrival_of
from services.notifications.domain.letters import Letter
from shared.application import Application, Lane
from shared.clock import Clock, Reading
from shared.events import (
    ApplicationDecided,
    ApplicationSummary,
    DraftSaved,
    InboundAnswered,
    InformationRequested,
    InterestInvited,
    InterestRegistered,
    LiaisonRequested,
    LinkRequested,
    NominationRequested,
)
from shared.events import email_id as email_id_of
from shared.policy.identity import Identities
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
    """An email record to be. `trace` is the traceparent of the event that caused it; `left_out` says why it is kept and not
    sent, if so."""

    email_id: str
    letter: Letter
    composed: Composed
    trace: str | None
    left_out: str = ""


class Composer(Protocol):
    """Puts letters into bytes. Raises Permanent when a letter cannot be written."""

    def compose(self, letter: Letter, policy: PolicyDocument, email_id: str, date: datetime) -> Composed: ...


class PolicySource(Protocol):
    """The policy versions announced so far."""

    async def document(self, policy_hash: str) -> PolicyDocument:
        """The version of that hash. Raises Transient while it has not been announced."""

    async def find(self, policy_hash: str) -> PolicyDocument | None:
        """The version of that hash; None if it has not been announced. Raises Transient."""

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


class Acknowledged(Protocol):
    """Which arrivals have been acknowledged already."""

    async def __call__(self, arrivals: Sequence[Arrival], real: datetime) -> Collection[str]:
        """The applications that need no acknowledgement of their own. Raises Transient."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Which event asks for a letter: its id and traceparent."""

    event_id: str
    trace: str | None


class Correspondence:
    """Writes what events ask for."""

    def __init__(
        self,
        store: EmailStore,
        policies: PolicySource,
        composer: Composer,
        clock: Clock,
        generations: LinkGenerations,
        acknowledged: Acknowledged,
    ) -> None:
        self._store = store
        self._policies = policies
        self._composer = composer
        self._clock = clock
        self._generations = generations
        self._acknowledged = acknowledged
        self._identities: tuple[str, Identities] = ("", Identities(None, {}))

    async def acknowledge(self, submitted: Sequence[tuple[Cause, Application]], lane: Lane) -> None:
        """Write an acknowledgement for each first revision. What repeats another one's is kept, and not sent."""
        arrived = [(cause, application) for cause, application in submitted if letters.is_arrival(application)]
        if not arrived:
            return
        reading = await self._clock.read()
        policy_hash, policy = await self._policies.current(reading.now)
        folded = self._identities_of(policy_hash, policy).name
        repeated = await self._acknowledged([arrival_of(each, folded) for _, each in arrived], reading.real)
        pairs = [
            (cause, letters.acknowledgement(application, policy_hash))
            for cause, application in arrived
            if letters.is_acknowledged(application)
        ]
        await self._write(pairs, lane, reading, dict.fromkeys(repeated, REPEATED))

    def _identities_of(self, policy_hash: str, policy: PolicyDocument) -> Identities:
        """By what the policy recognises organisations, made ready once."""
        if self._identities[0] != policy_hash:
            self._identities = policy_hash, Identities(policy.identity, policy.lists)
        return self._identities[1]

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

    async def send_draft_links(self, saved: Sequence[tuple[Cause, DraftSaved]], lane: Lane) -> None:
        """Write to each who asked for the link to their draft, at the address they entered."""
        if not saved:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        await self._write([(cause, letters.draft_link(each, policy_hash)) for cause, each in saved], lane, reading)

    async def confirm_interests(self, registered: Sequence[tuple[Cause, InterestRegistered]], lane: Lane) -> None:
        """Write to each who asked by the short form to be told. Those of held applications were told with the outcome."""
        wanted = [(cause, each) for cause, each in registered if each.source == "form"]
        if not wanted:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        pairs = [(cause, letters.interest_registered(each, policy_hash)) for cause, each in wanted]
        await self._write(pairs, lane, reading)

    async def invite(self, invited: Sequence[tuple[Cause, InterestInvited]], lane: Lane) -> None:
        """Write to each who asked to be told when a pause is over, with what has changed since they asked."""
        if not invited:
            return
        reading = await self._clock.read()
        asked = {each.asked_policy_hash for _, each in invited}
        before = {policy_hash: await self._policies.find(policy_hash) for policy_hash in asked}
        pairs = [(cause, letters.invitation(each, before[each.asked_policy_hash])) for cause, each in invited]
        await self._write(pairs, lane, reading)

    async def confirm_liaison_requests(self, requested: Sequence[tuple[Cause, LiaisonRequested]], lane: Lane) -> None:
        """Write to each who wrote to the liaison that it has arrived."""
        if not requested:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        pairs = [(cause, letters.liaison_received(each, policy_hash)) for cause, each in requested]
        await self._write(pairs, lane, reading)

    async def ask_nominees(self, requested: Sequence[tuple[Cause, NominationRequested]], lane: Lane) -> None:
        """Write to each nominee who is to be asked."""
        if not requested:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        await self._write([(cause, letters.nomination(each, policy_hash)) for cause, each in requested], lane, reading)

    async def ask_applicants(self, requested: Sequence[tuple[Cause, InformationRequested]], lane: Lane) -> None:
        """Write to each applicant whom the secretariat asks for something."""
        if not requested:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        pairs = [(cause, letters.information_requested(each, policy_hash)) for cause, each in requested]
        await self._write(pairs, lane, reading)

    async def confirm_appeals(self, appealed: Sequence[tuple[Cause, ApplicationSummary]], lane: Lane) -> None:
        """Write to each who appealed that it has arrived."""
        if not appealed:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        await self._write(
            [(cause, letters.appeal_received(each, policy_hash)) for cause, each in appealed], lane, reading
        )

    async def answer_inbound(self, answered: Sequence[tuple[Cause, InboundAnswered]], lane: Lane) -> None:
        """Reply to each email, once."""
        if not answered:
            return
        reading = await self._clock.read()
        policy_hash, policy = await self._policies.current(reading.now)
        pairs = [(cause, letters.inbound_reply(each, policy, policy_hash)) for cause, each in answered]
        await self._write(pairs, lane, reading)

    async def confirm_withdrawals(self, withdrawn: Sequence[tuple[Cause, ApplicationSummary]], lane: Lane) -> None:
        """Write to each whose application was withdrawn."""
        if not withdrawn:
            return
        reading = await self._clock.read()
        policy_hash, _ = await self._policies.current(reading.now)
        await self._write([(cause, letters.withdrawn(each, policy_hash)) for cause, each in withdrawn], lane, reading)

    async def _write(
        self,
        pairs: Sequence[tuple[Cause, Letter]],
        lane: Lane,
        reading: Reading,
        left_out: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write letters. `left_out`: why those of an application are kept and not sent."""
        hashes = {letter.policy_hash for _, letter in pairs}
        policies = {policy_hash: await self._policies.document(policy_hash) for policy_hash in hashes}
        generations = await self._generations.link_generations([letter.application_id for _, letter in pairs])
        emails: dict[str, NewEmail] = {}
        for cause, plain in pairs:
            letter = plain.with_links_of(generations.get(plain.application_id, 0))
            email_id = email_id_of(cause.event_id, letter.template, letter.address)
            composed = self._composer.compose(letter, policies[letter.policy_hash], email_id, reading.now)
            emails[email_id] = NewEmail(
                email_id, letter, composed, cause.trace, left_out.get(letter.application_id, "")
            )
        await self._store.add(list(emails.values()), lane, reading)
