"""The JSON that the API answers with."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.intake.domain.ledger import EmailState
from services.intake.domain.status import State
from shared.events import EntitlementNotice, Outcome, PauseNotice, ReceiptLine
from shared.policy.identity import MatchedBy

EXAMPLE_ID = "2f1f3d1e-0c34-5d8e-9a59-6f3d1f2f4b6a"
EXAMPLE_SUBMISSION = {
    "category": "a_category_of_the_policy",
    "secondary_categories": [],
    "organisation": {"name": "Example Organisation", "country": "GB", "website": "https://organisation.example"},
    "contact": {"name": "Ann Example", "email": "ann@organisation.example"},
    "locale": "en",
    "consent": {"register_interest": True},
    "answers": {"a.text.question": "text", "a.yes-or-no.question": True, "a.list.question": ["one", "another"]},
}
"""What a submission looks like. Its category and questions are stand-ins: the real ones are the policy's."""


class AcceptedApplication(BaseModel):
    """A revision was accepted: it is stored safely, and is decided next. `status_url` is for programs and needs the API
    key; `status_page` is for the applicant and needs none: whoever holds the link sees the application."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "application_id": EXAMPLE_ID,
                "revision": 1,
                "received_at": "2021-10-04T09:00:00Z",
                "status_url": f"https://join.example.org/v1/applications/{EXAMPLE_ID}",
                "status_page": "https://join.example.org/status/IjJmMWYzZDFlLTBj…",
            }
        }
    )

    application_id: str
    revision: int
    received_at: AwareDatetime = Field(description="The server's receipt time; a client cannot choose it.")
    status_url: str
    status_page: str


class WithdrawnApplication(BaseModel):
    """The application is withdrawn: nothing is decided or mailed any more."""

    application_id: str
    revision: int = Field(description="The newest revision when it was withdrawn.")
    withdrawn_at: AwareDatetime
    status_url: str
    status_page: str


class EmailFate(BaseModel):
    """What became of an email. `superseded`: left out, as the application was withdrawn, amended or decided anew first; or,
    of an acknowledgement, as the same organisation had one at the same address within a day."""

    state: EmailState
    at: AwareDatetime | None = None
    reason: str | None = None


class EmailFates(BaseModel):
    """The acknowledgement, and the email about the newest decision (null while there is none)."""

    acknowledgement: EmailFate
    outcome: EmailFate | None


class TwinShown(BaseModel):
    """The earlier application of the same organisation, and what both share."""

    application_id: str
    reference: str
    matched_by: MatchedBy
    status_url: str


class DecisionShown(BaseModel):
    """The newest decision. `unmet` are the receipt's lines whose answer is not `met`; `met` counts the others. `twin`: it is
    referred because its organisation had applied already; operators alone see by which application. `reason`: what a
    person who decided tells the applicant; `entitlements`: what an admission gives."""

    revision: int
    number: int
    stage: str
    outcome: Outcome
    decided_by: str
    decided_at: AwareDatetime
    policy_hash: str
    unmet: list[ReceiptLine]
    met: int
    pause: PauseNotice | None
    twin: TwinShown | None = None
    reason: str = ""
    entitlements: list[EntitlementNotice] = []


class AskedShown(BaseModel):
    """What the secretariat asks the applicant for; `questions` are to be answered anew. An amendment answers it."""

    text: str
    questions: list[str]
    at: AwareDatetime


class HistoryEntry(BaseModel):
    """Something that happened. `what`: submitted, amended, withdrawn, erased, decided, asked, appealed, appeal_closed,
    document_added, document_removed, email_sent, email_failed, email_superseded."""

    at: AwareDatetime
    what: str
    detail: str
    revision: int


class ApplicationShown(BaseModel):
    """An application as it stands. `state` is `pending` until the newest revision is decided, then its outcome, and
    `withdrawn` once it is; `outcome` is null in the first and last case. `erased` is for good: nothing that names anybody
    is left."""

    application_id: str
    revision: int
    state: State
    outcome: Outcome | None
    channel: str
    client: str
    import_id: str | None
    row: int | None
    historical: bool
    category: str
    organisation_name: str
    locale: str
    received_at: AwareDatetime
    first_received_at: AwareDatetime
    withdrawn_at: AwareDatetime | None
    erased_at: AwareDatetime | None
    dead_lettered: bool = Field(description="A service gave up one of its events; a person has to look at it.")
    decision: DecisionShown | None
    asked: AskedShown | None = None
    emails: EmailFates
    history: list[HistoryEntry]
    status_url: str
    status_page: str


class ApplicationList(BaseModel):
    """A page of applications by id. `next` is the value of `after` for the next page; null at the end."""

    applications: list[ApplicationShown]
    next: str | None
