"""What the console's forms about pauses say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.eligibility.pages.console.frame import Visit
from services.eligibility.pages.console.pause_forms import fields_in, local, pause_in
from services.eligibility.pages.console.pauses import state_of
from shared.errors import Refused
from tests.unit.eligibility.making import DURING, pause

SECOND_HALF_PAST_ONE = datetime(2026, 10, 25, 1, 30, 12, tzinfo=UTC)
"""London's clocks show 01:30 twice that night; this is the second time, and twelve seconds."""
TEXTS = {"message-en": "On hold.", "reason-en": "We think."}


class Sent:
    """What a browser sent, as a visit gives it."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def text(self, name: str) -> str:
        return str(self.fields.get(name, ""))

    def texts(self, name: str) -> list[str]:
        return list(self.fields.get(name, ()))


def sent(**fields: Any) -> Visit:
    return cast(Visit, Sent(**fields))


def test_a_form_that_is_sent_back_as_it_was_changes_nothing() -> None:
    """The field has no room for seconds, nor for which of the two hours it is."""
    before = pause(start=SECOND_HALF_PAST_ONE, until=datetime(2027, 1, 1, tzinfo=UTC), exempt=("club",))
    shown = {"from": local(before.from_, before.timezone), "exempt": ["club"], **TEXTS}
    assert shown["from"] == "2026-10-25T01:30"
    assert before.model_copy(update=fields_in(sent(**shown), before)) == before
    moved = fields_in(sent(**{**shown, "from": "2026-10-26T01:30"}), before)
    assert moved["from_"] == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_language_whose_text_is_taken_out_is_gone_and_one_the_form_does_not_have_stays() -> None:
    texts = {"en": "On hold.", "fr": "En attente.", "de": "Angehalten."}
    before = pause().model_copy(update={"message": texts, "reason": texts})
    fields = fields_in(sent(**TEXTS, **{"message-fr": "", "reason-fr": "Nous réfléchissons."}), before)
    assert fields["message"] == {"en": "On hold.", "de": "Angehalten."}
    assert fields["reason"] == {"en": "We think.", "fr": "Nous réfléchissons.", "de": "Angehalten."}


@pytest.mark.parametrize("pause_id", ["", "-x", "a b", "é", "x" * 65, "a/b"])
def test_an_id_that_no_address_could_hold_is_refused(pause_id: str) -> None:
    form = {"pause_id": pause_id, "timezone": "UTC", "until": "2030-01-01T00:00", **TEXTS}
    with pytest.raises(Refused) as error:
        pause_in(sent(**form))
    assert [each.pointer for each in error.value.errors] == ["/pause_id"]
    named = pause_in(sent(**{**form, "pause_id": "Review-2022"}))(DURING)
    assert (named.id, named.from_) == ("review-2022", DURING)


def test_one_that_never_begins_is_over() -> None:
    cancelled = pause(start=DURING, until=DURING)
    assert state_of(cancelled, datetime(2021, 1, 1, tzinfo=UTC)) == "over"
