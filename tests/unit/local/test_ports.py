"""Free ports for servers of our own."""

import socket

from deploy.local.ports import FIRST, LAST, LOOPBACK, free_port, is_free


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
