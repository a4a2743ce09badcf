"""Reading the applications in a message: its attachments as files are read, its text as the plain-text form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.intake.domain import inbound_forms as forms
from services.intake.domain.import_columns import map_columns
from services.intake.domain.import_files import Record
from services.intake.domain.import_layout import Encoding, Format
from services.intake.domain.import_rows import RowReader
from services.intake.domain.inbound import MAX_APPLICATIONS, Contents
from services.intake.domain.inbound_contents import kind_of
from services.intake.domain.inbound_mail import Attachment, Mail, shown_names
from services.intake.domain.inbound_sentences import Said, as_it_is, said
from services.intake.domain.inbound_words import locale_stated
from services.intake.use_cases.import_records import ImportRecords, Workbooks
from shared import strict_json
from shared.errors import Malformed, Refused
from shared.policy.pack import PolicyDocument

PIECE: Final = 1 << 18
_BOM: Final = b"\xef\xbb\xbf"


class TooMany(Refused):
    """There are more applications in the message than one may have."""


@dataclass(frozen=True, slots=True)
class _File:
    """An attachment as an import's file."""

    content: bytes
    format: Format
    charset: Encoding | None = None
    file_id: str = ""


class _Attached:
    """Reads the attachment itself, whatever is asked for."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        """The content, piece by piece."""
        for start in range(0, len(self._content), PIECE):
            yield self._content[start : start + PIECE]


class InboundContents:
    """Reads messages. `template` is the address where the blank templates are."""

    def __init__(self, workbooks: Workbooks, template: str) -> None:
        self._workbooks = workbooks
        self._template = template

    async def read(self, mail: Mail, document: PolicyDocument, now: datetime) -> Contents:
        """Every application in a message, and what is wrong with it. Never refuses: what is wrong is said in it."""
        found = Contents()
        try:
            await asyncio.to_thread(self._read_texts, mail, document, now, found)
            passed_over = [each for each in mail.attachments if not await self._read(each, document, now, found)]
        except TooMany:
            return Contents(problems=[said("too_many", most=str(MAX_APPLICATIONS))], locale=found.locale)
        if passed_over and (found.rows or found.problems):
            found.notes.append(said("not_looked_at", files=shown_names(passed_over)))
        if not found.rows and not found.problems:
            # nothing says which language its sender reads: this is English
            found.problems += await asyncio.to_thread(lambda: [*map(as_it_is, self._nothing(mail, passed_over))])
        return found

    def _read_texts(self, mail: Mail, document: PolicyDocument, now: datetime, found: Contents) -> None:
        if mail.overlong:
            found.problems.append(said("overlong"))
        names = forms.FieldNames(document)
        for text in mail.texts:
            self._read_text(text, names, document, now, found)

    def _read_text(
        self, text: str, names: forms.FieldNames, document: PolicyDocument, now: datetime, found: Contents
    ) -> None:
        read = forms.forms_in(text, document, names)
        for number, form in enumerate(read.forms, 1):
            place = said("one_form", number=str(number)) if len(read.forms) > 1 else said("form")
            self._add(found, place, RowReader(document, form.columns, False, now), form.record(number))
        if read.quoted and not read.forms:
            found.problems.append(said("quoted"))

    async def _read(self, attachment: Attachment, document: PolicyDocument, now: datetime, found: Contents) -> bool:
        """Read one attachment; whether there may be an application in it."""
        if attachment.damaged:
            found.problems.append(said("damaged", file=attachment.name))
            return True
        kind = await asyncio.to_thread(kind_of, attachment.content, document)
        if kind is None:
            return False
        try:
            if kind == "json":
                await asyncio.to_thread(self._read_json, attachment, document, now, found)
            else:
                await self._read_file(
                    _File(attachment.content, kind, attachment.charset), attachment, document, now, found
                )
        except TooMany:
            raise
        except (Refused, Malformed) as error:
            errors = [each.message for each in getattr(error, "errors", ())] or [str(error)]
            found.problems.append(said("unreadable", file=attachment.name, why=" ".join(errors)))
        return True

    def _read_json(self, attachment: Attachment, document: PolicyDocument, now: datetime, found: Contents) -> None:
        value = strict_json.loads(attachment.content.removeprefix(_BOM))
        values = value if isinstance(value, list) else [value]
        if not values:
            raise Malformed("The list is empty.")
        reader = RowReader(document, None, False, now)
        for number, each in enumerate(values, 1):
            name = "item" if isinstance(value, list) else "file"
            self._add(found, said(name, number=str(number), file=attachment.name), reader, Record(number, 1, each))

    async def _read_file(
        self, file: _File, attachment: Attachment, document: PolicyDocument, now: datetime, found: Contents
    ) -> None:
        records = ImportRecords(_Attached(file.content), self._workbooks)
        layout = await records.look(file)
        if file.format != "jsonl":
            layout = replace(layout, columns=map_columns(await records.header(file, layout), document, False))
        columns = None if file.format == "jsonl" else tuple(each.column for each in layout.columns)
        reader, before = RowReader(document, columns, False, now), len(found.rows)
        async with aclosing(records.read(file, layout)) as pieces:
            async for some in pieces:
                for record in some:
                    if record.row > 0:
                        self._add(found, said("row", number=str(record.row), file=attachment.name), reader, record)
        if len(found.rows) == before:
            raise Refused("There is no row with an application below its first line.")

    def _add(self, found: Contents, place: Said, reader: RowReader, record: Record) -> None:
        if len(found.rows) >= MAX_APPLICATIONS:
            raise TooMany(f"more than {MAX_APPLICATIONS} applications")
        found.locale = found.locale or locale_stated(record.content, reader.columns)
        found.rows.append((place, reader.read(record)))

    def _nothing(self, mail: Mail, passed_over: list[Attachment]) -> Iterator[str]:
        """What to say of a message without an application."""
        if mail.encrypted:
            yield "Your message is encrypted, and cannot be read here: send it without encryption."
        elif mail.unread:
            yield "The text of your message is in no character set that can be read: send it as UTF-8."
        elif any(map(forms.has_form, mail.html)):
            yield (
                "Your message is formatted text (HTML) alone, in which the form cannot be read for certain: send it as "
                "plain text, or attach the filled template."
            )
        elif passed_over:
            yield f"There is no application in what you attached ({shown_names(passed_over)})."
        elif mail.forwarded:
            yield "Messages that are attached to yours are not opened: attach the filled template itself."
        else:
            yield "There is no application in your message."
        yield (
            "Attach the filled template (CSV, Excel or JSON), or write the form into your message as plain text. You find "
            f"the templates at {self._template}."
        )
