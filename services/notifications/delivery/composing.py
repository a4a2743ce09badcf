"""Letters into emails: compiled templates, cached wording, prepared bytes. Rendering one costs a fraction of a millisecond.

Each locale has a folder of template pairs (`en/eligible.txt`, `en/eligible.html`). The first line of a text template is the
subject. A pair's version is a hash of every source it is made from, and is kept with each email.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError

from services.notifications.domain import mime
from services.notifications.domain.addresses import AddressUnusable, envelope_address, one_line
from services.notifications.domain.letters import TEMPLATES, Letter, reference_of
from services.notifications.domain.mime import Mailbox
from services.notifications.domain.wording import Wording, choose_locale
from services.notifications.use_cases.emails import Composed
from shared.errors import Permanent
from shared.policy.pack import PolicyDocument

FOLDER: Final = Path(__file__).parent / "templates"
WIDTH: Final = 72
_BLANK_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_INDENT: Final = re.compile(r"[ ]*(?:[*-] )?")

MakeStatusLink = Callable[[str], str]
"""Application id → the address of its status page, signed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The compiled templates of one letter in one locale."""

    text: Template
    html: Template
    version: str


class Templates:
    """Every template pair, by locale and name, compiled once. Raises TemplateError at once if one is missing or wrong."""

    def __init__(self, folder: Path = FOLDER) -> None:
        common: dict[str, Any] = {
            "loader": FileSystemLoader(folder),
            "undefined": StrictUndefined,
            "trim_blocks": True,
            "lstrip_blocks": True,
            "auto_reload": False,
        }
        plain, html = Environment(autoescape=False, **common), Environment(autoescape=True, **common)
        self.locales = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))
        self._pairs: dict[tuple[str, str], Pair] = {}
        for locale in self.locales:
            sources = b"".join(path.read_bytes() for path in _common_sources(folder, locale))
            for name in TEMPLATES:
                own = b"".join((folder / locale / f"{name}.{kind}").read_bytes() for kind in ("txt", "html"))
                self._pairs[locale, name] = Pair(
                    text=plain.get_template(f"{locale}/{name}.txt"),
                    html=html.get_template(f"{locale}/{name}.html"),
                    version=hashlib.sha256(sources + own).hexdigest()[:12],
                )

    def pair(self, locale: str, name: str) -> Pair:
        """The pair of that name in one of `locales`."""
        return self._pairs[locale, name]


def _common_sources(folder: Path, locale: str) -> list[Path]:
    """What every pair of a locale is made from beside its own two files."""
    own = {f"{name}.{kind}" for name in TEMPLATES for kind in ("txt", "html")}
    files = [*folder.glob("*.*"), *(path for path in (folder / locale).glob("*.*") if path.name not in own)]
    return sorted(path for path in files if path.suffix in (".txt", ".html"))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter in words."""

    subject: str
    text: str
    html: str
    locale: str
    template_version: str


class Composer:
    """Writes emails.

    Args:
        sender: who they are from; its address is an `envelope_address`.
        status_link: makes the applicant's link.
    """

    def __init__(self, templates: Templates, sender: Mailbox, status_link: MakeStatusLink) -> None:
        self.templates = templates
        self.sender = sender
        self._status_link = status_link
        self._wordings: dict[tuple[str, str], Wording] = {}

    def compose(self, letter: Letter, policy: PolicyDocument, email_id: str, date: datetime) -> Composed:
        """The email of a letter. One whose address cannot be used is composed all the same, with the reason.

        Raises:
            Permanent: the letter does not fit the policy version (an unknown criterion) or the template.
        """
        rendered = self.render(letter, policy)
        failure, to = "", letter.address
        try:
            to = envelope_address(letter.address)
        except AddressUnusable as error:
            failure = str(error)
        content = mime.build(
            email_id=email_id,
            sender=self.sender,
            to=None if failure else Mailbox(letter.recipient, to),
            subject=rendered.subject,
            date=date,
            text=rendered.text,
            html=rendered.html,
        )
        return Composed(
            to=to,
            subject=rendered.subject,
            mime=content,
            message_id=mime.message_id(email_id, self.sender.address),
            locale=rendered.locale,
            template_version=rendered.template_version,
            failure=failure,
        )

    def render(self, letter: Letter, policy: PolicyDocument) -> Rendered:
        """The letter's words. Raises Permanent."""
        locale = choose_locale(letter.locale, self.templates.locales)
        pair = self.templates.pair(locale, letter.template)
        try:
            values = self._values(letter, self._wording(letter.policy_hash, policy, locale))
            first, _, body = pair.text.render(values).lstrip("\n").partition("\n")
            subject = one_line(first)
            html = pair.html.render(values, subject=subject)
        except TemplateError as error:
            raise Permanent(f"the template {locale}/{letter.template} cannot be filled: {error}") from error
        except KeyError as error:
            raise Permanent(f"the policy version {letter.policy_hash} does not have {error}") from error
        return Rendered(subject, wrapped(body), html, locale, pair.version)

    def _wording(self, policy_hash: str, policy: PolicyDocument, locale: str) -> Wording:
        wording = self._wordings.get((policy_hash, locale))
        if wording is None:
            wording = self._wordings[policy_hash, locale] = Wording(policy, locale)
        return wording

    def _values(self, letter: Letter, wording: Wording) -> Mapping[str, Any]:
        return {
            "locale": wording.locale,
            "said": wording.text,
            "alliance": wording.text("alliance.name") or self.sender.name,
            "contact": wording.text("contact.email"),
            "commitments": wording.commitments,
            "recipient": one_line(letter.recipient),
            "address": one_line(letter.address),
            "organisation": one_line(letter.organisation),
            "category": wording.category(letter.category),
            "received_at": letter.received_at,
            "reference": reference_of(letter.application_id),
            "status_url": self._status_link(letter.application_id),
            "answers": wording.explained(letter.receipt),
            "pause": wording.pause(letter.pause) if letter.pause else None,
        }


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
