"""The link to a draft by email: where a draft goes on, for whoever stopped filling it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DraftLinkRequest:
    """Somebody who has a draft open asked for its link at `address`.

    `application_id` is the application that the draft changes (`amends`) or will become: by it all of this is found when the
    application is erased. `expires_at`: until when the link opens unless the draft changes (real time).
    """

    request_id: str
    draft_id: str
    application_id: str
    amends: bool
    category: str
    address: str
    locale: str
    expires_at: datetime
    requested_at: datetime
    trace: str | None = None
