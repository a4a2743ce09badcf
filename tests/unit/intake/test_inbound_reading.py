"""Reading stored messages again and again: what was settled first stands, and a fault of ours ends in an honest reply."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from services.intake.domain.inbound import MAX_APPLICATIONS, MAX_FAILURES, Envelope, Inbound, Verdict
from services.intake.domain.inbound_automatic import Ours
from services.intake.domain.inbound_contents import kind_of
from services.intake.domain.inbound_forms import BEGIN, END
from services.intake.loops.inbound import InboundLoop
from services.intake.storage.workbooks import ExcelWorkbooks
from services.intake.use_cases.applications import Applications
from services.intake.use_cases.inbound import InboundMail
from services.intake.use_cases.inbound_contents import InboundContents
from services.intake.use_cases.inbound_reading import DAILY, InboundReader, ReplyRules
from services.intake.use_cases.policies import Policies
from services.intake.use_cases.status import StatusProjection
from shared.errors import Transient
from shared.events import PolicyActivated
from shared.limits import Limits
from shared.work import Leases
from tests.unit.deeds import FakeDeeds
from tests.unit.intake.fakes import (
    NOW,
    FakeClock,
    FakeCounters,
    FakePolicies,
    FakeRevisions,
    FakeStatuses,
    FakeWithdrawals,
)
from tests.unit.intake.inbound_fakes import FakeInbound
from tests.unit.intake.samples import POLICY

ANN = "ann@safer.example"
OURS = Ours("membership@alliance.example", frozenset({"apply@alliance.example"}))
SUBMISSION = {
    "category": next(iter(POLICY.document.categories)),
    "organisation": {"name": "Safer Screens", "country": "GB"},
    "contact": {"name": "Ann", "email": ANN},
}


def message(*submissions: Any, message_id: str = "<1@safer.example>") -> bytes:
    head = f"From: {ANN}\r\nSubject: Ours\r\nMessage-ID: {message_id}\r\nContent-Type: application/json; name=a.json\r\n\r\n"
    return head.encode() + json.dumps(submissions or [SUBMISSION]).encode()


class Office:
    """The channel over fakes."""

    def __init__(self, an_hour: int = 10) -> None:
        self.clock, self.store, self.revisions = FakeClock(), FakeInbound(), FakeRevisions()
        self.refused = 0
        self.policies = Policies(FakePolicies(), self.clock)
        projection = StatusProjection(FakeStatuses(timedelta(seconds=60)), self.clock)
        record = FakeDeeds().recorder(self.clock)
        self.applications = Applications(
            self.revisions, FakeWithdrawals(), projection, self.clock, lambda work: work.close(), record
        )
        limits = Limits(FakeCounters(), self.clock, "secret")
        contents = InboundContents(ExcelWorkbooks(), "https://join.example/templates")
        rules = ReplyRules(OURS, an_hour)
        self.reader = InboundReader(
            self.store, contents, self.applications, self.policies, limits, self.clock, rules, self._count
        )
        self.mail = InboundMail(self.store, self.clock)

    def _count(self) -> None:
        self.refused += 1

    async def announce(self) -> None:
        activated = PolicyActivated(
            policy_hash=POLICY.hash, effective_from=POLICY.document.effective_from, document=POLICY.document
        )
        await self.policies.activated([activated])

    async def take_in(self, raw: bytes, sender: str = ANN) -> Inbound:
        found = await self.store.find(await self.mail.take_in(Envelope(sender, ("apply@alliance.example",)), raw))
        assert found is not None
        return found

    async def state(self, which: Inbound) -> Inbound:
        found = await self.store.find(which.inbound_id)
        assert found is not None
        return found


@pytest.fixture
async def office() -> Office:
    made = Office()
    await made.announce()
    return made


async def test_an_application_has_the_receipt_time_at_which_its_message_arrived(office: Office) -> None:
    stored = await office.take_in(message())
    office.clock.move(hours=5)
    await office.reader.read(stored)
    verdict = (await office.state(stored)).verdict
    assert verdict is not None
    (revision,) = await office.revisions.of(verdict.accepted[0].application_id)
    assert (revision.application.received_at, revision.application.first_received_at) == (NOW, NOW)


async def test_read_again_it_comes_to_the_same_and_counts_refusals_once(office: Office) -> None:
    stored = await office.take_in(message(SUBMISSION, {"category": "none"}))
    await office.reader.read(stored)
    first = await office.state(stored)
    await office.reader.read(stored)
    assert replace(await office.state(stored), failures=first.failures) == first
    assert (office.refused, len(office.store.replies)) == (1, 1)


async def test_the_limit_counts_a_message_once_however_often_it_is_read() -> None:
    office = Office(an_hour=1)
    await office.announce()
    one = await office.take_in(message())
    for _ in range(3):
        await office.reader.read(await office.state(one))
    two = await office.take_in(message(message_id="<2@safer.example>"))
    await office.reader.read(two)
    assert list(office.store.replies) == [one.inbound_id]
    found = await office.state(two)
    assert found.verdict is not None
    assert "replies within the hour" in found.verdict.reason
    assert found.state == "accepted"


async def test_a_program_that_never_says_it_is_one_is_answered_a_few_times_a_day() -> None:
    office = Office(an_hour=2)
    await office.announce()
    office.clock.real = office.clock.real.replace(hour=0)
    for number in range(20):
        stored = await office.take_in(message(message_id=f"<{number}@safer.example>"))
        await office.reader.read(stored)
        office.clock.move(minutes=30)
    assert len(office.store.replies) == DAILY * 2
    verdict = (await office.state(stored)).verdict
    assert verdict is not None
    assert (verdict.reason, len(verdict.accepted)) == ("its sender had 6 replies within the day", 1)
    office.clock.move(hours=24)
    await office.reader.read(await office.take_in(message(message_id="<tomorrow@safer.example>")))
    assert len(office.store.replies) == DAILY * 2 + 1


async def test_without_a_policy_it_waits(office: Office) -> None:
    bare = Office()
    stored = await bare.take_in(message())
    with pytest.raises(Transient):
        await bare.reader.read(stored)
    found = await bare.state(stored)
    assert (found.state, found.failures) == ("received", 0)


class _Free:
    """Leases that are always free."""

    async def acquire(self, name: str, seconds: float) -> bool:
        return True

    async def release(self, name: str) -> None: ...


async def test_what_fails_by_a_fault_of_ours_keeps_no_other_and_ends_in_an_honest_reply(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = await office.take_in(message(message_id="<bad@safer.example>"))
    office.clock.move(seconds=1)
    good = await office.take_in(message(message_id="<good@safer.example>"))
    contents = office.reader._contents_of

    async def broken(which: Inbound, *rest: Any) -> Any:
        if which.inbound_id == bad.inbound_id:
            raise RuntimeError("a bug")
        return await contents(which, *rest)

    monkeypatch.setattr(office.reader, "_contents_of", broken)
    loop = InboundLoop(cast(Any, office.store), office.reader, cast(Leases, _Free()), lambda: False)
    reading = loop.loops()[0]
    for _ in range(MAX_FAILURES + 2):
        loop._failed.clear()  # the pause before it is tried again is over
        await reading.work()
    assert ((await office.state(bad)).state, (await office.state(good)).state) == ("refused", "accepted")
    assert "fault of ours" in office.store.replies[bad.inbound_id].verdict.problems[0]


class _Killed(BaseException):
    """The process ends: nothing after it is run."""


async def test_a_message_that_ends_the_process_is_given_up_after_five_readings(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await office.take_in(message())
    read: list[str] = []

    async def deadly(which: Inbound, *rest: Any) -> Any:
        read.append(which.inbound_id)
        raise _Killed

    monkeypatch.setattr(office.reader, "_contents_of", deadly)
    for _ in range(MAX_FAILURES):
        with pytest.raises(_Killed):
            await office.reader.read(await office.state(stored))
    await office.reader.read(await office.state(stored))
    assert (len(read), (await office.state(stored)).state) == (MAX_FAILURES, "refused")
    assert "fault of ours" in office.store.replies[stored.inbound_id].verdict.problems[0]


async def test_forms_and_attachments_are_read_off_the_event_loop(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    real = InboundContents._add

    def seen(self: InboundContents, *rest: Any) -> None:
        threads.append(threading.get_ident())
        real(self, *rest)

    monkeypatch.setattr(InboundContents, "_add", seen)
    form = f"From: {ANN}\r\nMessage-ID: <2@x>\r\n\r\n{BEGIN}\r\ncategory: x\r\n{END}\r\n".encode()
    for raw in (message(), form):
        await office.reader.read(await office.take_in(raw))
    assert len(threads) == 2
    assert threading.get_ident() not in threads


async def test_a_part_that_was_passed_over_is_said(office: Office) -> None:
    raw = b'From: a@b.example\r\nContent-Type: text/plain; x="' + b";" * 60_000 + b"\r\n\r\nx"
    stored = await office.take_in(raw)
    await office.reader.read(stored)
    assert "too long to be read" in office.store.replies[stored.inbound_id].verdict.problems[0]


async def test_the_limit_of_replies_is_one_for_an_address_under_all_its_tags() -> None:
    office = Office(an_hour=1)
    await office.announce()
    for number in range(2):
        raw = message(message_id=f"<{number}@safer.example>")
        await office.reader.read(await office.take_in(raw, f"prvs={number}123456789={ANN}"))
    (reply,) = office.store.replies.values()
    assert reply.address == f"prvs=0123456789={ANN}"


def test_whether_json_is_of_lines_is_told_in_one_pass() -> None:
    """Of a million line ends, none is searched from every other one: that would not end."""
    assert kind_of(b'{"a": 1}\n\n \t\r\n{"b": 2}', POLICY.document) == "jsonl"
    assert kind_of(b"{" + b"\n" * 1_000_000, POLICY.document) == "json"


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-16-le", "The file looks like UTF-16 without a byte order mark"),
        ("utf-16-be", "The file looks like UTF-16 without a byte order mark"),
        ("utf-32", "The file is UTF-32"),
        ("cp1250", "may be in one of several older encodings"),
    ],
)
async def test_a_file_in_an_encoding_that_is_not_read_is_refused_by_its_name(
    office: Office, encoding: str, said: str
) -> None:
    head = f"From: {ANN}\r\nContent-Type: application/octet-stream; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    table = "category,organisation.name,contact.email\nclub,Přátelé dětí,ann@safer.example\n".encode(encoding)
    verdict = await told(office, head.encode() + base64.encodebytes(table))
    assert (verdict.accepted, len(verdict.problems)) == ((), 1)
    assert "“a.csv” could not be read" in verdict.problems[0]
    assert said in verdict.problems[0]


async def test_a_message_whose_bytes_are_gone_is_ignored(office: Office) -> None:
    stored = await office.take_in(message())
    office.store.bytes.clear()
    await office.reader.read(stored)
    assert (await office.state(stored)).state == "ignored"


async def told(office: Office, raw: bytes) -> Verdict:
    stored = await office.take_in(raw)
    await office.reader.read(stored)
    return office.store.replies[stored.inbound_id].verdict


FRENCH = {**SUBMISSION, "locale": "fr"}


@pytest.mark.parametrize(
    ("submissions", "locale", "place"),
    [
        ([SUBMISSION], "en", "item 1 of “a.json”"),
        ([FRENCH], "fr", "élément 1 de « a.json »"),
        ([{**SUBMISSION, "locale": "fr-CA"}], "fr-CA", "élément 1 de « a.json »"),
        ([SUBMISSION, {**SUBMISSION, "locale": "ar"}, FRENCH], "ar", "العنصر 1 من «a.json»"),
        ([{**SUBMISSION, "locale": "de"}], "de", "item 1 of “a.json”"),
    ],
    ids=["none named", "French", "French of Canada", "the first one named", "not spoken here"],
)
async def test_the_sender_is_told_in_the_language_that_the_first_application_with_one_names(
    office: Office, submissions: list[Any], locale: str, place: str
) -> None:
    verdict = await told(office, message(*submissions))
    assert (verdict.locale, verdict.accepted[0].place) == (locale, place)


async def test_a_refused_application_names_the_language_too(office: Office) -> None:
    verdict = await told(office, message({"category": "none", "locale": "ES"}))
    (refused,) = verdict.refused
    assert (verdict.locale, refused.place) == ("es", "elemento 1 de «a.json»")
    assert {"Categoría", "Organización"} <= {fault.label for fault in refused.faults}


async def test_a_form_with_a_line_that_cannot_be_read_names_it_too(office: Office) -> None:
    head = f"From: {ANN}\r\nMessage-ID: <3@x>\r\n\r\n"
    form = f"{BEGIN}\r\nlocale: fr\r\ncuontry: GB\r\n{END}\r\n"
    verdict = await told(office, (head + form).encode())
    assert (verdict.locale, verdict.refused[0].place) == ("fr", "le formulaire dans votre message")


async def test_what_is_said_of_the_whole_message_is_in_that_language(office: Office) -> None:
    verdict = await told(office, message(*[FRENCH] * (MAX_APPLICATIONS + 1)))
    assert (verdict.locale, len(verdict.accepted)) == ("fr", 0)
    assert verdict.problems[0].startswith(f"Votre message contient plus de {MAX_APPLICATIONS} demandes")


async def test_a_message_without_an_application_is_answered_in_english(office: Office) -> None:
    verdict = await told(office, f"From: {ANN}\r\nContent-Language: fr\r\n\r\nBonjour".encode())
    assert verdict.locale == "en"
    assert verdict.problems[0] == "There is no application in your message."


async def test_what_is_read_again_speaks_the_same_language(office: Office) -> None:
    stored = await office.take_in(message(FRENCH))
    await office.reader.read(stored)
    await office.reader.read(stored)
    assert [each.verdict.locale for each in office.store.replies.values()] == ["fr"]
