"""Every Prometheus metric Accede exports, declared once; dashboards and alarms rely on these names and labels.

Labels take few values: services, queues, event types, route templates. Never an id, a path or a person's data.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nothing reads

EVENTS_CONSUMED: Final = Counter(
    "accede_events_consumed_total",
    "Events taken from a queue, by what became of them (handled, dead).",
    ["service", "queue", "type", "result"],
)
EVENTS_PUBLISHED: Final = Counter(
    "accede_events_published_total", "Events the broker has confirmed.", ["service", "type"]
)
OUTBOX_SWEPT: Final = Counter(
    "accede_outbox_swept_total", "Events published by the sweeper because their publish lease ran out.", ["collection"]
)
DEAD_LETTERS: Final = Counter(
    "accede_dead_letters_total", "Events given up, by queue and by the error's type.", ["queue", "reason"]
)
DECISIONS: Final = Counter(
    "accede_decisions_total", "Revisions decided, by outcome; `superseded` when nobody is told.", ["outcome"]
)
SIMULATED: Final = Counter("accede_simulated_total", "Stored decisions that simulations have looked at.")
EMAILS: Final = Counter("accede_emails_total", "Emails that entered a state of the dispatcher.", ["state"])
LEDGER_GAP: Final = Gauge(
    "accede_ledger_gap",
    "Applications a channel accepted that the reconciler cannot account for; 0 is good.",
    ["channel"],
)
PARTNER_MESSAGES: Final = Counter(
    "accede_partner_messages_total", "Messages of partners that were settled (accepted, refused, poison).", ["result"]
)
PARTNER_REPLIES: Final = Counter(
    "accede_partner_replies_total",
    "Answers to partners (sent; dropped: the partner's reply queue is not there, or takes no more).",
    ["result"],
)
IMPORT_ROWS: Final = Counter("accede_import_rows_total", "Rows of imported files, by result.", ["result"])
HTTP_REQUESTS: Final = Counter(
    "accede_http_requests_total", "HTTP requests answered.", ["service", "method", "route", "status"]
)
HTTP_SECONDS: Final = Histogram(
    "accede_http_request_seconds",
    "Seconds from a request's first byte to the end of its answer.",
    ["service", "method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
