"""Pauses are changed by people while the policy goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.eligibility.domain import pause_changes as rules
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.use_cases.pauses import Change, ChangePauses
from services.eligibility.use_cases.policies import Rules
from shared.errors import Refused
from shared.policy.loader import load_pack
from shared.policy.pack import Pause
from tests.unit.eligibility.fakes import NOW, FakeClock, FakePauses, FakePolicies
from tests.unit.eligibility.making import pause, version
from tests.unit.eligibility.test_prompt_changes import ADA
from tests.unit.policy.packs import small_pack

DAY = timedelta(days=1)


def changing(folder: Path, held: Pause) -> ChangePauses:
    """The desk of an installation whose policy knows one category, `club`."""
    pauses = FakePauses([PauseVersion(1, NOW - 9 * DAY, held)])
    return ChangePauses(pauses, Rules(FakePolicies([version(load_pack(small_pack(folder)))]), pauses), FakeClock())


def changed(**fields: Any) -> Change:
    return lambda newest: lambda at: rules.changed(newest, fields, at, ADA)


async def test_a_pause_of_a_category_that_the_policy_has_no_more_is_lifted_and_extended_all_the_same(
    tmp_path: Path,
) -> None:
    """It was renamed while the pause was on: whoever wants to lift it now is not kept from it."""
    held = pause(start=NOW - DAY, until=NOW + 9 * DAY, covers=("club", "guild"), exempt=("order",))
    desk = changing(tmp_path, held)

    def longer(newest: PauseVersion) -> Any:
        return lambda at: rules.extended(newest, held.until + DAY, at, ADA)

    def lifted(newest: PauseVersion) -> Any:
        def lift(at: datetime) -> PauseVersion:
            return rules.lifted(newest, None, at, ADA)

        return lift

    assert (await desk.change(held.id, longer, None)).pause.until == held.until + DAY
    with pytest.raises(Refused) as error:
        await desk.change(held.id, changed(exempt=("order", "moon")), None)
    assert [each.pointer for each in error.value.errors] == ["/covers/1", "/exempt/0", "/exempt/1"]
    assert (await desk.change(held.id, changed(covers=("club",), exempt=()), None)).pause.covers == ("club",)
    ended = (await desk.change(held.id, lifted, None)).pause
    assert ended.until < held.until
