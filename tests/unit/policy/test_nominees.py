"""Whom an application nominates is what its policy says, and nobody else."""

from __future__ import annotations

from pathlib import Path

from shared.policy.nominees import nominated, nomination_id
from shared.policy.pack import PolicyDocument, document_hash
from tests.unit.policy.packs import complete, criterion, mistakes, small, small_pack, weprotect

ROLE = {"label": {"en": "Lead"}, "hint": {"en": "Leads."}, "name": "a.text", "email": "a.email"}


def asks(*names: str) -> dict[str, object]:
    """A criterion that needs these and no more."""
    given = dict.fromkeys(names, "given@example.org")
    return criterion(needs=list(names), examples=[{**given, "answer": "met"}, {"answer": "missing"}])


def test_the_alliance_asks_for_two_people_and_each_is_found_by_their_questions() -> None:
    found = nominated(weprotect().document, complete("civil_society_organisation").answers)
    assert [(each.role, each.name, each.email) for each in found] == [
        ("senior", "Ada Moreno", "ada@example.org"),
        ("working", "Ben Okafor", "ben@example.org"),
    ]
    assert found[0].label["en"] == "Senior lead"


def test_who_has_no_address_is_left_out_and_who_has_no_name_is_called_by_their_address(tmp_path: Path) -> None:
    document = small(tmp_path, asks("a.text", "a.email"), nominees=[{"id": "lead", **ROLE}])
    assert nominated(document, {"a.text": "Ada"}) == ()
    assert nominated(document, {"a.text": "Ada", "a.email": " "}) == ()
    (found,) = nominated(document, {"a.email": " ada@example.org "})
    assert (found.name, found.email) == ("ada@example.org", "ada@example.org")


def test_the_same_person_in_the_same_role_has_one_nomination_however_the_address_is_written() -> None:
    first = nomination_id("app", "lead", "Ada@Example.org")
    assert first == nomination_id("app", "lead", " ada@example.ORG ")
    assert (
        len({first, nomination_id("app", "contact", "ada@example.org"), nomination_id("app", "lead", "b@example.org")})
        == 3
    )
    assert first != nomination_id("other", "lead", "ada@example.org")


def test_a_nominee_nobody_has_to_name_is_a_mistake_of_the_pack(tmp_path: Path) -> None:
    """Without a criterion that needs the address, an application could be eligible and have nobody to ask."""
    folder = small_pack(tmp_path / "pack", asks("a.text"), nominees=[{"id": "lead", **ROLE}])
    assert [error.message for error in mistakes(folder)] == [
        "no criterion needs 'a.email', so there may be nobody to ask"
    ]


def test_a_pack_without_nominees_is_as_it_was_before_there_were_any(tmp_path: Path) -> None:
    document = small(tmp_path)
    plain = document.model_dump(mode="json")
    assert "nominees" not in plain
    assert document_hash(PolicyDocument.model_validate(plain)) == document_hash(document)
