"""The end of the story: nothing lost, nobody forgotten, nothing sent twice, and every number accounted for."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from deploy.local.demo.outcomes import ORDER
from deploy.local.demo.story import Story
from deploy.local.errors import StoryFailed

NOT_SENT = "superseded"
"""The state of an email that was left out on purpose."""


WHAT_BECAME = (*ORDER, "admitted", "declined", "withdrawn", "erased", "pending", "dead_lettered")


def everything_arrived(story: Story) -> None:
    """Check the ledger and every single email. Raises StoryFailed with everything that is wrong."""
    story.printer.chapter("Is it all there?", "The ledger counts every application, the mailbox every email.")
    story.look_again()
    ledger = story.apis.ledger()
    records = list(story.apis.emails())
    faults = [*_ledger(story, ledger), *_letters(story, records), *_mailbox(story, records)]
    if faults:
        raise StoryFailed("Not all is as it has to be:\n" + "\n".join(f"  {fault}" for fault in faults))
    story.printer.table("The ledger", *_ledger_table(ledger))
    rows = [[_words(name), str(count)] for name, count in story.letters.most_common()]
    total = story.letters.total()
    story.printer.table("The emails", ["What it says", "Emails"], [*rows, ["All", str(total)]])
    story.printer.done(f"The ledger closes: {story.sent} applications accepted, {story.sent} decided.")
    story.printer.done(f"The mailbox holds {total} emails: each that there has to be, none twice.")
    if repeated := story.repeated():
        story.printer.done(f"{repeated} applied again within a day, and was not told again that it has arrived.")


def _ledger(story: Story, ledger: dict[str, Any]) -> list[str]:
    faults = [] if ledger["closes"] else ["The reconciler's ledger does not close; see: accede status"]
    if ledger["total"]["accepted"] != story.sent:
        faults.append(f"{story.sent} applications were sent, and the ledger counts {ledger['total']['accepted']}.")
    states = Counter(str(one["state"]) for one in story.applications.values())
    counted = {state: count for state, count in _outcomes(ledger["total"]).items() if count}
    if counted != dict(states):
        faults.append(f"The ledger counts {counted}, and there are {dict(states)}.")
    return faults


def _letters(story: Story, records: Iterable[dict[str, Any]]) -> list[str]:
    """Of each kind of letter as many were sent as the story has it."""
    listed = list(records)
    faults = [f"Email {one['email_id']} is {one['state']}." for one in listed if one["state"] not in ("sent", NOT_SENT)]
    sent = Counter(str(one["template"]) for one in listed if one["state"] == "sent")
    for name in sorted(sent | story.letters):
        if sent[name] != story.letters[name]:
            faults.append(f"There have to be {story.letters[name]} emails '{name}', and {sent[name]} were sent.")
    return faults


def _mailbox(story: Story, records: Iterable[dict[str, Any]]) -> list[str]:
    """What says `sent` lies in the mailbox once, and nothing else does."""
    sent = {one["message_id"] for one in records if one["state"] == "sent"}
    lying = Counter(message["message_id"] for message in story.mailbox.messages())
    wrong = (
        ("are not in the mailbox", len(sent - lying.keys())),
        ("lie in the mailbox more than once", sum(1 for times in lying.values() if times > 1)),
        ("in the mailbox have no record", len(lying.keys() - sent)),
    )
    return [f"{count} emails {what}." for what, count in wrong if count]


def _ledger_table(ledger: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """A row for what became of applications, a column for each channel by which any came."""
    channels = [*(one for one in ledger["channels"] if one["accepted"]), {**ledger["total"], "channel": "all"}]
    used = [*(name for name, count in _outcomes(ledger["total"]).items() if count), "accepted"]
    rows = [[_words(name), *(str(one[name] or "") for one in channels)] for name in used]
    return ["What became of them", *(_words(one["channel"]) for one in channels)], rows


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("Api", "API")


def _outcomes(line: dict[str, Any]) -> dict[str, int]:
    """What became of the applications of a line of the ledger."""
    return {name: line[name] for name in WHAT_BECAME}
