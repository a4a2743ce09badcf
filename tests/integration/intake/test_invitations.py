"""The link in an invitation opens a form of one's own, filled in, once; and what is open is found in the database."""

from __future__ import annotations

from datetime import UTC, datetime

from services.intake.domain.invitations import draft_id_of
from services.intake.storage.drafts import MongoDrafts
from services.intake.storage.receipts import MongoReceipts
from shared.events import InterestErased
from shared.mongo import Database
from shared.web.links import INVITATION, Links, interest_subject
from tests.integration.intake.forms import Visitor
from tests.integration.intake.running import Running, submission
from tests.integration.intake.test_enquiries import DOCUMENT, pause
from tests.waiting import eventually

LINKS = Links("0123456789abcdef" * 4)


async def test_an_invitation_of_a_held_application_opens_one_form_that_holds_what_was_sent(intake: Running) -> None:
    application_id = (await intake.submit()).json()["application_id"]
    token = LINKS.sign(INVITATION, application_id)
    visitor = await Visitor(intake).open(f"/invitations/{token}")
    assert "Your earlier application stays as it is" in visitor.text
    assert await intake.database["drafts"].count_documents({}) == 0, "looking begins nothing"
    await visitor.send({})
    assert visitor.path.startswith("/apply/")
    draft = await intake.database["drafts"].find_one({"_id": draft_id_of(application_id)})
    assert draft is not None
    assert draft["values"]["organisation.name"] == submission()["organisation"]["name"]
    assert draft["values"]["registration.number"] == "1089599"
    again = await Visitor(intake).open(f"/invitations/{token}")
    assert "You have begun already" in again.text
    assert any(each.partition(".")[0] == visitor.path.partition(".")[0] for each in again.links), "the same form"
    revoked = await Visitor(intake).open(f"/invitations/{LINKS.sign(INVITATION, application_id + '.1')}")
    assert revoked.status == 404, "a link of another generation"
    await MongoDrafts(intake.database).erase([application_id])
    assert await intake.database["drafts"].count_documents({}) == 0, "it is erased with the application"


async def test_an_invitation_of_the_short_form_opens_a_form_until_what_was_entered_is_erased(intake: Running) -> None:
    await pause(intake)
    request_id = (await intake.call("POST", "/v1/interests", json=DOCUMENT)).json()["request_id"]
    token = LINKS.sign(INVITATION, interest_subject(request_id))
    visitor = await Visitor(intake).open(f"/invitations/{token}")
    assert "on hold again" in visitor.text, "a pause is on"
    await visitor.send({})
    draft = await intake.database["drafts"].find_one({"_id": draft_id_of(request_id)})
    assert draft is not None
    assert draft["values"]["contact.email"] == "ann@children-first.example"
    erased = InterestErased(interest_id="i", request_ids=[request_id], erased_at=datetime.now(UTC))
    await intake.elsewhere.tell(erased, "i")

    async def gone() -> bool:
        return not await intake.database["drafts"].count_documents({})

    await eventually(gone, "the form is gone with it", 20)
    assert (await Visitor(intake).open(f"/invitations/{token}")).status == 404


async def test_the_oldest_open_receipt_is_found_wherever_it_is(database: Database) -> None:
    receipts = MongoReceipts(database)
    await receipts.prepare()
    assert await receipts.oldest_open() is None
    days = [datetime(2021, 10, day, tzinfo=UTC) for day in range(1, 6)]
    await database["applications"].insert_many(
        [{"state": "pending", "received_at": days[4]}, {"state": "on_hold", "received_at": days[0]}]
    )
    assert await receipts.oldest_open() == days[4]
    untold = {"application": {"received_at": days[3]}, "outbox": {"due": days[4]}}
    await database["revisions"].insert_many([untold, {"application": {"received_at": days[0]}, "outbox": {}}])
    assert await receipts.oldest_open() == days[3]
    await database["interest_requests"].insert_one({"requested_at": days[2], "outbox": {"due": days[4]}})
    assert await receipts.oldest_open() == days[2]
    await database["inbound"].insert_many(
        [{"state": "received", "received_at": days[1]}, {"state": "ignored", "received_at": days[0]}]
    )
    assert await receipts.oldest_open() == days[1]
    await database["imports"].insert_many(
        [
            {"state": "importing", "committed_at": days[0]},
            {"state": "done", "committed_at": datetime(2020, 1, 1, tzinfo=UTC)},
        ]
    )
    assert await receipts.oldest_open() == days[0]
