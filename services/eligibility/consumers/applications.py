"""What comes from intake: revisions to decide, and withdrawals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

import structlog

from services.eligibility.domain.withdrawals import Withdrawal
from services.eligibility.use_cases.decisions import DecideApplications
from services.eligibility.use_cases.withdrawals import TakeWithdrawals
from shared import metrics
from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import ApplicationAmended, ApplicationSubmitted, ApplicationWithdrawn

log = structlog.get_logger(__name__)


def handlers(decide: DecideApplications, withdraw: TakeWithdrawals) -> Mapping[str, Handler]:
    """Event type → its handler."""

    async def revisions(events: Sequence[Event], lane: Lane) -> None:
        received = [cast("ApplicationSubmitted | ApplicationAmended", event.data).application for event in events]
        kept = await decide(received, lane)
        outcomes = Counter(
            "superseded" if each.decision.superseded else each.decision.judgement.outcome for each in kept if each.fresh
        )
        for outcome, count in outcomes.items():
            metrics.DECISIONS.labels(outcome).inc(count)
        log.info("decided", events=len(events), again=len(events) - outcomes.total(), **outcomes)

    async def withdrawals(events: Sequence[Event], lane: Lane) -> None:
        taken = [cast(ApplicationWithdrawn, event.data) for event in events]
        await withdraw([Withdrawal(each.application_id, each.revision, each.withdrawn_at) for each in taken])
        log.info("withdrawals noted", events=len(events))

    return {
        "application.submitted.v1": revisions,
        "application.amended.v1": revisions,
        "application.withdrawn.v1": withdrawals,
    }
