"""`accede import`, `accede evidence`, `accede erase`, `accede inbound` and `accede status`: clients of the intake API."""

from __future__ import annotations

import typer

from services.intake.cli.erasure import erase
from services.intake.cli.evidence import evidence
from services.intake.cli.imports import import_file
from services.intake.cli.inbound import inbound
from services.intake.cli.ledger import status

app = typer.Typer()
app.command("evidence")(evidence)
app.command("import")(import_file)
app.command()(erase)
app.add_typer(inbound, name="inbound")
app.command()(status)
