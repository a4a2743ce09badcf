"""How a status becomes the JSON of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.intake.api.shapes import (
    ApplicationShown,
    AskedShown,
    DecisionShown,
    EmailFate,
    EmailFates,
    HistoryEntry,
    TwinShown,
)
from services.intake.domain.status import Decision, Email, Status
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


def shown(status: Status, addresses: Addresses, *, to_operator: bool) -> ApplicationShown:
    """A status as the API shows it."""
    outcome_email, asks = status.outcome_email, status.asks
    return ApplicationShown(
        **{name: getattr(status, name) for name in _SAME},
        outcome=status.outcome,
        dead_lettered=status.dead_letter is not None,
        decision=_decision(status.decision, addresses, to_operator) if status.decision else None,
        asked=AskedShown(text=asks.text, questions=list(asks.questions), at=asks.at) if asks else None,
        emails=EmailFates(
            acknowledgement=_fate(status.acknowledgement), outcome=_fate(outcome_email) if outcome_email else None
        ),
        history=[
            HistoryEntry(at=each.at, what=each.what, detail=each.detail, revision=each.revision)
            for each in status.history
        ],
        **addresses.of(status.application_id, status.link_generation),
    )


def _decision(decision: Decision, addresses: Addresses, to_operator: bool) -> DecisionShown:
    twin = decision.twin if to_operator else None
    same = {name: getattr(decision, name) for name in DecisionShown.model_fields if name != "twin"}
    url = addresses.of(twin.application_id)["status_url"] if twin else ""
    return DecisionShown(**same, twin=TwinShown(**twin.model_dump(), status_url=url) if twin else None)


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
    "erased_at",
)
