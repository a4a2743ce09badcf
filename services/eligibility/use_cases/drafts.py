"""Keeps drafts of policies, checks them, puts them in force at a date, and rolls that back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from services.eligibility.domain import activations as rules
from services.eligibility.domain.activations import Told
from services.eligibility.domain.drafts import Draft, DraftHeading, draft_id, require_pack
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.policies import LEAD, Activation, Rulebook
from services.eligibility.use_cases.policies import Moment, Policies, Rules
from shared.clock import Clock
from shared.errors import Conflict, Refused
from shared.policy.differences import Difference, differences
from shared.policy.pack import Policy
from shared.policy.problems import PackError, PackInvalid
from shared.policy.source import is_pack_file

log = structlog.get_logger(__name__)

Load = Callable[[Mapping[str, bytes]], Policy]
"""Makes a policy of a pack's files, or raises PackInvalid. Takes a second of computing."""


class NoSuchPolicy(Exception):
    """There is no draft and no policy version of that name."""


class StoredDrafts(Protocol):
    """Stored drafts; insert-only. `append` leaves alone what is there already, and gives what is now stored."""

    async def headings(self) -> Sequence[DraftHeading]: ...
    async def get(self, draft_id: str) -> Draft | None: ...
    async def of_policy(self, policy_hash: str) -> Draft | None: ...
    async def append(self, draft: Draft) -> Draft: ...


class Drafts:
    """What people send to become a policy. Everything raises Transient when the database is away; again is safe."""

    def __init__(self, drafts: StoredDrafts, clock: Clock, load: Load) -> None:
        self._drafts = drafts
        self._clock = clock
        self._load = load
        self._loading = asyncio.Lock()

    async def take(self, files: Mapping[str, bytes], author: Author, known: Policy | None = None) -> Draft:
        """Keep the files of a pack, right or wrong, with the mistakes in them. Other files are left out. `known`: the policy
        they are known to make.

        Raises Refused when they are no pack, or more than one can be.
        """
        own = {name: content for name, content in files.items() if is_pack_file(name)}
        require_pack(own)
        if (found := await self._drafts.get(draft_id(own))) is not None:
            return found
        policy, errors = (known, ()) if known else await self._checked(own)
        reading = await self._clock.read()
        return await self._drafts.append(Draft(own, policy, errors, author, reading.now))

    async def headings(self) -> Sequence[DraftHeading]:
        """All drafts, newest first."""
        return sorted(await self._drafts.headings(), key=lambda each: each.stored_at, reverse=True)

    async def get(self, draft_id: str) -> Draft:
        """The draft of that id. Raises NoSuchPolicy."""
        if (found := await self._drafts.get(draft_id)) is None:
            raise NoSuchPolicy(draft_id)
        return found

    async def checked(self, name: str) -> Draft:
        """The draft of that id, or of the policy of that hash, checked anew by the checks of today, which may have grown
        since it was sent. Raises NoSuchPolicy."""
        if (draft := await self._find(name)) is None:
            raise NoSuchPolicy(name)
        policy, errors = await self._checked(draft.files)
        return Draft(draft.files, policy, errors, draft.author, draft.stored_at)

    async def policy(self, name: str) -> Policy | None:
        """The policy of a draft by the draft's id or the policy's hash; None when there is no such draft, or a wrong one."""
        draft = await self._find(name)
        return draft.policy if draft else None

    async def _find(self, name: str) -> Draft | None:
        return await self._drafts.get(name) or await self._drafts.of_policy(name)

    async def _checked(self, files: Mapping[str, bytes]) -> tuple[Policy | None, tuple[PackError, ...]]:
        async with self._loading:  # one after the other: each takes a whole core
            try:
                return await asyncio.to_thread(self._load, files), ()
            except PackInvalid as invalid:
                return None, invalid.errors


@dataclass(frozen=True, slots=True)
class Compared:
    """What would be otherwise: `before` and `after` are policies, `found` their differences."""

    before: Policy
    after: Policy
    found: tuple[Difference, ...]


class ChangePolicy:
    """Puts a version in force, at a date, and rolls that back; says first what would be otherwise."""

    def __init__(
        self,
        policies: Policies,
        drafts: Drafts,
        rules: Rules,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policies = policies
        self._drafts = drafts
        self._rules = rules
        self._clock = clock
        self._monotonic = monotonic

    async def compare(self, name: str, base: str | None, locale: str, category: str | None = None) -> Compared:
        """What a draft or version says otherwise than another one, or than the one in force now. Raises NoSuchPolicy."""
        rulebook, reading = await asyncio.gather(self._rules.current(), self._clock.read())
        after = await self._named(name, rulebook)
        standing = rulebook.policy_at(reading.now)
        before = Policy(document=standing.document, hash=standing.hash)
        if base is not None:
            before = await self._named(base, rulebook)
        found = differences(before.document, after.document, locale, category)
        return Compared(before, after, found)

    async def activate(self, name: str, when: datetime | None, author: Author, expected: int | None) -> Activation:
        """Put a version in force: a draft by its id, or a version by its hash. `expected`: the number of the newest
        activation that was seen, if that is to be the newest still.

        Raises:
            NoSuchPolicy: there is none of that name.
            Refused: the draft has mistakes, or `when` is past.
            Conflict: nothing would change, or somebody else activated one meanwhile.
        """
        activations, rulebook = await asyncio.gather(self._policies.activations(), self._rules.current())
        policy = await self._valid(name, rulebook)
        rules.require_seen(activations, expected)
        moment = await Moment.read(self._clock, self._monotonic)
        now = moment.reading.now
        dated = policy.document.effective_from
        wanted = rules.activated(activations, policy.hash, when, dated, now + LEAD, author, now)
        return await self._keep(policy, wanted, moment)

    async def roll_back(self, author: Author, expected: int | None) -> Activation:
        """Undo the newest activation: the version before it comes back. Asked for again by the same person with the same
        words, as after a lost answer, it is answered as the first time. Raises Conflict.

        `expected`: the number of the newest activation that was seen; who has seen a rolling back and asks for another one
        means it.
        """
        activations = await self._policies.activations()
        rules.require_seen(activations, expected)
        before = rules.version_before(activations)
        found = await self._policies.get([before.policy_hash]) if before else ()
        moment = await Moment.read(self._clock, self._monotonic)
        now = moment.reading.now
        if expected is None and (same := rules.rolled_back_just_now(activations, author, now)) is not None:
            return same
        wanted = rules.rolled_back(activations, now + LEAD, author, now)
        policy = next(Policy(document=each.document, hash=each.hash) for each in found)
        return await self._keep(policy, wanted, moment)

    async def activations(self) -> Sequence[Activation]:
        """Every activation as stored, in the order in which they were: whoever has just made one sees it."""
        return sorted(await self._policies.activations(), key=lambda each: (each.number, each.rank))

    async def told(self) -> list[Told]:
        """The same for readers."""
        activations, reading = await self.activations(), await self._clock.read()
        labels = await self.labels({each.policy_hash for each in activations})
        return rules.told(activations, labels, reading.now)

    async def labels(self, hashes: Collection[str]) -> dict[str, str]:
        """What these versions call themselves, by hash."""
        rulebook = await self._rules.current()
        found = {version.hash: version.document.version_label for version in rulebook.policies}
        if unread := set(hashes) - found.keys():  # activated within the last second
            found |= {each.hash: each.document.version_label for each in await self._policies.get(unread)}
        return found

    async def _keep(self, policy: Policy, wanted: Activation, moment: Moment) -> Activation:
        moment.require_prompt()
        stored = await self._policies.append(policy, wanted, moment.reading)
        if stored != wanted:
            raise Conflict(f"{stored.by} activated a policy at the same time: look again, then decide.")
        log.info("policy activated", policy=policy.hash, number=stored.number, by=stored.by)
        return stored

    async def _named(self, name: str, rulebook: Rulebook) -> Policy:
        if (version := rulebook.policy(name)) is not None:
            return Policy(document=version.document, hash=version.hash)
        if (policy := await self._drafts.policy(name)) is not None:
            return policy
        raise NoSuchPolicy(name)

    async def _valid(self, name: str, rulebook: Rulebook) -> Policy:
        """A version that was in force is taken as it is; a draft is checked anew."""
        if rulebook.policy(name) is not None:
            return await self._named(name, rulebook)
        draft = await self._drafts.checked(name)
        if draft.policy is None:
            many = "a mistake" if len(draft.errors) == 1 else f"{len(draft.errors)} mistakes"
            raise Refused(f"This draft has {many}, so it cannot be activated. The first: {draft.errors[0]}")
        return draft.policy
