"""What to do after a failure is one table."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from shared.errors import Conflict, Malformed, Permanent, Refused, Transient, Unroutable
from shared.retry import LONGEST_HOLD, MAX_ATTEMPTS, MAX_REASON, DeadLetter, HoldFor, backoff, decide, reason_of

HELD, GIVEN_UP = HoldFor, DeadLetter


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (Transient("away"), 1, HELD),
        (Transient("away"), 1_000_000, HELD),
        (Unroutable("nobody"), 50, HELD),
        (Permanent("never"), 1, GIVEN_UP),
        (Malformed("what"), 1, GIVEN_UP),
        (Refused("no"), 1, GIVEN_UP),
        (Conflict("other"), 1, GIVEN_UP),
        (KeyError("bug"), 1, HELD),
        (KeyError("bug"), MAX_ATTEMPTS - 1, HELD),
        (KeyError("bug"), MAX_ATTEMPTS, GIVEN_UP),
        (OSError("bug"), MAX_ATTEMPTS + 1, GIVEN_UP),
    ],
    ids=lambda value: getattr(value, "__name__", None) or repr(value),
)
def test_decisions(error: Exception, attempt: int, expected: type) -> None:
    assert isinstance(decide(error, attempt), expected)


def test_holds_grow_up_to_a_bound_however_long_it_lasts() -> None:
    holds = [backoff(attempt) for attempt in range(1, 2000)]
    assert holds == sorted(holds)
    assert holds[0] < 1
    assert holds[-1] == LONGEST_HOLD
    assert backoff(5, first=1.0, longest=3.0) == 3.0


def test_the_reason_of_our_own_errors_is_their_message() -> None:
    assert decide(Permanent("it breaks a rule"), 1) == DeadLetter("Permanent: it breaks a rule")


def test_the_reason_of_a_bug_is_its_place_and_never_its_message() -> None:
    class Person(BaseModel):
        age: int

    try:
        Person.model_validate({"age": "jane@example.org"})
    except ValidationError as error:
        reason = reason_of(error)
    assert reason.startswith("ValidationError: a bug at tests.unit.shared.test_retry:")
    assert "jane" not in reason


def test_the_reason_of_an_error_that_was_never_raised_is_its_type() -> None:
    assert reason_of(KeyError("jane")) == "KeyError: a bug at an unknown place"


def test_a_reason_fits_into_a_header() -> None:
    assert len(reason_of(Permanent("x" * 100_000))) == MAX_REASON
