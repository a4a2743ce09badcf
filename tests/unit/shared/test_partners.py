"""The commands that admit a partner: exact names, quoted for a shell, and nobody else's."""

from __future__ import annotations

import re
import shlex

import pytest

from shared.partners import permissions
from shared.topology import Topology


def granted(partner: str, topology: Topology) -> list[str]:
    """Configure, write and read of a partner, as regular expressions."""
    command = next(each for each in permissions(partner, topology) if "set_permissions" in each)
    return shlex.split(command)[-3:]


@pytest.mark.parametrize("partner", ["acme", "acme.charity", "A-1_b"])
def test_a_partner_gets_its_reply_queue_and_the_way_in(partner: str) -> None:
    topology = Topology()
    configure, write, read = granted(partner, topology)
    assert re.search(configure, topology.reply_queue(partner))
    assert re.search(read, topology.reply_queue(partner))
    assert re.search(write, topology.partner_exchange)


def test_no_right_reaches_further() -> None:
    topology = Topology()
    others = [
        "amq.default",
        topology.exchange,
        topology.dead_letter_exchange,
        topology.partner_queue,
        topology.partner_dead_letter_queue,
        topology.reply_queue("acme-charity"),
        topology.reply_queue("acme.charity.uk"),
        f"x{topology.reply_queue('acme.charity')}",
        topology.queue("intake", "bulk"),
    ]
    for right in granted("acme.charity", topology):
        assert not [name for name in others if re.search(right, name)]


@pytest.mark.parametrize("partner", ["", ".", "a.", ".a", "a b", "a;rm -rf /", "a'b", "é", "a" * 101, "a/b", "-a"])
def test_other_names_are_refused(partner: str) -> None:
    with pytest.raises(ValueError, match="letters"):
        permissions(partner, Topology())


def test_the_usual_installation_has_the_names_partners_are_told() -> None:
    assert Topology().partner_queue == "membership.inbound"
    assert Topology().reply_queue("acme") == "membership.replies.acme"
    assert Topology("other").partner_queue == "other.membership.inbound"
