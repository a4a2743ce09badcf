"""The part of a held application's page about what is asked otherwise now than when it arrived."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from services.intake.domain.policies import KnownPolicy
from services.intake.domain.status import Status
from services.intake.use_cases.policies import Policies
from shared.policy.base import DEFAULT_LOCALE
from shared.policy.differences import SIGNATURE, Difference, differences
from shared.policy.languages import direction_of
from shared.policy.pack import PolicyDocument

REMEMBERED: Final = 256
"""Comparisons kept: everybody who is on hold looks at the same few."""


class ChangesPanel:
    """Two clocks: what the policy said at the receipt of a held application, and what it says now."""

    template = "panel_changes.html"

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._compared = lru_cache(REMEMBERED)(_differences)

    async def show(
        self, status: Status, token: str, document: PolicyDocument | None, locale: str
    ) -> Mapping[str, Any] | None:
        """What changed; None when it is not on hold, or nothing did that it would meet."""
        if status.outcome != "on_hold" or status.decision is None:
            return None
        book, now = await self._policies.book()
        before, after = book.of(status.decision.policy_hash), book.in_force(now)
        if before is None or after is None or before.hash == after.hash:
            return None
        found = self._compared(_Compared(before), _Compared(after), locale, status.category)
        if not found:
            return None
        return {
            "sign": [each for each in found if each.section == SIGNATURE],
            "others": [each for each in found if each.section != SIGNATURE],
            "since": after.effective_from,
            "language": locale,
            "direction": direction_of(locale),
            "foreign": locale.partition("-")[0] != DEFAULT_LOCALE,
        }


class _Compared:
    """A policy that is remembered by its hash."""

    def __init__(self, known: KnownPolicy) -> None:
        self.document = known.document
        self._hash = known.hash

    def __hash__(self) -> int:
        return hash(self._hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Compared) and other._hash == self._hash


def _differences(before: _Compared, after: _Compared, locale: str, category: str) -> tuple[Difference, ...]:
    return differences(before.document, after.document, locale, category)
