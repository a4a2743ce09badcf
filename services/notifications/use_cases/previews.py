"""Showing what each template makes of sample data, in the words of the policy in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.notifications.domain.letters import TEMPLATES, Letter
from services.notifications.domain.samples import Wanted, sample_letter
from services.notifications.use_cases.emails import PolicySource
from shared.clock import Clock
from shared.policy.pack import PolicyDocument


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter in words. `locale` is the one it is written in, which may not be the one that was asked for."""

    subject: str
    text: str
    html: str
    locale: str
    template_version: str


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """A template pair: its name, its locale, and the hash of its sources."""

    name: str
    locale: str
    version: str


class Renderer(Protocol):
    """Puts letters into words. Raises Permanent."""

    def render(self, letter: Letter, policy: PolicyDocument) -> Rendered: ...

    def versions(self) -> Sequence[TemplateVersion]:
        """Every template pair there is."""


class Previews:
    """Previews of templates."""

    def __init__(self, policies: PolicySource, renderer: Renderer, clock: Clock) -> None:
        self._policies = policies
        self._renderer = renderer
        self._clock = clock

    def versions(self) -> Sequence[TemplateVersion]:
        """Every template pair there is."""
        return self._renderer.versions()

    async def preview(self, name: str, locale: str, category: str = "", asked: str = "") -> Rendered | None:
        """The template filled with sample data; None if there is no such template. `category`: of the applicant;
        `asked`: the hash of the policy version that was in force when they asked, for an invitation.

        Raises Transient while no policy has been announced, or the database is away."""
        if name not in TEMPLATES:
            return None
        now = (await self._clock.read()).now
        policy_hash, document = await self._policies.current(now)
        wanted = Wanted(category, asked, await self._policies.find(asked) if asked else None)
        return self._renderer.render(sample_letter(name, locale, document, policy_hash, now, wanted), document)
