"""What to look at: one decision's receipt, one email, and the addresses of pages about one organisation."""

from datetime import datetime
from typing import Any

from deploy.local.demo.story import Story

MARKS = {"met": "✓", "not_met": "✗", "missing": "…", "needs_human": "?"}
SHOWN = ("incomplete", "not_eligible", "eligible")
"""The outcome whose receipt says most comes first."""


def around(story: Story) -> None:
    """Print a receipt, the email about it, and where to see both as pages."""
    story.printer.chapter("One of them, close up", "Why it was decided so, what the applicant was told, where to look.")
    application = _telling_one(story)
    application_id = application["application_id"]
    decisions = story.apis.decisions(application_id)
    email = _outcome_email(story, application_id)
    message = next(story.mailbox.messages(message_id=email["message_id"]))
    story.printer.card("Decision receipt", _receipt(decisions["decisions"][-1]))
    story.printer.card(f"Email: {message['subject']}", str(story.mailbox.message(message["id"])["text"]).strip())
    story.printer.step("Pages about it, each with the organisation, its outcome and why:")
    story.printer.addresses(
        [
            ("Applicant's status page", application["status_page"]),
            ("Decision receipt", decisions["receipt_page"]),
            ("Email as it was sent", email["page"]),
            ("Email in the mailbox", story.mailbox.page_of(message)),
        ]
    )


def _telling_one(story: Story) -> dict[str, Any]:
    applications = sorted(story.applications.values(), key=lambda one: _rank(one["state"], one["locale"]))
    return applications[0]


def _rank(state: str, locale: str) -> tuple[bool, int]:
    return locale != "en", SHOWN.index(state) if state in SHOWN else len(SHOWN)


def _outcome_email(story: Story, application_id: str) -> dict[str, Any]:
    return next(story.apis.emails(application_id=application_id, kind="outcome"))


def _receipt(decision: dict[str, Any]) -> str:
    outcome = decision["outcome"].replace("_", " ")
    received = datetime.fromisoformat(decision["received_at"])
    lines = [
        f"{decision['organisation']}: {outcome}",
        f"Received {received:%d %B %Y, %H:%M:%S} UTC; decided by policy {decision['policy_hash'][:12]}.",
        "",
    ]
    for line in decision["receipt"]:
        lines.append(f"{MARKS.get(line['answer'], '·')} {line['statement']}")
        if line["answer"] != "met":
            missing = "; ".join(one["label"] for one in line["missing"])
            lines.append(f"    {line['answer'].replace('_', ' ')}{': ' + missing if missing else ''}")
    return "\n".join(lines)
