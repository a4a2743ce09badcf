"""New criteria: drafted, looked at in words, tried on everything that was decided, and activated at a date."""

import shutil
from collections import Counter
from datetime import UTC, datetime
from textwrap import fill
from typing import Any

from deploy.local.demo.outcomes import moved_table
from deploy.local.demo.story import Story
from deploy.local.demo.waiting import until
from deploy.local.errors import StoryFailed

DECEMBER = datetime(2021, 12, 6, 9, tzinfo=UTC)
IN_FORCE, ZONE = "2022-01-01T00:00", "Europe/London"
NAMED = 3
WIDTH = 76


def december(story: Story) -> None:
    """A draft, its differences, what it would change, and the day from which it counts."""
    story.printer.chapter(
        "December 2021: new criteria",
        "The review is over. The secretariat drafts what it has come to, reads it in\n"
        "words, and sees whom it would have decided otherwise before anybody is.",
    )
    story.at(DECEMBER)
    _show_a_mistake(story)
    draft = str(story.apis.draft(story.draft, "What the review came to.")["policy_hash"])
    _show_differences(story, draft)
    _simulate(story, draft)
    story.apis.activate(draft, IN_FORCE, ZONE, "The Board agreed on the review, minute 7.")
    story.printer.done("It is in force from 1 January 2022, 00:00 in London, when the pause ends.")


def _show_a_mistake(story: Story) -> None:
    """The first try has a slip of the pen in it."""
    first = shutil.copytree(story.draft, story.samples_folder / "first-draft")
    file = first / "safeguarding.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("len(trim(safeguarding.policy))", "len(trim(safe.policy))")
    )
    (error, *_) = story.apis.draft(first, "A first try.")["errors"]
    story.printer.step(
        fill(f"The first draft is refused: {error['file']}, line {error['line']}: {error['message']}", WIDTH)
    )


def _show_differences(story: Story, draft: str) -> None:
    lines = [f"{each['title']}. {each['sentence']}" for each in story.apis.differences(draft)]
    story.printer.card("What differs from the policy in force", "\n".join(fill(line, WIDTH) for line in lines))


def _simulate(story: Story, draft: str) -> None:
    body = {"policy": draft, "pauses": "none", "note": "The review, as if nobody had been paused."}
    path = f"/v1/simulations/{story.apis.post('eligibility', '/v1/simulations', body)['simulation_id']}"
    with story.printer.progress("Judging all of it anew", len(story.applications)) as advance:

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = story.apis.get("eligibility", path)
            advance(found["progress"]["seen"])
            return found if found["state"] in ("done", "failed") else None

        found = until(ended, "the simulation is done")
    if found["state"] != "done":
        raise StoryFailed(f"The simulation failed: {found['fault']}")
    result = found["result"]
    story.printer.table("What the new criteria would have made of it", *moved_table(result["outcomes"]))
    turned: Counter[str] = Counter()
    for each in result["criteria"]:
        turned[each["criterion"] or each["because"]] += each["count"]
    for what, count in turned.most_common():
        story.printer.step(f"{count:>5}  {what}")
    _name_some(story, path, result["flipped"])


def _name_some(story: Story, path: str, flipped: int) -> None:
    flips = story.apis.get("eligibility", f"{path}/flips", old="eligible", limit=NAMED)["flips"]
    for each in flips:
        story.printer.step(f"{each['organisation']}: {_words(each['old'])}, and would be {_words(each['new'])}")
    story.printer.step(f"… and {flipped - len(flips)} more, each with both receipts side by side.")


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")
