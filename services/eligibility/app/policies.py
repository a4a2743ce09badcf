"""Wires policies: the pack on disk at start, drafts, activations, and the ways in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from services.eligibility.api import drafts as draft_routes
from services.eligibility.api import policies as policy_routes
from services.eligibility.app.storage import Storage
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.pauses import BY_POLICY
from services.eligibility.pages.console import policies as policy_pages
from services.eligibility.pages.console.frame import Console
from services.eligibility.pages.console.policies import PolicyPages
from services.eligibility.storage.drafts import MongoDrafts
from services.eligibility.use_cases.drafts import ChangePolicy, Drafts
from services.eligibility.use_cases.policies import ActivatePolicy, Rules
from shared.clock import Clock
from shared.policy.loader import load_files
from shared.policy.source import files_of
from shared.service import Platform


@dataclass(frozen=True, slots=True)
class PolicyRoom:
    """Everything about policies."""

    rules: Rules
    clock: Clock
    drafts: Drafts
    changing: ChangePolicy
    install: Callable[[], Awaitable[None]]

    @classmethod
    def of(cls, platform: Platform, folder: Path, storage: Storage, rules: Rules) -> PolicyRoom:
        """Over the service's database; `folder` has the pack on disk. Raises PackInvalid when it is wrong."""
        files = files_of(folder)
        on_disk = load_files(files)
        drafts = Drafts(MongoDrafts(platform.database), platform.clock, load_files)
        activate = ActivatePolicy(storage.policies, storage.pauses, platform.clock)

        async def install() -> None:
            # its files are kept as well, so that whoever drafts the next policy can begin with them
            await drafts.take(files, Author(BY_POLICY, "The pack that this service was started with."), on_disk)
            await activate(on_disk)

        changing = ChangePolicy(storage.policies, drafts, rules, platform.clock)
        return cls(rules, platform.clock, drafts, changing, install)

    def add_routes(self, web: FastAPI) -> None:
        """The API."""
        web.include_router(draft_routes.routes(self.drafts, self.changing))
        web.include_router(policy_routes.routes(self.rules, self.clock, self.changing))

    def add_pages(self, web: FastAPI, console: Console) -> None:
        """The pages of the console."""
        pages = PolicyPages(self.rules, self.clock, self.drafts, self.changing)
        web.include_router(policy_pages.routes(console, pages))
