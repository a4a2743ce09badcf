"""The collection `invitations`: one fact for each person that a campaign invited, under the uuid5 of both.

_id, campaign_id, interest_id, person, application_id|null, request_id|null, category, organisation_name, contact {…},
locale, asked_at, asked_policy, policy, lifted_at, invited_at, outbox
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.eligibility.domain.invitations import Invitation, invitation_id
from services.eligibility.storage.decisions import SOURCE
from shared import stopping
from shared.application import Contact
from shared.batches import Event
from shared.events import InterestInvited, event_id
from shared.mongo import Database, Document, classified
from shared.outbox import Outbox, Publisher
from shared.stopping import Point

INVITATIONS: Final = "invitations"
_TYPE: Final = "interest.invited.v1"
_PLAIN: Final = (
    "campaign_id",
    "interest_id",
    "person",
    "application_id",
    "request_id",
    "category",
    "organisation_name",
    "locale",
    "asked_at",
    "asked_policy",
    "policy",
    "lifted_at",
    "invited_at",
)
_NAMELESS: Final[Document] = {
    "organisation_name": "",
    "contact": {"name": "", "email": ""},
    "person": "",
    "outbox": {},
}
"""What stands in an invitation of somebody who had all erased. It is told to nobody any more, and still counts."""


class MongoInvitations:
    """Invitations in MongoDB, with their outbox."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._invitations = database[INVITATIONS]
        self.outbox = Outbox(self._invitations, event_of, publisher)

    async def prepare(self) -> None:
        """Make the indexes. Idempotent."""
        with classified():
            await self._invitations.create_index([("campaign_id", 1), ("invited_at", 1), ("_id", 1)], name="campaign")
            await self._invitations.create_index("interest_id", name="interest")
            await self._invitations.create_index("application_id", name="application", sparse=True)

    async def append(self, invitations: Sequence[Invitation], real: datetime) -> int:
        """Store those that are not there yet, and publish them or leave that to the sweeper; how many are new."""
        stored = await self.outbox.append([_fact_of(each) for each in invitations], "bulk", real)
        await self.outbox.publish_or_leave([each.document for each in stored if each.fresh])
        stopping.reached(Point.CAMPAIGN_INVITED)
        return sum(each.fresh for each in stored)

    async def invited(self, campaign_id: str, people: Collection[str]) -> Mapping[str, str]:
        """Of these persons, those whom the campaign has invited, with the interest by which it did."""
        ids = [invitation_id(campaign_id, person) for person in people]
        with classified():
            rows = self._invitations.find({"_id": {"$in": ids}}, {"person": 1, "interest_id": 1})
            return {row["person"]: row["interest_id"] async for row in rows}

    async def count(self, campaign_id: str) -> int:
        """How many persons a campaign has invited."""
        with classified():
            return await self._invitations.count_documents({"campaign_id": campaign_id})

    async def page(self, campaign_id: str, after: str | None, limit: int) -> Sequence[Invitation]:
        """A campaign's invitations, the earliest first; `after` the one of this id."""
        wanted: Document = {"campaign_id": campaign_id}
        with classified():
            if after is not None:
                last = await self._invitations.find_one({"_id": after}, {"invited_at": 1})
                at = last["invited_at"] if last else None
                wanted["$or"] = [{"invited_at": {"$gt": at}}, {"invited_at": at, "_id": {"$gt": after}}]
            rows = self._invitations.find(wanted).sort([("invited_at", 1), ("_id", 1)]).limit(limit)
            return [_invitation_of(row) async for row in rows]

    async def erase(self, application_ids: Collection[str]) -> None:
        """Take out who was invited, of these applications or interests. Raises Transient."""
        ids = list(application_ids)
        named = {"$or": [{"application_id": {"$in": ids}}, {"interest_id": {"$in": ids}}]}
        with classified():
            await self._invitations.update_many(named, {"$set": _NAMELESS})


def event_of(fact: Mapping[str, Any]) -> Event:
    """The event of a stored invitation. Its subject is what is erased with it: the application, or the interest."""
    data = InterestInvited.model_construct(
        invitation_id=fact["_id"],
        campaign_id=fact["campaign_id"],
        interest_id=fact["interest_id"],
        application_id=fact["application_id"],
        request_id=fact["request_id"],
        category=fact["category"],
        organisation_name=fact["organisation_name"],
        contact=Contact.model_construct(**fact["contact"]),
        locale=fact["locale"],
        asked_at=fact["asked_at"],
        asked_policy_hash=fact["asked_policy"],
        policy_hash=fact["policy"],
        lifted_at=fact["lifted_at"],
        invited_at=fact["invited_at"],
    )
    subject = fact["application_id"] or fact["interest_id"]
    return Event(event_id(fact["_id"], 1, _TYPE), subject, fact["invited_at"], SOURCE, data)


def _fact_of(invitation: Invitation) -> Document:
    return {
        "_id": invitation.invitation_id,
        **{name: getattr(invitation, name) for name in _PLAIN},
        "contact": {"name": invitation.contact.name, "email": invitation.contact.email},
    }


def _invitation_of(fact: Mapping[str, Any]) -> Invitation:
    return Invitation(**{name: fact[name] for name in _PLAIN}, contact=Contact.model_construct(**fact["contact"]))
