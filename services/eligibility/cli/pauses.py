"""`accede pause`: the pauses, and what was and is done to them.

Times are wall-clock times of the pause's time zone, such as 2022-01-01T00:00.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from services.eligibility.cli.pause_files import described
from shared.cli.client import client_of
from shared.cli.output import AsJson, show_json, show_table, show_text

pause = typer.Typer(name="pause", help="Start, change and lift pauses.", no_args_is_help=True)

PauseId = Annotated[str, typer.Argument(help="The pause's id, such as review-2021.")]
Why = Annotated[str, typer.Option(help="Why, for the record; the public does not see it.")]
Seen = Annotated[int | None, typer.Option("--version", help="The newest version you have seen; refused if it is not.")]
Until = Annotated[str, typer.Option(help="The end: the first moment after the pause.")]


@pause.callback()
def _group() -> None:
    """Start, change and lift pauses."""


@pause.command("list")
def list_pauses(as_json: AsJson = False) -> None:
    """List the pauses that are on now."""
    with client_of("eligibility") as client:
        found = client.get("/v1/pauses")
    if as_json:
        show_json(found)
        return
    rows = [
        [each["pause_id"], _covered(each), _listed(each["exempt"]), each["starts"], each["until"], each["timezone"]]
        for each in found["pauses"]
    ]
    headings = ["Id", "Covers", "Exempt", "From", "Until", "Time zone"]
    show_table("Pauses that are on", headings, rows, empty="Nothing is paused.")


@pause.command()
def history(as_json: AsJson = False) -> None:
    """List every version of every pause: who changed it, when, and why."""
    with client_of("eligibility") as client:
        found = client.get("/v1/pauses/versions")
    if as_json:
        show_json(found)
        return
    rows = [
        [
            f"{each['pause_id']} {each['version']}",
            each["what"],
            each["state"].replace("_", " "),
            each["effective_from"],
            f"{each['starts']} – {each['until']}",
            each["by"],
            each["why"],
        ]
        for each in found["pauses"]
    ]
    show_table("Versions of pauses", ["Version", "What", "State", "Counts from", "Holds", "By", "Why"], rows)


@pause.command()
def start(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="A JSON file with pause_id, covers, exempt, until, timezone, message, reason and, unless it starts at "
            "once, from; docs/operations.md has an example.",
        ),
    ],
    why: Why,
    as_json: AsJson = False,
) -> None:
    """Start a pause, at once or at its `from`."""
    body = {**described(file), "why": why}
    with client_of("eligibility") as client:
        _show(client.post("/v1/pauses", body), as_json)


@pause.command()
def change(
    pause_id: PauseId,
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="A JSON file with what is to be otherwise: covers, exempt, from, until, timezone, message, reason.",
        ),
    ],
    why: Why,
    version: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Change whom a pause holds, when, or what the public reads. What the file leaves out stays."""
    body = {**described(file), "why": why} | ({"version": version} if version is not None else {})
    with client_of("eligibility") as client:
        _show(client.patch(f"/v1/pauses/{pause_id}", body), as_json)


@pause.command()
def extend(pause_id: PauseId, until: Until, why: Why, version: Seen = None, as_json: AsJson = False) -> None:
    """Let a pause end later."""
    _change(pause_id, "extension", {"until": until, "why": why, "version": version}, as_json)


@pause.command()
def lift(
    pause_id: PauseId,
    why: Why,
    when: Annotated[str | None, typer.Option(help="At that time; without it, at once.")] = None,
    version: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Lift a pause, at once or at a time before its end."""
    _change(pause_id, "lifting", {"when": when, "why": why, "version": version}, as_json)


@pause.command()
def reinstate(pause_id: PauseId, until: Until, why: Why, version: Seen = None, as_json: AsJson = False) -> None:
    """Let a pause that is over hold again, at once."""
    _change(pause_id, "reinstatement", {"until": until, "why": why, "version": version}, as_json)


def _change(pause_id: str, what: str, body: dict[str, Any], as_json: bool) -> None:
    given = {name: value for name, value in body.items() if value is not None}
    with client_of("eligibility") as client:
        _show(client.post(f"/v1/pauses/{pause_id}/{what}", given), as_json)


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    exempt = f" except {_listed(found['exempt'])}" if found["exempt"] else ""
    show_text(
        f"{found['pause_id']}, version {found['version']}: holds {_covered(found)}{exempt} from {found['starts']} to "
        f"{found['until']} ({found['timezone']}). This counts from {found['effective_from']} on."
    )


def _covered(found: dict[str, Any]) -> str:
    return _listed(found["covers"]) or "every category"


def _listed(names: list[str]) -> str:
    return ", ".join(names)
