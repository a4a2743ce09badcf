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

from services.notifications.delivery.templates import Templates
from services.notifications.domain import mime
from services.notifications.domain.addresses import one_line
from services.notifications.domain.letters import TEMPLATES, Letter, reference_of
from services.notifications.domain.mime import Mailbox
from services.notifications.domain.plates import Gap, Plate, encoded_value, filled_text, plate
from services.notifications.domain.wording import Wording, choose_locale
from services.notifications.use_cases.emails import Composed
from services.notifications.use_cases.previews import Rendered, TemplateVersion
from shared.errors import Permanent
from shared.policy.addresses import AddressUnusable, envelope_address
from shared.policy.pack import PolicyDocument

WIDTH: Final = 72
MAX_PRINTS: Final = 2000
"""Prints kept; a print is some 30 kB."""
_BLANK_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_INDENT: Final = re.compile(r"[ ]*(?:[*-] )?")
_PERSONAL: Final = (("recipient", 12), ("organisation", 20), ("reference", 8), ("status_url", 60), ("interest_url", 60))
_GAPS: Final = {gap.marker: gap.name for gap in (Gap.number(i, *each) for i, each in enumerate(_PERSONAL))}
"""What differs between two applicants with the same answers."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses that letters name.

    Attributes:
        status: application id and link generation → its page, signed.
        interest: application id → the page where it leaves the list of those who are told of a pause's end, signed.
        new_link: where whoever lost a link gets a new one.
    """

    status: Callable[[str, int], str]
    interest: Callable[[str], str]
    new_link: str


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
        printed, values = self._print(letter, policy), self._personal(letter)
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
            date=date,
            text=printed.text.filled({name: encoded_value(value) for name, value in values.items()}),
            html=printed.html.filled({name: encoded_value(str(escape(value))) for name, value in values.items()}),
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
        marked, values = self._print(letter, policy).marked, self._personal(letter)
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
            for locale in self.templates.locales
            for name in TEMPLATES
        ]

    def _personal(self, letter: Letter) -> dict[str, str]:
        return {
            "recipient": one_line(letter.recipient),
            "organisation": one_line(letter.organisation),
            "reference": reference_of(letter.application_id),
            "status_url": self._addresses.status(letter.application_id, letter.link_generation),
            # only the letter about a pause names it, and signing costs as much as filling the rest of an email
            "interest_url": self._addresses.interest(letter.application_id) if letter.pause else "",
        }

    def _print(self, letter: Letter, policy: PolicyDocument) -> _Print:
        locale = choose_locale(letter.locale, self.templates.locales)
        key = (locale, _impersonal(letter))
        printed = self._prints.get(key)
        if printed is None:
            marked = self._marked(letter, self._wording(letter.policy_hash, policy, locale))
            printed = _Print(marked, plate(marked.text, _GAPS), plate(marked.html, _GAPS))
            if len(self._prints) >= MAX_PRINTS:
                self._prints.clear()
            self._prints[key] = printed
        return printed

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
        return {
            **{name: marker for marker, name in _GAPS.items()},
            "locale": wording.locale,
            "said": wording.text,
            "alliance": wording.text("alliance.name") or self.sender.name,
            "contact": wording.text("contact.email"),
            "commitments": wording.commitments,
            "category": wording.category(letter.category),
            "received_at": letter.received_at,
            "answers": wording.explained(letter.receipt),
            "new_link_url": self._addresses.new_link,
            "pause": wording.pause(letter.pause) if letter.pause else None,
        }


def _impersonal(letter: Letter) -> Hashable:
    """All of a letter that is not personal: two letters with the same differ in what fills the gaps alone."""
    pause = letter.pause
    return (
        letter.template,
        letter.policy_hash,
        letter.category,
        letter.received_at.date(),
        tuple((line.criterion, line.answer, tuple(line.missing)) for line in letter.receipt),
        pause and (pause.model_dump_json(),),
    )


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
