"""Partners' messages without a broker: which are the same, what they become, what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.intake.consumers.partners import PartnerDesk
from services.intake.domain import partners as rules
from services.intake.domain.applications import Revision, application_id_for, body_hash, first_revision
from services.intake.domain.policies import KnownPolicy
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.partners import Letter, PartnerSubmissions
from shared.application import Provenance, Submission
from shared.errors import Conflict, FieldError, Malformed, Refused
from shared.policy.loader import load_pack
from shared.requests import Answer, Request
from shared.topology import Topology
from tests.unit.intake.fakes import NOW

POLICY = load_pack(Path("policies/weprotect"))
DOCUMENT = {
    "category": "civil_society_organisation",
    "organisation": {"name": "Safer Screens", "country": "GB"},
    "contact": {"name": "Ann", "email": "ann@safer.example"},
}


class Intake:
    """Policy and applications of these tests: keeps who sent what."""

    def __init__(self, conflict: bool = False) -> None:
        self.sent: list[tuple[Submission, Sender]] = []
        self._conflict = conflict

    async def current(self) -> KnownPolicy:
        return KnownPolicy(POLICY.hash, NOW, POLICY.document)

    async def submit(self, submission: Submission, sender: Sender) -> Revision:
        if self._conflict:
            raise Conflict("Idempotency-Key")
        self.sent.append((submission, sender))
        identity = application_id_for(sender.client, sender.idempotency_key, sender.channel)
        provenance = Provenance(channel=sender.channel, client=sender.client)
        return Revision(first_revision(submission, identity, provenance, NOW), body_hash(submission))


def letter(document: Any = DOCUMENT, **changes: Any) -> Letter:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Letter(**{"partner": "acme", "body": body, "message_id": "m", **changes})


async def test_it_is_accepted_as_the_partners() -> None:
    intake = Intake()
    revision = await PartnerSubmissions(intake, intake).take(letter(trace="t"))
    assert revision.application.provenance == Provenance(channel="partner", client="acme")
    assert intake.sent[0][1] == Sender("acme", "m", "t", "partner")


async def test_all_errors_of_message_and_document_come_together() -> None:
    intake = Intake()
    fault = FieldError("/properties/reply_to", "No.")
    with pytest.raises(Refused) as refused:
        await PartnerSubmissions(intake, intake).take(letter({**DOCUMENT, "category": "friend"}, faults=(fault,)))
    assert [error.pointer for error in refused.value.errors] == ["/properties/reply_to", "/category"]
    with pytest.raises(Refused):
        await PartnerSubmissions(intake, intake).take(letter(faults=(fault,)))
    assert intake.sent == []


async def test_what_is_no_document_is_malformed() -> None:
    intake = Intake()
    with pytest.raises(Malformed):
        await PartnerSubmissions(intake, intake).take(letter(b"{"))


async def test_a_conflict_is_told_in_the_partners_words() -> None:
    intake = Intake(conflict=True)
    with pytest.raises(Conflict, match="message_id"):
        await PartnerSubmissions(intake, intake).take(letter())


def test_the_message_id_is_the_key_and_without_one_what_the_message_says() -> None:
    assert rules.key_of("m", "c", b"x") == "m"
    one = rules.key_of(None, "c", b"x")
    assert one == rules.key_of(None, "c", b"x")
    assert len({one, rules.key_of(None, "d", b"x"), rules.key_of(None, "c", b"y"), rules.key_of(None, None, b"x")}) == 4


@pytest.mark.parametrize(
    ("given", "may"), [(None, True), ("a", True), ("a" * 200, True), ("a" * 201, False), ("a b", False), ("é", False)]
)
def test_what_may_be_a_message_id(given: str | None, may: bool) -> None:
    assert rules.may_be_key(given) is may


def desk(intake: Intake, refused: list[str]) -> PartnerDesk:
    take = PartnerSubmissions(intake, intake).take
    return PartnerDesk(take, "https://join.example/{}".format, Topology().reply_queue, lambda: refused.append("one"))


def request(**changes: Any) -> Request:
    given = {"body": json.dumps(DOCUMENT).encode(), "sender": "acme", "content_type": "application/json"}
    return Request(**{**given, **changes})


async def answer(**changes: Any) -> Answer:
    return await desk(Intake(), []).answer(request(**changes))


async def test_an_acceptance_says_what_the_applicant_needs() -> None:
    accepted = await answer(message_id="m", reply_to="membership.replies.acme")
    identity = accepted.document["application_id"]
    assert accepted.result == "accepted"
    assert accepted.document["reference"] == identity[:8].upper()
    assert accepted.document["status_page"] == f"https://join.example/{identity}"
    assert accepted.document["message_id"] == "m"


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": None},
        {"sender": "a/b"},
        {"sender": "a" * 101},
        {"content_type": ""},
        {"content_type": "text/json"},
        {"content_encoding": "gzip"},
        {"body": b"x" * (1 << 20) + b"x"},
        {"body": b"\xff"},
        {"body": b"[" * 100 + b"]" * 100},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_poison(changes: dict[str, Any]) -> None:
    poison = await answer(**changes)
    assert poison.result == "poison"
    assert poison.reason.startswith("Malformed: ")
    assert poison.document["status"] == 400


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "identity"])
async def test_an_encoding_that_changes_nothing_is_welcome(encoding: str) -> None:
    assert (await answer(content_encoding=encoding)).result == "accepted"


async def test_a_refusal_is_counted_and_kept_out_of_the_dead_letters() -> None:
    refused: list[str] = []
    told = await desk(Intake(conflict=True), refused).answer(request())
    assert (told.result, told.document["status"], refused) == ("refused", 409, ["one"])


async def test_a_fault_of_ours_says_nothing_of_our_insides() -> None:
    told = desk(Intake(), []).given_up(request(), "KeyError: a bug at services.intake:1")
    assert (told.result, told.document["status"]) == ("poison", 500)
    assert "KeyError" not in json.dumps(told.document)
