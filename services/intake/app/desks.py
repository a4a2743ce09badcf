"""What intake does: every use case, over the collections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from services.intake.app.stores import Stores
from services.intake.settings import Settings
from services.intake.storage.workbooks import ExcelWorkbooks
from services.intake.use_cases.amendments import Amendments
from services.intake.use_cases.appeals import Appeals
from services.intake.use_cases.applications import Applications, Later
from services.intake.use_cases.draft_links import DraftLinks
from services.intake.use_cases.drafts import Drafts
from services.intake.use_cases.enquiries import Enquiries
from services.intake.use_cases.erasure import EraseApplications
from services.intake.use_cases.evidence import EvidenceFiles
from services.intake.use_cases.evidence_changes import EvidenceChanges
from services.intake.use_cases.exports import Exports, FurtherFacts
from services.intake.use_cases.import_errors import ErrorFiles
from services.intake.use_cases.import_passes import ImportPasses
from services.intake.use_cases.import_undo import ImportUndos
from services.intake.use_cases.imports import Imports
from services.intake.use_cases.ledger import Answers, LedgerKeeper, Reconciler
from services.intake.use_cases.ledger_reports import ReportLedger
from services.intake.use_cases.links import StatusLinks
from services.intake.use_cases.nomination_letters import NominationLetters
from services.intake.use_cases.nominations import Nominations
from services.intake.use_cases.partners import PartnerSubmissions
from services.intake.use_cases.policies import Policies
from shared.limits import Limits
from shared.service import Platform


@dataclass(frozen=True, slots=True)
class Desks:
    """The use cases."""

    applications: Applications
    erasing: EraseApplications
    drafts: Drafts
    draft_links: DraftLinks
    amendments: Amendments
    links: StatusLinks
    nominations: Nominations
    nomination_letters: NominationLetters
    appeals: Appeals
    exports: Exports
    partners: PartnerSubmissions
    policies: Policies
    limits: Limits
    imports: Imports
    import_passes: ImportPasses
    import_undos: ImportUndos
    error_files: ErrorFiles
    answers: Answers
    reconciler: Reconciler
    keeper: LedgerKeeper
    enquiries: Enquiries
    evidence: EvidenceFiles
    evidence_changes: EvidenceChanges

    @classmethod
    def of(cls, platform: Platform, settings: Settings, stores: Stores, later: Later) -> Self:
        """The service's use cases. `later` runs what may be done after an answer. Nothing is contacted."""
        clock, projection, revisions = platform.clock, stores.projection, stores.revisions
        record = platform.record
        imports, files, chunk, books = stores.imports, stores.import_files, settings.import_chunk, ExcelWorkbooks()
        policies = Policies(stores.policies, clock)
        clock.when_set(policies.forget_the_time)
        applications = Applications(revisions, stores.withdrawals, projection, clock, later, record)
        limits = Limits(stores.counters, clock, settings.link_secret.get_secret_value())
        drafts = Drafts(stores.drafts, applications, clock)
        nominees = stores.nomination_requests, stores.nomination_replies
        further = FurtherFacts(*nominees, stores.appeals, stores.drafts, stores.draft_links, stores.inbound)
        answers = Answers()
        evidence = EvidenceFiles(stores.evidence_folders, stores.evidence_bytes, clock)
        after = timedelta(seconds=settings.reconcile_after)
        return cls(
            applications=applications,
            erasing=EraseApplications(stores.erasures, clock, record),
            drafts=drafts,
            draft_links=DraftLinks(stores.draft_links, drafts, limits, clock),
            amendments=Amendments(drafts, stores.drafts, revisions, clock),
            links=StatusLinks(
                stores.revocations, stores.link_requests, revisions, projection, limits, clock, later, record
            ),
            appeals=Appeals(stores.appeals, revisions, projection, clock),
            nomination_letters=NominationLetters(stores.nomination_requests, clock),
            nominations=Nominations(
                stores.nomination_requests,
                stores.nomination_replies,
                revisions,
                stores.statuses,
                policies,
                limits,
                clock,
            ),
            exports=Exports(
                revisions, stores.withdrawals, stores.revocations, stores.link_requests, evidence, further, clock
            ),
            partners=PartnerSubmissions(policies, applications),
            policies=policies,
            limits=limits,
            imports=Imports(imports, files, clock, record),
            import_passes=ImportPasses(
                imports, files, revisions, projection, policies, clock, chunk=chunk, workbooks=books
            ),
            import_undos=ImportUndos(imports, revisions, stores.withdrawals, clock, record, chunk=chunk),
            error_files=ErrorFiles(files, imports, books),
            answers=answers,
            reconciler=Reconciler(
                stores.statuses, revisions, stores.withdrawals, stores.erasures, clock, answers, after
            ),
            keeper=LedgerKeeper(stores.ledger, revisions, projection, ReportLedger(platform.broker, clock)),
            enquiries=Enquiries(stores.interest_requests, stores.liaison_requests, policies, limits, clock, later),
            evidence=evidence,
            evidence_changes=EvidenceChanges(evidence, projection, policies),
        )
