"""Erasing what is held of an application: what every collection that can name somebody has to do.

Each service has one list of what is erased, in its wiring: `Stores.erasables` of intake, `Storage.erasables` of
eligibility, `erasables` of notifications. A collection that is not in it keeps what it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol


class Erasable(Protocol):
    """Something that holds what names people or organisations."""

    async def erase(self, application_ids: Collection[str]) -> None:
        """Delete, or overwrite, everything of these applications that names a person or an organisation.

        It is asked again some time later, for what was being written when it was asked first; so it is safe to repeat, and
        finds nothing to do then. Raises Transient; what is done by then stays done.
        """


class Erasables:
    """Several of them, in their order."""

    def __init__(self, erasables: Sequence[Erasable]) -> None:
        self._erasables = erasables

    async def erase(self, application_ids: Collection[str]) -> None:
        """Have everything of these applications erased everywhere. Raises Transient."""
        if application_ids:
            for each in self._erasables:
                await each.erase(application_ids)
