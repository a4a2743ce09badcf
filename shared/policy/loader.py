"""Loads a pack folder, strictly: every mistake is found at once, each with its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, TypeAdapter, ValidationError

from shared.policy.base import Instant, Localised
from shared.policy.checks import problems_of
from shared.policy.identity import Identity
from shared.policy.pack import (
    Benefit,
    Category,
    Commitments,
    Criterion,
    Declaration,
    EvidenceKind,
    Fact,
    Group,
    Liaison,
    Nominee,
    Pause,
    Policy,
    PolicyDocument,
    Question,
)
from shared.policy.problems import PackError, PackInvalid
from shared.policy.source import PackSource, Steps, read_files, read_folder
from shared.policy.wall_clock import in_sensible_year, instant_of, zone_named

__all__ = ["PackError", "PackInvalid", "load_files", "load_pack"]

KEYED: dict[str, TypeAdapter[Any]] = {
    "questions": TypeAdapter(Question),
    "facts": TypeAdapter(Fact),
    "categories": TypeAdapter(Category),
    "texts": TypeAdapter(Localised),
    "lists": TypeAdapter(tuple[str, ...]),
}
LISTED: dict[str, TypeAdapter[Any]] = {
    "groups": TypeAdapter(Group),
    "evidence": TypeAdapter(EvidenceKind),
    "criteria": TypeAdapter(Criterion),
    "declarations": TypeAdapter(Declaration),
    "nominees": TypeAdapter(Nominee),
    "benefits": TypeAdapter(Benefit),
    "pauses": TypeAdapter(Pause),
}
SINGLE: dict[str, TypeAdapter[Any]] = {
    "id": TypeAdapter(str),
    "version_label": TypeAdapter(str),
    "effective_from": TypeAdapter(Annotated[Instant, AfterValidator(in_sensible_year)]),
    "commitments": TypeAdapter(Commitments),
    "liaison": TypeAdapter(Liaison),
    "identity": TypeAdapter(Identity),
}
NEEDED = ("id", "version_label", "effective_from", "categories", "questions", "criteria", "commitments", "texts")


def load_pack(folder: Path) -> Policy:
    """The policy of a folder, checked. Raises `PackInvalid` with every mistake there is.

    A part that is not well formed is reported and left out; the checks of everything else still run.
    """
    return _policy_of(read_folder(folder))


def load_files(files: Mapping[str, bytes]) -> Policy:
    """The policy of a pack's files by their path (`criteria.yaml`, `lists/states.csv`), checked as `load_pack` does."""
    return _policy_of(read_files(files))


def _policy_of(source: PackSource) -> Policy:
    parts = _parse(source)
    for steps, message in problems_of(parts.document(), frozenset(parts.broken)):
        parts.error(steps, message)
    if source.errors:
        raise PackInvalid(source.errors)
    return Policy.of(PolicyDocument.model_validate(parts.document()))


@dataclass
class _Parts:
    """The well-formed parts of a pack. `kept` says which place in the files each kept list item had."""

    source: PackSource
    values: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, list[int]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def document(self) -> PolicyDocument:
        """A document of what there is; whole only when there were no errors."""
        empty: dict[str, Any] = {name: {} for name in KEYED} | dict.fromkeys(LISTED, ())
        nothing = Commitments.model_construct(statement={}, items=(), hash="")
        return PolicyDocument.model_construct(**{"commitments": nothing} | empty | self.values)

    def error(self, steps: Steps, message: str) -> None:
        """Note a mistake in the document, at its place in the files."""
        if len(steps) > 1 and isinstance(steps[1], int):
            section = str(steps[0])
            steps = (section, self.kept[section][steps[1]], *steps[2:])
        self.source.error(steps, message)


def _parse(source: PackSource) -> _Parts:
    parts = _Parts(source)
    data = source.data
    for name in NEEDED:
        if not data.get(name):
            source.errors.append(PackError("pack.yaml", 1, f"the pack has no '{name}'"))
    for name, adapter in SINGLE.items():
        if data.get(name) is not None and (found := _valid(source, adapter, data[name], (name,))) is not None:
            parts.values[name] = found
    for name, adapter in KEYED.items():
        parts.values[name] = {}
        for key, value in data.get(name, {}).items():
            if (found := _valid(source, adapter, value, (name, key))) is not None:
                parts.values[name][key] = found
            else:
                parts.broken.add(key)
    for name, adapter in LISTED.items():
        _parse_listed(parts, name, adapter)
    return parts


def _parse_listed(parts: _Parts, name: str, adapter: TypeAdapter[Any]) -> None:
    found = []
    for index, value in enumerate(parts.source.data.get(name, [])):
        if name == "pauses":
            value = _with_instants(parts.source, value, (name, index))
        if (item := _valid(parts.source, adapter, value, (name, index))) is not None:
            found.append(item)
            parts.kept.setdefault(name, []).append(index)
        elif isinstance(value, dict):
            parts.broken.add(str(value.get("id")))
    parts.values[name] = tuple(found)


def _valid(source: PackSource, adapter: TypeAdapter[Any], value: Any, steps: Steps) -> Any:
    """The validated value, or None once its mistakes are noted."""
    try:
        return adapter.validate_python(value)
    except ValidationError as invalid:
        for error in invalid.errors():
            source.error((*steps, *error["loc"]), _sentence(steps, error["loc"], error["type"], error["msg"]))
        return None


def _sentence(steps: Steps, location: Steps, kind: str, message: str) -> str:
    where = ".".join(str(step) for step in (*steps, *location))
    key = str(location[-1]) if location else ""
    if kind == "extra_forbidden":
        return f"{where}: unknown key '{key}'"
    if kind == "missing":
        return f"{where}: '{key}' is missing"
    return f"{where}: {message.removeprefix('Value error, ')}"


def _with_instants(source: PackSource, pause: Any, steps: Steps) -> Any:
    """A pause with its wall-clock times made instants of its time zone."""
    if not isinstance(pause, dict) or not isinstance(pause.get("timezone"), str):
        return pause
    try:
        zone = zone_named(pause["timezone"])
    except ValueError as error:
        source.error((*steps, "timezone"), str(error))
        return pause
    instants: dict[str, datetime] = {}
    for key in ("from", "until"):
        if isinstance(pause.get(key), str):
            instant = _instant(source, pause[key], zone, (*steps, key))
            instants |= {} if instant is None else {key: instant}
    if len(instants) == 2 and instants["from"] >= instants["until"]:
        source.error((*steps, "until"), "a pause ends after it begins")
    return pause | instants


def _instant(source: PackSource, text: str, zone: ZoneInfo, steps: Steps) -> datetime | None:
    try:
        return instant_of(text, zone, offset_allowed=False)
    except ValueError as error:
        source.error(steps, str(error))
        return None
