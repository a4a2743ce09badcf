"""Reads the audit: the newest deeds of every kind, in one list."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Protocol

from services.eligibility.domain.audit import About, Entry, Wanted, newest


class Source(Protocol):
    """The facts of one kind."""

    @property
    def about(self) -> About: ...

    async def entries(self, wanted: Wanted, limit: int) -> Sequence[Entry]:
        """The newest `limit` of those that are wanted, or more. Raises Transient."""


class Audit:
    """All sources as one. There is no way to write to it."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)

    async def page(self, wanted: Wanted, limit: int) -> Sequence[Entry]:
        """The newest entries that are wanted, the newest first; fewer than `limit` on the last page. Raises Transient."""
        asked = [each for each in self._sources if wanted.about in (None, each.about)]
        found = await asyncio.gather(*(each.entries(wanted, limit) for each in asked))
        return newest((each for each in chain(*found) if wanted.covers(each)), limit)
