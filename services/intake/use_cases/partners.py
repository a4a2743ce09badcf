"""Taking in what partners send: the same reading, the same checks and the same write as in every channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.intake.domain import partners as rules
from services.intake.domain.applications import Revision
from services.intake.domain.policies import KnownPolicy
from services.intake.domain.submissions import read
from services.intake.use_cases.applications import Sender
from shared import strict_json
from shared.application import Submission
from shared.errors import Conflict, FieldError, Refused


class InForce(Protocol):
    """The policy in force now. Raises Transient while there is none."""

    async def current(self) -> KnownPolicy: ...


class Accepting(Protocol):
    """Accepts revision 1 of a validated submission."""

    async def submit(self, submission: Submission, sender: Sender) -> Revision: ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A partner's message. `partner` is the broker's user, checked by the broker; `faults` is what is wrong with its
    properties."""

    partner: str
    body: bytes
    message_id: str | None = None
    correlation_id: str | None = None
    trace: str | None = None
    faults: tuple[FieldError, ...] = ()


class PartnerSubmissions:
    """Accepts partners' messages; a repeated one comes to what was accepted then."""

    def __init__(self, policies: InForce, applications: Accepting) -> None:
        self._policies = policies
        self._applications = applications

    async def take(self, letter: Letter) -> Revision:
        """The accepted revision.

        Raises:
            Malformed: the body is no JSON document that can be read.
            Refused: with every failing field.
            Conflict: another document came under the same message id before.
            Transient: nothing was accepted; no policy is in force yet, or it could not be stored.
        """
        policy = await self._policies.current()
        value = strict_json.loads(letter.body)
        submission = read(value, policy.document)
        if isinstance(submission, list) or letter.faults:
            errors = submission if isinstance(submission, list) else []
            raise Refused("The submission has errors.", [*letter.faults, *errors])
        key = rules.key_of(letter.message_id, letter.correlation_id, letter.body)
        try:
            return await self._applications.submit(submission, Sender(letter.partner, key, letter.trace, "partner"))
        except Conflict:
            raise Conflict(
                "This message_id was used for another document before. Send a new message_id with a new document; the "
                "first one stays as it was accepted."
            ) from None
