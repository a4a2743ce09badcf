"""What may be done about a case: each function takes the case as it stands and gives the next step, or says why not. Pure.

A step is about the revision that was looked at. Whoever has looked at an earlier one, or does not know of a step that
somebody else took, reads the case again first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from services.eligibility.domain.cases import APPLICANT, Case, Deed, Step
from services.eligibility.domain.nominations import Nomination
from shared.errors import Conflict, FieldError, Refused
from shared.policy.answers import is_blank

MOST: Final = 4000
"""Characters of what somebody writes."""
_PLAIN: Final = "\n\t"
_UNSHOWN: Final = ("Cc", "Cs")
"""Control characters and halves of characters. What only joins or directs letters is part of many languages."""


@dataclass(frozen=True, slots=True)
class Through:
    """The bulk action by which something is done, and who proposed it."""

    action_id: str
    proposed_by: str


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, when, and by which bulk action if it is part of one."""

    name: str
    at: datetime
    through: Through | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody had before them: the revision, the number of the last step, the appeal that waits. None: whatever there
    is."""

    revision: int | None = None
    version: int | None = None
    appeal_id: str | None = None


ANYTHING: Final = Seen()


def require_seen(case: Case, seen: Seen) -> None:
    """Raises Conflict when the case is not any more what somebody saw."""
    if seen.revision is not None and seen.revision != case.revision:
        raise Conflict(f"The newest revision is {case.revision}, not {seen.revision}: read the case again first.")
    if seen.version is not None and seen.version != case.version:
        raise Conflict("Somebody did something about this case meanwhile: read it again first.")
    if seen.appeal_id is not None and seen.appeal_id != case.appeal_id:
        raise Conflict("This appeal does not wait to be heard any more: read the case again first.")


def assigned(case: Case, owner: str, by: By) -> Step | None:
    """Give the case an owner, or to nobody (""); None when it is theirs already. Raises Conflict, Refused."""
    _require_kept(case)
    owner = owner.strip()
    if len(owner) > 64:
        raise refused("owner", "is longer than 64 characters")
    return None if owner == case.owner else _step(case, "assigned", by, old=case.owner, new=owner)


def reply_by_set(case: Case, day: date, reason: str, by: By) -> Step | None:
    """Another day by which the applicant is to hear from us; None when it is that one. Raises Conflict, Refused."""
    require_to_do(case)
    if day < by.at.date():
        raise refused("reply_by", "is in the past")
    if day == case.reply_by:
        return None
    text = _text(reason, "reason", needed=False)
    return _step(case, "reply_by_set", by, text=text, old=case.reply_by.isoformat(), new=day.isoformat())


def commented(case: Case, text: str, by: By) -> Step:
    """A comment, for the secretariat alone. Raises Conflict when the case was erased, Refused."""
    _require_kept(case)
    return _step(case, "commented", by, text=_text(text, "text"))


def information_requested(case: Case, text: str, questions: Iterable[str], known: Collection[str], by: By) -> Step:
    """Ask the applicant for something; they are told, and answer by amending the application.

    Args:
        text: in words that the applicant reads.
        questions: ids of what is to be answered anew, of those that the policy `known`s.

    Raises Conflict, Refused.
    """
    require_to_do(case)
    _require_judged(case)
    asked = tuple(dict.fromkeys(questions))
    for index, each in enumerate(asked):
        if each not in known:
            raise refused(f"questions/{index}", f"there is no question '{each}'")
    return _step(case, "information_requested", by, text=_text(text, "text"), questions=asked)


def flagged(case: Case, reason: str, by: By) -> Step:
    """Raise the due-diligence flag: nobody is admitted while it is up. Raises Conflict, Refused."""
    _require_kept(case)
    if case.flagged:
        raise Conflict("The due-diligence flag of this case is up already.")
    return _step(case, "flagged", by, text=_text(reason, "reason"), old="clear", new="flagged")


def cleared(case: Case, reason: str, by: By) -> Step:
    """Take the due-diligence flag down. Raises Conflict, Refused."""
    _require_kept(case)
    if not case.flagged:
        raise Conflict("The due-diligence flag of this case is not up.")
    return _step(case, "cleared", by, text=_text(reason, "reason"), old="flagged", new="clear")


def found_eligible(case: Case, reason: str, by: By) -> Step:
    """A referred application meets the criteria after all; from now on its nominees are asked. Raises Conflict, Refused."""
    _require_decidable(case)
    if case.outcome != "referred":
        raise Conflict(
            f"Only a referred application is found eligible by a person; this one is {_words(case.outcome)}."
        )
    return decision(case, "found_eligible", "eligible", reason, by)


def admitted(case: Case, nominations: Collection[Nomination], unnamed: Collection[str], reason: str, by: By) -> Step:
    """Admit the organisation.

    Args:
        nominations: whom the application names.
        unnamed: what those are called whom it had to name, and did not.

    Raises Conflict when something stands in the way: the flag, a nominee who is not named or has not confirmed, an outcome
    that is not eligible.
    """
    _require_decidable(case)
    if hindrance := hindrance_of(case, nominations, unnamed):
        raise Conflict(hindrance)
    return decision(case, "admitted", "admitted", reason, by, needed=False)


def hindrance_of(case: Case, nominations: Collection[Nomination], unnamed: Collection[str]) -> str:
    """Why an application that people have to look at cannot be admitted yet, in a sentence; empty when it can be."""
    if case.outcome == "referred":
        return "This application is referred: find it eligible first, so that its nominees are asked."
    if case.outcome != "eligible":
        return f"Only an eligible application is admitted; this one is {_words(case.outcome)}."
    if case.flagged:
        return "The due-diligence flag is up: clear it first."
    if unnamed:
        return f"The application does not name every nominee: ask the applicant for {', '.join(unnamed)}."
    if waiting := [each.nominated.name for each in nominations if not _confirmed(each)]:
        return f"Not every nominee has confirmed yet: {', '.join(waiting)}."
    return ""


def declined(case: Case, reason: str, by: By) -> Step:
    """Decline the organisation; the applicant reads the reason, and how to appeal. Raises Conflict, Refused."""
    _require_decidable(case)
    if case.outcome not in ("referred", "eligible"):
        raise Conflict(f"This application is {_words(case.outcome)} already.")
    return decision(case, "declined", "declined", reason, by)


def amended(case: Case, revision: int, at: datetime) -> Step | None:
    """The applicant has sent a newer revision. None when that is known, or the organisation is admitted: its application
    has come to its end."""
    if case.state == "admitted" or revision <= case.revision or case.overtaken:
        return None
    return Step(case.application_id, case.version + 1, revision, "amended", APPLICANT, at)


def refused(name: str, sentence: str) -> Refused:
    """One field that stands in the way."""
    return Refused("Nothing was done.", [FieldError(f"/{name}", sentence)])


def decision(case: Case, what: Deed, outcome: str, reason: str, by: By, *, needed: bool = True) -> Step:
    """A step that decides. Raises Refused when the reason is missing though it is needed, or cannot be shown."""
    return _step(case, what, by, text=_text(reason, "reason", needed=needed), old=case.outcome, new=outcome)


def _step(
    case: Case, what: Deed, by: By, *, text: str = "", old: str = "", new: str = "", questions: tuple[str, ...] = ()
) -> Step:
    step = Step(case.application_id, case.version + 1, case.revision, what, by.name, by.at, text, old, new, questions)
    if by.through is None:
        return step
    return replace(step, action_id=by.through.action_id, proposed_by=by.through.proposed_by)


def _text(text: str, name: str, *, needed: bool = True) -> str:
    """What somebody wrote, without blanks around it. Raises Refused."""
    found = text.strip().replace("\r\n", "\n")
    if needed and is_blank(found):
        raise refused(name, "is needed: whoever reads this later asks for it")
    if len(found) > MOST:
        raise refused(name, f"is longer than {MOST:,} characters")
    if any(unicodedata.category(each) in _UNSHOWN and each not in _PLAIN for each in found):
        raise refused(name, "holds a character that cannot be shown")
    return found


def _require_kept(case: Case) -> None:
    if case.state == "erased":
        raise Conflict("This application was erased: nothing can be done about it any more.")


def require_to_do(case: Case) -> None:
    """Raises Conflict when nothing is left to do about a case."""
    """The applicant's turn does not keep people from going on."""
    _require_kept(case)
    if case.state not in ("open", "waiting"):
        raise Conflict(f"This case is {case.state}: nothing is left to do about it.")


def _require_decidable(case: Case) -> None:
    require_to_do(case)
    _require_judged(case)
    if case.appeal_id:
        raise Conflict("The applicant has appealed: hear the appeal.")


def _require_judged(case: Case) -> None:
    if case.overtaken:
        raise Conflict("The applicant has just amended the application: it is being judged anew, look again shortly.")


def _confirmed(nomination: Nomination) -> bool:
    return nomination.answered is not None and nomination.answered.answer == "confirmed"


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")
