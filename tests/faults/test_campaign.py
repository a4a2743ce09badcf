"""The lift campaign over 2,000 interests: two replicas killed five times each, halted once by the pause that comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import uuid4

from bench.campaign import Scenario
from deploy.local.stack import External, Stack
from tests import running
from tests.servers import Servers

INTERESTS: Final = 2_000
REPLICAS: Final = {"intake": 1, "eligibility": 2, "notifications": 1}


def test_each_live_interest_is_invited_once_whatever_happens_meanwhile(servers: Servers, tmp_path: Path) -> None:
    with Stack(
        tmp_path,
        replicas=REPLICAS,
        external=External(servers.rabbitmq_url, servers.mongo_url),
        namespace=f"c{uuid4().hex[:8]}",
        extra_env={**running.QUICK, **running.UNMEASURED},
    ) as stack:
        running.set_clock(stack, running.DURING_THE_PAUSE)
        found = Scenario(stack, INTERESTS, running.until).run()
    assert found.invitations == found.live == found.dry_run == INTERESTS - 30
    assert 0 < found.before_halt < found.live
    assert found.killed == 10
