"""The plain-text form: applications in the text of an email, between two lines that mark where one begins and ends.

    [application begins here]
    organisation.name: Safer Screens
    Country: GB
    [application ends here]

A line names a field by its column (an id, or its label) and gives its value after a colon; further lines go on with it, as
mail programs break long ones. Lines that begin with # are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from services.intake.domain.import_columns import REQUIRED, meanings, plain
from services.intake.domain.import_files import Record
from services.intake.domain.inbound import MAX_APPLICATIONS
from shared.policy.pack import PolicyDocument

BEGIN: Final = "[application begins here]"
END: Final = "[application ends here]"
_BEGIN, _END = plain(BEGIN), plain(END)
MAX_LINES: Final = 2000
"""Lines of one form."""
MAX_KEY: Final = 300
"""Characters before a colon that may be a field's name."""
MAX_COLONS: Final = 5
"""Colons of a line before which a field's name may end."""
MAX_LOOKS: Final = 500
"""Names of a message that are compared with those of fields: what is not the same is compared letter by letter."""
MAX_FAULTS: Final = 20
_MARKER: Final = 200
_QUOTES: Final = ">|"


@dataclass(slots=True)
class TextForm:
    """One form: its fields by column, and what is wrong with its lines."""

    fields: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it has a value for, and those that every application needs."""
        return tuple(dict.fromkeys((*self.fields, *REQUIRED)))

    def record(self, row: int) -> Record:
        """The form as a row of a file with these columns: it is checked as such a row is."""
        cells = [self.fields.get(column, "") for column in self.columns]
        return Record(row, 1, cells, fault=" ".join(self.faults) or None)


@dataclass(frozen=True, slots=True)
class TextForms:
    """The forms of a text. `quoted`: one stands in what is quoted of another message."""

    forms: tuple[TextForm, ...]
    quoted: bool = False


def has_form(text: str) -> bool:
    """Whether a text of any kind, HTML also, has the line with which a form begins."""
    return _BEGIN in plain(text[:1_000_000])


class FieldNames:
    """The names that fields have, for all forms of one message: what may be looked for is limited over all of them."""

    def __init__(self, document: PolicyDocument) -> None:
        self._names = meanings(document)
        self._near: dict[str, str | None] = {}

    def columns(self, name: str) -> set[str] | None:
        """The columns that a name may mean."""
        return self._names.get(plain(name))

    @property
    def exhausted(self) -> bool:
        """Whether so many names were looked for that no further one is."""
        return len(self._near) >= MAX_LOOKS

    def near(self, name: str) -> str | None:
        """The column whose name this one is nearly. None when there is none, or no further name is looked for."""
        key = plain(name)
        if key not in self._near and not self.exhausted:
            alike = get_close_matches(key, self._names, n=1, cutoff=0.8)
            self._near[key] = sorted(self._names[alike[0]])[0] if alike else None
        return self._near.get(key)

    def unsure(self, name: str) -> bool:
        """Whether this name was not looked for, as too many others were."""
        return self.exhausted and plain(name) not in self._near


def forms_in(text: str, document: PolicyDocument, names: FieldNames | None = None) -> TextForms:
    """The forms of a text. Never raises: what is wrong with one is said in it. `names`: those of its message, which may
    have several texts."""
    names = names or FieldNames(document)
    forms: list[TextForm] = []
    open_form: _Lines | None = None
    quoted = False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        mark = plain(line) if len(line) < _MARKER and "application" in line.casefold() else ""
        if mark == _BEGIN and line.lstrip()[:1] in tuple(_QUOTES):
            quoted = True
        elif mark == _BEGIN:
            if open_form is not None:
                forms.append(open_form.unfinished())
            open_form = _Lines(names)
        elif mark == _END and open_form is not None:
            forms.append(open_form.finished())
            open_form = None
        elif open_form is not None:
            open_form.read(line)
        if len(forms) > MAX_APPLICATIONS:
            break
    if open_form is not None:
        forms.append(open_form.unfinished())
    return TextForms(tuple(forms), quoted)


class _Lines:
    """Reads the lines of one form."""

    def __init__(self, names: FieldNames) -> None:
        self._form = TextForm()
        self._names = names
        self._value: list[str] | None = None
        self._values: dict[str, list[str]] = {}
        self._lines = 0

    def finished(self) -> TextForm:
        """The form, with the lines of each value joined."""
        self._form.fields = {column: " ".join(filter(None, lines)) for column, lines in self._values.items()}
        return self._form

    def unfinished(self) -> TextForm:
        """The form, when its last line never came."""
        self._fault(f"The form has no last line: put “{END}” on a line of its own after it.")
        return self.finished()

    def read(self, line: str) -> None:
        """The next line."""
        self._lines += 1
        if self._lines == MAX_LINES:
            self._fault(f"The form has more than {MAX_LINES:,} lines.")
        content = line.strip()
        if self._lines >= MAX_LINES or not content or content.startswith("#"):
            return
        found = next(self._keys(content), None)
        if found is not None:
            self._begin(*found)
        elif (fault := self._misspelt(content)) is not None:
            self._value = None
            self._fault(fault)
        elif self._value is not None:
            self._value.append(content)
        elif not self._form.faults:
            self._fault(f"The line {content[:60]!r} names no field: write the field, a colon, and then its value.")

    def _begin(self, columns: set[str], name: str, value: str) -> None:
        self._value = None
        if len(columns) > 1:
            self._fault(
                f"The field {name[:60]!r} may be {' or '.join(map(repr, sorted(columns)))}: name it as one of them."
            )
            return
        (column,) = columns
        if column in self._values:
            self._fault(f"The field {column!r} is there twice: keep one of them.")
            return
        self._value = self._values[column] = [value]

    def _keys(self, content: str) -> Iterator[tuple[set[str], str, str]]:
        """The columns that what stands before a colon may mean, with that and what comes after. Labels may have colons."""
        place = content.find(":", 0, MAX_KEY)
        for _ in range(MAX_COLONS):
            if place < 0:
                break
            name = content[:place].strip()
            if columns := self._names.columns(name):
                yield columns, name, content[place + 1 :].strip()
            place = content.find(":", place + 1, MAX_KEY)

    def _misspelt(self, content: str) -> str | None:
        """What to say of a line that names a field, but misspelt: it is not taken for the rest of the value before it."""
        name, colon, _ = content[:MAX_KEY].partition(":")
        if not colon or len(name) > 60 or len(self._form.faults) >= MAX_FAULTS:
            return None
        name = name.strip()
        if (near := self._names.near(name)) is not None:
            return f"There is no field {name!r}. Did you mean {near!r}?"
        if self._names.unsure(name):
            return (
                "Too many lines of your message have a colon and name no field: send it as several messages, or a file."
            )
        return None

    def _fault(self, sentence: str) -> None:
        if len(self._form.faults) < MAX_FAULTS:
            self._form.faults.append(sentence)


def written(fields: Sequence[tuple[str, str, str]], before: Sequence[str]) -> str:
    """A blank form: for each field its column, what to write (shown as lines to pass over), and a value that is there
    already. `before`: lines for people, above it."""
    lines = [*before, "", BEGIN]
    for column, help_, value in fields:
        lines.append("")
        lines += [f"# {each}" for each in _folded(help_)]
        lines.append(f"{column}: {value}".rstrip())
    return "\r\n".join([*lines, "", END, ""])


def _folded(text: str, width: int = 66) -> list[str]:
    """Lines so short that no mail program breaks them."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            if line and len(line) + 1 + len(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}".strip()
        lines.append(line)
    return [each for each in lines if each]
