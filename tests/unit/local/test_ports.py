"""Free ports for servers of our own."""

import socket

import pytest

from deploy.local.ports import FIRST, LAST, LOOPBACK, PORTS, free_port, is_free


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_the_preferred_port_is_given_when_nobody_has_it() -> None:
    wanted = free_port()
    assert free_port(wanted) == wanted


def test_another_port_is_given_when_the_preferred_one_is_taken() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        taken = server.getsockname()[1]
        assert free_port(taken) != taken


def test_ports_lie_below_those_the_kernel_gives_to_outgoing_connections() -> None:
    assert FIRST <= free_port() < LAST < 32_768


def test_runners_that_start_together_can_be_given_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PORTS, "21000-21100")
    assert all(21_000 <= free_port() < 21_100 for _ in range(20))


def test_a_port_is_given_once_though_nobody_listens_on_it_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack looks for all of its ports before its first process takes one."""
    monkeypatch.setenv(PORTS, "21200-21300")
    given = [free_port() for _ in range(60)]
    assert len(set(given)) == 60
    monkeypatch.setenv(PORTS, f"{given[0]}-{given[0] + 1}")
    with pytest.raises(OSError, match="No free port"):
        free_port()
    assert free_port(given[0]) == given[0], "whoever had it may have it again"
