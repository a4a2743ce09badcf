"""What an invitation says of the policy: what is asked of the reader's category now, what to have at hand, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.notifications.domain.invitations import Invited
from shared.policy.base import text_in
from shared.policy.differences import SIGNATURE, differences
from shared.policy.pack import PolicyDocument
from shared.policy.witness import applies_to


def words_of(invited: Invited, category: str, policy: PolicyDocument, locale: str) -> Mapping[str, Any]:
    """The lists of an invitation, in a locale. A category that the policy no longer knows has empty ones: the form asks
    then what they want to join as."""
    asked = policy.categories.get(category)
    changed = differences(invited.before, policy, locale, category) if invited.before is not None else ()
    return {
        "criteria": _criteria(policy, category, locale),
        "evidence": [text_in(each, locale) for each in asked.evidence] if asked else [],
        "documents": [text_in(kind.label, locale) for kind in policy.evidence_for(category)] if asked else [],
        "changes": [each for each in changed if each.section != SIGNATURE],
        "sign_again": any(each.section == SIGNATURE for each in changed),
        "compared": invited.before is not None,
        "applied": invited.application_id is not None,
        "lifted_at": invited.lifted_at,
    }


def _criteria(policy: PolicyDocument, category: str, locale: str) -> list[str]:
    """What is asked of a category, the criteria that establish it first."""
    asked = [each for each in policy.criteria if applies_to(policy, each, category)]
    return [text_in(each.statement, locale) for each in sorted(asked, key=lambda each: not each.own)]
