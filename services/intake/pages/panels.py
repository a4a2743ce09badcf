"""Panels: what a capability shows on an application's page, beside its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from services.intake.domain.status import Status
from shared.policy.pack import PolicyDocument


class Panel(Protocol):
    """One part of the page. `template` is a file of `templates/`; it sees what `show` gives as `panel`."""

    @property
    def template(self) -> str: ...

    async def show(
        self, status: Status, token: str, document: PolicyDocument | None, locale: str
    ) -> Mapping[str, Any] | None:
        """What to show; None leaves the panel out. `token` is that of the page. Raises Transient."""
