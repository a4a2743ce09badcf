"""Reads a pack's files into plain values, and remembers the file and line that each came from."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from shared.policy.problems import PackError

Steps = tuple[str | int, ...]
"""Where a value is: keys and indexes from the top, such as `("criteria", 3, "needs")`."""

LISTED = frozenset({"groups", "criteria", "declarations", "benefits", "pauses"})
KEYED = frozenset({"questions", "facts", "categories", "texts"})
SINGLE = frozenset({"id", "version_label", "effective_from", "commitments"})

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
    source = PackSource()
    files = sorted(folder.glob("*.yaml"))
    if not files:
        source.errors.append(PackError(".", 1, f"no .yaml file in {folder}"))
    for file in files:
        _FileReader(source, file.name).read(file)
    for file in sorted(folder.glob("lists/*.csv")):
        _read_list(source, file, f"lists/{file.name}")
    return source


class _FileReader:
    """Converts one YAML file's nodes. Only `true` and `false` are booleans, so Norway's `NO` stays a text."""

    def __init__(self, source: PackSource, name: str) -> None:
        self.source = source
        self.name = name
        self.seen: set[int] = set()

    def read(self, file: Path) -> None:
        try:
            root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            return self._error(line, f"not YAML: {error.problem}")
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            return self._error(1, f"not YAML in UTF-8: {error}")
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


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1 if node.start_mark else 1


def _scalar(node: yaml.ScalarNode) -> str | bool | int | None:
    text = str(node.value)
    if node.style is not None:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    return int(text) if INTEGER.match(text) else text


def _read_list(source: PackSource, file: Path, name: str) -> None:
    """Keep the `code` column. The comments at the top must say the source and the day the list was right."""
    steps: Steps = ("lists", file.stem)
    source.places[steps] = (name, 1)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
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
    source.data["lists"][file.stem] = codes
    return None
