"""What somebody asks who has not applied: to be told when a pause is over, to be answered by the liaison."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from shared.application import Contact, Published


class InterestRequested(Published):
    """Somebody asked, by the short form or over the API, to be told when the pause that covers their category is over. It
    is no application. They agreed to be written to."""

    request_id: str
    category: str
    organisation_name: str
    country: str
    contact: Contact
    locale: str
    requested_at: AwareDatetime


class InterestRegistered(Published):
    """Somebody is on the list of those who are told when the pause is over. Those whose held `application` says so are not
    told of here: the decision is. `source` `form` is the short form, or the API's counterpart."""

    interest_id: str
    application_id: str | None = Field(default=None, exclude_if=lambda value: value is None)
    category: str
    organisation_name: str
    contact: Contact
    locale: str
    registered_at: AwareDatetime
    source: Literal["application", "form"] = Field(
        default="application", exclude_if=lambda value: value == "application"
    )
    country: str | None = Field(default=None, exclude_if=lambda value: value is None)


class InterestInvited(Published):
    """Somebody on the list is invited to apply, now that the pause is over: once for each campaign. `application_id` is the
    held application by which they asked, `request_id` the newest request of the short form, if that is how they asked.

    `asked_policy_hash` and `policy_hash` are the policy versions in force when they asked and now: the letter explains
    what is asked now, and what has changed."""

    invitation_id: str
    campaign_id: str
    interest_id: str
    application_id: str | None = None
    request_id: str | None = None
    category: str
    organisation_name: str
    contact: Contact
    locale: str
    asked_at: AwareDatetime
    asked_policy_hash: str
    policy_hash: str
    lifted_at: AwareDatetime
    invited_at: AwareDatetime


class InterestLeft(Published):
    """Interests ended: somebody left the list of those who are told, with every interest of theirs, or amended their
    application so that it does not ask any more. `subjects` are what letters about them belong to: the held application of
    each, or else the interest. An invitation of `left_at` or before that has not been sent yet is not sent any more."""

    subjects: list[str]
    left_at: AwareDatetime


class InterestErased(Published):
    """Somebody had what they entered in the short form deleted. `request_ids` are the requests of that interest."""

    interest_id: str
    request_ids: list[str]
    erased_at: AwareDatetime


class LiaisonRequested(Published):
    """Somebody of a category that pauses exempt wrote to the liaison. `message` may have line breaks. `reply_by` is the
    day by which a person answers, by the policy in force when it came; None: the policy promises none."""

    request_id: str
    category: str
    organisation_name: str
    country: str
    contact: Contact
    message: str
    locale: str
    requested_at: AwareDatetime
    reply_by: date | None = None


class LiaisonErased(Published):
    """Somebody had their request to the liaison deleted."""

    request_id: str
    erased_at: AwareDatetime
