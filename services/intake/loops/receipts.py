"""Every half minute one replica says up to when every receipt is decided."""

from __future__ import annotations

from services.intake.use_cases.receipts import ReportReceipts
from shared.work import Loop


def receipt_loops(report: ReportReceipts, after: float) -> list[Loop]:
    """`after`: seconds an application may be open; the report comes more often where that is short."""
    interval = min(30.0, max(1.0, after / 2))
    return [Loop("receipts", report, interval, lease=max(10.0, 2 * interval))]
