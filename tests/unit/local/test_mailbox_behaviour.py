"""The mailbox misbehaves as asked, and counts it."""

import pytest
from pydantic import ValidationError

from deploy.local.mailbox.behaviour import Behaviour, Reply, Switches
from deploy.local.mailbox.smtp import unstuffed


def test_everybody_else_is_served_at_once() -> None:
    behaviour = Behaviour()
    assert behaviour.refusal("x@org.example") is None
    assert behaviour.after_the_dot(["x@org.example"], "<1>") == Reply()
    assert not behaviour.counts


def test_bounce_is_final_every_time() -> None:
    behaviour = Behaviour()
    assert [(behaviour.refusal("x@bounce.example") or "")[:3] for _ in range(2)] == ["550", "550"]
    assert behaviour.counts["bounced"] == 2


def test_defer_refuses_each_address_once() -> None:
    behaviour = Behaviour()
    tries = ["x@defer.example", "X@Defer.example", "y@defer.example"]
    assert [(behaviour.refusal(to) or "")[:3] for to in tries] == ["451", "", "451"]


def test_lost_drops_the_reply_to_each_message_once() -> None:
    behaviour = Behaviour()
    assert [behaviour.after_the_dot(["x@lost.example"], one).lost for one in ("<1>", "<1>", "<2>")] == [
        True,
        False,
        True,
    ]


def test_slow_answers_late() -> None:
    behaviour = Behaviour()
    behaviour.switches = Switches(slow_ms=700, delay_ms=20)
    assert behaviour.after_the_dot(["x@slow.example"], "<1>").delay_ms == 700
    assert behaviour.after_the_dot(["x@org.example"], "<1>").delay_ms == 20


@pytest.mark.parametrize("code", [451, 550])
def test_refusing_everything_says_whether_to_try_again(code: int) -> None:
    behaviour = Behaviour()
    behaviour.switches = Switches.model_validate({"refuse_all": True, "refuse_code": code})
    assert (behaviour.refusal("x@org.example") or "").startswith(str(code))


def test_a_switch_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError):
        Switches.model_validate({"refuse_al": True})


def test_forgetting_begins_again() -> None:
    behaviour = Behaviour()
    behaviour.refusal("x@defer.example")
    behaviour.forget()
    assert behaviour.refusal("x@defer.example") is not None
    assert behaviour.counts == {"deferred": 1}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (b"a\r\n..b\r\n", b"a\r\n.b\r\n"),
        (b"..a\r\n", b".a\r\n"),
        (b"a.\r\nb\r\n", b"a.\r\nb\r\n"),
        (b"", b""),
    ],
)
def test_dots_that_the_sender_had_to_double_are_single_again(sent: bytes, meant: bytes) -> None:
    assert unstuffed(sent) == meant
