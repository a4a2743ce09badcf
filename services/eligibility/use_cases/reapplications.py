"""Finds who of those on the list has applied again since a lift: they need no invitation."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.eligibility.domain.decisions import Decision
from services.eligibility.domain.interests import Interest
from services.eligibility.domain.policies import PolicyVersion
from shared.application import Consent, Organisation, Submission
from shared.policy.identity import IdentityKey


class Applications(Protocol):
    """What was decided, and who claimed what. Raises Transient."""

    async def decisions(self, application_ids: Collection[str]) -> Mapping[str, Decision]:
        """The automatic decision about the newest revision of each of these."""

    async def people(self, addresses: Collection[str], since: datetime) -> Mapping[str, datetime]:
        """The persons with these addresses who sent an application that was first received at `since` or later and is not
        on hold, with its first receipt, the latest."""

    async def organisations(self, keys: Collection[IdentityKey], since: datetime) -> Mapping[IdentityKey, datetime]:
        """Of these keys, those of organisations for which such an application came in, with its latest first receipt."""


class FindReapplications:
    """A few reads for a whole wave."""

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    async def decisions(self, interests: Sequence[Interest]) -> Mapping[str, Decision]:
        """By application id, the decision that holds it. Raises Transient."""
        ids = {each.application_id for each in interests if each.application_id}
        return await self._applications.decisions(ids) if ids else {}

    async def __call__(
        self, interests: Sequence[Interest], held: Mapping[str, Decision], policy: PolicyVersion, lifted_at: datetime
    ) -> set[str]:
        """The persons who applied again, after the lift or after they had asked, and are not held anew: themselves, from the
        same address for the same organisation, or somebody for an organisation that the policy recognises as the same.
        `held`: what `decisions` gave. Raises Transient."""
        if not interests:
            return set()
        since = {each.interest_id: min(lifted_at, asked_at(each, held)) for each in interests}
        earliest = min(since.values())
        keys = {each.interest_id: policy.identity_keys(submission_of(each, held)) for each in interests}
        people, organisations = await asyncio.gather(
            self._applications.people({each.contact.email for each in interests}, earliest),
            self._applications.organisations({key for found in keys.values() for key in found}, earliest),
        )

        def applied(each: Interest) -> bool:
            found = [organisations[key] for key in keys[each.interest_id] if key in organisations]
            found += [people[each.person]] if each.person in people else []
            return any(at >= since[each.interest_id] for at in found)

        return {each.person for each in interests if applied(each)}


def asked_at(interest: Interest, held: Mapping[str, Decision]) -> datetime:
    """When they asked: with their application, or by the short form."""
    decision = held.get(interest.application_id or "")
    return decision.applicant.received_at if decision is not None else interest.registered_at


def submission_of(interest: Interest, held: Mapping[str, Decision]) -> Submission:
    """What is known of whoever asked: all that the held application says, or what the short form asks."""
    decision = held.get(interest.application_id or "")
    if decision is not None:
        return decision.applicant.submission(decision.applicant.answers or {})
    return Submission.model_construct(
        category=interest.category,
        secondary_categories=[],
        organisation=Organisation.model_construct(
            name=interest.organisation_name, country=interest.country or "", website=None
        ),
        contact=interest.contact,
        locale=interest.locale,
        consent=Consent.model_construct(register_interest=True),
        answers={},
    )
