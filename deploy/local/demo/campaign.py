"""The pause is over: everybody who asked to be told is, once."""

from datetime import UTC, datetime
from typing import Any

from deploy.local.demo.chapters import impatient
from deploy.local.demo.story import Story
from deploy.local.demo.waiting import until
from deploy.local.errors import StoryFailed
from deploy.samples import Sample
from deploy.samples.facts import INTERNATIONAL, REGIONAL, STATE, table

MORNING_AFTER = datetime(2022, 1, 3, 9, tzinfo=UTC)
INVITATION = "invitation"
PACE = {"per_minute": 6000, "wave": 50}
TRIED_FIRST = 50
EXEMPT = (STATE, INTERNATIONAL, REGIONAL)
"""Whom the pause does not hold."""
AGAIN = 30
"""How many of those who are invited apply again."""


def campaign(story: Story) -> None:
    """Dry run, waves, a stop, and going on to the last one."""
    story.printer.chapter(
        "January 2022: those who waited are told",
        "The end of the pause has opened a campaign: whoever asked to be told is invited\n"
        "once, in their language, with what is asked of them now and what has changed\n"
        "since they asked.",
    )
    story.at(MORNING_AFTER)
    path = f"/v1/campaigns/{_opened(story)}"
    wanted = len(waiting(story))
    # it was counted when the campaign opened, which may have been before the charity applied again
    story.apis.post("eligibility", f"{path}/count", {})
    dry = until(lambda: _counted(story, path), "it is counted whom the campaign would invite")
    story.printer.step(f"A dry run: it would invite {dry['invited']}, and nobody who left or has applied again.")
    if dry["invited"] != wanted:
        raise StoryFailed(f"The dry run counts {dry['invited']} to invite; it has to be {wanted}.")
    story.apis.post("eligibility", f"{path}/start", {**PACE, "why": "The Board has met."})
    until(lambda: _invited(story, path) >= TRIED_FIRST or None, "the first wave is out")
    story.apis.post("eligibility", f"{path}/stop", {"why": "Let us read a few replies first."})
    story.printer.step(f"Stopped after {_invited(story, path)}, to read the first replies, and resumed.")
    story.apis.post("eligibility", f"{path}/resume", {"why": "All is well."})
    with story.printer.progress("Inviting", wanted) as advance:

        def over() -> dict[str, Any] | None:
            found: dict[str, Any] = story.apis.get("eligibility", path)
            advance(found["invited"])
            return found if not found["waiting"] else None

        end = until(over, "everybody is invited")
    story.letters[INVITATION] += end["invited"]
    story.wait_for_letters()
    if end["invited"] != wanted:
        raise StoryFailed(f"{end['invited']} were invited; it has to be {wanted}.")
    story.printer.done(f"{wanted} invitations, one for each.")


def again(story: Story) -> None:
    """Some of those who were invited apply again."""
    ready = [each for each in waiting(story) if isinstance(each, Sample) and each.kind == "fine"]
    rows = [story.anew(each) for each in ready[:AGAIN]]
    story.printer.step(f"{len(rows)} of those who were invited apply again.")
    story.send_each(rows, again="-again")
    story.show_outcomes("What became of them", story.wait_for_outcomes().values())


def closed(story: Story) -> None:
    """It is done once intake has said, every half minute, that no receipt from before the lift is still open."""
    path = f"/v1/campaigns/{_opened(story)}"
    until(lambda: story.apis.get("eligibility", path)["state"] == "done" or None, "the campaign is done")
    story.printer.step("The campaign is done: nobody who asked in time is still to be told.")


def waiting(story: Story) -> list[Sample | str]:
    """Whom the campaign has to invite: who was held and wants to be told, and the short forms; without the charity that has
    applied again, and without who has left the list."""
    held = [each for each in story.october if _is_held(each) and each is not impatient(story)]
    forms = [row["email"] for row in table("interests")][:-1]
    return [*held, *forms]


def _is_held(sample: Sample) -> bool:
    submission = sample.submission
    return submission["category"] not in EXEMPT and bool(submission["consent"]["register_interest"])


def _opened(story: Story) -> str:
    def look() -> str | None:
        found = story.apis.get("eligibility", "/v1/campaigns")["campaigns"]
        return str(found[0]["campaign_id"]) if found else None

    return until(look, "the end of the pause opens a campaign")


def _counted(story: Story, path: str) -> dict[str, Any] | None:
    dry: dict[str, Any] | None = story.apis.get("eligibility", path)["dry_run"]
    return dry if dry and not dry["pending"] else None


def _invited(story: Story, path: str) -> int:
    return int(story.apis.get("eligibility", path)["invited"])
