"""Hand-written storage, clock and files of intake. They pass the same suites as the real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.intake.domain.applications import Revision, Withdrawal
from services.intake.domain.draft_links import DraftLinkRequest
from services.intake.domain.drafts import Draft
from services.intake.domain.enquiries import InterestRequest, LiaisonRequest
from services.intake.domain.erasure import Erasure, without_names
from services.intake.domain.import_layout import Layout
from services.intake.domain.import_rows import Row
from services.intake.domain.imports import Import, Preview, Progress, Undo
from services.intake.domain.ledger import Group
from services.intake.domain.links import LinkRequest, Revocation
from services.intake.domain.policies import KnownPause, KnownPolicy, PolicyBook
from services.intake.domain.status import Change, Status, scheduled
from services.intake.use_cases.applications import Stored
from shared.application import Contact, Lane, Organisation
from shared.clock import Reading
from shared.errors import Permanent, Transient

NOW = datetime(2021, 10, 4, 9, 0, tzinfo=UTC)
REAL = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now, self.real = NOW, REAL

    async def read(self) -> Reading:
        return Reading(self.now, self.real)

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)
        self.real += timedelta(**by)


class FakeStatuses:
    """Statuses in memory."""

    def __init__(self, after: timedelta) -> None:
        self.kept: dict[str, Status] = {}
        self.fails = 0
        self._after = after

    async def insert(self, statuses: Sequence[Status], real: datetime) -> list[str]:
        self._fail()
        known = [each.application_id for each in statuses if each.application_id in self.kept]
        for each in statuses:
            self.kept.setdefault(each.application_id, scheduled(None, each, real, self._after))
        return known

    async def change(self, changes: Mapping[str, Sequence[Change]], real: datetime) -> set[str]:
        self._fail()
        for name in changes.keys() & self.kept.keys():
            before = after = self.kept[name]
            for change in changes[name]:
                after = change(after)
            after = scheduled(before, after, real, self._after)
            if after is not before:
                self.kept[name] = replace(after, version=before.version + 1)
        return set(changes.keys() - self.kept.keys())

    async def find(self, application_id: str) -> Status | None:
        return self.kept.get(application_id)

    async def those(self, application_ids: Collection[str]) -> list[Status]:
        return [self.kept[each] for each in application_ids if each in self.kept]

    async def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> list[Status]:
        found = [
            status
            for name, status in sorted(self.kept.items())
            if name > (after or "") and all(getattr(status, field) == value for field, value in filters.items())
        ]
        return found[:limit]

    async def overdue(self, real: datetime, limit: int) -> list[Status]:
        due = [(status.due, status) for status in self.kept.values() if status.due is not None and status.due < real]
        return [status for _, status in sorted(due, key=lambda pair: pair[0])][:limit]

    async def groups(self) -> list[Group]:
        counted: dict[Group, int] = {}
        for each in self.kept.values():
            outcome = each.outcome_email.state if each.outcome_email else None
            alike = Group(
                each.channel, each.state, each.dead_letter is not None, each.acknowledgement.state, outcome, 0
            )
            counted[alike] = counted.get(alike, 0) + 1
        return [replace(alike, count=count) for alike, count in counted.items()]

    def _fail(self) -> None:
        if self.fails:
            self.fails -= 1
            raise Transient("the database is away")


class FakeRevisions:
    """Revisions in memory. `published` has the keys whose events went out."""

    def __init__(self) -> None:
        self.kept: dict[str, Revision] = {}
        self.published: list[str] = []
        self.lanes: list[Lane] = []
        self.fails = 0

    async def append(self, revisions: Sequence[Revision], lane: Lane, real: datetime) -> list[Stored]:
        if self.fails:
            self.fails -= 1
            raise Transient("the database is away")
        self.lanes.append(lane)
        fresh = [each.id not in self.kept for each in revisions]
        for each in revisions:
            self.kept.setdefault(each.id, each)
        return [
            Stored(self.kept[each.id], new, {"_id": each.id, "outbox": {"due": real} if new else {}})
            for each, new in zip(revisions, fresh, strict=True)
        ]

    async def publish(self, stored: Sequence[Stored]) -> None:
        self.published += [each.revision.id for each in stored]

    async def of(self, application_id: str) -> list[Revision]:
        found = [each for each in self.kept.values() if each.application.application_id == application_id]
        return sorted(found, key=lambda each: each.application.revision)

    async def among(self, ids: Collection[str]) -> list[Revision]:
        return [self.kept[each] for each in ids if each in self.kept]

    async def newest_of(self, application_ids: Sequence[str]) -> dict[str, int]:
        newest = {each: len(await self.of(each)) for each in application_ids}
        return {name: revision for name, revision in newest.items() if revision}

    async def beginning(self, beginning: str) -> list[Revision]:
        found = [each for key, each in self.kept.items() if key.startswith(beginning)]
        return sorted(found, key=lambda each: each.application.revision)

    async def emit_again(self, ids: Sequence[str]) -> int:
        self.published += ids
        return len(ids)

    async def without_status(self, limit: int) -> list[Revision]:
        return []

    async def erase(self, application_ids: Collection[str]) -> None:
        for key, each in self.kept.items():
            if each.application.application_id in application_ids and each.erased_at is None:
                self.kept[key] = without_names(each, NOW)


class FakeWithdrawals:
    """Withdrawals in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Withdrawal] = {}
        self.published: list[str] = []

    async def append(self, withdrawal: Withdrawal, real: datetime) -> Withdrawal:
        return self.kept.setdefault(withdrawal.application_id, withdrawal)

    async def append_all(self, withdrawals: Sequence[Withdrawal], lane: Lane, real: datetime) -> list[Withdrawal]:
        return [await self.append(each, real) for each in withdrawals]

    async def of(self, application_id: str) -> Withdrawal | None:
        return self.kept.get(application_id)

    async def emit_again(self, ids: Sequence[str]) -> int:
        self.published += ids
        return len(ids)

    async def erase(self, application_ids: Collection[str]) -> None:
        self.kept |= {
            name: replace(each, application=None) for name, each in self.kept.items() if name in application_ids
        }


class FakeErasures:
    """Erasures in memory, carried out by `carry_out`."""

    def __init__(self, carry_out: Callable[[Sequence[Erasure]], Awaitable[None]] | None = None) -> None:
        self.kept: dict[str, Erasure] = {}
        self.published: list[str] = []
        self._carry_out = carry_out

    async def append(self, erasure: Erasure, real: datetime) -> Erasure:
        stored = self.kept.setdefault(erasure.application_id, erasure)
        await self.emit_again([erasure.application_id])
        return stored

    async def of(self, application_id: str) -> Erasure | None:
        return self.kept.get(application_id)

    async def emit_again(self, ids: Sequence[str]) -> int:
        if self._carry_out is not None:
            await self._carry_out([self.kept[each] for each in ids])
        self.published += ids
        return len(ids)


class FakeRevocations:
    """Revocations of links in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Revocation] = {}

    async def append(self, revocation: Revocation) -> Revocation:
        return self.kept.setdefault(revocation.id, revocation)

    async def of(self, application_id: str) -> list[Revocation]:
        found = [each for each in self.kept.values() if each.application_id == application_id]
        return sorted(found, key=lambda each: each.generation)


class FakeLinkRequests:
    """Requests for links in memory."""

    def __init__(self) -> None:
        self.kept: list[LinkRequest] = []

    async def append(self, request: LinkRequest) -> None:
        self.kept.append(request)

    async def of(self, application_id: str) -> list[LinkRequest]:
        return [each for each in self.kept if each.application.application_id == application_id]


class FakeDrafts:
    """Drafts of the web form in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Draft] = {}

    async def add(self, draft: Draft) -> None:
        self.kept[draft.draft_id] = draft

    async def find(self, draft_id: str, real: datetime) -> Draft | None:
        found = self.kept.get(draft_id)
        return found if found is not None and found.expires > real else None

    async def replace(self, before: Draft, after: Draft) -> bool:
        found = self.kept.get(before.draft_id)
        if found is None or found.version != before.version:
            return False
        self.kept[before.draft_id] = after
        return True

    async def of(self, application_id: str) -> list[Draft]:
        return sorted(
            (each for each in self.kept.values() if each.about == application_id), key=lambda each: each.expires
        )

    async def amending(self, application_id: str) -> list[Draft]:
        found = [each for each in self.kept.values() if each.about == application_id and each.amends]
        return sorted((each for each in found if not each.application_id), key=lambda each: each.expires, reverse=True)

    async def erase(self, application_ids: Collection[str]) -> None:
        self.kept = {name: each for name, each in self.kept.items() if each.about not in application_ids}


class FakeDraftLinkRequests:
    """Requests for links to drafts in memory."""

    def __init__(self) -> None:
        self.kept: list[DraftLinkRequest] = []

    async def append(self, request: DraftLinkRequest) -> None:
        self.kept.append(request)

    async def of(self, application_id: str) -> list[DraftLinkRequest]:
        return [each for each in self.kept if each.application_id == application_id]

    async def erase(self, application_ids: Collection[str]) -> None:
        self.kept = [each for each in self.kept if each.application_id not in application_ids]


class FakeInterestRequests:
    """Requests to be told in memory."""

    def __init__(self) -> None:
        self.stored: dict[str, InterestRequest] = {}
        self.published: list[str] = []

    async def append(self, request: InterestRequest) -> InterestRequest:
        return self.stored.setdefault(request.request_id, request)

    async def publish(self, request_id: str) -> None:
        if request_id not in self.published:
            self.published.append(request_id)

    async def erase(self, request_ids: Collection[str], at: datetime) -> None:
        for each in self.stored.keys() & set(request_ids):
            found = self.stored[each]
            nobody = found.entry.model_copy(
                update={
                    "organisation": Organisation.model_construct(name="", country="", website=None),
                    "contact": Contact.model_construct(name="", email=""),
                }
            )
            self.stored[each] = replace(found, entry=nobody, body_hash=None)


class FakeLiaisonRequests:
    """Requests to the liaison in memory."""

    def __init__(self) -> None:
        self.stored: dict[str, LiaisonRequest] = {}
        self.published: list[str] = []

    async def append(self, request: LiaisonRequest) -> None:
        self.stored.setdefault(request.request_id, request)

    async def publish(self, request_id: str) -> None:
        if request_id not in self.published:
            self.published.append(request_id)


class FakeCounters:
    """Counters of rate limits in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}

    async def count(self, key: str, expires: datetime) -> int:
        return (await self.count_all({key: 1}, expires))[key]

    async def count_all(self, added: Mapping[str, int], expires: datetime) -> dict[str, int]:
        for key, number in added.items():
            self.kept[key] = self.kept.get(key, 0) + number
        return {key: self.kept[key] for key in added}


class FakeFiles:
    """Files in memory, read in pieces of `piece` bytes."""

    def __init__(self, piece: int = 1 << 20) -> None:
        self.kept: dict[str, bytes] = {}
        self.piece = piece

    async def write(self, file_id: str, filename: str, chunks: AsyncIterator[bytes]) -> int:
        content = b"".join([chunk async for chunk in chunks])
        self.kept[file_id] = content
        return len(content)

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        if file_id not in self.kept:
            raise Permanent("the file of this import is gone")
        content = self.kept[file_id]
        for start in range(0, len(content), self.piece):
            yield content[start : start + self.piece]

    async def delete(self, file_id: str) -> None:
        self.kept.pop(file_id, None)


class FakeImports:
    """Imports in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Import] = {}
        self.blind = False  # sees nothing, as just before somebody else's write
        self.rows: dict[tuple[str, int], Row] = {}

    async def add(self, job: Import) -> Import:
        return self.kept.setdefault(job.import_id, job)

    async def find(self, import_id: str) -> Import | None:
        return None if self.blind else self.kept.get(import_id)

    async def newest(self, client: str | None, limit: int) -> list[Import]:
        found = [each for each in self.kept.values() if client in (None, each.client)]
        return sorted(found, key=lambda each: each.stored_at, reverse=True)[:limit]

    async def unfinished(self, limit: int = 100) -> list[Import]:
        found = [each for each in self.kept.values() if _is_unfinished(each)]
        return sorted(found, key=lambda each: each.stored_at)[:limit]

    async def count_unfinished(self) -> int:
        return len(await self.unfinished())

    async def count_refused(self) -> int:
        begun = ("importing", "done", "failed", "undoing", "undone")
        return sum(each.progress.refused for each in self.kept.values() if each.state in begun)

    async def ask_commit(self, import_id: str) -> None:
        self._set(import_id, lambda job: True, commit=True)

    async def begin_preview(self, import_id: str) -> bool:
        return self._set(
            import_id, lambda job: job.state in ("stored", "previewing"), state="previewing", previewed_rows=0
        )

    async def note_layout(self, import_id: str, layout: Layout) -> None:
        self._set(import_id, lambda job: job.state == "previewing", layout=layout)

    async def note_preview(self, import_id: str, rows: int) -> None:
        self._set(import_id, lambda job: job.state == "previewing", previewed_rows=rows)

    async def end_preview(self, import_id: str, preview: Preview) -> bool:
        return self._set(import_id, lambda job: job.state == "previewing", state="previewed", preview=preview)

    async def refuse(self, import_id: str, problems: Sequence[str]) -> bool:
        return self._set(import_id, lambda job: job.state == "previewing", state="refused", problems=tuple(problems))

    async def begin_import(self, import_id: str, committed_at: datetime, policy_hash: str) -> bool:
        ready: Callable[[Import], bool] = lambda job: job.state == "previewed" and job.commit  # noqa: E731
        return self._set(import_id, ready, state="importing", committed_at=committed_at, policy_hash=policy_hash)

    async def advance(self, import_id: str, before: Progress, after: Progress) -> bool:
        expected: Callable[[Import], bool] = lambda job: (  # noqa: E731
            job.state == "importing" and job.progress == before and job.undo is None
        )
        return self._set(import_id, expected, progress=after)

    async def ask_undo(self, import_id: str, undo: Undo) -> bool:
        expected: Callable[[Import], bool] = lambda job: job.state in ("importing", "done") and job.undo is None  # noqa: E731
        return self._set(import_id, expected, undo=undo)

    async def begin_undo(self, import_id: str) -> bool:
        expected: Callable[[Import], bool] = lambda job: job.state in ("importing", "done") and job.undo is not None  # noqa: E731
        return self._set(import_id, expected, state="undoing")

    async def advance_undo(self, import_id: str, before: Undo, after: Undo) -> bool:
        return self._set(import_id, lambda job: job.state == "undoing" and job.undo == before, undo=after)

    async def end_undo(self, import_id: str) -> bool:
        return self._set(import_id, lambda job: job.state == "undoing", state="undone")

    async def end_import(self, import_id: str) -> bool:
        return self._set(import_id, lambda job: job.state == "importing", state="done")

    async def count_failed(self) -> int:
        return sum(each.state == "failed" for each in self.kept.values())

    async def count_failure(self, import_id: str) -> Import | None:
        if (job := self.kept.get(import_id)) is not None:
            self.kept[import_id] = replace(job, failures=job.failures + 1)
        return self.kept.get(import_id)

    async def give_up(self, import_id: str, problems: Sequence[str]) -> bool:
        early: Callable[[Import], bool] = lambda job: job.state in ("stored", "previewing", "previewed")  # noqa: E731
        given = tuple(problems)
        return self._set(import_id, early, state="refused", problems=given) or self._set(
            import_id, lambda job: job.state == "importing", state="failed", problems=given
        )

    def _set(self, import_id: str, expected: Callable[[Import], bool], **values: Any) -> bool:
        job = self.kept.get(import_id)
        if job is None or not expected(job):
            return False
        self.kept[import_id] = replace(job, **values)
        return True

    async def keep_errors(self, import_id: str, rows: Sequence[Row]) -> None:
        for row in rows:
            self.rows.pop((import_id, row.row), None)
            if row.submission is None:
                self.rows[import_id, row.row] = row

    async def errors(self, import_id: str, after: int, limit: int) -> list[dict[str, Any]]:
        found = [row for (name, number), row in sorted(self.rows.items()) if name == import_id and number > after]
        return [
            {"row": row.row, "line": row.line, "errors": [asdict(error) for error in row.errors]}
            for row in found[:limit]
        ]


def _is_unfinished(job: Import) -> bool:
    waiting = job.state == "previewed" and job.commit
    to_undo = job.state == "done" and job.undo is not None
    return job.state in ("stored", "previewing", "importing", "undoing") or waiting or to_undo


class FakePolicies:
    """Policy versions and pauses in memory."""

    def __init__(self) -> None:
        self.policies: dict[str, KnownPolicy] = {}
        self.pauses: dict[str, KnownPause] = {}
        self.reads = 0

    async def keep_policies(self, policies: Sequence[KnownPolicy]) -> None:
        self.policies |= {each.id: each for each in policies}

    async def keep_pauses(self, pauses: Sequence[KnownPause]) -> None:
        self.pauses |= {each.id: each for each in pauses}

    async def book(self, known: Mapping[str, KnownPolicy]) -> PolicyBook:
        self.reads += 1
        return PolicyBook(dict(self.policies), tuple(self.pauses.values()))


class Collected:
    """Work left for after the answer, done when a test says so."""

    def __init__(self) -> None:
        self._work: list[Coroutine[Any, Any, None]] = []

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        self._work.append(work)

    async def do(self) -> None:
        while self._work:
            await self._work.pop(0)
