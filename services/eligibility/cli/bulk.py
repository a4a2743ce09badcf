"""`accede bulk`: one deed for many cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from shared.cli.client import CommandFailed, client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

bulk = typer.Typer(name="bulk", help="Do one thing about many cases: propose it, look, confirm.", no_args_is_help=True)
_YES_NO = ("flagged", "appealed", "overdue")
ActionId = Annotated[str, typer.Argument(help="The action's id.")]


@bulk.callback()
def _group() -> None:
    """Do one thing about many cases: propose it, look, confirm."""


@bulk.command()
def propose(
    kind: Annotated[str, typer.Argument(help="assign, request_information, decline or admit.")],
    cases: Annotated[list[str] | None, typer.Argument(help="Ids of applications.")] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file with an id on each line, beside those.")
    ] = None,
    owner: Annotated[str, typer.Option(help="assign: to whom.")] = "",
    text: Annotated[str, typer.Option(help="What is asked for, or why it is declined; applicants read it.")] = "",
    question: Annotated[list[str] | None, typer.Option(help="A question to be answered anew.")] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            help="Instead of ids: all cases that match, as state=open, outcome, category, owner (empty: nobody's), "
            "flagged=yes, appealed=yes, overdue=yes, q=words of the name. Several of them: all hold."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose a deed and see what it would do. Nothing is done until it is confirmed."""
    lines = file.read_text(encoding="utf-8").split() if file else []
    ids = [*(cases or []), *lines]
    if bool(ids) == bool(match):
        raise CommandFailed("Name the cases: ids of applications, or --file; or what all of them --match.")
    body: dict[str, Any] = {"kind": kind, "owner": owner, "text": text, "questions": question or []}
    body |= {"matching": _matching(match)} if match else {"cases": ids}
    with client_of("eligibility") as client:
        _show(client.post("/v1/bulk-actions", body), as_json)


@bulk.command("list")
def list_actions(
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 20, as_json: AsJson = False
) -> None:
    """List bulk actions, the newest first."""
    with client_of("eligibility") as client:
        found = client.get("/v1/bulk-actions", params={"limit": limit})
    if as_json:
        show_json(found)
        return
    rows = [
        [
            each["action_id"],
            each["kind"].replace("_", " "),
            each["state"],
            each["proposed_by"],
            each["answered_by"],
            sum(case["will_be_done"] for case in each["cases"]),
            sum(bool(case["done"]) for case in each["cases"]),
        ]
        for each in found["actions"]
    ]
    show_table("Bulk actions", ["Id", "Deed", "State", "Proposed by", "Answered by", "Cases", "Done"], rows)


@bulk.command()
def show(action_id: ActionId, as_json: AsJson = False) -> None:
    """Show one action: the preview, and what came of it."""
    with client_of("eligibility") as client:
        _show(client.get(f"/v1/bulk-actions/{action_id}"), as_json)


@bulk.command()
def confirm(action_id: ActionId, as_json: AsJson = False) -> None:
    """Do what was proposed. What admits, somebody of another role than the proposer's confirms."""
    with client_of("eligibility") as client:
        _show(client.post(f"/v1/bulk-actions/{action_id}/confirmation", {}), as_json)


@bulk.command()
def drop(action_id: ActionId, as_json: AsJson = False) -> None:
    """Do not do what was proposed."""
    with client_of("eligibility") as client:
        _show(client.post(f"/v1/bulk-actions/{action_id}/dropping", {}), as_json)


def _matching(pairs: list[str]) -> dict[str, Any]:
    """What is asked of the queue. Raises CommandFailed."""
    wanted: dict[str, Any] = {}
    for name, equals, value in (each.partition("=") for each in pairs):
        if not equals or (name in _YES_NO and value not in ("yes", "no")):
            raise CommandFailed(f"'{name}{equals}{value}' says nothing to match: state=open, flagged=yes, q=children.")
        if name == "state":
            wanted.setdefault(name, []).append(value)
        else:
            wanted[name] = value == "yes" if name in _YES_NO else value
    return wanted


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    doable = sum(each["will_be_done"] for each in found["cases"])
    done = sum(bool(each["done"]) for each in found["cases"])
    answered = f" Answered by {found['answered_by']}." if found["answered_by"] else ""
    show_text(
        f"{found['action_id']}: {found['kind'].replace('_', ' ')}, {found['state']}. Proposed by {found['proposed_by']} "
        f"({found['proposed_role']}){_asked(found)}.{answered}"
    )
    show_text(f"Can be done about {doable} of {len(found['cases'])} cases; done: {done}.")
    rows = [[each["application_id"], _word(each), each["why"] or each["why_not_done"]] for each in found["cases"]]
    show_table("Cases", ["Application", "Becomes of it", "Why not"], rows)


def _asked(found: dict[str, Any]) -> str:
    """What the cases matched when it was proposed."""
    pairs = ", ".join(f"{name}={value}" for name, value in found["matching"].items())
    return f" for all that matched {pairs}" if pairs else ""


def _word(case: dict[str, Any]) -> str:
    if not case["will_be_done"]:
        return "left out"
    return {None: "will be done", True: "done", False: "not done"}[case["done"]]
