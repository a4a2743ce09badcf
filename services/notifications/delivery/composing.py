"""Letters into emails: a template is filled once for all applicants with the same answers, then printed for each."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from jinja2 import TemplateError
from markupsafe import escape

from services.notifications.delivery.inviting import words_of
from services.notifications.delivery.templates import Templates
from services.notifications.domain import mime
from services.notifications.domain.addresses import one_line
from services.notifications.domain.letters import (
    INTEREST_REGISTERED,
    INVITATION,
    TEMPLATES,
    Letter,
    Nomination,
    reference_of,
)
from services.notifications.domain.mime import Mailbox
from services.notifications.domain.plates import Gap, Plate, encoded_value, filled_text, plate
from services.notifications.domain.wording import Wording
from services.notifications.use_cases.emails import Composed
from services.notifications.use_cases.previews import Rendered, TemplateVersion
from shared.errors import Permanent
from shared.policy.addresses import AddressUnusable, envelope_address
from shared.policy.base import text_in
from shared.policy.languages import direction_of, isolated
from shared.policy.pack import PolicyDocument

WIDTH: Final = 72
MAX_PRINTS: Final = 2000
"""Prints kept; a print is some 30 kB."""
_BLANK_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_INDENT: Final = re.compile(r"[ ]*(?:[*-] )?")
_PERSONAL: Final = (
    ("recipient", 12),
    ("organisation", 20),
    ("reference", 8),
    ("status_url", 60),
    ("interest_url", 60),
    ("draft_url", 60),
    ("nomination_url", 60),
    ("liaison_url", 60),
    ("apply_url", 60),
)
_GAPS: Final = {gap.marker: gap.name for gap in (Gap.number(i, *each) for i, each in enumerate(_PERSONAL))}
"""What differs between two applicants with the same answers."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses that letters name.

    Attributes:
        status: application id and link generation → its page, signed.
        interest: application id → the page where it leaves the list of those who are told of a pause's end, signed.
        new_link: where whoever lost a link gets a new one.
        nomination: a nomination's id → where the nominee answers, signed.
        draft: a draft's id → where it is filled in, signed.
        own_interest: an interest's id → the page where it is left that belongs to no application, signed.
        liaison: a liaison request's id → the page where its sender looks after it, signed.
        invitation: application id and link generation, or None and the id of a request of the short form → where whoever is
            invited begins, signed.
        public: the public site, without a slash at its end.
    """

    status: Callable[[str, int], str]
    interest: Callable[[str], str]
    new_link: str
    draft: Callable[[str], str]
    nomination: Callable[[str], str]
    own_interest: Callable[[str], str] = str
    liaison: Callable[[str], str] = str
    invitation: Callable[[str | None, int | str], str] = lambda application_id, which: f"{application_id}:{which}"
    public: str = ""


@dataclass(frozen=True, slots=True)
class _Print:
    """A letter with gaps for what is personal: as text, and ready to be filled."""

    marked: Rendered
    text: Plate
    html: Plate


class Composer:
    """Writes emails.

    Args:
        sender: who they are from; its address is an `envelope_address`.
        addresses: makes the applicant's links.
    """

    def __init__(self, templates: Templates, sender: Mailbox, addresses: Addresses) -> None:
        self.templates = templates
        self.sender = sender
        self._addresses = addresses
        self._wordings: dict[tuple[str, str], Wording] = {}
        self._prints: dict[Hashable, _Print] = {}

    def compose(self, letter: Letter, policy: PolicyDocument, email_id: str, date: datetime) -> Composed:
        """The email of a letter. One whose address cannot be used is composed all the same, with the reason.

        Raises:
            Permanent: the letter does not fit the policy version (an unknown criterion) or the template.
        """
        printed = self._print(letter, policy)
        values = self._personal(letter, printed.marked.locale)
        failure, to = "", letter.address
        try:
            to = envelope_address(letter.address)
        except AddressUnusable as error:
            failure = str(error)
        subject = filled_text(printed.marked.subject, _GAPS, values)
        content = mime.build(
            email_id=email_id,
            sender=self.sender,
            to=None if failure else Mailbox(letter.recipient, to),
            subject=subject,
            language=printed.marked.locale,
            date=date,
            text=printed.text.filled({name: encoded_value(value) for name, value in values.items()}),
            html=printed.html.filled({name: encoded_value(str(escape(value))) for name, value in values.items()}),
            reply=letter.reply.headers(self.sender.address) if letter.reply else b"",
            unsubscribe=values["interest_url"] if letter.template in (INTEREST_REGISTERED, INVITATION) else "",
        )
        return Composed(
            to=to,
            subject=subject,
            mime=content,
            message_id=mime.message_id(email_id, self.sender.address),
            locale=printed.marked.locale,
            template_version=printed.marked.template_version,
            failure=failure,
        )

    def render(self, letter: Letter, policy: PolicyDocument) -> Rendered:
        """The letter's words, for a preview. Raises Permanent."""
        marked = self._print(letter, policy).marked
        values = self._personal(letter, marked.locale)
        escaped = {name: str(escape(value)) for name, value in values.items()}
        return Rendered(
            subject=filled_text(marked.subject, _GAPS, values),
            text=filled_text(marked.text, _GAPS, values),
            html=filled_text(marked.html, _GAPS, escaped),
            locale=marked.locale,
            template_version=marked.template_version,
        )

    def versions(self) -> list[TemplateVersion]:
        """Every template pair there is, in the order in which an applicant may get them."""
        return [
            TemplateVersion(name, locale, self.templates.pair(locale, name).version)
            for name in TEMPLATES
            for locale in self.templates.locales_of(name)
        ]

    def _personal(self, letter: Letter, locale: str) -> dict[str, str]:
        return {
            "recipient": isolated(one_line(letter.recipient), locale),
            "organisation": isolated(one_line(letter.organisation), locale),
            "reference": isolated(reference_of(letter.application_id), locale),
            "status_url": self._addresses.status(letter.application_id, letter.link_generation),
            "interest_url": self._interest(letter),
            "apply_url": self._apply(letter),
            "liaison_url": self._addresses.liaison(letter.details["liaison_id"])
            if "liaison_id" in letter.details
            else "",
            "nomination_url": self._addresses.nomination(letter.nomination.nomination_id) if letter.nomination else "",
            "draft_url": self._addresses.draft(letter.details["draft_id"]) if "draft_id" in letter.details else "",
        }

    def _reply(self, letter: Letter, locale: str) -> Mapping[str, Any]:
        """What a reply tells: each application with its reference and the link to its page."""
        assert letter.reply is not None
        accepted = [
            {
                "organisation": isolated(each.organisation, locale),
                "place": isolated(each.place, locale),
                "reference": isolated(reference_of(each.application_id), locale),
                "url": self._addresses.status(each.application_id, letter.link_generation),
            }
            for each in letter.reply.accepted
        ]
        refused = [
            {
                "place": each.place,
                "faults": [
                    {"label": isolated(fault.label, locale), "message": isolated(fault.message, locale)}
                    for fault in each.faults
                ],
            }
            for each in letter.reply.refused
        ]
        same = ("subject", "problems", "notes")
        return {"accepted": accepted, "refused": refused, **{name: getattr(letter.reply, name) for name in same}}

    def _interest(self, letter: Letter) -> str:
        """Where the reader leaves the list. Signing costs as much as filling all else, and few letters name it."""
        if letter.invited is not None and letter.invited.application_id is None:
            return self._addresses.own_interest(letter.invited.interest_id)
        if letter.invited is not None:
            return self._addresses.interest(letter.application_id)
        if "interest_id" in letter.details:
            return self._addresses.own_interest(letter.details["interest_id"])
        return self._addresses.interest(letter.application_id) if letter.pause else ""

    def _apply(self, letter: Letter) -> str:
        """Where the reader of an invitation begins."""
        if letter.invited is None:
            return ""
        if letter.invited.application_id is not None:
            return self._addresses.invitation(letter.invited.application_id, letter.link_generation)
        return self._addresses.invitation(None, letter.invited.request_id or "")

    def _print(self, letter: Letter, policy: PolicyDocument) -> _Print:
        locale = self.templates.locale_for(letter.locale, letter.template)
        if letter.details or letter.reply or letter.words:  # what one letter alone says is of no use to the next
            return self._new_print(letter, policy, locale)
        key = (locale, _impersonal(letter))
        printed = self._prints.get(key)
        if printed is None:
            printed = self._new_print(letter, policy, locale)
            if len(self._prints) >= MAX_PRINTS:
                self._prints.clear()
            self._prints[key] = printed
        return printed

    def _new_print(self, letter: Letter, policy: PolicyDocument, locale: str) -> _Print:
        marked = self._marked(letter, self._wording(letter.policy_hash, policy, locale))
        return _Print(marked, plate(marked.text, _GAPS), plate(marked.html, _GAPS))

    def _marked(self, letter: Letter, wording: Wording) -> Rendered:
        pair = self.templates.pair(wording.locale, letter.template)
        try:
            values = self._values(letter, wording)
            first, _, body = pair.text.render(values).lstrip("\n").partition("\n")
            subject = one_line(first)
            html = pair.html.render(values, subject=subject)
        except TemplateError as error:
            raise Permanent(f"the template {wording.locale}/{letter.template} cannot be filled: {error}") from error
        except KeyError as error:
            raise Permanent(f"the policy version {letter.policy_hash[:12]} does not have {error}") from error
        return Rendered(subject, wrapped(body), html, wording.locale, pair.version)

    def _wording(self, policy_hash: str, policy: PolicyDocument, locale: str) -> Wording:
        wording = self._wordings.get((policy_hash, locale))
        if wording is None:
            wording = self._wordings[policy_hash, locale] = Wording(policy, locale)
        return wording

    def _values(self, letter: Letter, wording: Wording) -> Mapping[str, Any]:
        alliance = wording.text("alliance.name") or self.sender.name
        return {
            **{name: marker for marker, name in _GAPS.items()},
            "locale": wording.locale,
            "direction": direction_of(wording.locale),
            "said": wording.text,
            "alliance": alliance,
            "the_alliance": wording.text("alliance.in-a-sentence") or alliance,
            "contact": wording.text("contact.email"),
            "commitments": wording.commitments,
            "category": wording.category(letter.category),
            "received_at": letter.received_at,
            "answers": wording.explained(letter.receipt),
            "new_link_url": self._addresses.new_link,
            "public_url": self._addresses.public,
            "pause": wording.pause(letter.pause) if letter.pause else None,
            "nomination": _role(letter.nomination, wording.locale) if letter.nomination else None,
            "details": letter.details,
            "twin": letter.twin,
            "words": letter.words,
            "questions": wording.questions(letter.questions),
            "entitlements": wording.entitlements(letter.entitlements),
            "invited": words_of(letter.invited, letter.category, wording.document, wording.locale)
            if letter.invited
            else None,
            "reply": self._reply(letter, wording.locale) if letter.reply else None,
            "templates_url": f"{self._addresses.public}/templates",
            "until": letter.until,
        }


def _impersonal(letter: Letter) -> Hashable:
    """All of a letter that is not personal: two letters with the same differ in what fills the gaps alone."""
    pause, named = letter.pause, letter.nomination
    return (
        letter.template,
        letter.policy_hash,
        letter.category,
        letter.received_at.date(),
        tuple((line.criterion, line.answer, tuple(line.missing)) for line in letter.receipt),
        pause and (pause.model_dump_json(),),
        letter.twin,
        tuple(each.model_dump_json() for each in letter.entitlements),
        tuple(letter.questions),
        letter.invited and letter.invited.impersonal,
        named and (*sorted(named.label.items()), *sorted(named.hint.items())),
    )


def _role(named: Nomination, locale: str) -> Mapping[str, str]:
    """What a nominee is asked to be, in words."""
    return {"label": text_in(named.label, locale), "hint": text_in(named.hint, locale)}


def wrapped(body: str, width: int = WIDTH) -> str:
    """The text with lines of at most `width` characters where words allow it, and at most one blank line in a row."""
    squeezed = _BLANK_LINES.sub("\n\n", body.strip("\n"))
    lines = [line if len(line) <= width else _wrapped_line(line, width) for line in squeezed.split("\n")]
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=4096)
def _wrapped_line(line: str, width: int) -> str:
    """Most long lines are sentences of the policy and come again with the next email."""
    match = _INDENT.match(line)
    indent = " " * len(match.group() if match else "")
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )
