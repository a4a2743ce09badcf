"""Invitations to apply, for those who asked to be told when a pause is over."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime

from shared.events import InterestInvited
from shared.policy.pack import PolicyDocument


@dataclass(frozen=True, slots=True)
class Invited:
    """Who is invited: by the application that was held, or by the newest request of the short form. `before` is the policy
    in force when they asked, of hash `asked_policy`; None when it is not known here, or is the one in force still."""

    interest_id: str
    application_id: str | None
    request_id: str | None
    lifted_at: datetime
    invited_at: datetime
    asked_policy: str
    before: PolicyDocument | None = None

    @property
    def impersonal(self) -> Hashable:
        """What two invitations have to share so that they differ in what is personal alone."""
        return self.asked_policy, self.before is None, self.application_id is None, self.lifted_at


def invited(told: InterestInvited, before: PolicyDocument | None) -> Invited:
    """What the event tells of the reader."""
    return Invited(
        interest_id=told.interest_id,
        application_id=told.application_id,
        request_id=told.request_id,
        lifted_at=told.lifted_at,
        invited_at=told.invited_at,
        asked_policy=told.asked_policy_hash,
        before=before,
    )
