"""The collections `campaigns`, `campaign_steps` and `campaign_receipts`.

campaigns          _id `<pause id>:<version>`, pause_id, pause_version, pause {…}, lifted_at, opened_at: a fact; and what
                   replicas share at work: wave, wave_at (real), counting {wanted_at, counted_at, categories {…}}
campaign_steps     one fact a step: _id `<campaign>:<number>`, campaign_id, number, what, by, why, at, pace {…}|null
campaign_receipts  _id "receipts", before, at: every receipt before that instant is decided, as intake told last

A step is inserted under the next number, so of two who change a campaign at once one is first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from services.eligibility.domain.campaigns import Campaign, Pace, Step
from services.eligibility.domain.invitations import Count, DryRun
from shared.errors import Conflict
from shared.mongo import Database, Document, classified
from shared.policy.pack import Pause

CAMPAIGNS: Final = "campaigns"
STEPS: Final = "campaign_steps"
RECEIPTS: Final = "campaign_receipts"


class MongoCampaigns:
    """Campaigns in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._campaigns = database[CAMPAIGNS]
        self._steps = database[STEPS]
        self._receipts = database[RECEIPTS]

    async def open(self, campaign: Campaign) -> bool:
        """Store a new one; false when another replica has opened it already."""
        fact = {
            "_id": campaign.campaign_id,
            "pause_id": campaign.pause.id,
            "pause_version": campaign.pause_version,
            "pause": campaign.pause.model_dump(mode="json"),
            "lifted_at": campaign.lifted_at,
            "opened_at": campaign.opened_at,
            "wave": 0,
            "wave_at": None,
            "counting": {"wanted_at": campaign.opened_at, "counted_at": None, "categories": []},
        }
        try:
            with classified():
                await self._campaigns.insert_one(fact)
        except Conflict:
            return False
        return True

    async def all(self) -> Sequence[Campaign]:
        """Every campaign with its steps, the one of the latest lift first."""
        steps: dict[str, list[Step]] = {}
        with classified():
            async for row in self._steps.find({}).sort("number", 1):
                steps.setdefault(row["campaign_id"], []).append(_step_of(row))
            rows = self._campaigns.find({}).sort([("lifted_at", -1), ("_id", -1)])
            return [_campaign_of(row, steps.get(row["_id"], ())) async for row in rows]

    async def append(self, campaign_id: str, step: Step) -> bool:
        """Store a step; false when there is one of that number."""
        fact = {
            "_id": f"{campaign_id}:{step.number}",
            "campaign_id": campaign_id,
            **asdict(step),
        }
        try:
            with classified():
                await self._steps.insert_one(fact)
        except Conflict:
            return False
        return True

    async def begin_wave(self, campaign_id: str, between: timedelta) -> timedelta | None:
        """Take the next wave, if it is time for it: then nobody else begins one for `between`, and None is returned. Else
        how long it is until then. Waves that nobody began are not made up for."""
        pause = int(between.total_seconds() * 1000)
        # from the beginning of the last wave, by the pace of now: a faster one counts at once
        due = {"$ifNull": [{"$add": ["$wave_at", pause]}, "$$NOW"]}
        begun = {"$max": [due, {"$subtract": ["$$NOW", pause // 2]}]}
        with classified():
            taken = await self._campaigns.update_one(
                {"_id": campaign_id, "$expr": {"$lte": [due, "$$NOW"]}},
                [{"$set": {"wave_at": begun, "wave": {"$add": ["$wave", 1]}}}],
            )
            if taken.matched_count:
                return None
            left = {"$subtract": [due, "$$NOW"]}
            rows = await self._campaigns.aggregate(
                [{"$match": {"_id": campaign_id}}, {"$project": {"left": left}}]
            ).to_list(1)
        return timedelta(milliseconds=rows[0]["left"]) if rows else timedelta(0)

    async def ask_count(self, campaign_id: str, at: datetime) -> None:
        """It is to be counted anew whom it would invite."""
        with classified():
            await self._campaigns.update_one({"_id": campaign_id}, {"$set": {"counting.wanted_at": at}})

    async def uncounted(self) -> Sequence[str]:
        """The campaigns that are to be counted."""
        wanted = {"$expr": {"$gt": ["$counting.wanted_at", "$counting.counted_at"]}}
        with classified():
            return [row["_id"] async for row in self._campaigns.find(wanted, {"_id": 1})]

    async def keep_count(self, campaign_id: str, counted: DryRun) -> None:
        """Keep what was counted."""
        kept = [{"category": name, **asdict(count)} for name, count in counted.categories.items()]
        with classified():
            await self._campaigns.update_one(
                {"_id": campaign_id},
                {"$set": {"counting.counted_at": counted.counted_at, "counting.categories": kept}},
            )

    async def counted(self, campaign_id: str) -> DryRun | None:
        """What was counted last; None: nothing yet."""
        with classified():
            row = await self._campaigns.find_one({"_id": campaign_id}, {"counting": 1})
        counting: Document | None = row["counting"] if row else None
        if counting is None or counting["counted_at"] is None:
            return None
        found = {
            each["category"]: Count(**{name: value for name, value in each.items() if name != "category"})
            for each in counting["categories"]
        }
        return DryRun(counting["counted_at"], found, pending=counting["wanted_at"] > counting["counted_at"])

    async def note_receipts(self, before: datetime, at: datetime) -> None:
        """Every receipt before an instant is decided, as was told `at`. What was told earlier is passed over."""
        newer = {"$gt": [at, {"$ifNull": ["$at", None]}]}
        values = {name: {"$cond": [newer, value, f"${name}"]} for name, value in (("before", before), ("at", at))}
        with classified():
            await self._receipts.update_one({"_id": RECEIPTS}, [{"$set": values}], upsert=True)

    async def decided_before(self) -> datetime | None:
        """Every receipt before this instant is decided; None: nobody has said so yet."""
        with classified():
            row = await self._receipts.find_one({"_id": RECEIPTS})
        return row["before"] if row else None


def _campaign_of(row: Mapping[str, Any], steps: Sequence[Step]) -> Campaign:
    return Campaign(
        campaign_id=row["_id"],
        pause=Pause.model_validate(row["pause"]),
        pause_version=row["pause_version"],
        lifted_at=row["lifted_at"],
        opened_at=row["opened_at"],
        steps=tuple(steps),
    )


def _step_of(row: Mapping[str, Any]) -> Step:
    pace: Document | None = row["pace"]
    return Step(row["number"], row["what"], row["by"], row["why"], row["at"], Pace(**pace) if pace else None)
