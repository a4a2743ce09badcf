"""`accede case`: the applications that people work on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from shared.cli.client import client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

case = typer.Typer(name="case", help="Work on the applications that people look at.", no_args_is_help=True)
CaseId = Annotated[str, typer.Argument(help="The application's id.")]
Reason = Annotated[str, typer.Option(help="Why; the applicant reads it.")]
Version = Annotated[
    int | None, typer.Option(help="The version that you saw: if it is another by now, nothing is done.")
]
Revision = Annotated[int, typer.Option(help="The revision that you saw: if there is a newer one, nothing is done.")]


@case.callback()
def _case_group() -> None:
    """Work on the applications that people look at."""


@case.command("list")
def list_cases(
    state: Annotated[list[str] | None, typer.Option(help="open, waiting, admitted, declined, closed, erased.")] = None,
    outcome: Annotated[str | None, typer.Option(help="By the newest decision, such as referred.")] = None,
    category: Annotated[str | None, typer.Option(help="An id of the policy.")] = None,
    owner: Annotated[str | None, typer.Option(help="Those of one owner; '' for those nobody has taken.")] = None,
    flagged: Annotated[bool, typer.Option("--flagged", help="Only those with the due-diligence flag up.")] = False,
    appealed: Annotated[bool, typer.Option("--appealed", help="Only those with an appeal to hear.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only open ones whose day is over.")] = False,
    search: Annotated[str, typer.Option(help="Beginnings of words of the name, or of the reference.")] = "",
    every: Annotated[bool, typer.Option("--all", help="In every state; without, open and waiting ones.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    after: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    as_json: AsJson = False,
) -> None:
    """List cases, the ones due first first."""
    states = state or ([] if every else ["open", "waiting"])
    wanted: dict[str, Any] = {"state": states, "q": search, "limit": limit}
    wanted |= {"outcome": outcome, "category": category, "owner": owner, "after": after}
    wanted |= {name: "true" for name, on in (("flagged", flagged), ("appealed", appealed), ("overdue", overdue)) if on}
    with client_of("eligibility") as client:
        found = client.get("/v1/cases", params={name: value for name, value in wanted.items() if value is not None})
    if as_json:
        show_json(found)
        return
    rows = [
        [
            each["application_id"],
            each["state"],
            each["outcome"].replace("_", " "),
            f"{each['reply_by']}{' (overdue)' if each['overdue'] else ''}",
            each["owner"],
            each["organisation"],
            "flagged" if each["flagged"] else "",
        ]
        for each in found["cases"]
    ]
    show_table("Cases", ["Application", "State", "Outcome", "Reply by", "Owner", "Organisation", ""], rows)
    if found["next"]:
        show_text(f"{found['total']} in all. For more: --after {found['next']}")


@case.command()
def show(application_id: CaseId, as_json: AsJson = False) -> None:
    """Show one case: what it is about, what was decided, what was done, and what keeps it from admission."""
    with client_of("eligibility") as client:
        found = client.get(f"/v1/cases/{application_id}")
    if as_json:
        show_json(found)
        return
    show_text(_in_words(found))
    steps = [
        [each["number"], each["at"], each["what"].replace("_", " "), each["by"], each["old"], each["new"], each["text"]]
        for each in found["steps"]
    ]
    show_table("What was done about it", ["No.", "At", "What", "By", "Before", "After", "Words"], steps)
    people = [[each["label"], each["name"], each["email"], each["state"]] for each in found["nominations"]]
    show_table("Nominees", ["As", "Name", "Address", "Answer"], people)
    if found["entitlements"]:
        rows = [[each["text"], "yes" if each["available"] else "not yet"] for each in found["entitlements"]]
        show_table("What it may use", ["What", "Available"], rows)


@case.command()
def assign(
    application_id: CaseId,
    owner: Annotated[str, typer.Argument(help="Who works on it; '' is nobody.")],
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Say who works on a case."""
    _do(f"{application_id}/assignment", {"owner": owner, "version": version}, as_json)


@case.command("reply-by")
def reply_by(
    application_id: CaseId,
    day: Annotated[str, typer.Argument(help="The day, such as 2022-02-01.")],
    reason: Annotated[str, typer.Option(help="Why it is another day.")] = "",
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Set another day by which the applicant hears from us."""
    _do(f"{application_id}/reply-by", {"reply_by": day, "reason": reason, "version": version}, as_json)


@case.command()
def comment(
    application_id: CaseId,
    text: Annotated[str, typer.Argument(help="For the secretariat alone.")],
    as_json: AsJson = False,
) -> None:
    """Comment on a case."""
    _do(f"{application_id}/comments", {"text": text}, as_json)


@case.command()
def ask(
    application_id: CaseId,
    text: Annotated[str, typer.Argument(help="What the applicant reads; - reads it from standard input.")],
    question: Annotated[list[str] | None, typer.Option(help="The id of a question to answer anew.")] = None,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Ask the applicant for more information: an email and their page say what."""
    words = Path("/dev/stdin").read_text(encoding="utf-8") if text == "-" else text
    body = {"text": words, "questions": question or [], "version": version}
    _do(f"{application_id}/information-requests", body, as_json)


@case.command()
def flag(application_id: CaseId, reason: Reason, version: Version = None, as_json: AsJson = False) -> None:
    """Raise the due-diligence flag. For deciders."""
    _do(f"{application_id}/flag", {"reason": reason, "version": version}, as_json)


@case.command("clear-flag")
def clear_flag(application_id: CaseId, reason: Reason, version: Version = None, as_json: AsJson = False) -> None:
    """Clear the due-diligence flag. For deciders."""
    _do(f"{application_id}/flag/clearing", {"reason": reason, "version": version}, as_json)


@case.command("find-eligible")
def find_eligible(application_id: CaseId, revision: Revision, reason: Reason, as_json: AsJson = False) -> None:
    """Decide that a referred application meets the criteria; its nominees are asked then. For deciders."""
    _decide(application_id, "eligible", revision, reason, as_json)


@case.command()
def admit(
    application_id: CaseId,
    revision: Revision,
    reason: Annotated[str, typer.Option(help="A word of welcome, if you like.")] = "",
    as_json: AsJson = False,
) -> None:
    """Admit the organisation. For deciders."""
    _decide(application_id, "admitted", revision, reason, as_json)


@case.command()
def decline(application_id: CaseId, revision: Revision, reason: Reason, as_json: AsJson = False) -> None:
    """Decline the organisation. For deciders."""
    _decide(application_id, "declined", revision, reason, as_json)


def _decide(application_id: str, outcome: str, revision: int, reason: str, as_json: bool) -> None:
    _do(f"{application_id}/decision", {"outcome": outcome, "revision": revision, "reason": reason}, as_json)


def _do(path: str, body: dict[str, Any], as_json: bool) -> None:
    with client_of("eligibility") as client:
        found = client.post(f"/v1/cases/{path}", {name: value for name, value in body.items() if value is not None})
    if as_json:
        show_json(found)
        return
    show_text(_summary(found))


def _summary(found: dict[str, Any]) -> str:
    owner = found["owner"] or "nobody"
    flag_up = " The due-diligence flag is up." if found["flagged"] else ""
    return (
        f"{found['organisation']} ({found['country']}), reference {found['reference']}, revision {found['revision']}, "
        f"version {found['version']}\n"
        f"State: {found['state']}. Outcome: {found['outcome'].replace('_', ' ')}. Owner: {owner}. "
        f"Reply by: {found['reply_by']}{' (overdue)' if found['overdue'] else ''}.{flag_up}"
    )


def _in_words(found: dict[str, Any]) -> str:
    asked = f"\nThe applicant was asked: {found['asked']}" if found["asked"] else ""
    hindrance = f"\n{found['hindrance']}" if found["hindrance"] and found["state"] in ("open", "waiting") else ""
    return f"{_summary(found)}\nContact: {found['contact_name']} <{found['contact_email']}>{asked}{hindrance}\n"
