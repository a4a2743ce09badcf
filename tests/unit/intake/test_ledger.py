"""The ledger adds up, and shows it when something does not."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain.ledger import Group, ledger_of


def group(count: int, state: Any = "eligible", ack: Any = "sent", email: Any = "sent", **more: Any) -> Group:
    return Group(more.get("channel", "api"), state, more.get("given_up", False), ack, email, count)


def test_everything_that_came_to_its_end_closes_the_ledger() -> None:
    ledger = ledger_of(
        {"api": 6, "file": 3},
        {"api": 2},
        [
            group(3),
            group(1, "on_hold", email="failed"),
            group(1, "withdrawn", ack="expected", email=None),
            group(1, "withdrawn", ack="sent", email="sent"),
            group(3, "incomplete", channel="file"),
        ],
    )
    api = ledger.accounts[0]
    assert (api.rows, api.accepted, api.refused, api.eligible, api.withdrawn, api.gap) == (8, 6, 2, 3, 2, 0)
    # 4 acknowledgements and 4 outcomes, and the two that the withdrawn one got before
    assert (api.emails.expected, api.emails.sent, api.emails.failed, api.emails.outstanding) == (10, 9, 1, 0)
    assert (ledger.total.channel, ledger.total.accepted, ledger.total.incomplete) == ("all", 9, 3)
    assert ledger.closes


def test_emails_that_were_left_out_are_neither_expected_nor_failed_nor_outstanding() -> None:
    """Nor are those of an application that was withdrawn before they were written at all."""
    groups = [
        group(1),
        group(1, "referred", email="superseded"),
        group(1, "withdrawn", email="superseded"),
        group(1, "withdrawn", ack="expected", email="expected"),
        group(1, "withdrawn", ack="failed", email=None),
    ]
    ledger = ledger_of({"api": 5}, {}, groups)
    # sent: 2 and 1, and the withdrawn one's acknowledgement
    for emails in (ledger.accounts[0].emails, ledger.total.emails):
        assert (emails.expected, emails.sent, emails.failed, emails.superseded) == (5, 4, 1, 2)
        assert emails.outstanding == 0
    assert ledger.closes


@pytest.mark.parametrize(
    ("accepted", "groups", "imports", "what"),
    [
        (2, [group(1)], 0, "gap"),
        (1, [group(1, "pending", email=None)], 0, "pending"),
        (1, [group(1, "pending", email=None, given_up=True)], 0, "dead_lettered"),
        (1, [group(1, ack="expected")], 0, "outstanding"),
        (1, [group(1, email="expected")], 0, "outstanding"),
        (0, [group(1)], 0, "gap"),
        (0, [], 1, "imports"),
    ],
)
def test_whatever_is_open_keeps_the_ledger_from_closing(
    accepted: int, groups: list[Group], imports: int, what: str
) -> None:
    ledger = ledger_of({"api": accepted}, {}, groups, imports)
    account = ledger.accounts[0]
    seen = {
        "gap": account.gap,
        "pending": account.pending,
        "dead_lettered": account.dead_lettered,
        "outstanding": account.emails.outstanding if not account.gap and not account.pending else 0,
        "imports": ledger.unfinished_imports,
    }
    assert seen[what]
    assert not ledger.closes


def test_a_gap_of_one_channel_is_not_hidden_by_another() -> None:
    ledger = ledger_of({"api": 2, "file": 0}, {}, [group(1), group(1, channel="file")])
    assert [account.gap for account in ledger.accounts] == [1, -1]
    assert ledger.total.gap == 0
    assert not ledger.closes


def test_channels_about_which_there_is_nothing_to_say_are_left_out() -> None:
    assert [each.channel for each in ledger_of({}, {"email": 1}, []).accounts] == ["api", "file", "email"]
