"""Sample data for previews: an invented applicant, and a receipt made of the policy's own criteria."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.notifications.domain.emails import Kind
from services.notifications.domain.invitations import Invited
from services.notifications.domain.letters import (
    ACKNOWLEDGEMENT,
    ADMITTED,
    APPEAL_HEARD,
    DRAFT_LINK,
    INBOUND_REPLY,
    INFORMATION_REQUESTED,
    INTEREST_REGISTERED,
    INVITATION,
    LIAISON_RECEIVED,
    NOMINATION,
    NOTICES,
    Letter,
    Nomination,
)
from services.notifications.domain.replies import Accepted, Fault, Refused, Reply
from shared.events import Answer, EntitlementNotice, PauseNotice, ReceiptLine
from shared.policy.pack import Criterion, PolicyDocument

SAMPLE_ID: Final = "a11ce000-0000-5000-8000-000000000000"
_ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sample is to be like: of a category (the policy's first, if it is none), and to somebody who asked under an
    earlier policy version."""

    category: str = ""
    asked_policy: str = ""
    before: PolicyDocument | None = None


def sample_letter(
    name: str, locale: str, policy: PolicyDocument, policy_hash: str, now: datetime, wanted: Wanted | None = None
) -> Letter:
    """A letter for the template `name`, as if an applicant had applied at `now`."""
    wanted = wanted or Wanted()
    invited = Invited(SAMPLE_ID, SAMPLE_ID, None, now, now, wanted.asked_policy, wanted.before)
    kinds: dict[str, Kind] = {
        ACKNOWLEDGEMENT: "acknowledgement",
        NOMINATION: "nomination",
        ADMITTED: "admission",
        INVITATION: "invitation",
        **dict.fromkeys(NOTICES, "notice"),
    }
    kind = kinds.get(name, "outcome")
    return Letter(
        kind=kind,
        template=name,
        application_id=SAMPLE_ID,
        revision=1,
        number=1 if kind in ("outcome", "admission") else 0,
        category=wanted.category if wanted.category in policy.categories else next(iter(policy.categories)),
        organisation="Example Organisation",
        recipient="Alex Example",
        address="alex@organisation.example",
        locale=locale,
        received_at=now,
        policy_hash=policy_hash,
        receipt=_receipt(name, policy),
        pause=_pause(policy, now) if name == "on_hold" else None,
        details=_DETAILS.get(name, {}),
        words=_WORDS.get(name, ""),
        questions=tuple(policy.questions)[:2] if name == INFORMATION_REQUESTED else (),
        entitlements=_entitlements(policy) if name == ADMITTED else (),
        nomination=_nomination(policy) if name == NOMINATION else None,
        invited=invited if name == INVITATION else None,
        reply=_reply() if name == INBOUND_REPLY else None,
        until=now + timedelta(days=30) if name in (DRAFT_LINK, LIAISON_RECEIVED) else None,
    )


def _reply() -> Reply:
    """A reply to an email with two applications, one of which was refused."""
    return Reply(
        subject="Our applications for membership",
        in_reply_to="<sample@organisation.example>",
        references=("<sample@organisation.example>",),
        accepted=(Accepted(SAMPLE_ID, "Example Organisation", "row 1 of “applications.csv”"),),
        refused=(
            Refused("row 2 of “applications.csv”", (Fault("Country", "Write the two letters of a country code."),)),
        ),
        problems=(),
        notes=("Not looked at, as there is no application in it: “logo.png”.",),
    )


_DETAILS: Final = {
    DRAFT_LINK: {"draft_id": SAMPLE_ID, "amends": ""},
    APPEAL_HEARD: {"verdict": "accepted"},
    INTEREST_REGISTERED: {"interest_id": SAMPLE_ID},
    LIAISON_RECEIVED: {"liaison_id": SAMPLE_ID},
}


_WORDS: Final = {
    APPEAL_HEARD: "Your statutes say it on page two. We had overlooked that.",
    INFORMATION_REQUESTED: "Please send us the page of the register that shows your number.\nA photograph is enough.",
    "declined": "The register does not show the organisation, and nobody answered our letters.",
}


def _entitlements(policy: PolicyDocument) -> list[EntitlementNotice]:
    """What the policy's members may use."""
    return [
        EntitlementNotice(benefit=each.id, text=each.text, available=each.available, note=each.note)
        for each in policy.benefits
    ]


def _nomination(policy: PolicyDocument) -> Nomination:
    """The policy's first nominee; an invented one if it has none."""
    for nominee in policy.nominees:
        return Nomination(SAMPLE_ID, nominee.label, nominee.hint)
    return Nomination(SAMPLE_ID, {_ENGLISH: "Contact"}, {_ENGLISH: "Is written to."})


def _receipt(name: str, policy: PolicyDocument) -> list[ReceiptLine]:
    """A line for each criterion that every applicant is asked, answered so that the outcome would be `name`."""
    asked = [criterion for criterion in policy.criteria if criterion.when is None] or list(policy.criteria)
    ruled = [criterion for criterion in asked if criterion.judge == "rule"]
    judged = [criterion for criterion in asked if criterion.judge == "person"]
    wrong: dict[str, Answer] = {"not_eligible": "not_met", "referred": "not_met", "incomplete": "missing"}
    lines = [_line(criterion, "needs_human") for criterion in judged]
    if name in ("eligible", *wrong):
        lines += _lines(ruled, wrong.get(name, "met"))
        return lines
    return []


def _lines(criteria: Sequence[Criterion], first: Answer) -> list[ReceiptLine]:
    """The first two answered as told, the others met."""
    return [_line(criterion, first if index < 2 else "met") for index, criterion in enumerate(criteria)]


def _line(criterion: Criterion, answer: Answer) -> ReceiptLine:
    missing = list(criterion.needed_names()) if answer == "missing" else []
    return ReceiptLine(criterion=criterion.id, answer=answer, missing=missing)


def _pause(policy: PolicyDocument, now: datetime) -> PauseNotice:
    """The policy's latest pause; an invented one if it has none."""
    if not policy.pauses:
        text = {_ENGLISH: "Applications are on hold for the time being."}
        return PauseNotice(pause_id="", message=text, reason=text, until=now, exempt=[], interest_registered=True)
    pause = max(policy.pauses, key=lambda each: each.until)
    return PauseNotice(
        pause_id=pause.id,
        message=pause.message,
        reason=pause.reason,
        until=pause.until,
        exempt=list(pause.exempt),
        interest_registered=True,
    )
