"""The passes over a file come to the same end, wherever they are interrupted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from services.intake.domain.applications import Revision
from services.intake.domain.imports import Import
from services.intake.domain.policies import KnownPolicy
from services.intake.use_cases import import_records
from services.intake.use_cases.applications import Sender, Stored
from services.intake.use_cases.import_passes import ImportPasses
from services.intake.use_cases.imports import Imports, Upload
from services.intake.use_cases.policies import NoPolicyYet, Policies
from services.intake.use_cases.status import StatusProjection
from shared.application import Lane
from shared.errors import Conflict, Permanent, Refused, Transient
from tests.unit.deeds import FakeDeeds
from tests.unit.intake.fakes import (
    NOW,
    FakeClock,
    FakeFiles,
    FakeImports,
    FakePolicies,
    FakeRevisions,
    FakeStatuses,
)
from tests.unit.intake.samples import POLICY, document

LINES = [json.dumps(document()) if number % 7 else "{broken" for number in range(1, 101)]
"""100 rows, of which every seventh is refused."""


class World:
    """Everything an import needs, in memory, with 10 rows a chunk."""

    def __init__(self, policy: bool = True) -> None:
        self.clock, self.imports, self.files = FakeClock(), FakeImports(), FakeFiles(piece=777)
        self.revisions, self.statuses = FakeRevisions(), FakeStatuses(timedelta(seconds=60))
        store = FakePolicies()
        if policy:
            store.policies[POLICY.hash] = KnownPolicy(POLICY.hash, POLICY.document.effective_from, POLICY.document)
        projection = StatusProjection(self.statuses, self.clock)
        policies = Policies(store, self.clock)
        self.deeds = FakeDeeds()
        self.record = self.deeds.recorder(self.clock, "intake")
        self.front = Imports(self.imports, self.files, self.clock, self.record)
        self.passes = ImportPasses(self.imports, self.files, self.revisions, projection, policies, self.clock, chunk=10)

    async def send(
        self, content: bytes = "\n".join(LINES).encode(), commit: bool = True, key: str | None = None
    ) -> Import:
        upload = Upload("list.jsonl", "jsonl", pieces(content))
        return await self.front.take_in(upload, Sender("alpha", key), historical=False, commit=commit)

    async def now(self, job: Import) -> Import:
        found = await self.imports.find(job.import_id)
        assert found is not None
        return found


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


async def keep_on() -> bool:
    return True


async def test_a_file_goes_from_upload_to_its_last_row() -> None:
    world = World()
    job = await world.send()
    world.clock.move(minutes=5)
    await world.passes.advance(job, keep_on)
    job = await world.now(job)
    assert (job.state, job.committed_at, job.policy_hash) == ("done", world.clock.now, POLICY.hash)
    assert job.preview is not None
    assert (job.preview.rows, job.preview.valid, job.preview.refused) == (100, 86, 14)
    assert [(reason.pointer, reason.rows) for reason in job.preview.by_reason] == [("", 14)]
    assert (job.progress.row, job.progress.accepted, job.progress.refused) == (100, 86, 14)
    assert sorted(row for _, row in world.imports.rows) == list(range(7, 101, 7))
    assert len(world.revisions.kept) == len(world.statuses.kept) == len(world.revisions.published) == 86
    assert set(world.revisions.lanes) == {"bulk"}
    received = {each.application.received_at for each in world.revisions.kept.values()}
    assert received == {NOW + timedelta(minutes=5)}


class Interrupted(FakeRevisions):
    """Fails at one of its writes, before or after it is done, as a kill would."""

    def __init__(self, at: int, after: bool) -> None:
        super().__init__()
        self.left = at
        self.after = after

    async def append(self, revisions: Sequence[Revision], lane: Lane, real: datetime) -> list[Stored]:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Transient("killed before the write")
        stored = await super().append(revisions, lane, real)
        if self.left == 0:
            raise Transient("killed after the write")
        return stored


@pytest.mark.parametrize("at", [1, 2, 5, 10])
@pytest.mark.parametrize("after", [False, True])
async def test_an_import_that_is_killed_at_a_chunk_goes_on_and_ends_with_exact_counts(at: int, after: bool) -> None:
    world = World()
    world.revisions = Interrupted(at, after)
    world.passes._revisions = world.revisions
    job = await world.send()
    with pytest.raises(Transient):
        await world.passes.advance(job, keep_on)
    committed_at = (await world.now(job)).committed_at
    world.clock.move(hours=1)
    await world.passes.advance(await world.now(job), keep_on)
    ended = await world.now(job)
    assert (ended.state, ended.committed_at) == ("done", committed_at)
    assert (ended.progress.row, ended.progress.accepted, ended.progress.refused) == (100, 86, 14)
    assert len(world.revisions.kept) == len(world.statuses.kept) == 86


@pytest.mark.parametrize("rounds", [0, 3])
async def test_an_import_stops_between_chunks_when_it_is_told_to_and_goes_on_later(rounds: int) -> None:
    world, left = World(), rounds

    async def keep() -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    job = await world.send()
    await world.passes.advance(job, keep)
    stopped = await world.now(job)
    assert stopped.state == "importing"
    assert 0 < stopped.progress.row < 100
    await world.passes.advance(stopped, keep_on)
    assert (await world.now(job)).progress.accepted == 86


async def test_a_replica_that_lost_its_lease_does_not_count_twice() -> None:
    world = World()
    job = await world.send()
    interrupted = 0

    async def overtaken() -> bool:
        nonlocal interrupted
        interrupted += 1
        if interrupted == 2:  # another replica takes over and finishes while this one was frozen
            await world.passes.advance(await world.now(job), keep_on)
        return True

    with pytest.raises(Transient, match="taken this import over"):
        await world.passes.advance(job, overtaken)
    ended = await world.now(job)
    assert (ended.state, ended.progress.accepted, ended.progress.refused) == ("done", 86, 14)


async def test_without_a_policy_nothing_is_previewed() -> None:
    world = World(policy=False)
    with pytest.raises(NoPolicyYet):
        await world.passes.advance(await world.send(), keep_on)


async def test_a_preview_waits_for_its_commit() -> None:
    world = World()
    job = await world.send(commit=False)
    await world.passes.advance(job, keep_on)
    previewed = await world.now(job)
    assert (previewed.state, previewed.committed_at, len(world.revisions.kept)) == ("previewed", None, 0)
    assert await world.imports.count_unfinished() == 0
    committed = await world.front.commit(previewed, "olga")
    assert await world.front.commit(committed, "ada") == committed, "once is enough"
    await world.passes.advance(committed, keep_on)
    assert (await world.now(job)).state == "done"
    assert world.deeds.told() == [("import", job.import_id, "committed", "olga")]


async def test_a_file_that_cannot_be_read_is_refused_and_cannot_be_committed() -> None:
    world = World()
    job = await world.send(b"\xff")
    await world.passes.advance(job, keep_on)
    refused = await world.now(job)
    assert refused.state == "refused"
    assert "not UTF-8" in refused.problems[0]
    with pytest.raises(Conflict, match="refused as a whole"):
        await world.front.commit(refused, "olga")
    assert not world.deeds.kept


@pytest.mark.parametrize("content", [b"\n \n\n", b"\n"])
async def test_a_file_without_rows_is_refused_and_not_simply_done(content: bytes) -> None:
    world = World()
    job = await world.send(content)
    await world.passes.advance(job, keep_on)
    assert ((await world.now(job)).state, (await world.now(job)).problems) == ("refused", ("The file has no rows.",))


async def test_others_get_their_turn_by_time_and_not_only_between_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_records, "TURN", 0.0)
    monkeypatch.setattr(import_records, "PIECE", 100)
    world, turns = World(), 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    job = await world.send(b"\n" * 10_000 + LINES[0].encode(), commit=False)
    task = asyncio.create_task(other())
    await world.passes.advance(job, keep_on)
    task.cancel()
    assert (await world.now(job)).state == "previewed"
    assert turns > 100


async def test_a_file_that_is_gone_is_an_error_and_not_an_empty_import() -> None:
    world = World()
    job = await world.send()
    await world.files.delete(job.file_id)
    with pytest.raises(Permanent, match="is gone"):
        await world.passes.advance(job, keep_on)


async def test_an_empty_file_is_refused_and_leaves_nothing_behind() -> None:
    world = World()
    with pytest.raises(Refused, match="empty"):
        await world.send(b"")
    assert world.files.kept == {}


async def test_the_same_key_and_file_with_other_options_is_a_conflict_even_after_the_commit() -> None:
    world = World()
    held = await world.send(key="k", commit=False)
    with pytest.raises(Conflict, match="other options"):
        await world.send(key="k", commit=True)
    await world.passes.advance(held, keep_on)
    await world.front.commit(await world.now(held), "olga")
    assert (await world.send(key="k", commit=False)).import_id == held.import_id
    upload, sender = Upload("list.csv", "csv", pieces("\n".join(LINES).encode())), Sender("alpha", "k")
    with pytest.raises(Conflict, match="media type"):
        await world.front.take_in(upload, sender, historical=False, commit=False)


async def test_the_same_key_sent_at_once_keeps_one_file() -> None:
    world = World()
    first = await world.send(key="k")
    world.imports.blind = True
    second = await world.send(key="k")
    assert first.import_id == second.import_id
    assert list(world.files.kept) == [first.file_id]
