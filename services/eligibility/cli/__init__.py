"""The eligibility service's commands of `accede`. They read a pack folder or call the service's API."""

from __future__ import annotations

import typer

from services.eligibility.cli.accounts import accounts
from services.eligibility.cli.appeals import appeal
from services.eligibility.cli.audit import audit
from services.eligibility.cli.bulk import bulk
from services.eligibility.cli.campaigns import campaign
from services.eligibility.cli.cases import case
from services.eligibility.cli.liaison import liaison
from services.eligibility.cli.pauses import pause
from services.eligibility.cli.policies import policy
from services.eligibility.cli.simulations import simulate

app = typer.Typer()
for _group in (policy, pause, simulate, campaign, liaison, case, appeal, bulk, audit, accounts):
    app.add_typer(_group)
