"""Reads a pack's files into plain values, and remembers the file and line that each came from."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from shared.policy.problems import PackError

Steps = tuple[str | int, ...]
"""Where a value is: keys and indexes from the top, such as `("criteria", 3, "needs")`."""

LISTED = frozenset({"groups", "evidence", "criteria", "declarations", "nominees", "benefits", "pauses"})
KEYED = frozenset({"questions", "facts", "categories", "texts"})
SINGLE = frozenset({"id", "version_label", "effective_from", "commitments", "liaison", "identity"})

PACK_FILE = re.compile(r"(lists/[^/\\\x00]{1,100}\.csv|[^/\\\x00]{1,100}\.yaml)\Z")
DEEPEST = 50
"""How deeply values of a pack may be nested to be read quickly; none is nested a fifth as deeply."""
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
AS_OF = re.compile(r"#\s*as of:\s*\d{4}-\d{2}-\d{2}\s*\Z")
SOURCE = re.compile(r"#\s*source:\s*\S")


@dataclass
class PackSource:
    """All files of a pack, merged. `data` has a value per section, `places` a file and line per value."""

    data: dict[str, Any] = field(default_factory=lambda: {"lists": {}})
    places: dict[Steps, tuple[str, int]] = field(default_factory=dict)
    errors: list[PackError] = field(default_factory=list)

    def error(self, steps: Sequence[str | int], message: str) -> None:
        """Note a mistake at the value, or at the nearest one around it that has a line."""
        at = tuple(steps)
        while at and at not in self.places:
            at = at[:-1]
        file, line = self.places.get(at, ("pack.yaml", 1))
        self.errors.append(PackError(file, line, message))


def read_folder(folder: Path) -> PackSource:
    """Every `*.yaml` of the folder and every `lists/*.csv`. Mistakes are in `errors`; nothing is raised."""
    return read_files(files_of(folder), str(folder))


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a folder that are part of a pack, by their path below it."""
    found = (*sorted(folder.glob("*.yaml")), *sorted(folder.glob("lists/*.csv")))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}


def is_pack_file(name: str) -> bool:
    """Whether a file of this path below the folder is part of a pack."""
    return PACK_FILE.match(name) is not None


def read_files(files: Mapping[str, bytes], where: str = "the pack") -> PackSource:
    """Every file of a pack by its path. Mistakes are in `errors`; nothing is raised. `where` is what it is called."""
    source = PackSource()
    sheets = {name: content for name, content in sorted(files.items()) if name.endswith(".yaml")}
    if not sheets:
        source.errors.append(PackError(".", 1, f"no .yaml file in {where}"))
    for name, content in sheets.items():
        _FileReader(source, name).read(content)
    for name, content in sorted(files.items()):
        if name.endswith(".csv"):
            _read_list(source, content, name)
    return source


class _FileReader:
    """Converts one YAML file's nodes. Only `true` and `false` are booleans, so Norway's `NO` stays a text."""

    def __init__(self, source: PackSource, name: str) -> None:
        self.source = source
        self.name = name
        self.seen: set[int] = set()

    def read(self, content: bytes) -> None:
        try:
            root = _composed(_text(content))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            return self._error(line, f"not YAML: {error.problem}")
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            return self._error(1, f"not YAML in UTF-8: {error}")
        except RecursionError:
            return self._error(1, "is nested too deeply")
        if root is None:
            return None
        if not isinstance(root, yaml.MappingNode):
            return self._error(1, "a pack file is a mapping of sections, such as 'criteria:'")
        for key, value in self._items(root):
            self._section(key, value)
        return None

    def _error(self, line: int, message: str) -> None:
        self.source.errors.append(PackError(self.name, line, message))

    def _section(self, key: yaml.Node, value: yaml.Node) -> None:
        name = str(key.value)
        if name in SINGLE:
            if name in self.source.data:
                return self._error(_line(key), f"'{name}' is said twice in the pack")
            self.source.data[name] = self._value(value, (name,), key)
        elif name in KEYED and isinstance(value, yaml.MappingNode):
            self._keyed(name, value)
        elif name in LISTED and isinstance(value, yaml.SequenceNode):
            items = self.source.data.setdefault(name, [])
            for item in value.value:
                items.append(self._value(item, (name, len(items)), item))
        elif name in KEYED | LISTED:
            self._error(_line(key), f"'{name}' must be a {'mapping' if name in KEYED else 'list'}")
        else:
            known = ", ".join(sorted(SINGLE | KEYED | LISTED))
            self._error(_line(key), f"unknown section '{name}'; there are {known}")
        return None

    def _keyed(self, name: str, value: yaml.MappingNode) -> None:
        entries = self.source.data.setdefault(name, {})
        for key, item in self._items(value):
            if key.value in entries:
                self._error(_line(key), f"'{key.value}' is said twice in {name}")
            else:
                entries[key.value] = self._value(item, (name, key.value), key)

    def _items(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        keys: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._error(_line(key), "a key must be a plain text")
            elif key.value in keys:
                self._error(_line(key), f"'{key.value}' is said twice")
            else:
                keys.add(key.value)
                yield key, value

    def _value(self, node: yaml.Node, steps: Steps, at: yaml.Node) -> Any:
        self.source.places[steps] = (self.name, _line(at))
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self.seen:
            return self._error(_line(at), "anchors and aliases are not read; write the value out")
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return {key.value: self._value(item, (*steps, key.value), key) for key, item in self._items(node)}
        return [self._value(item, (*steps, index), item) for index, item in enumerate(node.value)]


def _composed(text: str) -> yaml.Node | None:
    """The nodes of a file. libyaml makes them fifteen times quicker than Python, but the process ends when they are nested
    some ten thousand deep, and it says less of a mistake: such files Python reads.

    Raises YAMLError, and RecursionError when it is nested too deeply.
    """
    try:
        if _shallow(text):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        pass
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _shallow(text: str) -> bool:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            return False
    return True


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1 if node.start_mark else 1


def _scalar(node: yaml.ScalarNode) -> str | bool | int | None:
    text = str(node.value)
    if node.style:  # written plainly: None by Python, empty by libyaml
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    return int(text) if INTEGER.match(text) else text


def _text(content: bytes) -> str:
    return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def _read_list(source: PackSource, content: bytes, name: str) -> None:
    """Keep the `code` column. The comments at the top must say the source and the day the list was right."""
    stem = PurePosixPath(name).stem
    steps: Steps = ("lists", stem)
    source.places[steps] = (name, 1)
    try:
        lines = _text(content).splitlines()
    except UnicodeDecodeError as error:
        return source.error(steps, f"not UTF-8: {error}")
    comments = [line for line in lines if line.startswith("#")]
    if not any(SOURCE.match(line) for line in comments):
        source.error(steps, "a comment '# source: …' must say where the list is from")
    if not any(AS_OF.match(line) for line in comments):
        source.error(steps, "a comment '# as of: YYYY-MM-DD' must say when the list was right")
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    reader = list(csv.reader(line for _, line in rows))
    if not reader or reader[0][0] != "code":
        return source.error(steps, "the first column must be named 'code'")
    codes: list[str] = []
    for (number, _), row in zip(rows[1:], reader[1:], strict=True):
        if len(row) != len(reader[0]) or not row[0].strip() or row[0] in codes:
            problem = "is there twice" if row[0] in codes else "does not fit the header"
            source.errors.append(PackError(name, number, f"the row of '{row[0]}' {problem}"))
        codes.append(row[0])
    source.data["lists"][stem] = codes
    return None
