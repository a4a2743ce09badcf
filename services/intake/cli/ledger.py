"""`accede status`: the ledger."""

from __future__ import annotations

from typing import Any, Final

from rich.table import Table

from shared.cli.client import client_of
from shared.cli.output import AsJson, console, show_json, show_table

_STATES: Final = (
    "eligible",
    "incomplete",
    "not_eligible",
    "referred",
    "on_hold",
    "admitted",
    "declined",
    "withdrawn",
    "erased",
    "pending",
    "dead_lettered",
)
_EMAILS: Final = ("expected", "sent", "failed", "outstanding", "superseded")


def status(as_json: AsJson = False) -> None:
    """Show the ledger: what became of everything that came in, by channel."""
    with client_of("intake") as client:
        ledger = client.get("/v1/ledger")
    if as_json:
        show_json(ledger)
        return
    accounts = [*ledger["channels"], ledger["total"]]
    console().print(_ledger_table(accounts))
    emails = [[each["channel"], *(each["emails"][name] for name in _EMAILS)] for each in accounts]
    show_table("Emails", ["channel", *_EMAILS], emails)
    if ledger["closes"]:
        console().print("[green]The ledger closes:[/] everything that came in has come to its end.")
    else:
        console().print(f"[yellow]The ledger does not close yet:[/] {_open_points(ledger)}.")
    if failed := ledger["failed_imports"]:
        console().print(f"[red]{failed:,} imports failed on the way:[/] GET /v1/imports says which rows are left.")


def _ledger_table(accounts: list[dict[str, Any]]) -> Table:
    """Channels across, so that the sum can be read down: accepted is the sum of what stands below it."""
    table = Table(title="Ledger", title_justify="left")
    table.add_column("")
    for account in accounts:
        table.add_column(account["channel"], justify="right")
    for name in ("rows", "refused", "accepted", *_STATES, "gap"):
        style = (
            "bold"
            if name in ("rows", "accepted")
            else "red"
            if name == "gap" and any(a[name] for a in accounts)
            else ""
        )
        label = name.replace("_", " ") if name not in _STATES else f"  {name.replace('_', ' ')}"
        table.add_row(
            label, *(f"{account[name]:,}" for account in accounts), style=style, end_section=name == "dead_lettered"
        )
    return table


def _open_points(ledger: dict[str, Any]) -> str:
    total = ledger["total"]
    points = {
        "pending": total["pending"],
        "dead-lettered": total["dead_lettered"],
        "emails outstanding": total["emails"]["outstanding"],
        "unfinished imports": ledger["unfinished_imports"],
        "applications unaccounted for": total["gap"],
    }
    return ", ".join(f"{count:,} {name}" for name, count in points.items() if count) or "a channel does not add up"
