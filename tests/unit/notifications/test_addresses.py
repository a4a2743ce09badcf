"""Addresses an email can be sent to, and text that is safe in a header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.addresses import one_line
from shared.policy.addresses import AddressUnusable, envelope_address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ada@charity.example", "ada@charity.example"),
        ("o'neil+apply@mail.charity.example", "o'neil+apply@mail.charity.example"),
        ("ada@kinder-schützen.example", "ada@xn--kinder-schtzen-psb.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@例え.example", "ada@xn--r8jz45g.example"),
    ],
)
def test_an_address_goes_out_in_ascii_with_international_domains_encoded(address: str, expected: str) -> None:
    assert envelope_address(address) == expected


@pytest.mark.parametrize(
    ("address", "because"),
    [
        ("ada@charity.example\r\nBcc: eve@evil.example", "control character"),
        ("ada@charity.example\nRCPT TO:<eve@evil.example>", "control character"),
        ("ada\x00@charity.example", "control character"),
        ("ada\u2028@charity.example", "control character"),
        ("ada@charity.example\x7f", "control character"),
        ("müller@charity.example", "non-ASCII"),
        ("ada", "name@domain"),
        ("@charity.example", "name@domain"),
        ("ada@", "name@domain"),
        ("ada b@charity.example", "mail servers take"),
        ('"ada b"@charity.example', "mail servers take"),
        ("ada>@charity.example", "mail servers take"),
        ("a" * 65 + "@charity.example", "mail servers take"),
        ("ada@charity", "domain"),
        ("ada@-charity.example", "domain"),
        ("ada@charity..example", "domain"),
        ("ada@[127.0.0.1]", "domain"),
        ("ada@\u0378.example", "international"),
        ("a@" + ".".join(["b" * 60] * 5) + ".example", "domain"),
        ("a" * 64 + "@" + ".".join(["b" * 60] * 4), "too long"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_a_reason_that_does_not_repeat_it(
    address: str, because: str
) -> None:
    with pytest.raises(AddressUnusable, match=because) as refused:
        envelope_address(address)
    assert address not in str(refused.value)


@given(st.text())
def test_text_for_a_header_is_one_line_without_control_characters(text: str) -> None:
    made = one_line(text)
    assert made.splitlines() in ([], [made])
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in made)
    made.encode("utf-8")


def test_marks_that_turn_the_direction_of_writing_do_not_survive() -> None:
    assert one_line("Invoice \u202egpj.exe\u202c\u2066x") == "Invoice gpj.exe x"
