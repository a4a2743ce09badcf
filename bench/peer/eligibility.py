"""The peer's eligibility: one message, one decision, one document, one message."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from faststream import FastStream
from faststream.rabbit import RabbitQueue

from bench.peer.common import DECIDED, SUBMITTED, Decided, broker, database, policy, run
from services.eligibility.domain.decisions import judge
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import PolicyVersion
from shared.application import Application
from shared.events import ApplicationDecided, ApplicationSummary, PauseNotice, ReceiptLine

bus = broker()
app = FastStream(bus)
store = database()
version = PolicyVersion(policy, policy.document.effective_from, policy.document.effective_from)
pauses = [PauseVersion(1, pause.from_, pause) for pause in policy.document.pauses]


@bus.subscriber(RabbitQueue("peer.eligibility", durable=True), SUBMITTED)
async def on_submitted(application: Application) -> None:
    judgement = judge(application, application.first_received_at, version, pauses)
    hold = judgement.hold
    event = ApplicationDecided(
        application=ApplicationSummary(
            application_id=application.application_id,
            revision=application.revision,
            category=application.category,
            organisation_name=application.organisation.name,
            contact=application.contact,
            locale=application.locale,
            channel=application.provenance.channel,
            received_at=application.received_at,
        ),
        stage="automatic",
        number=1,
        outcome=judgement.outcome,
        decided_by="policy",
        decided_at=datetime.now(UTC),
        policy_hash=judgement.policy_hash,
        receipt=[
            ReceiptLine(criterion=a.criterion, answer=a.answer, missing=list(a.missing)) for a in judgement.receipt
        ],
        pause=PauseNotice(
            pause_id=hold.pause_id,
            message=hold.message,
            reason=hold.reason,
            until=hold.until,
            exempt=list(hold.exempt),
            interest_registered=application.consent.register_interest,
        )
        if hold
        else None,
    )
    await store["decisions"].insert_one(
        {
            "_id": f"{application.application_id}:1",
            **event.model_dump(),
            "evidence": dict(asdict(judgement)["evidence"]),
        }
    )
    await bus.publish(Decided(decided=event), exchange=DECIDED, persist=True)


if __name__ == "__main__":
    run(app)
