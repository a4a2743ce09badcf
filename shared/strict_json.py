"""JSON from strangers: read strictly, and refused cheaply.

RFC 8259 leaves much open that turns into trouble later: duplicate keys (two readers, two documents), NaN, NUL, lone
surrogates, numbers beyond a double, nesting without end. All of it is refused here, with a sentence saying what to do.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

from shared.errors import Malformed
from shared.pointers import pointer

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 20_000
"""Members and items a document may have; checking each of a million empty fields would cost more than sending them."""

# An unterminated string must match as well: failing at each quote in turn would take quadratic time.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_OPENERS: Final = frozenset(b"[{")
_ALL_BYTES: Final = bytes(range(256))
_ALL_BUT_BRACKETS: Final = _ALL_BYTES.translate(None, b"[]{}")


def loads(raw: bytes, max_depth: int = MAX_DEPTH, max_values: int = MAX_VALUES) -> Any:
    """The value that UTF-8 JSON stands for. Raises Malformed, whose message says what is wrong and where."""
    _refuse_encoding(raw)
    skeleton = _STRING.sub(b"", raw)
    _refuse_depth(skeleton, max_depth)
    if skeleton.count(b",") > max_values:
        raise Malformed(f"The document has more than {max_values:,} values: send less in one document.")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(_syntax(error)) from None
    if _keys(value) != skeleton.count(b":"):
        raise Malformed(_duplicate(raw))
    if b"\\u0000" in raw:
        _refuse_nul(value, ())
    return value


def _refuse_encoding(raw: bytes) -> None:
    if not raw.strip():
        raise Malformed("The body is empty: send a JSON document.")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise Malformed("The document starts with a byte order mark: save it as UTF-8 without one.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Malformed("The document is UTF-16: save it as UTF-8.")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(
            f"The document is not UTF-8: byte {error.start + 1} cannot be read. Save it as UTF-8."
        ) from None


def _refuse_depth(skeleton: bytes, max_depth: int) -> None:
    depth = 0
    for byte in skeleton.translate(None, _ALL_BUT_BRACKETS):
        depth += 1 if byte in _OPENERS else -1
        if depth > max_depth:
            raise Malformed(f"The document is nested more than {max_depth} levels deep: flatten it.")


def _syntax(error: orjson.JSONDecodeError) -> str:
    if "surrogate" in error.msg:
        place = f"Line {error.lineno}, column {error.colno}"
        return f"{place}: half of a surrogate pair stands alone; write the character whole."
    reason = error.msg.partition(": line ")[0]
    return f"This is not JSON: {reason} at line {error.lineno}, column {error.colno}."


def _keys(value: Any) -> int:
    """How many keys all objects in a value have. Fewer than the text has colons outside strings: a key came twice."""
    if isinstance(value, dict):
        return len(value) + sum(_keys(inner) for inner in value.values() if isinstance(inner, dict | list))
    if isinstance(value, list):
        return sum(_keys(inner) for inner in value if isinstance(inner, dict | list))
    return 0


def _duplicate(raw: bytes) -> str:
    """Which key came twice; found by a second, slower reading that only refused documents get."""
    repeated: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                repeated.append(key)
            seen.add(key)
        return dict(pairs)

    json.loads(raw, object_pairs_hook=note)
    return (
        f"The key {json.dumps(repeated[0][:100], ensure_ascii=False)} is there twice in one object: keep one of them."
    )


def _refuse_nul(value: Any, path: tuple[int | str, ...]) -> None:
    if isinstance(value, str) and "\x00" in value:
        raise Malformed(f"{pointer(path) or 'The document'} holds the character U+0000: take it out.")
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_nul(key, path)
            _refuse_nul(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_nul(inner, (*path, index))
