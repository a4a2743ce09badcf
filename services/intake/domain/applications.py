"""Revisions and withdrawals: how they are identified, and when one may follow another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from shared.application import Application, Channel, Provenance, Submission, application_of, id_of
from shared.errors import Conflict
from shared.events import ApplicationSummary


class Stale(Conflict):
    """The caller amended another revision than the newest one."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One accepted revision. `body_hash` tells a repeated request from another one under the same key (rows of files need
    none); `trace` is the W3C `traceparent` of the request. `erased_at`: nothing that names anybody is in it since."""

    application: Application
    body_hash: str | None = None
    idempotency_key: str | None = None
    trace: str | None = None
    erased_at: datetime | None = None

    @property
    def id(self) -> str:
        """The key under which it is stored: only one revision of a number can ever exist."""
        return revision_id(self.application.application_id, self.application.revision)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The applicant withdrew; `revision` was the newest then. An application is withdrawn once. `application` says who is
    sent a confirmation; None: nobody is. `reason` is there when it was not the applicant who withdrew: then no email at all
    is sent any more."""

    application_id: str
    revision: int
    withdrawn_at: datetime
    client: str
    trace: str | None = None
    application: ApplicationSummary | None = None
    reason: str | None = None


def revision_id(application_id: str, revision: int) -> str:
    """The key of a revision."""
    return f"{application_id}:{revision}"


def application_id_for(client: str, idempotency_key: str | None, channel: Channel = "api") -> str:
    """The id of a new application: the same for the same client and key, else random. Clients of different channels
    are different clients, whatever their names."""
    if not idempotency_key:
        return str(uuid4())
    return id_of("application", *(() if channel == "api" else (channel,)), client, idempotency_key)


def reference_of(application_id: str) -> str:
    """What an applicant quotes when writing to us: the first eight digits of the application's id."""
    return application_id[:8].upper()


def body_hash(submission: Submission) -> str:
    """Sha256 (hex) of the submission as canonical JSON, so that white space and the order of keys do not matter."""
    plain = submission.model_dump(mode="json")
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def first_revision(
    submission: Submission, application_id: str, provenance: Provenance, received_at: datetime
) -> Application:
    """Revision 1: its receipt is the first receipt."""
    return application_of(
        submission,
        application_id=application_id,
        revision=1,
        provenance=provenance,
        received_at=received_at,
        first_received_at=received_at,
    )


def next_revision(
    newest: Application, submission: Submission, provenance: Provenance, received_at: datetime
) -> Application:
    """The revision after `newest`. It came its own way at its own time, and inherits the first receipt time, by which
    pauses judge."""
    return application_of(
        submission,
        application_id=newest.application_id,
        revision=newest.revision + 1,
        provenance=provenance,
        received_at=received_at,
        first_received_at=newest.first_received_at,
    )


def require_same_body(stored: Revision, wanted_hash: str) -> None:
    """A repeated request gets the same answer only if it is the same.

    Raises:
        Conflict: another document was sent under this key before.
    """
    if stored.body_hash != wanted_hash:
        raise Conflict(
            "This Idempotency-Key was used for another document before. Send a new key with a new document; the first "
            "one stays as it was accepted."
        )


def require_amendment(earlier: Revision) -> None:
    """Raises Conflict when the revision under an amendment's key is the first one: nothing would be amended."""
    if earlier.application.revision == 1:
        raise Conflict(
            "This Idempotency-Key was used to submit the application, so nothing was amended. Send a new key with an "
            "amendment."
        )


def require_before(withdrawal: Withdrawal | None, revision: int) -> None:
    """Raises Conflict when the application was withdrawn while this revision was on its way: it has no effect."""
    if withdrawal is not None and withdrawal.revision < revision:
        require_open(withdrawn=True)


def earlier_under_key(revisions: Sequence[Revision], key: str | None) -> Revision | None:
    """The revision that was accepted under this idempotency key, if any."""
    return next((each for each in revisions if key is not None and each.idempotency_key == key), None)


def require_expected(newest: int, expected: int | None) -> None:
    """An amendment of what the caller has seen, not of what somebody else sent meanwhile.

    Raises:
        Stale: `expected` is not the newest revision.
    """
    if expected is not None and expected != newest:
        raise Stale(f"The newest revision is {newest}, not {expected}: read the application again, then amend it.")


def require_open(withdrawn: bool, admitted: bool = False) -> None:
    """Raises Conflict when the application was withdrawn, or its organisation is admitted."""
    if admitted:
        raise Conflict("The organisation is a member already: its application cannot be amended. Write to us instead.")
    if withdrawn:
        raise Conflict("This application was withdrawn, and cannot be amended. Submit a new one.")
