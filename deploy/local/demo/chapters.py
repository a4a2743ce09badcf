"""The chapters: October while the pause is on, the night it ends, and January."""

from datetime import UTC, datetime

from deploy.local.demo.story import Story
from deploy.samples import Sample

BY_PARTNER = 10

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
    _send_chapter(story, 1, "october.csv")
    story.show_outcomes("What became of October's applications", story.wait_for_outcomes())


def new_year(story: Story) -> None:
    """The same application in the pause's last half minute and in the first second after it."""
    story.printer.chapter(
        "New Year's Eve: the pause ends at midnight in London",
        "A charity that was put on hold in October tries again: half a minute too\n"
        "early, and as the clock strikes twelve.",
    )
    again = next(one for one in story.samples(1) if _held_and_complete(one))
    for when, key in ((LAST_HALF_MINUTE, "new-years-eve"), (MIDNIGHT, "new-years-day")):
        story.at(when)
        application_id = story.apis.submit(again.submission, key)
        story.sent += 1
        story.wait_quietly()
        state = story.apis.application(application_id)["state"]
        story.printer.step(
            f"{when:%Y-%m-%d %H:%M:%S}  {again.submission['organisation']['name']}: {state.replace('_', ' ')}"
        )


def january(story: Story) -> None:
    """A hundred new ones, now that everybody may join."""
    story.printer.chapter(
        "January 2022: everybody may apply again",
        "New applications are decided against the published criteria. Ten of them come\n"
        "from a partner, through a message queue.",
    )
    story.at(JANUARY)
    _send_chapter(story, 2, "january.csv", by_partner=BY_PARTNER)
    story.show_outcomes("What became of January's applications", story.wait_for_outcomes())


def _send_chapter(story: Story, chapter: int, file: str, by_partner: int = 0) -> None:
    rows = story.samples(chapter)
    story.send_file(file, [sample for sample in rows if sample.channel == "file"])
    each = [sample for sample in rows if sample.channel == "api"]
    if by_partner:
        story.send_by_partner(each[:by_partner])
    story.send_each(each[by_partner:])


def _held_and_complete(sample: Sample) -> bool:
    return sample.kind == "fine" and sample.submission["category"] == "civil_society_organisation"
