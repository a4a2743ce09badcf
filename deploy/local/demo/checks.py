"""The end of the story: nothing lost, nobody forgotten, nothing sent twice."""

from collections import Counter

from deploy.local.demo.story import EMAILS_EACH, Story
from deploy.local.errors import StoryFailed


def everything_arrived(story: Story) -> None:
    """Check the ledger and every single email. Raises StoryFailed with everything that is wrong."""
    story.printer.chapter("Is it all there?", "The ledger counts every application, the mailbox every email.")
    faults = [*_ledger(story), *_emails(story)]
    if faults:
        raise StoryFailed("Not all is as it has to be:\n" + "\n".join(f"  {fault}" for fault in faults))
    emails = story.sent * EMAILS_EACH
    story.printer.done(f"The ledger closes: {story.sent} applications accepted, {story.sent} decided.")
    story.printer.done(f"The mailbox holds {emails} emails: two for each application, none twice.")


def _ledger(story: Story) -> list[str]:
    ledger = story.apis.ledger()
    faults = [] if ledger["closes"] else ["The reconciler's ledger does not close; see: accede status"]
    if ledger["total"]["accepted"] != story.sent:
        faults.append(f"{story.sent} applications were sent, and the ledger counts {ledger['total']['accepted']}.")
    return faults


def _emails(story: Story) -> list[str]:
    """Every expected email is a record that says `sent`, and lies in the mailbox once."""
    records = list(story.apis.emails())
    faults = [f"Email {one['email_id']} is {one['state']}." for one in records if one["state"] != "sent"]
    per_application = Counter(one["application_id"] for one in records)
    wrong = sum(1 for one in story.applications if per_application[one] != EMAILS_EACH)
    if wrong or len(per_application) != story.sent:
        faults.append(f"{wrong} applications have not {EMAILS_EACH} emails; {len(per_application)} have any.")
    lying = Counter(message["message_id"] for message in story.mailbox.messages())
    for what, count in (
        ("are not in the mailbox", sum(1 for one in records if not lying[one["message_id"]])),
        ("lie in the mailbox more than once", sum(1 for times in lying.values() if times > 1)),
        ("in the mailbox have no record", len(lying.keys() - {one["message_id"] for one in records})),
    ):
        if count:
            faults.append(f"{count} emails {what}.")
    return faults
