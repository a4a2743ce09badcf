"""The reconciler and the ledger's watch, in the background."""

from __future__ import annotations

from services.intake.use_cases.ledger import LedgerKeeper, Reconciler
from shared.work import Loop


def ledger_loops(reconciler: Reconciler, keeper: LedgerKeeper, after: float) -> list[Loop]:
    """`after`: seconds an application may be open. One replica at a time reconciles and watches; all flush counts."""
    interval = min(5.0, max(0.25, after / 10))
    return [
        Loop("reconcile", reconciler.round, interval, lease=max(10.0, 4 * interval)),
        Loop("ledger", keeper.watch, interval=min(30.0, max(1.0, after / 2)), lease=60.0),
        Loop("refusals", keeper.flush, interval=1.0),
    ]
