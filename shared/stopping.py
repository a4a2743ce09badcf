"""Named stopping points between each write, publish and ack.

A test starts a service with `ACCEDE_STOP_AT=<point>` (or `<point>#3` for the third time it is reached): the process then
kills itself there with SIGKILL, as a power cut would, and the test shows that a restart brings the same end state.
Without the variable a point costs one comparison.
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum


class Point(StrEnum):
    """Where a service can be stopped. The order within a group is the order in which work passes them."""

    FACT_WRITTEN = "fact-written"  # a fact is stored with its outbox mark; its event is not published
    FACT_PUBLISHED = "fact-published"  # its event is confirmed by the broker; the mark is still there
    FACT_MARKED = "fact-marked"  # the mark is gone
    MESSAGE_SETTLED = "message-settled"  # a consumed message is handled; not acknowledged
    MESSAGE_ACKED = "message-acked"
    REQUEST_ANSWERED = "request-answered"  # a partner has the answer to a message; it is not acknowledged
    IMPORT_STORED = "import-stored"  # the file is in the database; the import is not
    IMPORT_COMMITTED = "import-committed"  # the import has its receipt time; no row is taken in yet
    IMPORT_CHUNK_WRITTEN = "import-chunk-written"  # rows are stored; progress is not
    IMPORT_ROWS_WITHDRAWN = "import-rows-withdrawn"  # rows of an import being undone are withdrawn; progress is not
    INBOUND_STORED = "inbound-stored"  # a message is in the database; its mail server does not know
    INBOUND_TAKEN = "inbound-taken"  # its applications are taken in; what is said of it is not stored
    ERASURE_BEGUN = "erasure-begun"  # it is known that an application is erased; nothing of it is erased yet
    SIMULATION_CHUNK_WRITTEN = "simulation-chunk-written"  # so much is compared and stored; the rest is not
    CAMPAIGN_WAVE_BEGUN = "campaign-wave-begun"  # a wave is taken; nobody is invited
    CAMPAIGN_INVITED = "campaign-invited"  # invitations are stored and published; their interests do not know
    EMAIL_CLAIMED = "email-claimed"  # emails are leased; nothing is sent
    EMAIL_SENDING = "email-sending"  # emails are marked as being sent; nothing is sent
    EMAIL_ACCEPTED = "email-accepted"  # the SMTP server has them; the database does not know


_wanted, _, _count = os.environ.get("ACCEDE_STOP_AT", "").partition("#")
_left = int(_count or 1)
if _wanted and _wanted not in set(Point):
    raise ValueError(f"ACCEDE_STOP_AT names no stopping point: choose one of {', '.join(Point)}")


def reached(point: Point) -> None:
    """Die here, if this is the point (and the time it is reached) that the environment names."""
    global _left
    if point != _wanted:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
