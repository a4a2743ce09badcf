"""JSON pointers (RFC 6901), and pydantic's errors as plain sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from shared.errors import FieldError

Location = tuple[int | str, ...]

_SENTENCES: Final[dict[str, str]] = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such field here: check its spelling, or take it out.",
    "string_too_short": "Write at least {min_length} character{min_length_s}.",
    "string_too_long": "Write at most {max_length} character{max_length_s}.",
    "string_pattern_mismatch": "This is not in the expected form: it must match {pattern}.",
    "too_long": "List at most {max_length} item{max_length_s}; there are {actual_length}.",
    "too_short": "List at least {min_length} item{min_length_s}.",
    "literal_error": "Choose one of {expected}.",
    "enum": "Choose one of {expected}.",
    "greater_than_equal": "This must be {ge} or more.",
    "greater_than": "This must be more than {gt}.",
    "less_than_equal": "This must be {le} or less.",
    "less_than": "This must be less than {lt}.",
    "timezone_aware": "Add the offset from UTC, as in 2021-10-04T09:00:00Z.",
    "json_invalid": "This is not JSON: {error}.",
}
_PATTERNS: Final[dict[str, str]] = {
    "^[A-Za-z]{2}$": "Write the two letters of a country code, such as GB.",
    "^[a-z]{2}(-[A-Z]{2})?$": "Write a language code, such as en or en-GB.",
}
"""What to say of patterns that people meet often, rather than to show them the pattern."""
_WANTED: Final[dict[str, str]] = {
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "set": "a list",
    "tuple": "a list",
    "int": "a whole number",
    "float": "a number",
    "dict": "an object",
    "model": "an object",
    "datetime": "a date and time such as 2021-10-04T09:00:00Z",
    "date": "a date such as 2021-10-04",
    "uuid": "a UUID",
    "url": "a web address such as https://example.org",
}
"""First word of a pydantic error type (`bool_parsing`, `model_type`) → what was expected."""


def pointer(parts: Iterable[int | str]) -> str:
    """The JSON pointer of a path of keys and indexes; `~` and `/` in keys are escaped, dots stay as they are."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def field_errors(errors: Sequence[ErrorDetails], document: Any) -> list[FieldError]:
    """One FieldError for each failing field, in the order pydantic met them.

    `document` is the value that was validated. It is needed because pydantic puts the names of union members into
    its locations, beside real keys; what the document does not hold is not part of the pointer.
    """
    grouped: dict[Location, list[ErrorDetails]] = {}
    for error in errors:
        location = real_location(error["loc"], document, error["type"])
        grouped.setdefault(location, []).append(error)
    return [
        FieldError(pointer(location), _sentence(found))
        for location, found in grouped.items()
        if not _explained_deeper(location, found, grouped)
    ]


def real_location(location: Location, document: Any, error_type: str) -> Location:
    """The part of a pydantic location that exists in the document (or, for a missing field, should)."""
    parts: list[int | str] = []
    value = document
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if _holds(value, part):
            value = value[part]
        elif not (last and error_type == "missing"):
            continue  # the name of a union's member
        parts.append(part)
    return tuple(parts)


def sentence(error: ErrorDetails) -> str:
    """What to do about one error, wherever it is."""
    return _sentence([error])


def _holds(value: Any, part: int | str) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)


def _explained_deeper(location: Location, found: list[ErrorDetails], grouped: Mapping[Location, object]) -> bool:
    """Whether these are the other members of a union, one member of which failed further in and says more."""
    in_union = all(error["loc"] != location for error in found)
    return in_union and any(len(other) > len(location) and other[: len(location)] == location for other in grouped)


def _sentence(found: list[ErrorDetails]) -> str:
    wanted = [_wanted(error["type"]) for error in found]
    if all(wanted):
        return f"This must be {_either([w for w in dict.fromkeys(wanted) if w])}."
    error = next(error for error, want in zip(found, wanted, strict=True) if not want)
    return _own_sentence(error)


def _wanted(error_type: str) -> str | None:
    if error_type in _SENTENCES:
        return None
    return _WANTED.get(error_type.partition("_")[0])


def _own_sentence(error: ErrorDetails) -> str:
    context = dict(error.get("ctx") or {})
    if context.get("pattern") in _PATTERNS:
        return _PATTERNS[context["pattern"]]
    if error["type"] in _SENTENCES:
        plurals = {f"{name}_s": "" if value == 1 else "s" for name, value in context.items()}
        return _SENTENCES[error["type"]].format_map({**context, **plurals})
    if error["type"] in ("value_error", "assertion_error"):
        return str(context.get("error") or error["msg"])
    return error["msg"].rstrip(".") + "."


def _either(options: list[str]) -> str:
    return options[0] if len(options) == 1 else ", ".join(options[:-1]) + " or " + options[-1]
