"""JSON from strangers is read strictly, and refused with a sentence that says what to do."""

from __future__ import annotations

import contextlib
import re
import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.strict_json import MAX_DEPTH, MAX_VALUES, loads

BAD = {
    "empty": (b" \n", "The body is empty"),
    "byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "utf-16": ('{"a":1}'.encode("utf-16"), "UTF-16"),
    "latin-1": (b'{"name":"Fundaci\xf3n"}', "not UTF-8: byte 17"),
    "surrogate half": (b'{"a":"\\ud800"}', "half of a surrogate pair"),
    "trailing comma": (b'{"a":1,}', "trailing comma"),
    "no json": (b"hello", "This is not JSON"),
    "two documents": (b"{} {}", "This is not JSON"),
    "nan": (b'{"a":NaN}', "This is not JSON"),
    "infinity": (b'{"a":-Infinity}', "This is not JSON"),
    "beyond a double": (b'{"a":1e999}', "This is not JSON"),
    "raw control": (b'{"a":"x\ny"}', "This is not JSON"),
    "unterminated": (b'{"a":"x', "This is not JSON"),
    "duplicate": (b'{"a":1,"b":{"c":1,"c":2}}', 'The key "c" is there twice'),
    "duplicate, escaped": (b'{"a":1,"\\u0061":2}', 'The key "a" is there twice'),
    "nul in a value": (b'{"a":["x\\u0000"]}', "/a/0 holds the character U+0000"),
    "nul in a key": (b'{"b":{"a\\u0000":1}}', "/b holds the character U+0000"),
    "nul at the top": (b'"\\u0000"', "The document holds"),
    "deep lists": (b"[" * 33 + b"]" * 33, "more than 32 levels"),
    "deep objects": (b'{"a":' * 40 + b"1" + b"}" * 40, "more than 32 levels"),
    "bottomless": (b"[" * 500_000, "more than 32 levels"),
    "too many values": (b"[" + b"0," * (MAX_VALUES + 1) + b"0]", "more than 20,000 values"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_could_be_read_in_two_ways_is_refused(name: str) -> None:
    raw, sentence = BAD[name]
    with pytest.raises(Malformed, match=re.escape(sentence)):
        loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":{"b":":,[]{}"},"c":["a\\"b:c","\\\\"],"d":""}',
        b'{"nul": "\\\\u0000 written out"}',
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b"[{}, [], {}, []]" + b" " * 20,
        '{"名前":"ü\U0001f600"}'.encode(),
        b'"text"',
        b"0",
    ],
)
def test_sound_json_reads_as_it_stands(raw: bytes) -> None:
    assert loads(raw) == orjson.loads(raw)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='a:"\\{[,é', max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_whatever_json_can_say_comes_through_unchanged(value: object) -> None:
    assert loads(orjson.dumps(value), max_depth=100) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Malformed):
        loads(raw)


@pytest.mark.parametrize("raw", [b'"' + b'\\"' * 500_000, b'"a' * 300_000, b"\\" * 1_000_000, b'"' + b"\\" * 999_999])
def test_refusing_a_megabyte_of_malice_takes_no_quadratic_time(raw: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Malformed):
        loads(raw)
    assert time.process_time() - began < 2.0
