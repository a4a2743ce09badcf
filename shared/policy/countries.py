"""The countries of ISO 3166-1, for checking codes and for lists to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@cache
def countries() -> Mapping[str, str]:
    """English names by alpha-2 code, in the order of the codes. Source: `countries.txt`."""
    lines = files("shared.policy").joinpath("countries.txt").read_text(encoding="utf-8").splitlines()
    return MappingProxyType({line[:2]: line[3:] for line in lines if not line.startswith("#")})
