"""`accede simulate`: what other rules would make of what was decided. No application is touched by it."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.eligibility.cli.pause_files import described
from services.eligibility.cli.policies import named
from services.eligibility.cli.simulation_tables import answer_words, show_simulation, supposed_words
from shared.cli.client import CommandFailed, client_of
from shared.cli.output import AsJson, show_json, show_table, show_text
from shared.policy.loader import PackInvalid, load_pack

simulate = typer.Typer(name="simulate", help="Judge what was decided by other rules.", no_args_is_help=True)

SimulationId = Annotated[str, typer.Argument(help="The simulation's id.")]
Categories = Annotated[list[str] | None, typer.Option("--category", help="Only these; give it once for each.")]
Outcomes = Annotated[list[str] | None, typer.Option("--outcome", help="Only those that were decided so.")]
Channels = Annotated[list[str] | None, typer.Option("--channel", help="Only those that came this way.")]
After = Annotated[str | None, typer.Option("--from", help="Only those received from then on: 2021-07-01T00:00Z.")]
Before = Annotated[str | None, typer.Option("--until", help="Only those received before then.")]
Note = Annotated[str, typer.Option(help="What it is for.")]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait for the end, and show what was found. Status 1 if it fails.")
]
POLL: Final = 0.5
"""Seconds between two looks at a simulation that is waited for."""


@simulate.callback()
def _group() -> None:
    """Judge what was decided by other rules."""


@simulate.command("policy")
def simulate_policy(
    policy: Annotated[
        str,
        typer.Argument(help="A draft's id or a version's hash, or their beginning; or the folder of a pack."),
    ],
    without_pauses: Annotated[bool, typer.Option("--without-pauses", help="As if nothing had been paused.")] = False,
    category: Categories = None,
    outcome: Outcomes = None,
    channel: Channels = None,
    since: After = None,
    until: Before = None,
    note: Note = "",
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Suppose another policy: who would get another outcome?"""
    supposed: dict[str, Any] = {"pauses": "none" if without_pauses else "as_they_were"}
    folder = Path(policy)
    if folder.is_dir():
        supposed["document"] = _document(folder)
    else:
        with client_of("eligibility") as client:
            supposed["policy"] = named(client, policy)
    _ask({**supposed, "selection": _selection(category, outcome, channel, since, until), "note": note}, wait, as_json)


@simulate.command("pause")
def simulate_pause(
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="A JSON file with from, until, timezone, covers, exempt and, to stand for a known pause, its pause_id. "
            "Without it: as if nothing had been paused.",
        ),
    ] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Instead of all pauses there were, not beside them.")] = False,
    category: Categories = None,
    outcome: Outcomes = None,
    channel: Channels = None,
    since: After = None,
    until: Before = None,
    note: Note = "",
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Suppose another pause, or none: who would be held, and who would not?"""
    supposed: dict[str, Any] = {"pauses": "none" if alone or file is None else "as_they_were"}
    if file is not None:
        supposed["pause"] = described(file)
    _ask({**supposed, "selection": _selection(category, outcome, channel, since, until), "note": note}, wait, as_json)


@simulate.command("list")
def list_simulations(as_json: AsJson = False) -> None:
    """List the newest simulations."""
    with client_of("eligibility") as client:
        found = client.get("/v1/simulations")
    if as_json:
        show_json(found)
        return
    rows = [
        [
            each["simulation_id"],
            each["state"],
            each["asked_at"],
            each["by"],
            supposed_words(each["supposition"]),
            each["result"]["judged"],
            each["result"]["flipped"],
            each["note"],
        ]
        for each in found["simulations"]
    ]
    show_table("Simulations", ["Id", "State", "Asked", "By", "Supposing", "Compared", "Would flip", "For"], rows)


@simulate.command()
def show(simulation_id: SimulationId, as_json: AsJson = False) -> None:
    """Show how far a simulation is, and what it found so far."""
    with client_of("eligibility") as client:
        show_simulation(client, client.get(f"/v1/simulations/{simulation_id}"), as_json)


@simulate.command()
def case(
    simulation_id: SimulationId,
    application_id: Annotated[str, typer.Argument(help="The application's id.")],
    as_json: AsJson = False,
) -> None:
    """Show both receipts of an application, side by side."""
    with client_of("eligibility") as client:
        found = client.get(f"/v1/simulations/{simulation_id}/cases/{application_id}")
    if as_json:
        show_json(found)
        return
    new = found["new"]
    would_be = f"{new['outcome']} by {new['policy_label']}" if new else f"cannot be judged: {found['fault']}"
    show_text(f"{found['organisation']} ({found['category']}), revision {found['revision']}")
    show_text(f"Decided: {found['old']['outcome']} by {found['old']['policy_label']}. Would be: {would_be}.")
    rows = [
        ["≠" if row["differs"] else "", row["criterion"], answer_words(row["old"]), answer_words(row["new"])]
        for row in found["receipt"]
    ]
    show_table("Receipts", ["", "Criterion", "Decided", "Would be"], rows, empty="A pause holds it: no answers.")


@simulate.command()
def export(
    simulation_id: SimulationId,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="What to write: a name that ends in .csv or .jsonl.")],
    as_json: AsJson = False,
) -> None:
    """Write all applications that would get another outcome into a file."""
    ending = file.suffix.removeprefix(".")
    if ending not in ("csv", "jsonl"):
        raise CommandFailed(f"{file} must end in .csv or .jsonl: that says how it is written.")
    with client_of("eligibility") as client:
        pieces = client.stream(f"/v1/simulations/{simulation_id}/flips.{ending}")
        first = next(pieces, b"")  # a refusal must not cost what stands in the file
        with file.open("wb") as into:
            into.write(first)
            into.writelines(pieces)
    if as_json:
        show_json({"simulation_id": simulation_id, "file": str(file), "bytes": file.stat().st_size})
        return
    show_text(f"Written: {file}")


@simulate.command()
def stop(simulation_id: SimulationId, as_json: AsJson = False) -> None:
    """Stop a simulation; what it found stays."""
    with client_of("eligibility") as client:
        show_simulation(client, client.post(f"/v1/simulations/{simulation_id}/stop"), as_json)


@simulate.command()
def delete(simulation_id: SimulationId, as_json: AsJson = False) -> None:
    """Remove a simulation that has ended, and what it found."""
    with client_of("eligibility") as client:
        client.delete(f"/v1/simulations/{simulation_id}")
    if as_json:
        show_json({"simulation_id": simulation_id, "removed": True})
        return
    show_text("Removed.")


def _ask(body: dict[str, Any], wait: bool, as_json: bool) -> None:
    with client_of("eligibility") as client:
        found = client.post("/v1/simulations", body)
        while wait and found["state"] in ("waiting", "running"):
            time.sleep(POLL)
            found = client.get(f"/v1/simulations/{found['simulation_id']}")
        show_simulation(client, found, as_json)
    if wait and found["state"] != "done":  # it failed, or somebody stopped it: what is shown is not the whole
        raise typer.Exit(1)


def _document(folder: Path) -> dict[str, Any]:
    try:
        return load_pack(folder).document.model_dump(mode="json")
    except PackInvalid as invalid:
        mistakes = "\n".join(f"  {folder / each.file}:{each.line}: {each.message}" for each in invalid.errors)
        raise CommandFailed(f"The pack {folder} has mistakes:\n{mistakes}") from None


def _selection(
    categories: list[str] | None,
    outcomes: list[str] | None,
    channels: list[str] | None,
    since: str | None,
    until: str | None,
) -> dict[str, Any]:
    given = {
        "categories": categories or [],
        "outcomes": outcomes or [],
        "channels": channels or [],
        "received_from": _instant(since),
        "received_until": _instant(until),
    }
    return {name: value for name, value in given.items() if value}


def _instant(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise CommandFailed(f"{text!r} is no time: write it as 2021-10-04T09:00:00Z.") from None
    if instant.tzinfo is None:
        raise CommandFailed(f"{text!r} has no offset from UTC: add Z, or one like +01:00.")
    return instant.isoformat()
