"""What an admitted organisation may use: one record for each benefit of the policy in force when it was admitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.policy.pack import PolicyDocument


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One thing that an admitted organisation may use. `text` and `note` are the policy's, by locale; `available` is false
    while the thing itself is still being made. `ended_at`: since when it may not any more, as the organisation withdrew."""

    application_id: str
    benefit: str
    text: Mapping[str, str]
    available: bool
    note: Mapping[str, str] | None
    granted_at: datetime
    ended_at: datetime | None = None

    @property
    def entitlement_id(self) -> str:
        """The same however often it is granted."""
        return f"{self.application_id}:{self.benefit}"


def entitlements_of(application_id: str, document: PolicyDocument, at: datetime) -> tuple[Entitlement, ...]:
    """What an admission gives at `at`, by the policy in force then."""
    return tuple(
        Entitlement(application_id, each.id, each.text, each.available, each.note, at) for each in document.benefits
    )
