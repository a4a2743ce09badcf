"""What a decision keeps of the application it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.application import AnswerValue, Application, Consent, Contact, Organisation, Submission
from shared.policy.answers import built_in


@dataclass(frozen=True, slots=True)
class Applicant:
    """One revision: who applies, as what, with what answers, and when it was received.

    `answers` are all it came with, whatever the policy of its time asked; None of what was decided before they were kept.
    """

    application_id: str
    revision: int
    category: str
    organisation: Organisation
    contact: Contact
    locale: str
    channel: str
    received_at: datetime
    first_received_at: datetime
    register_interest: bool
    secondary_categories: tuple[str, ...] = ()
    answers: Mapping[str, AnswerValue] | None = None

    @classmethod
    def of(cls, application: Application) -> Applicant:
        """The applicant of a revision."""
        return cls(
            application_id=application.application_id,
            revision=application.revision,
            category=application.category,
            organisation=application.organisation,
            contact=application.contact,
            locale=application.locale,
            channel=application.provenance.channel,
            received_at=application.received_at,
            first_received_at=application.first_received_at,
            register_interest=application.consent.register_interest,
            secondary_categories=tuple(application.secondary_categories),
            answers=application.answers,
        )

    def built_in(self, name: str) -> str | None:
        """The value of a name every submission has, such as `organisation.country`."""
        return built_in(self.submission({}), name)

    def submission(self, answers: Mapping[str, AnswerValue]) -> Submission:
        """What the applicant sent, with the given answers. Nothing is validated again."""
        return Submission.model_construct(
            category=self.category,
            secondary_categories=list(self.secondary_categories),
            organisation=self.organisation,
            contact=self.contact,
            locale=self.locale,
            consent=Consent.model_construct(register_interest=self.register_interest),
            answers=dict(answers),
        )
