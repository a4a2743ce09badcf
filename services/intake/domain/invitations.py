"""The form of somebody who was invited to apply: a new application, filled in with what they told us before. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.intake.domain.amendments import as_sent, with_signature_of, without_faults
from services.intake.domain.drafts import Draft, expiry
from services.intake.domain.enquiries import InterestRequest
from shared.application import Application, id_of
from shared.policy.pack import PolicyDocument


@dataclass(frozen=True, slots=True)
class Asked:
    """By what somebody asked to be told: the application that was held, in its newest revision, or a request of the short
    form. One of the two is there."""

    application: Application | None = None
    request: InterestRequest | None = None

    @property
    def category(self) -> str:
        """What they wanted to join as."""
        return self.application.category if self.application else self._request.entry.category

    @property
    def organisation_name(self) -> str:
        """Who asked."""
        found = self.application or self._request.entry
        return found.organisation.name

    @property
    def draft_id(self) -> str:
        """One form for each held application, and one for each request: whoever comes back goes on with it."""
        name = self.application.application_id if self.application else self._request.request_id
        return draft_id_of(name)

    @property
    def _request(self) -> InterestRequest:
        assert self.request is not None
        return self.request


def draft_id_of(name: str) -> str:
    """The id of the form that is begun by the invitation of a held application, or of a request of the short form."""
    return id_of("draft", "invitation", name)


def prefilled(asked: Asked, real: datetime, policy: PolicyDocument) -> Draft:
    """The form, with all that the policy of now has no objection to. A signature under the commitments of now stays; one
    under another text does not count. Nobody is asked to be told of a pause again, so that consent is not carried over."""
    if asked.application is not None:
        draft = replace(as_sent(asked.application, asked.draft_id, real), consent=False, asked_consent=False)
    else:
        draft = _of_request(asked, real)
    return with_signature_of(without_faults(draft, policy), policy)


def _of_request(asked: Asked, real: datetime) -> Draft:
    entry = asked.request.entry if asked.request else None
    assert entry is not None
    values = {
        "organisation.name": entry.organisation.name,
        "organisation.country": entry.organisation.country,
        "contact.name": entry.contact.name,
        "contact.email": entry.contact.email,
    }
    return Draft(
        asked.draft_id, entry.category, expires=expiry(real, real), begun=real, values=values, locale=entry.locale
    )
