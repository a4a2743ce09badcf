"""Simulations as tables on a terminal."""

from __future__ import annotations

from typing import Any, Final

from shared.cli.client import Client
from shared.cli.output import show_json, show_table, show_text

SHOWN: Final = 20
"""Applications that are named; the others are exported."""


def show_simulation(client: Client, found: dict[str, Any], as_json: bool) -> None:
    """Show a simulation: how far it is, and what it found so far."""
    if as_json:
        show_json(found)
        return
    result, progress = found["result"], found["progress"]
    left = progress["seconds_left"]
    about = f", about {left:,.0f} s left" if left else ""
    show_text(
        f"{found['simulation_id']}: {found['state']}, {progress['seen']:,} of {progress['total']:,} decisions{about}. "
        f"Supposing {supposed_words(found['supposition'])}."
    )
    if found["fault"]:
        show_text(f"It failed: {found['fault']}")
    skipped = ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in result["skipped"].items() if count)
    show_text(
        f"{result['judged']:,} applications compared, {result['flipped']:,} would get another outcome"
        + (f"; left out: {skipped}." if skipped else ".")
    )
    moved = [
        [each["category"], each["old"], each["new"], each["count"]]
        for each in result["outcomes"]
        if each["old"] != each["new"]
    ]
    show_table("Other outcomes", ["Category", "Decided", "Would be", "Applications"], moved)
    turned = [
        [
            each["category"],
            each["criterion"] or each["because"],
            _asked(each, "old"),
            _asked(each, "new"),
            each["count"],
        ]
        for each in result["criteria"]
    ]
    show_table("What makes the difference", ["Category", "Criterion", "Decided", "Would be", "Applications"], turned)
    _show_flips(client, found["simulation_id"], result["flipped"])


def _show_flips(client: Client, simulation_id: str, flipped: int) -> None:
    if not flipped:
        return
    flips = client.get(f"/v1/simulations/{simulation_id}/flips", {"limit": SHOWN})["flips"]
    rows = [
        [each["application_id"], each["organisation"] or "(erased)", each["category"], each["old"], each["new"]]
        for each in flips
    ]
    show_table("Applications", ["Id", "Organisation", "Category", "Decided", "Would be"], rows)
    if flipped > len(flips):
        show_text(f"The first {len(flips)} of {flipped:,}; all: accede simulate export {simulation_id} FILE.csv")


def _asked(turned: dict[str, Any], side: str) -> str:
    return (turned[side] or "not asked") if turned["criterion"] else ""


def answer_words(answer: dict[str, Any] | None) -> str:
    """How a criterion is answered in one of the receipts."""
    return answer["answer"] if answer else "not asked"


def supposed_words(supposition: dict[str, Any]) -> str:
    """What is supposed, in a few words."""
    parts = [f"policy {supposition['policy_label'] or supposition['policy'][:12]}"] if supposition["policy"] else []
    if supposition["pauses"] == "none":
        parts.append("no pause")
    if pause := supposition["pause"]:
        parts.append(f"the pause {pause['pause_id']} from {pause['starts']} to {pause['until']}")
    return ", ".join(parts) or "nothing"
