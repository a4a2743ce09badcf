"""`python -m bench`: file to mail accepted, ours and the peer's in turn, in one run; medians and their ratio."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.measured import Run, ours, peers
from deploy.local.servers import Servers
from deploy.samples import stream, write_csv
from shared.policy.loader import load_pack

console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=2000, help="applications in the file (default 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="times each is measured (default 3)")
    parser.add_argument("--only", choices=["ours", "peer"], help="measure one alone")
    parser.add_argument("--replicas", type=int, default=1, help="replicas of each of our services (default 1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="accede-bench-") as folder:
        data = Path(folder)
        path = data / "applications.csv"
        hash_signed = load_pack(Path("policies/weprotect")).document.commitments.hash
        write_csv(path, islice(stream(options.rows, hash_signed), options.rows))
        with console.status("Starting RabbitMQ and MongoDB …"):
            servers = Servers(data / "servers")
            servers.start()
        try:
            measure(options, servers, data, path)
        finally:
            servers.stop()


def measure(options: argparse.Namespace, servers: Servers, data: Path, path: Path) -> None:
    contenders: dict[str, Callable[[int], Run]] = {
        "ours": lambda turn: ours(servers, data / f"ours-{turn}", path, options.rows, options.replicas),
        "peer": lambda turn: peers(servers, data / f"peer-{turn}", path, options.rows),
    }
    rates: dict[str, list[float]] = {name: [] for name in contenders if options.only in (None, name)}
    for turn in range(1, options.rounds + 1):
        for name, samples in rates.items():
            with console.status(f"{name}, round {turn} of {options.rounds} …"):
                run = contenders[name](turn)
            samples.append(options.rows / run.seconds)
            console.print(
                f"{name}, round {turn}: {run.seconds:.2f} s, {samples[-1]:,.0f} applications/s, {run.mails} mails"
            )
    show(rates, options.rows)


def show(rates: dict[str, list[float]], rows: int) -> None:
    table = Table(title=f"From file to mail accepted: {rows:,} applications, {2 * rows:,} mails")
    table.add_column("")
    for heading in ("median, applications/s", "lowest", "highest"):
        table.add_column(heading, justify="right")
    for name, samples in rates.items():
        table.add_row(name, *(f"{value:,.0f}" for value in (statistics.median(samples), min(samples), max(samples))))
    console.print(table)
    if len(rates) == 2:
        ratio = statistics.median(rates["ours"]) / statistics.median(rates["peer"])
        console.print(f"ours / peer: {ratio:.1f} ×")
    console.print(
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
    console.print(
        "Everything on one machine: servers, services, mailbox. Persistent messages, confirms, majority, journal."
    )


if __name__ == "__main__":
    main()
