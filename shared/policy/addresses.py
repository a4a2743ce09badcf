"""Which addresses an email can be sent to: one rule for whoever takes an address in and whoever mails it.

An address that carries a control character is refused, never repaired: it could smuggle a header or an SMTP command
(CVE-2024-6923 is one way).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import idna

from shared.errors import Permanent

MAX_ADDRESS: Final = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets
MAX_LOCAL: Final = 64  # RFC 5321 §4.5.3.1.1
MAX_DOMAIN: Final = 253

UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")
"""C0 and C1 controls, line and paragraph separators, marks that turn the direction of writing, lone surrogates, BOM."""
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN: Final = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)+(?!-)[A-Za-z0-9-]{2,63}(?<!-)")


class AddressUnusable(Permanent):
    """No email can be sent to this address; the message says why and does not repeat it."""


def envelope_address(address: str) -> str:
    """The address as SMTP and headers carry it: ASCII, an internationalised domain in its `xn--` form.

    Raises AddressUnusable.
    """
    if UNSAFE.search(address):
        raise AddressUnusable("the address contains a control character")
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise AddressUnusable("the address is not of the form name@domain")
    if not local.isascii():
        raise AddressUnusable("the part before the @ has non-ASCII characters, which our mail server cannot deliver to")
    if len(local) > MAX_LOCAL or not _LOCAL.fullmatch(local):
        raise AddressUnusable("the part before the @ is not one that mail servers take")
    ascii_domain = domain if domain.isascii() else _punycode(domain)
    if not _DOMAIN.fullmatch(ascii_domain):
        raise AddressUnusable("the domain after the @ is not a valid one")
    if len(local) + 1 + len(ascii_domain) > MAX_ADDRESS:
        raise AddressUnusable("the address is too long")
    return f"{local}@{ascii_domain}"


@lru_cache(maxsize=1024)
def _punycode(domain: str) -> str:
    try:
        if len(domain) <= MAX_DOMAIN:  # encoded it is longer still, and encoding what is long takes long
            return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        pass
    raise AddressUnusable("the domain after the @ is not a valid international one")
