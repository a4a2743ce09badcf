"""Signed links open for their purpose alone, as long as they are fresh and whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from shared.web.links import MESSAGE, LinkInvalid, Links

SECRET = "s" * 32
SUBJECT = "6e3c8e1c-1f0c-5d5c-8d61-0a1a0e6d7a55"


def test_a_link_opens_to_its_subject() -> None:
    links = Links(SECRET)
    token = links.sign("status", SUBJECT)
    assert links.open("status", token) == SUBJECT
    assert links.open("status", token, timedelta(days=1)) == SUBJECT
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


def tampered() -> dict[str, str]:
    token = Links(SECRET).sign("status", SUBJECT)
    other = Links(SECRET).sign("status", "another")
    _, time, signature = token.rsplit(".", 2)
    return {
        "empty": "",
        "garbage": "no-token",
        "non-ascii": "tökén",
        "one letter": ("A" if token[0] != "A" else "B") + token[1:],
        "one letter of the signature": f"{token.rsplit('.', 1)[0]}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "another's payload": ".".join([other.rsplit(".", 2)[0], time, signature]),
        "cut": token[: len(token) // 2],
        "another secret": Links("t" * 32).sign("status", SUBJECT),
        "another purpose": Links(SECRET).sign("receipt", SUBJECT),
        "no text": URLSafeTimedSerializer(SECRET, salt="accede.link.status").dumps({"a": 1}),
    }


@pytest.mark.parametrize("name", tampered())
def test_every_bad_link_gets_the_same_message(name: str) -> None:
    with pytest.raises(LinkInvalid) as caught:
        Links(SECRET).open("status", tampered()[name])
    assert str(caught.value) == MESSAGE


def test_a_link_ends_with_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    links = Links(SECRET)
    now = TimestampSigner(SECRET).get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now - 3601)
    token = links.sign("status", SUBJECT)
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now)
    assert links.open("status", token, timedelta(hours=2)) == SUBJECT
    assert links.open("status", token) == SUBJECT
    with pytest.raises(LinkInvalid, match="not valid, or it has expired"):
        links.open("status", token, timedelta(hours=1))


def test_after_a_change_of_secret_old_links_still_open() -> None:
    old = Links(SECRET).sign("status", SUBJECT)
    both = Links("n" * 40 + "\n" + SECRET)
    assert both.open("status", old) == SUBJECT
    assert Links("n" * 40).open("status", both.sign("status", SUBJECT)) == SUBJECT


@pytest.mark.parametrize("secret", ["", "short", SECRET + "\nshort"])
def test_a_weak_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="32 characters or more") as caught:
        Links(secret)
    assert "short" not in str(caught.value)


def test_a_form_is_vouched_for_by_the_token_of_its_own_page() -> None:
    links = Links(SECRET)
    form = links.sign("withdraw", SUBJECT)
    assert links.vouches("withdraw", form, SUBJECT, timedelta(hours=1))
    assert not links.vouches("erase", form, SUBJECT, timedelta(hours=1))
    assert not links.vouches("withdraw", form, "another", timedelta(hours=1))
    assert not links.vouches("withdraw", form, SUBJECT, timedelta(seconds=-1))
    assert not links.vouches("withdraw", "", SUBJECT, timedelta(hours=1))
