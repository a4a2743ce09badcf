"""Hand-written stand-ins: the emails of a service in memory, a carrier that answers as told, a clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from services.notifications.domain.acknowledgements import Arrival
from services.notifications.domain.emails import FINAL, LANE_ORDER, Accepted, Kind, Result, Standing, State, Transition
from services.notifications.use_cases.dispatch import Claim, Claimed
from services.notifications.use_cases.emails import NewEmail
from services.notifications.use_cases.records import EmailRecord, HistoryEntry, Wanted
from shared.application import Lane
from shared.clock import Reading
from shared.errors import Transient


def real_now() -> datetime:
    return datetime.now(UTC)


class FakeClock:
    """A clock that goes by real time, or stands still."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now

    async def read(self) -> Reading:
        real = real_now()
        return Reading(self._now or real, real)


@dataclass
class Row:
    """One email in memory."""

    record: EmailRecord
    mime: bytes
    queued_at: datetime
    token: str | None = None


@dataclass
class FakeMailroom:
    """Emails in memory: a store, a queue and the records at once. `reports` are the (email id, state) published."""

    rows: dict[str, Row] = field(default_factory=dict)
    reports: list[tuple[str, State]] = field(default_factory=list)
    heads: dict[str, tuple[int, bool]] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    async def add(self, emails: Sequence[NewEmail], lane: Lane, reading: Reading) -> None:
        for email in emails:
            if email.email_id not in self.rows:
                self.rows[email.email_id] = _row(email, lane, reading)
            row = self.rows[email.email_id]
            if row.record.state in FINAL and row.record.application_id not in self.erased:
                self.reports.append((email.email_id, row.record.state))

    def _due(self, *states: State) -> list[Row]:
        now = real_now()
        found = [row for row in self.rows.values() if row.record.state in states and (row.record.due or now) <= now]
        return sorted(found, key=lambda row: (LANE_ORDER[row.record.lane], row.record.due))

    def _set(self, row: Row, **changes: object) -> None:
        row.record = replace(row.record, **changes)  # type: ignore[arg-type]

    async def any_due(self) -> bool:
        return bool(self._due("pending", "unknown"))

    async def claim(self, limit: int, seconds: float) -> Claim:
        token, rows = str(uuid4()), self._due("pending", "unknown")[:limit]
        for row in rows:
            row.token = token
            self._set(row, state="claimed", due=real_now() + timedelta(seconds=seconds))
        return Claim(token, [_claimed(row) for row in rows])

    async def standings(self, application_ids: Sequence[str]) -> Mapping[str, Standing]:
        found = {}
        for each in application_ids:
            records = [row.record for row in self.rows.values() if row.record.application_id == each]
            pairs = [(record.revision, record.number) for record in records if record.kind == "outcome"]
            newest = max(pairs, default=(0, 0))
            found[each] = Standing(*self.heads.get(each, (0, False)), newest=newest, erased=each in self.erased)
        return found

    async def erase(self, application_ids: Collection[str]) -> None:
        for row in self.rows.values():
            if row.record.application_id not in application_ids:
                continue
            row.mime = b""
            history = [replace(entry, detail="erased") for entry in row.record.history]
            if row.record.state in ("pending", "claimed", "unknown"):
                row.token = None
                history.append(HistoryEntry(real_now(), "superseded", "superseded: the application was erased"))
                self._set(row, state="superseded", due=None)
            self._set(row, to="", subject="", history=history)

    def _ours(self, claim: Claim, *states: State) -> list[Row]:
        ids = [email.email_id for email in claim.emails]
        return [self.rows[each] for each in ids if self.rows[each].token == claim.token and self._in(each, states)]

    def _in(self, email_id: str, states: Sequence[State]) -> bool:
        return self.rows[email_id].record.state in states

    async def start(self, claim: Claim, seconds: float) -> Sequence[Claimed]:
        rows = [row for row in self._ours(claim, "claimed") if row.record.due and row.record.due > real_now()]
        for row in rows:
            self._set(row, state="sending", due=real_now() + timedelta(seconds=seconds))
        return [_claimed(row) for row in rows]

    async def extend(self, claim: Claim, seconds: float) -> None:
        for row in self._ours(claim, "claimed", "sending"):
            self._set(row, due=real_now() + timedelta(seconds=seconds))

    async def settle(self, claim: Claim, settled: Sequence[tuple[Claimed, Transition]], reading: Reading) -> None:
        ours = {row.record.email_id: row for row in self._ours(claim, "claimed", "sending")}
        for email, transition in settled:
            if (row := ours.get(email.email_id)) is None:
                continue
            self._enter(row, transition.state, transition.detail, reading, transition.tries)
            self._set(row, due=None if transition.wait is None else reading.real + transition.wait)
            if transition.state in FINAL:
                self.reports.append((email.email_id, transition.state))

    def _enter(self, row: Row, state: State, detail: str, reading: Reading, tries: int) -> None:
        row.token = None
        history = [*row.record.history, HistoryEntry(reading.now, state, detail)]
        self._set(row, state=state, history=history, attempts=row.record.attempts + tries)

    async def recover(self, reading: Reading) -> Mapping[str, int]:
        counts: dict[str, int] = {"pending": 0, "unknown": 0}
        changes: tuple[tuple[State, State, int], ...] = (("claimed", "pending", 0), ("sending", "unknown", 1))
        for state, becomes, tries in changes:
            for row in self._due(state):
                self._enter(row, becomes, "the dispatcher is gone", reading, tries)
                self._set(row, due=real_now())
                counts[becomes] += 1
        return counts

    async def list(self, wanted: Wanted) -> Sequence[EmailRecord]:
        rows = sorted(self.rows.values(), key=lambda row: (row.queued_at, row.record.email_id), reverse=True)
        records = [row.record for row in rows]
        if wanted.after is not None and wanted.after in self.rows:
            records = records[[record.email_id for record in records].index(wanted.after) + 1 :]
        for name in ("application_id", "state", "kind", "to"):
            value = getattr(wanted, name)
            records = [record for record in records if value in (None, getattr(record, name))]
        return records[: wanted.limit]

    async def find(self, email_id: str) -> tuple[EmailRecord, bytes] | None:
        row = self.rows.get(email_id)
        return (row.record, row.mime) if row else None

    async def counts(self) -> Mapping[tuple[Kind, State], int]:
        found: dict[tuple[Kind, State], int] = {}
        for row in self.rows.values():
            key = (row.record.kind, row.record.state)
            found[key] = found.get(key, 0) + 1
        return found


class FakeAcknowledged:
    """Acknowledged arrivals by key, and whose applications were withdrawn."""

    def __init__(self) -> None:
        self.noted: dict[str, Arrival] = {}
        self.withdrawn: set[str] = set()

    async def note(self, arrivals: Sequence[Arrival], real: datetime) -> Mapping[str, Arrival]:
        met = {each.application_id: self.noted.setdefault(each.key, each) for each in arrivals}
        return {name: found for name, found in met.items() if found.application_id != name}

    async def replace(self, pairs: Sequence[tuple[Arrival, Arrival]]) -> None:
        for arrival, before in pairs:
            if self.noted[arrival.key].application_id == before.application_id:
                self.noted[arrival.key] = arrival

    async def erase(self, application_ids: Collection[str]) -> None:
        self.noted = {key: each for key, each in self.noted.items() if each.application_id not in application_ids}

    async def withdrawn_among(self, application_ids: Collection[str]) -> Collection[str]:
        return self.withdrawn & set(application_ids)


def _row(email: NewEmail, lane: Lane, reading: Reading) -> Row:
    letter, composed = email.letter, email.composed
    ended = composed.failure or email.left_out
    state: State = "failed" if composed.failure else "superseded" if email.left_out else "pending"
    record = EmailRecord(
        email_id=email.email_id,
        application_id=letter.application_id,
        revision=letter.revision,
        number=letter.number,
        kind=letter.kind,
        template=letter.template,
        template_version=composed.template_version,
        locale=composed.locale,
        policy_hash=letter.policy_hash,
        to=composed.to,
        subject=composed.subject,
        message_id=composed.message_id,
        lane=lane,
        state=state,
        due=None if ended else reading.real,
        attempts=0,
        created_at=reading.now,
        history=[HistoryEntry(reading.now, state, ended or "written")],
    )
    return Row(record, composed.mime, reading.real)


def _claimed(row: Row) -> Claimed:
    record = row.record
    return Claimed(
        email_id=record.email_id,
        application_id=record.application_id,
        revision=record.revision,
        number=record.number,
        kind=record.kind,
        template=record.template,
        to=record.to,
        mime=row.mime,
        attempts=record.attempts,
        queued_at=row.queued_at,
        lane=LANE_ORDER[record.lane],
        trace=None,
    )


class FakeCarrier:
    """Answers as told, email by email; then it accepts. `away`: the server cannot be reached."""

    def __init__(self, *answers: Result) -> None:
        self.answers = list(answers)
        self.away = False
        self.connected = False
        self.delivered: list[Claimed] = []
        self.before_delivery: Callable[[], None] = lambda: None

    def fresh(self) -> bool:
        return self.connected

    async def ready(self) -> None:
        if self.away:
            raise Transient("the SMTP server is away")
        self.connected = True

    async def deliver(self, emails: Sequence[Claimed], may_go_on: Callable[[], bool]) -> list[Result]:
        self.before_delivery()
        self.delivered += emails
        return [self.answers.pop(0) if self.answers else Accepted("250 ok") for _ in emails]

    async def close(self) -> None:
        self.connected = False
