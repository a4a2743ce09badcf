"""Applications, policies and pauses for the tests of decisions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import PolicyVersion, Rulebook
from shared.application import Application, Consent, Provenance, Submission, application_of
from shared.policy.base import Value
from shared.policy.engine import CriterionAnswer
from shared.policy.pack import AnswerKind, Pause, Policy
from tests.unit.policy.packs import complete, weprotect

DURING = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
AFTER = datetime(2022, 1, 10, 9, 0, tzinfo=UTC)
EARLY = datetime(2020, 1, 1, tzinfo=UTC)


def application(
    submission: Submission | str = "civil_society_organisation",
    *,
    application_id: str = "",
    revision: int = 1,
    received_at: datetime = DURING,
    first_received_at: datetime | None = None,
    consent: bool = True,
) -> Application:
    """A revision of a submission, or of a complete one of a category. The organisation that submissions have by themselves
    becomes one of the application's own."""
    application_id = application_id or str(uuid4())
    given = complete(submission) if isinstance(submission, str) else submission
    if given.organisation.name == "Example Organisation":
        given = of_its_own(given, application_id)
    return application_of(
        given.model_copy(update={"consent": Consent(register_interest=consent)}),
        application_id=application_id,
        revision=revision,
        provenance=Provenance(channel="api", client="tests"),
        received_at=received_at,
        first_received_at=first_received_at or received_at,
    )


def of_its_own(submission: Submission, application_id: str) -> Submission:
    """The submission with a name and a registration that no other application has."""
    organisation = submission.organisation.model_copy(update={"name": f"Example Organisation {application_id}"})
    number = {"registration.number": f"R{UUID(application_id).int % 10**12}"}
    answers = submission.answers | {name: text for name, text in number.items() if name in submission.answers}
    return submission.model_copy(update={"organisation": organisation, "answers": answers})


@cache
def alliance() -> PolicyVersion:
    """The Alliance's policy, in force from its own date."""
    return version(weprotect())


def version(policy: Policy, effective_from: datetime | None = None) -> PolicyVersion:
    """A policy version, in force from its own date unless another is given."""
    start = effective_from or policy.document.effective_from
    return PolicyVersion(policy, start, stored_at=start)


def pauses_of(policy: Policy) -> tuple[PauseVersion, ...]:
    """The first versions of a policy's pauses, in effect since ever."""
    return tuple(PauseVersion(1, EARLY, pause) for pause in policy.document.pauses)


def rulebook(policies: Iterable[PolicyVersion] | None = None, pauses: Iterable[PauseVersion] | None = None) -> Rulebook:
    """The Alliance's policy and its pause, unless others are given."""
    return Rulebook.of(
        [alliance()] if policies is None else policies, pauses_of(weprotect()) if pauses is None else pauses
    )


def pause(
    pause_id: str = "break",
    *,
    start: datetime = DURING - timedelta(days=1),
    until: datetime = DURING + timedelta(days=1),
    covers: tuple[str, ...] = (),
    exempt: tuple[str, ...] = (),
) -> Pause:
    """A pause around DURING."""
    return Pause(
        id=pause_id,
        covers=covers,
        exempt=exempt,
        from_=start,
        until=until,
        timezone="Europe/London",
        message={"en": "On hold."},
        reason={"en": "We think."},
    )


def answered(
    answer: AnswerKind, *, own: bool = False, refer: bool = False, evidence: dict[str, Value] | None = None
) -> CriterionAnswer:
    """The answer of some criterion."""
    return CriterionAnswer(
        criterion="rule",
        statement={"en": "It is so."},
        answer=answer,
        evidence=evidence or {},
        missing=(),
        own=own,
        unmet="refer" if refer else "not_met",
        judged_by="rule",
    )
