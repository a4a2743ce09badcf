"""Where intake keeps what it keeps: every collection, over one database and one broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from services.intake.domain.erasure import Erasure
from services.intake.settings import Settings
from services.intake.storage.appeals import MongoAppeals
from services.intake.storage.applications import MongoRevisions, MongoWithdrawals
from services.intake.storage.draft_links import MongoDraftLinkRequests
from services.intake.storage.drafts import MongoDrafts
from services.intake.storage.enquiries import MongoInterestRequests, MongoLiaisonRequests
from services.intake.storage.erasures import MongoErasures
from services.intake.storage.evidence import EvidenceErasure, GridEvidence, MongoEvidenceFolders
from services.intake.storage.import_files import GridFiles
from services.intake.storage.imports import MongoImports
from services.intake.storage.inbound import MongoInbound
from services.intake.storage.ledger import MongoLedger
from services.intake.storage.links import MongoLinkRequests, MongoRevocations
from services.intake.storage.nominations import MongoNominationReplies, MongoNominationRequests
from services.intake.storage.policies import MongoPolicies
from services.intake.storage.receipts import MongoReceipts
from services.intake.storage.status import MongoStatuses
from services.intake.use_cases.status import StatusProjection
from shared import stopping
from shared.counters import MongoCounters
from shared.dead_letters import DeadLetters
from shared.erasing import Erasable, Erasables
from shared.outbox import Outbox
from shared.service import Platform
from shared.stopping import Point


@dataclass(frozen=True, slots=True)
class Stores:
    """The collections, and the projection that the facts write their statuses with."""

    statuses: MongoStatuses
    projection: StatusProjection
    revisions: MongoRevisions
    withdrawals: MongoWithdrawals
    revocations: MongoRevocations
    link_requests: MongoLinkRequests
    nomination_requests: MongoNominationRequests
    nomination_replies: MongoNominationReplies
    appeals: MongoAppeals
    counters: MongoCounters
    drafts: MongoDrafts
    draft_links: MongoDraftLinkRequests
    policies: MongoPolicies
    imports: MongoImports
    import_files: GridFiles
    inbound: MongoInbound
    ledger: MongoLedger
    receipts: MongoReceipts
    evidence_folders: MongoEvidenceFolders
    evidence_bytes: GridEvidence
    evidence_erasure: EvidenceErasure
    interest_requests: MongoInterestRequests
    liaison_requests: MongoLiaisonRequests
    erasures: MongoErasures
    dead_letters: DeadLetters

    @classmethod
    def of(cls, platform: Platform, settings: Settings) -> Self:
        """The service's collections. Nothing is contacted."""
        database, broker, clock = platform.database, platform.broker, platform.clock
        statuses = MongoStatuses(database, timedelta(seconds=settings.reconcile_after))
        projection = StatusProjection(statuses, clock)
        revisions = MongoRevisions(database, broker, projection.revisions)
        projection.heal_from(revisions)
        imports = MongoImports(database)
        stores = cls(
            statuses=statuses,
            projection=projection,
            revisions=revisions,
            withdrawals=MongoWithdrawals(database, broker, projection.withdrawals),
            revocations=MongoRevocations(database, broker, clock, projection.revocations),
            link_requests=MongoLinkRequests(database, broker, clock),
            nomination_requests=MongoNominationRequests(
                database, broker, clock, timedelta(seconds=settings.reconcile_after)
            ),
            nomination_replies=MongoNominationReplies(database, broker, clock),
            appeals=MongoAppeals(database, broker, projection.appeals),
            counters=MongoCounters(database),
            drafts=MongoDrafts(database),
            draft_links=MongoDraftLinkRequests(database, broker, clock),
            policies=MongoPolicies(database),
            imports=imports,
            import_files=GridFiles(database),
            inbound=MongoInbound(database, broker, timedelta(days=settings.inbound_keep_days)),
            ledger=MongoLedger(database, revisions, statuses, imports),
            receipts=MongoReceipts(database),
            evidence_folders=MongoEvidenceFolders(database),
            evidence_bytes=GridEvidence(database),
            evidence_erasure=EvidenceErasure(database),
            interest_requests=MongoInterestRequests(database, broker, clock),
            liaison_requests=MongoLiaisonRequests(database, broker, clock),
            erasures=MongoErasures(database, broker),
            dead_letters=platform.dead_letters,
        )
        stores.erasures.carried_out_by(stores._erase)
        return stores

    async def _erase(self, erasures: Sequence[Erasure]) -> None:
        """The status first: from then on nothing is shown or done any more."""
        await self.projection.erasures(erasures)
        stopping.reached(Point.ERASURE_BEGUN)
        await Erasables(self.erasables()).erase([each.application_id for each in erasures])

    def outboxes(self) -> list[Outbox]:
        """What the sweeper publishes."""
        facts = (self.revisions, self.withdrawals, self.revocations, self.link_requests, self.erasures)
        others = (self.nomination_requests, self.nomination_replies, self.appeals, self.draft_links)
        enquiries = (self.interest_requests, self.liaison_requests)
        return [each.outbox for each in (*facts, *others, *enquiries, self.inbound)]

    def erasables(self) -> list[Erasable]:
        """What is erased of an application that its applicant has erased: every collection that can name somebody."""
        others: list[Erasable] = [self.nomination_requests, self.nomination_replies, self.appeals]
        facts: list[Erasable] = [self.drafts, self.draft_links, self.revisions, self.withdrawals, self.link_requests]
        return [*facts, *others, self.evidence_erasure, self.import_files, self.inbound, self.dead_letters]

    def prepare(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """What makes the indexes."""
        indexed = (self.revisions, self.statuses, self.imports, self.counters, self.link_requests, self.drafts)
        others = (self.nomination_requests, self.nomination_replies, self.appeals, self.draft_links)
        evidence = (self.evidence_folders, self.evidence_bytes, self.receipts)
        return [each.prepare for each in (*indexed, *others, *evidence, self.inbound)]
