"""Hearing an appeal: somebody who had no part in the decision takes the next step of its case. Pure.

Accepted, the application is referred to people again, who then decide it anew. Rejected, the decision stands, and that
is the end: nobody appeals against a hearing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.eligibility.domain.case_changes import By, decision, require_to_do
from services.eligibility.domain.cases import DECIDES, Case, Step
from services.eligibility.domain.decisions import Decision
from shared.errors import Conflict


def heard(case: Case, deciders: Collection[str], accepted: bool, reason: str, by: By) -> Step:
    """Accept or reject the appeal that waits.

    Args:
        deciders: who decided about this revision so far.
        reason: in words that the applicant reads.

    Raises:
        Refused: the reason is missing, or cannot be shown.
        Conflict: no appeal waits, or this person decided what it is against.
    """
    require_to_do(case)
    if not case.appeal_id:
        raise Conflict("No appeal about this application waits to be heard.")
    if case.overtaken:
        raise Conflict("The applicant has just amended the application: the appeal is closed by that.")
    require_other(deciders, by.name)
    if accepted:
        return decision(case, "appeal_accepted", "referred", reason, by)
    return decision(case, "appeal_rejected", case.outcome, reason, by)


def require_other(deciders: Collection[str], name: str) -> None:
    """Raises Conflict when that person decided what the appeal is against."""
    if name in deciders:
        raise Conflict("You decided about this application: somebody else has to hear the appeal.")


def deciders_of(revision: int, decisions: Iterable[Decision], steps: Iterable[Step]) -> set[str]:
    """Who decided about a revision; the policy is among them, and who proposed what others confirmed. Steps say it before
    their decisions are stored."""
    stored = {(each.decided_by, each.proposed_by) for each in decisions if each.applicant.revision == revision}
    taken = {(each.by, each.proposed_by) for each in steps if each.revision == revision and each.what in DECIDES}
    return {name for pair in stored | taken for name in pair if name}
