"""How a status becomes the JSON of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.intake.api.shapes import ApplicationShown, DecisionShown, EmailFate, EmailFates, HistoryEntry
from services.intake.domain.status import Email, Status
from shared.web.links import STATUS, status_subject


class Addresses:
    """Where an application is seen: by programs, and by whoever holds its signed link."""

    def __init__(self, public_url: str, sign: Callable[[str, str], str]) -> None:
        self._base = public_url.rstrip("/")
        self._sign = sign

    def of(self, application_id: str, generation: int = 0) -> dict[str, str]:
        """`status_url` and `status_page`. `generation` is that of the links that open now."""
        return {
            "status_url": f"{self._base}/v1/applications/{application_id}",
            "status_page": f"{self._base}/status/{self._sign(STATUS, status_subject(application_id, generation))}",
        }


def shown(status: Status, addresses: Addresses) -> ApplicationShown:
    """A status as the API shows it."""
    decision = status.decision
    outcome_email = status.outcome_email
    return ApplicationShown(
        **{name: getattr(status, name) for name in _SAME},
        outcome=status.outcome,
        dead_lettered=status.dead_letter is not None,
        decision=DecisionShown.model_validate(decision, from_attributes=True) if decision else None,
        emails=EmailFates(
            acknowledgement=_fate(status.acknowledgement), outcome=_fate(outcome_email) if outcome_email else None
        ),
        history=[
            HistoryEntry(at=each.at, what=each.what, detail=each.detail, revision=each.revision)
            for each in status.history
        ],
        **addresses.of(status.application_id, status.link_generation),
    )


def _fate(email: Email) -> EmailFate:
    return EmailFate(state=email.state, at=email.at, reason=email.reason)


_SAME: Final = (
    "application_id",
    "revision",
    "state",
    "channel",
    "client",
    "import_id",
    "row",
    "historical",
    "category",
    "organisation_name",
    "locale",
    "received_at",
    "first_received_at",
    "withdrawn_at",
)
