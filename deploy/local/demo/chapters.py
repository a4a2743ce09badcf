"""Who applies: October while the pause is on, the night it ends, and January."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from deploy.local.demo.story import Story
from deploy.local.demo.waiting import until
from deploy.samples import Sample
from deploy.samples.drafts import NEW_QUESTION
from deploy.samples.facts import CIVIL_SOCIETY, table

BY_PARTNER = 10
BY_EMAIL = 1
INTEREST = "interest_registered"

OCTOBER = datetime(2021, 10, 4, 9, tzinfo=UTC)
LAST_HALF_MINUTE = datetime(2021, 12, 31, 23, 59, 30, tzinfo=UTC)
MIDNIGHT = datetime(2022, 1, 1, tzinfo=UTC)
JANUARY = datetime(2022, 1, 10, 9, tzinfo=UTC)


def october(story: Story) -> None:
    """Five hundred applications, most by file, while most of them have to wait."""
    story.printer.chapter(
        "October 2021: the Alliance is pausing",
        "New members wait until the end of the year; governments and international\n"
        "organisations are exempt. An office sends a spreadsheet with 400 applications,\n"
        "and 100 come one at a time from another system.",
    )
    story.at(OCTOBER)
    _send(story, story.october, "october.csv")
    story.show_outcomes("What became of October's applications", story.wait_for_outcomes().values())
    _register_interests(story)


def new_year(story: Story) -> None:
    """The same application in the pause's last half minute and in the first second after it."""
    story.printer.chapter(
        "New Year's Eve: the pause ends at midnight in London",
        "A charity that was put on hold in October tries again: half a minute too\n"
        "early, and as the clock strikes twelve, when the new criteria are in force.",
    )
    early = impatient(story)
    for when, sample in ((LAST_HALF_MINUTE, early), (MIDNIGHT, story.anew(early))):
        story.at(when)
        if when == MIDNIGHT:
            until(lambda: _asks_anew(story), "the new criteria are in force")
        application_id = story.apis.submit(sample.submission, key=f"again-{when:%Y%m%d}")
        story.sent += 1
        story.wait_quietly()
        application = story.applications[application_id]
        story.printer.step(
            f"{when:%Y-%m-%d %H:%M:%S}  {application['organisation_name']}: {application['state'].replace('_', ' ')}"
        )


def _asks_anew(story: Story) -> bool | None:
    """Whether the public form asks the new question: its clock is exact to a second after it was set."""
    return NEW_QUESTION in json.dumps(story.apis.get("intake", "/v1/form")) or None


def impatient(story: Story) -> Sample:
    """The charity that tries again before the others."""
    return next(each for each in story.october if each.kind == "fine" and each.submission["category"] == CIVIL_SOCIETY)


def january(story: Story) -> None:
    """A hundred new ones, now that everybody may join."""
    story.printer.chapter(
        "January 2022: everybody may apply again",
        "New applications are decided against the published criteria. Ten of them come\n"
        "from a partner, through a message queue, and one by email.",
    )
    story.at(JANUARY)
    _send(story, story.january, "january.csv", by_partner=BY_PARTNER, by_email=BY_EMAIL, also=[NEW_QUESTION])
    story.show_outcomes("What became of January's applications", story.wait_for_outcomes().values())


def _send(
    story: Story, rows: list[Sample], file: str, by_partner: int = 0, by_email: int = 0, also: Sequence[str] = ()
) -> None:
    story.send_file(file, [sample for sample in rows if sample.channel == "file"], also)
    each = [sample for sample in rows if sample.channel == "api"]
    if by_partner:
        story.send_by_partner(each[:by_partner])
    if by_email:
        story.send_by_email(each[by_partner : by_partner + by_email])
    story.send_each(each[by_partner + by_email :])


def _register_interests(story: Story) -> None:
    """A few leave their details instead of applying, and one of them leaves the list again."""
    rows = table("interests")
    for row in rows:
        story.apis.register_interest(_interest(row), key=row["email"])
    story.letters[INTEREST] += len(rows)
    story.wait_for_letters()
    leaver = rows[-1]
    story.mailbox.unsubscribe(leaver["email"])
    story.printer.step(
        f"{len(rows)} organisations leave their details with the short form. {leaver['name']} leaves\n"
        "  the list again, by the one click that its mail program offers."
    )


def _interest(row: dict[str, str]) -> dict[str, Any]:
    return {
        "category": row["category"],
        "organisation": {"name": row["name"], "country": row["country"]},
        "contact": {"name": row["contact"], "email": row["email"]},
        "locale": row["locale"],
        "consent": {"register_interest": True},
    }
