"""What to look at: one decision's receipt, one email, and the addresses of pages about one organisation."""

import html
from datetime import datetime
from textwrap import fill
from typing import Any

import httpx

from deploy.local.demo.story import Story
from deploy.local.errors import StoryFailed

WIDTH = 76
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
    pages = [
        ("Applicant's status page", application["status_page"]),
        ("Decision receipt", decisions["receipt_page"]),
        ("Email as it was sent", email["page"]),
        ("Email in the mailbox", story.mailbox.page_of(message)),
    ]
    for what, address in pages:
        _require_page(what, address, application["organisation_name"])
    story.printer.hint("  Pages about it; each names the organisation, its outcome and why:")
    story.printer.addresses(pages)


def _require_page(what: str, address: str, organisation: str) -> None:
    """Anybody with the address sees the page, and it names the organisation; else raises StoryFailed."""
    answer = httpx.get(address, timeout=30, trust_env=False)
    if not answer.is_success or organisation not in html.unescape(answer.text):
        raise StoryFailed(f"{what}: {address} answers {answer.status_code} and does not name {organisation}.")


def _telling_one(story: Story) -> dict[str, Any]:
    newest_first = sorted(story.applications.values(), key=lambda one: str(one["received_at"]), reverse=True)
    return min(newest_first, key=lambda one: _rank(one["state"], one["locale"]))


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
        missing = "; ".join(one["label"] for one in line["missing"])
        answer = "" if line["answer"] == "met" else f" [{line['answer'].replace('_', ' ')}]"
        lines.append(
            fill(f"{MARKS.get(line['answer'], '·')} {line['statement']}{answer}", WIDTH, subsequent_indent="  ")
        )
        if missing:
            lines.append(fill(missing, WIDTH, initial_indent="    ", subsequent_indent="    "))
    return "\n".join(lines)
