"""What comes by the short forms: the list of those who are told, and the liaison's queue, over HTTP and events."""

from __future__ import annotations

from datetime import date, datetime

from shared.application import Contact
from shared.batches import Event
from shared.events import InterestRequested, LiaisonRequested, event_id
from shared.web.links import Links, interest_subject
from tests.integration.eligibility.running import KEYS, Running
from tests.unit.eligibility.making import DURING
from tests.waiting import eventually

PAGE = {"Accept": "text/html"}


def interest_event(request_id: str, name: str = "Children First", at: datetime = DURING) -> Event:
    """As intake tells of somebody who filled in the short form."""
    contact = Contact(name="Ann", email="ann@children-first.example")
    data = InterestRequested(
        request_id=request_id, category="civil_society_organisation", organisation_name=name, country="GB",
        contact=contact, locale="en", requested_at=at,
    )  # fmt: skip
    return Event(event_id(request_id, 1, "interest.requested.v1"), request_id, at, "/accede/intake", data)


async def test_the_short_form_registers_an_interest_that_is_left_by_one_click_and_deleted(eligibility: Running) -> None:
    links = Links("0123456789abcdef" * 4)
    requests = [interest_event(f"{number}1111111-1111-4111-8111-111111111111") for number in (1, 2)]
    await eligibility.elsewhere.tell(*requests, lane="interactive")
    await eventually(lambda: bool(eligibility.elsewhere.of_type("interest.registered.v1")), "it is registered")
    (listed,) = (await eligibility.get("/v1/interests"))["interests"]
    assert (listed["source"], listed["application_id"], listed["country"]) == ("form", None, "GB")
    assert listed["told_by"] == listed["interest_id"]
    path = f"/interests/{links.sign('interest', interest_subject(listed['interest_id']))}"
    shown = await eligibility.call(path, caller=None, **PAGE)
    assert "We write to you when the pause is over" in shown.text
    assert "Children First" not in shown.text
    left = await eligibility.client.post(path, data={"List-Unsubscribe": "One-Click"}, headers=PAGE)
    assert (left.status_code, "You have left the list" in left.text) == (200, True)
    erased = await eligibility.client.post(f"{path}/erasure", headers=PAGE)
    assert "What we held about you is deleted" in erased.text
    assert (await eligibility.get("/v1/interests")) == {"interests": [], "counts": {}}
    await eventually(lambda: bool(eligibility.elsewhere.of_type("interest.erased.v1")), "the others are told")
    assert "We hold nothing under this link" in (await eligibility.call(path, caller=None, **PAGE)).text
    assert "You are not on the list" in (await eligibility.client.post(path, headers=PAGE)).text


async def test_requests_to_the_liaison_are_worked_off_and_deleted_by_their_sender(eligibility: Running) -> None:
    name = "31111111-1111-4111-8111-111111111111"
    contact = Contact(name="Awa", email="awa@ministry.example")
    data = LiaisonRequested(
        request_id=name, category="un_member_state", organisation_name="Ministry", country="SN", contact=contact,
        message="Good morning.\nHow do we join?", locale="en", requested_at=DURING, reply_by=date(2021, 10, 18),
    )  # fmt: skip
    event = Event(event_id(name, 1, "liaison.requested.v1"), name, DURING, "/accede/intake", data)
    await eligibility.elsewhere.tell(event, lane="interactive")
    path = f"/v1/liaison-requests/{name}"

    async def taken() -> bool:
        return (await eligibility.call(path)).status_code == 200

    await eventually(taken, "it is in the queue")
    (listed,) = (await eligibility.get("/v1/liaison-requests?state=open&limit=9"))["requests"]
    assert (listed["owner"], listed["reply_by"], listed["overdue"]) == (None, "2021-10-18", True)
    assert listed["message"] == "Good morning.\nHow do we join?"
    olga = {"Authorization": f"Bearer {KEYS['olga'][1]}"}
    post = eligibility.client.post
    assigned = await post(f"{path}/assignment", json={"owner": "Sam"}, headers=olga)
    assert (assigned.status_code, assigned.json()["owner"]) == (200, "Sam")
    for body in ({"owner": ""}, {"owner": "a\nb"}, {}, {"owner": "Sam", "state": "closed"}):
        assert (await post(f"{path}/assignment", json=body, headers=olga)).status_code == 422
    later = {"reply_by": "2999-10-25", "why": "The minister is away."}
    assert (await post(f"{path}/reply-by", json=later, headers=olga)).json()["reply_by"] == "2999-10-25"
    assert (await post(f"{path}/reply-by", json={**later, "reply_by": "2021-10-01"}, headers=olga)).status_code == 422
    assert (await post(f"{path}/notes", json={"note": "They call back."}, headers=olga)).status_code == 200
    assert len((await eligibility.get("/v1/liaison-requests?owner=Sam"))["requests"]) == 1
    assert (await eligibility.get("/v1/liaison-requests?owner=Sam&overdue=true"))["requests"] == []
    closed = await post(f"{path}/closing", json={"note": "Answered."}, headers=olga)
    assert [(each["what"], each["by"]) for each in closed.json()["history"]] == [
        ("received", "sender"),
        ("assigned", "olga"),
        ("reply_by_changed", "olga"),
        ("noted", "olga"),
        ("closed", "olga"),
    ]
    assert (await post(f"{path}/closing", json={}, headers=olga)).status_code == 409
    assert (await post("/v1/liaison-requests/nobody/closing", json={}, headers=olga)).status_code == 404
    assert (await post(f"{path}/closing", json={}, headers={"Authorization": "Bearer chan-key"})).status_code == 403
    page = f"/liaison-requests/{Links('0123456789abcdef' * 4).sign('liaison', name)}"
    shown = (await eligibility.call(page, caller=None, **PAGE)).text
    assert "Your request was answered" in shown
    assert "Ministry" not in shown
    assert "Your request was deleted" in (await post(f"{page}/erasure", headers=PAGE)).text
    found = await eligibility.get(path)
    assert (found["state"], found["message"], found["contact_email"]) == ("erased", "", "")
    await eventually(lambda: bool(eligibility.elsewhere.of_type("liaison.erased.v1")), "the others are told")
