"""Which emails events give rise to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from services.notifications.consumers.subscriptions import handlers
from services.notifications.use_cases.acknowledgements import OneAcknowledgement
from services.notifications.use_cases.emails import Correspondence
from services.notifications.use_cases.records import content_of
from shared.application import Application, Contact, Organisation, Provenance
from shared.batches import Event
from shared.errors import Transient
from shared.events import (
    TYPE_OF,
    ApplicationAmended,
    ApplicationDecided,
    ApplicationSubmitted,
    ApplicationSummary,
    ApplicationWithdrawn,
    DraftSaved,
    InterestLeft,
    LinkRequested,
    LinkRevoked,
    Outcome,
    PauseChanged,
    PolicyActivated,
    event_id,
)
from shared.policy.pack import PolicyDocument
from shared.topology import CONSUMED
from tests.unit.notifications.fakes import FakeAcknowledged, FakeClock, FakeMailroom
from tests.unit.notifications.letters import NOW, POLICY, composer


class FakePolicies:
    """Knows the versions it was told of."""

    def __init__(self) -> None:
        self.known: dict[str, PolicyDocument] = {}
        self.pauses: list[PauseChanged] = []

    async def document(self, policy_hash: str) -> PolicyDocument:
        if policy_hash not in self.known:
            raise Transient("not announced yet")
        return self.known[policy_hash]

    async def find(self, policy_hash: str) -> PolicyDocument | None:
        return self.known.get(policy_hash)

    async def current(self, now: datetime) -> tuple[str, PolicyDocument]:
        if not self.known:
            raise Transient("not announced yet")
        return next(iter(self.known.items()))

    async def activated(self, activated: PolicyActivated) -> None:
        self.known[activated.policy_hash] = activated.document

    async def pause_changed(self, changed: PauseChanged) -> None:
        self.pauses.append(changed)


class FakeHeads:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, int]]] = []
        self.generations: dict[str, int] = {}
        self.left_at: dict[str, datetime] = {}

    async def amended(self, revisions: dict[str, int]) -> None:
        self.told.append(("amended", revisions))

    async def withdrawn(self, revisions: dict[str, int], undone: Collection[str] = ()) -> None:
        self.told.append(("withdrawn", revisions))
        if undone:
            self.told.append(("undone", dict.fromkeys(undone, 0)))

    async def left(self, left_at: dict[str, datetime]) -> None:
        self.left_at |= left_at

    async def revoked(self, generations: dict[str, int]) -> None:
        self.generations |= generations

    async def link_generations(self, application_ids: Sequence[str]) -> Mapping[str, int]:
        return {each: self.generations[each] for each in application_ids if each in self.generations}


class Service:
    """The consumers over stand-ins."""

    def __init__(self, announced: bool = True) -> None:
        self.mailroom, self.policies, self.heads = FakeMailroom(), FakePolicies(), FakeHeads()
        self.acknowledged = FakeAcknowledged()
        if announced:
            self.policies.known[POLICY.hash] = POLICY.document
        once = OneAcknowledgement(self.acknowledged, self.acknowledged)
        correspondence = Correspondence(self.mailroom, self.policies, composer(), FakeClock(NOW), self.heads, once)
        self.handlers = handlers(correspondence, self.heads, self.policies)

    async def receive(self, *events: Event) -> None:
        await self.handlers[events[0].type](events, "bulk")

    def written(self) -> list[tuple[str, str, int, int]]:
        records = [row.record for row in self.mailroom.rows.values()]
        return [(record.template, record.to, record.revision, record.number) for record in records]


def application(revision: int = 1, application_id: str = "", address: str = "ada@charity.example") -> Application:
    application_id = application_id or str(uuid4())
    return Application(
        category=next(iter(POLICY.document.categories)),
        organisation=Organisation(name=f"An organisation {application_id}", country="GB"),
        contact=Contact(name="Ada", email=address),
        application_id=application_id,
        revision=revision,
        provenance=Provenance(channel="api", client="tests"),
        received_at=NOW,
        first_received_at=NOW,
    )


def event(data: ApplicationSubmitted | ApplicationAmended | ApplicationWithdrawn | ApplicationDecided) -> Event:
    kind = TYPE_OF[type(data)]
    if isinstance(data, ApplicationWithdrawn):
        subject, version = data.application_id, f"w{data.revision}"
    else:
        subject, version = data.application.application_id, f"r{data.application.revision}"
    if isinstance(data, ApplicationDecided):
        version = f"{version}.{data.number}"
    return Event(event_id(subject, version, kind), subject, NOW, "/accede/tests", data)


def submitted(address: str = "ada@charity.example") -> Event:
    return event(ApplicationSubmitted(application=application(address=address)))


def decided(outcome: Outcome = "referred", policy_hash: str = POLICY.hash) -> Event:
    of = application()
    summary = ApplicationSummary(
        application_id=of.application_id,
        revision=1,
        category=of.category,
        organisation_name=of.organisation.name,
        contact=of.contact,
        locale="en",
        channel="api",
        received_at=NOW,
    )
    return event(
        ApplicationDecided(
            application=summary,
            stage="automatic",
            number=1,
            outcome=outcome,
            decided_by="rules",
            decided_at=NOW,
            policy_hash=policy_hash,
            receipt=[],
        )
    )


def test_every_event_type_the_topology_brings_has_a_handler() -> None:
    erasures = {"application.erased.v1", "interest.erased.v1", "liaison.erased.v1"}
    assert set(Service().handlers) | erasures == set(CONSUMED["notifications"])


async def test_each_submission_is_acknowledged_once_however_often_it_comes() -> None:
    service, one, two = Service(), submitted(), submitted("ben@charity.example")
    await service.receive(one, two, one)
    await service.receive(one)
    assert service.written() == [
        ("acknowledgement", "ada@charity.example", 1, 0),
        ("acknowledgement", "ben@charity.example", 1, 0),
    ]


async def test_each_decision_becomes_one_letter_of_its_outcome() -> None:
    service, held = Service(), decided("not_eligible")
    await service.receive(held, held)
    assert service.written() == [("not_eligible", "ada@charity.example", 1, 1)]


async def test_a_decision_by_an_unknown_policy_version_waits_until_it_is_announced() -> None:
    service, held = Service(announced=False), decided()
    with pytest.raises(Transient):
        await service.receive(held)
    with pytest.raises(Transient):
        await service.receive(submitted())
    assert service.written() == []
    data = PolicyActivated(policy_hash=POLICY.hash, effective_from=NOW, document=POLICY.document)
    await service.receive(Event("p", POLICY.hash, NOW, "/accede/tests", data))
    await service.receive(held)
    assert len(service.written()) == 1


async def test_an_address_that_cannot_be_used_is_on_record_as_failed_and_reported() -> None:
    service = Service()
    await service.receive(submitted("müller@charity.example"), submitted())
    states = {row.record.to: row.record.state for row in service.mailroom.rows.values()}
    assert states == {"müller@charity.example": "failed", "ada@charity.example": "pending"}
    assert [state for _, state in service.mailroom.reports] == ["failed"]


async def test_amendments_and_withdrawals_are_noted_and_not_mailed() -> None:
    service, first = Service(), application(2)
    later = application(4, first.application_id)
    await service.receive(
        event(ApplicationAmended(application=later)),
        event(ApplicationAmended(application=first)),
    )
    await service.receive(
        event(ApplicationWithdrawn(application_id=first.application_id, revision=4, withdrawn_at=NOW))
    )
    assert service.heads.told == [
        ("amended", {first.application_id: 4}),
        ("withdrawn", {first.application_id: 4}),
    ]
    assert service.written() == []


async def test_of_all_leavings_of_a_message_the_last_one_is_noted_for_each_of_a_person_s_interests() -> None:
    service, hour = Service(), timedelta(hours=1)
    leavings = [(["a", "b"], NOW), (["b", "c"], NOW + hour), (["a"], NOW - hour)]
    told = [InterestLeft(subjects=subjects, left_at=at) for subjects, at in leavings]
    await service.receive(*(Event(str(uuid4()), "i", NOW, "/accede/eligibility", each) for each in told))
    assert service.heads.left_at == {"a": NOW, "b": NOW + hour, "c": NOW + hour}
    assert service.written() == []


def summary(application_id: str = "") -> ApplicationSummary:
    return ApplicationSummary.of(application(application_id=application_id))


def link_requested(of: ApplicationSummary, generation: int, event_id: str = "asked") -> Event:
    data = LinkRequested(application=of, generation=generation, requested_at=NOW)
    return Event(event_id, of.application_id, NOW, "/accede/tests", data)


async def test_who_asks_for_a_link_gets_one_email_a_request_and_never_two() -> None:
    service, of = Service(), summary()
    await service.receive(link_requested(of, 0), link_requested(of, 0))
    await service.receive(link_requested(of, 0))
    assert service.written() == [("status_link", "ada@charity.example", 1, 0)]
    await service.receive(link_requested(of, 0, "asked again"))
    assert len(service.written()) == 2


async def test_who_asks_for_the_link_to_a_draft_gets_it_once_at_the_address_they_entered() -> None:
    service, about = Service(), str(uuid4())
    data = DraftSaved(
        draft_id="d",
        application_id=about,
        category=next(iter(POLICY.document.categories)),
        address="bo@charity.example",
        locale="en",
        expires_at=NOW + timedelta(days=30),
        requested_at=NOW,
    )
    saved = Event("saved", about, NOW, "/accede/tests", data)
    await service.receive(saved, saved)
    await service.receive(saved)
    assert service.written() == [("draft_link", "bo@charity.example", 0, 0)]
    (row,) = service.mailroom.rows.values()
    assert row.record.application_id == about, "it is found when the application is erased"
    assert "https://join.example/apply/d.signed" in content_of(row.mime).text


async def test_every_letter_has_the_link_that_opens_now_whichever_event_comes_first() -> None:
    service, of, outcome = Service(), summary(), decided()
    assert isinstance(outcome.data, ApplicationDecided)
    about = outcome.data.application.application_id
    await service.receive(link_requested(of, 3))
    for generation in (2, 1):  # the later generation stays, in whatever order they come
        data = LinkRevoked(application_id=about, generation=generation, revoked_at=NOW)
        await service.receive(Event(f"r{generation}", about, NOW, "/accede/tests", data))
        service.heads.generations[about] = max(2, service.heads.generations[about])
    await service.receive(outcome)
    texts = {row.record.template: content_of(row.mime).text for row in service.mailroom.rows.values()}
    assert f"/status/{of.application_id}.3" in texts["status_link"]
    assert f"/status/{about}.2" in texts["referred"]


async def test_a_withdrawal_that_names_its_applicant_is_confirmed_once() -> None:
    service, of = Service(), summary()
    data = ApplicationWithdrawn(application_id=of.application_id, revision=1, withdrawn_at=NOW, application=of)
    await service.receive(event(data), event(data))
    assert service.written() == [("withdrawn", "ada@charity.example", 1, 0)]
    assert service.heads.told == [("withdrawn", {of.application_id: 1})]


async def test_an_application_whose_import_was_undone_is_noted_and_nobody_is_written_to() -> None:
    service, of = Service(), summary()
    data = ApplicationWithdrawn(application_id=of.application_id, revision=1, withdrawn_at=NOW, undone=True)
    await service.receive(event(data))
    assert service.written() == []
    assert [name for name, _ in service.heads.told] == ["withdrawn", "undone"]


async def test_changes_of_pauses_are_kept() -> None:
    service = Service()
    changed = PauseChanged(pause_id="p", version=1, effective_from=NOW, pause={})
    await service.receive(Event("e", "p", NOW, "/accede/tests", changed))
    assert service.policies.pauses == [changed]
