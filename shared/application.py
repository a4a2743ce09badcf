"""The one published Application type; API, events and domain all use it.

A *submission* is what a client sends. An *application* (strictly: one revision of it) is a submission with what
Accede adds: identity, revision, provenance and receipt times. Fields beyond the envelope are *answers*, keyed by the
question ids of the policy pack, so no category, question or criterion is named in code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

ACCEDE_NAMESPACE = uuid5(NAMESPACE_URL, "urn:accede")
"""The root of every deterministic id: the same fact always has the same id, on every machine."""

Lane = Literal["interactive", "bulk"]
Channel = Literal["api", "file", "form", "partner", "email"]
AnswerValue = str | StrictBool | list[str]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class Published(BaseModel):
    """A model other services rely on: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Organisation(Published):
    """Who applies. `country` is an ISO 3166-1 alpha-2 code; `website` an absolute http(s) address."""

    name: ShortText
    country: Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{2}$")]
    website: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] | None = None


class Contact(Published):
    """The person outcomes are mailed to."""

    name: ShortText
    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]


class Consent(Published):
    """What the applicant agreed to. `register_interest`: be told when a pause is lifted."""

    register_interest: StrictBool = False


class Submission(Published):
    """A membership application as a client sends it, in every channel."""

    category: ShortText
    secondary_categories: Annotated[list[ShortText], Field(max_length=10)] = []
    organisation: Organisation
    contact: Contact
    locale: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    consent: Consent = Consent()
    answers: Annotated[dict[str, AnswerValue], Field(max_length=200)] = {}


class Provenance(Published):
    """Where an application came from; enough to find the original, and no personal data.

    `client` is the name of the API key. `import_id`, `row` (1-based, header not counted) are set for files;
    `historical` marks an operator's import that carried its own receipt times. `message_id` is that of the email it came
    in (or our own id of an email without one); `answered` says that its contact sent that email and is answered by a reply
    to it, which stands for the acknowledgement.
    """

    channel: Channel
    client: str
    import_id: str | None = None
    row: int | None = None
    historical: bool = False
    message_id: str | None = Field(default=None, exclude_if=lambda value: value is None)
    answered: bool = Field(default=False, exclude_if=lambda value: value is False)


class Application(Submission):
    """One revision of an application: the submission whole, with identity, provenance and receipt times.

    `received_at` is this revision's receipt (criteria are judged by it), `first_received_at` that of revision 1
    (pauses are judged by it). Both are the database's time, UTC, never the client's.
    """

    application_id: str
    revision: Annotated[int, Field(ge=1)]
    provenance: Provenance
    received_at: AwareDatetime
    first_received_at: AwareDatetime

    def submission(self) -> Submission:
        """The part the client sent."""
        return Submission.model_validate({name: getattr(self, name) for name in Submission.model_fields})


def application_of(
    submission: Submission,
    *,
    application_id: str,
    revision: int,
    provenance: Provenance,
    received_at: datetime,
    first_received_at: datetime,
) -> Application:
    """The revision that accepting `submission` makes. The submission is already validated: nothing is checked twice."""
    return Application.model_construct(
        **{name: getattr(submission, name) for name in Submission.model_fields},
        application_id=application_id,
        revision=revision,
        provenance=provenance,
        received_at=received_at,
        first_received_at=first_received_at,
    )


def id_of(*parts: object) -> str:
    """A deterministic UUID (version 5) of the given parts, in their order."""
    return str(uuid5(ACCEDE_NAMESPACE, "\x1f".join(str(part) for part in parts)))


def is_application_id(text: str) -> bool:
    """Whether `text` is a UUID in its canonical form."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
