"""The golden messages of the partners' queue: what partners' programs are written against.

Members may be added to an answer; one that is taken away or changes its meaning is a new `.v2`, not an edit of the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.intake.consumers.partners import PartnerDesk
from services.intake.domain.applications import Revision, first_revision
from services.intake.use_cases.partners import Letter
from shared import asyncapi
from shared.application import Provenance, Submission
from shared.errors import FieldError, Refused
from shared.requests import Request
from shared.topology import Topology

GOLDEN = Path(__file__).parent / "golden" / "partners"
DOCUMENT = asyncapi.document("0.0.0")


def golden(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_every_message_has_a_golden_file_and_no_file_is_left_over() -> None:
    assert {path.name.removesuffix(".json") for path in GOLDEN.glob("*.json")} == set(asyncapi.PARTNERS)


@pytest.mark.parametrize("name", sorted(asyncapi.PARTNERS))
def test_a_golden_message_fits_the_schema_that_the_asyncapi_document_publishes(name: str) -> None:
    schema = {
        "$ref": DOCUMENT["components"]["messages"][name]["payload"]["$ref"],
        "components": DOCUMENT["components"],
    }
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(golden(name))
    assert not validator.is_valid({**golden(name), "nonsense": 1})


@pytest.mark.parametrize("name", sorted(asyncapi.PARTNERS))
def test_a_golden_message_is_read_and_written_back_as_it_was(name: str) -> None:
    model, _ = asyncapi.PARTNERS[name]
    assert model.model_validate(golden(name)).model_dump(mode="json") == golden(name)


async def test_the_desk_answers_with_these_members() -> None:
    """What intake really sends has the members of the golden files, no more and no fewer."""
    submission = Submission.model_validate(golden("submission"))
    errors = [FieldError("/category", "Choose another.")]

    async def take(letter: Letter) -> Revision:
        if letter.message_id == "refuse":
            raise Refused("errors", errors)
        accepted = golden("submission.accepted.v1")
        provenance = Provenance(channel="partner", client=letter.partner)
        return Revision(first_revision(submission, accepted["application_id"], provenance, accepted["received_at"]))

    desk = PartnerDesk(take, lambda _: "https://join.example.org", Topology().reply_queue, lambda: None)
    request = Request(b"{}", sender="acme", content_type="application/json")
    accepted = await desk.answer(request)
    refused = await desk.answer(Request(b"{}", sender="acme", content_type="application/json", message_id="refuse"))
    assert (accepted.type, refused.type) == ("submission.accepted.v1", "submission.refused.v1")
    assert accepted.document.keys() == golden(accepted.type).keys()
    assert refused.document.keys() | {"instance"} == golden(refused.type).keys()
    for answer in (accepted, refused):
        assert asyncapi.PARTNERS[answer.type][1] == answer.content_type
