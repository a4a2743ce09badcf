"""Who a request came from, as far as limits count."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.requests import HTTPConnection

SUBNET: Final = 64
"""Bits of an IPv6 address that name a network: whoever has one has all the addresses in it."""


def client_of(request: HTTPConnection) -> str:
    """The network address that a request came from, of IPv6 its network. Behind a proxy it is what the proxy names, if
    uvicorn is told to trust it (`FORWARDED_ALLOW_IPS`)."""
    return network_of(request.client.host) if request.client else ""


def network_of(host: str) -> str:
    """What counts as one client: an IPv4 address, also when it is written as IPv6, or the /64 of an IPv6 address. What is
    no address stays as it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), SUBNET), strict=False))
