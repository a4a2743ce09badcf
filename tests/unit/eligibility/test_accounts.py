"""Accounts, passwords and sessions: what is allowed, what is refused, and what is on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.eligibility.domain import passwords
from services.eligibility.domain.accounts import (
    Account,
    Wanted,
    changed,
    opened,
    what_changed,
    with_credential,
    with_link,
)
from services.eligibility.domain.sessions import IDLE, LONGEST, Session, form_token, is_form_token, new_token
from services.eligibility.pages.console.sign_in import inside
from shared.errors import Conflict, Refused

NOW = datetime(2022, 1, 10, 9, 0, tzinfo=UTC)


def account(**fields: object) -> Account:
    base = opened("nadia", "Nadia Example", "operator", (), "ada", "New here.", NOW)
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "Nadia", "a b", "-x", "ä", "x" * 65])
def test_a_name_that_records_could_not_carry_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        opened(name, "Nadia Example", "operator", (), "ada", "New.", NOW)
    assert [each.pointer for each in refused.value.errors] == ["/name"]


def test_an_account_never_has_the_name_of_an_api_key() -> None:
    with pytest.raises(Refused) as refused:
        opened("ada", " ", "admin", {"ada"}, "ada", "New.", NOW)
    assert [each.pointer for each in refused.value.errors] == ["/name", "/full_name"]


def test_every_change_is_the_next_version_with_its_author_and_reason() -> None:
    first = account()
    second = changed(first, Wanted(role="decider"), "ada", "Promoted.", NOW)
    third = changed(second, Wanted(active=False), "ada", "Left.", NOW)
    fourth = with_credential(changed(third, Wanted(active=True), "ada", "Back.", NOW), "c", NOW)
    assert [(each.version, each.by, each.why) for each in (second, third)] == [
        (2, "ada", "Promoted."),
        (3, "ada", "Left."),
    ]
    assert [what_changed(None, first), what_changed(first, second), what_changed(second, third)] == [
        "opened",
        "changed",
        "closed",
    ]
    assert (what_changed(third, fourth), fourth.by, fourth.version) == ("reopened", "nadia", 5)
    linked = with_link(fourth, "ada", NOW)
    assert (what_changed(fourth, linked), linked.by, linked.version) == ("link made", "ada", 6)
    with pytest.raises(Refused, match="is closed"):
        with_link(third, "ada", NOW)
    assert (fourth.may("decider"), fourth.may("admin")) == (True, False)


def test_what_changes_nothing_and_what_locks_oneself_out_is_refused() -> None:
    with pytest.raises(Conflict):
        changed(account(), Wanted(role="operator", full_name=" Nadia Example "), "ada", "No.", NOW)
    for wanted in (Wanted(role="operator"), Wanted(active=False)):
        with pytest.raises(Refused, match="Nobody closes their own account"):
            changed(account(role="admin"), wanted, "nadia", "Oops.", NOW)
    assert changed(account(), Wanted(full_name="Nadia E."), "nadia", "Married.", NOW).full_name == "Nadia E."


def test_a_name_without_end_is_refused() -> None:
    """The API and the console's form go through the same rule."""

    def renamed(name: str) -> Account:
        return changed(account(), Wanted(full_name=name), "ada", "Married.", NOW)

    def named(name: str) -> Account:
        return opened("nadia", name, "operator", (), "ada", "New.", NOW)

    for rule in (named, renamed):
        assert rule("N" * 200).full_name == "N" * 200
        with pytest.raises(Refused) as refused:
            rule("N" * 201)
        assert refused.value.errors[0].pointer == "/full_name"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "needs 12"),
        ("a" * 12, "repeats"),
        ("abababababab", "repeats"),
        ("my name is Nadia", "contains the account's name"),
        ("x" * 257, "at most"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, fault: str) -> None:
    with pytest.raises(Refused) as refused:
        passwords.require_good(password, "nadia")
    assert fault in refused.value.errors[0].message


def test_a_password_is_kept_as_argon2id_with_a_salt_and_recognised() -> None:
    password = "lantern orbit velvet crumb"
    passwords.require_good(password, "nadia")
    one, other = passwords.hashed(password), passwords.hashed(password)
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert (passwords.matches(one, password), passwords.matches(one, password + " ")) == (True, False)
    assert not passwords.matches("damaged", password)
    assert (passwords.outdated(one), passwords.outdated(one.replace("t=2", "t=1"))) == (False, True)


def test_what_is_compared_for_nobody_costs_what_a_password_costs() -> None:
    assert not passwords.outdated(passwords.NOBODYS)
    assert passwords.matches(passwords.NOBODYS, "the password of an account that is not there")


def test_a_session_ends_when_it_is_idle_and_after_a_working_day_in_any_case() -> None:
    fresh = Session("key", "nadia", NOW, NOW)
    assert fresh.expires() == NOW + IDLE
    assert replace(fresh, seen=NOW + LONGEST - timedelta(minutes=1)).expires() == NOW + LONGEST


def test_only_whoever_just_came_by_a_link_chooses_a_password_without_the_one_they_have() -> None:
    by_link = Session("key", "nadia", NOW, NOW, "link")
    assert by_link.proves_enough(NOW + timedelta(minutes=14))
    assert not by_link.proves_enough(NOW + timedelta(minutes=15))
    for way in ("password", "single_sign_on"):
        assert not replace(by_link, way=way).proves_enough(NOW)


def test_a_form_belongs_to_one_session() -> None:
    mine, other = new_token(), new_token()
    assert is_form_token(mine, form_token(mine))
    assert not is_form_token(mine, form_token(other))
    assert mine not in form_token(mine)


@pytest.mark.parametrize("presented", ["", "é", "\udc80", "ÿ" * 64])
def test_what_was_never_a_form_s_token_is_refused_and_not_an_error(presented: str) -> None:
    assert not is_form_token(new_token(), presented)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/console/cases?q=1", "/console/cases?q=1"),
        ("/console", "/console"),
        ("/consolex", "/console"),
        ("//evil.example/console", "/console"),
        ("/console/\\evil.example", "/console"),
        ("/console/sign-in", "/console"),
        ("https://evil.example/console", "/console"),
    ],
)
def test_after_signing_in_one_stays_inside(path: str, where: str) -> None:
    assert inside(path) == where


@pytest.mark.parametrize("name", ["policy", "accede", "applicant", "sender", "unknown"])
def test_nobody_is_called_what_stands_in_records_for_what_no_person_did(name: str) -> None:
    with pytest.raises(Refused):
        opened(name, "Nadia Example", "operator", (), "ada", "New.", NOW)
