"""The Alliance's year, as `make demo` tells it: pause on, intake, casework, new criteria simulated and activated, the pause
over, the campaign, those who apply again, admissions. The demo runs once, and every count is compared with what follows from
the reference table and from what the chapters say they do; nothing is asked of the demo itself."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.http import local_client
from deploy.local.ports import PORTS
from deploy.local.processes import CHECKOUT, inherited_environment
from deploy.local.state import Addresses, RunState
from deploy.samples import samples
from shared.web.auth import Role
from tests import running
from tests.e2e.test_two_replicas import reference

SHORT_FORMS, LEFT_THE_LIST = 6, 1
TRIED_AGAIN_EARLY = 1
"""The charity that is held once more on New Year's Eve and is eligible on New Year's Day; it is not invited."""
LETTERS_SENT = 4
"""Governments that were referred for want of their letter, send it in November, and are eligible."""
DECLINED = 2
ADMITTED_IN_NOVEMBER, ADMITTED_IN_JANUARY = 5, 10
APPLIED_AGAIN = 30
"""Of those who were invited: complete applications of kinds of which nothing is wanting, all of them eligible."""
BY_EMAIL = 1
HELD = ("technology_company", "civil_society_organisation", "financial_institution")


@dataclass(frozen=True)
class Year:
    """The end of the year: what the demo printed, and the system that it left running."""

    told: str
    addresses: Addresses

    def client(self, service: str, role: Role = "admin") -> httpx.Client:
        key = (Path(self.addresses.keys) / f"api-key-{role}").read_text()
        return local_client(
            base_url=getattr(self.addresses, service), headers={"Authorization": f"Bearer {key}"}, timeout=60
        )

    def get(self, service: str, path: str, **params: Any) -> Any:
        with self.client(service) as client:
            return running.ask(client.get, path, params=params)

    def every(self, service: str, path: str, what: str, cursor: str = "after") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = self.get(service, path, limit=200, **after)
            found += page[what]
            if not page["next"]:
                return found
            after = {cursor: page["next"]}


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    folder = tmp_path_factory.mktemp("year")
    data, log = folder / "stack", folder / "told.txt"
    env = {
        **inherited_environment("ACCEDE_"),
        **({PORTS: os.environ[PORTS]} if PORTS in os.environ else {}),  # it keeps off the ports of other workers
        **running.UNMEASURED,
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "demo", "--data", str(data)],
            stdout=output,
            stderr=output,
            env=env,
            cwd=CHECKOUT,
        )
    try:
        running.until(lambda: demo.poll() is not None or "Look around" in log.read_text(), "the year is told", 600)
        assert demo.poll() is None, log.read_text()
        addresses = RunState(data).addresses()
        assert addresses is not None
        yield Year(log.read_text(), addresses)
    finally:
        demo.terminate()
        assert demo.wait(60) is not None


def expected_states() -> Counter[str]:
    """What became of every application, by the reference table and the chapters."""
    states = Counter(row["outcome"] for row in reference().values())
    states.update(on_hold=TRIED_AGAIN_EARLY, eligible=TRIED_AGAIN_EARLY + APPLIED_AGAIN + LETTERS_SENT)
    states.subtract(Counter(referred=LETTERS_SENT + DECLINED, eligible=ADMITTED_IN_NOVEMBER + ADMITTED_IN_JANUARY))
    states.update(declined=DECLINED, admitted=ADMITTED_IN_NOVEMBER + ADMITTED_IN_JANUARY)
    return states


def expected_invitations() -> int:
    """Everyone whom the pause held and who wanted to be told, but the charity; and the short forms but the one that left."""
    held = {name for name, row in reference().items() if row["chapter"] == "1" and row["category"] in HELD}
    consenting = {each.id for each in samples(1, "") if each.submission["consent"]["register_interest"]}
    return len(held & consenting) - TRIED_AGAIN_EARLY + SHORT_FORMS - LEFT_THE_LIST


def expected_letters() -> Counter[str]:
    """How many emails of each kind there are."""
    first = Counter(row["outcome"] for row in reference().values())
    total = first.total() + 2 * TRIED_AGAIN_EARLY + APPLIED_AGAIN
    eligible = first["eligible"] + TRIED_AGAIN_EARLY + APPLIED_AGAIN + LETTERS_SENT
    return Counter(
        # an application by email is answered by a reply, and the charity is told once a day that it has arrived
        acknowledgement=total - BY_EMAIL - TRIED_AGAIN_EARLY,
        inbound_reply=BY_EMAIL,
        on_hold=first["on_hold"] + TRIED_AGAIN_EARLY,
        referred=first["referred"],
        not_eligible=first["not_eligible"],
        incomplete=first["incomplete"],
        eligible=eligible,
        nomination=2 * eligible,
        interest_registered=SHORT_FORMS,
        information_requested=LETTERS_SENT,
        declined=DECLINED,
        appeal_received=1,
        appeal_heard=1,
        invitation=expected_invitations(),
        admitted=ADMITTED_IN_NOVEMBER + ADMITTED_IN_JANUARY,
    )


def test_the_tables_it_prints_are_those_of_the_reference(year: Year) -> None:
    sums = [list(map(int, re.findall(r"\d+", line))) for line in year.told.splitlines() if line.startswith("All ")]
    for chapter in ("1", "2"):
        counts = Counter(row["outcome"] for row in reference().values() if row["chapter"] == chapter)
        order = ("eligible", "incomplete", "not_eligible", "referred", "on_hold")
        assert [counts[each] for each in order if counts[each]] + [counts.total()] in sums


def test_the_ledger_explains_every_application(year: Year) -> None:
    ledger = year.get("intake", "/v1/ledger")
    expected = expected_states()
    assert ledger["closes"]
    assert {state: ledger["total"][state] for state in expected} == dict(expected)
    assert ledger["total"]["accepted"] == expected.total()
    for line in ledger["channels"]:
        assert line["accepted"] == sum(line[state] for state in expected)


def test_every_email_there_has_to_be_is_in_the_mailbox_once_and_no_other(year: Year) -> None:
    records = year.every("notifications", "/v1/emails", "emails")
    sent = [each for each in records if each["state"] == "sent"]
    assert Counter(each["template"] for each in sent) == expected_letters()
    assert {each["state"] for each in records} <= {"sent", "superseded"}
    with local_client(base_url=year.addresses.mailbox, timeout=60) as client:
        lying = running.ask(client.get, "/api/messages", params={"limit": 5000})["messages"]
    assert sorted(each["message_id"] for each in lying) == sorted(each["message_id"] for each in sent)


def test_each_who_waited_is_invited_once_and_nobody_else(year: Year) -> None:
    (campaign,) = year.get("eligibility", "/v1/campaigns")["campaigns"]
    assert (campaign["state"], campaign["pause_id"]) == ("done", "review-2021")
    invited = year.every("eligibility", f"/v1/campaigns/{campaign['campaign_id']}/invitations", "invitations")
    with (CHECKOUT / "deploy/samples/data/interests.csv").open(encoding="utf-8", newline="") as file:
        forms = [row["name"] for row in csv.DictReader(file)]
    held = [each for each in samples(1, "") if each.submission["category"] in HELD]
    charity = next(
        each for each in held if (each.kind, each.submission["category"]) == ("fine", "civil_society_organisation")
    )
    waiting = {
        each.submission["organisation"]["name"] for each in held if each.submission["consent"]["register_interest"]
    }
    expected = waiting - {charity.submission["organisation"]["name"]} | set(forms[:-LEFT_THE_LIST])
    assert Counter(each["organisation"] for each in invited) == Counter(expected)
    assert len(expected) == expected_invitations()
    assert all(each["policy_hash"] != each["asked_policy_hash"] for each in invited)


def test_every_application_is_judged_by_the_policy_in_force_when_it_was_received(year: Year) -> None:
    """The old one until midnight in London, the new one from then on; also what is amended."""
    old, new = (each["hash"] for each in year.get("eligibility", "/v1/policies")["policies"])
    midnight = datetime(2022, 1, 1, tzinfo=UTC)
    for each in year.every("intake", "/v1/applications", "applications"):
        expected = new if datetime.fromisoformat(each["received_at"]) >= midnight else old
        assert each["decision"]["policy_hash"] == expected


def test_those_admitted_hold_seven_entitlements_and_the_portal_is_still_to_come(year: Year) -> None:
    admitted = [
        each for each in year.every("intake", "/v1/applications", "applications") if each["state"] == "admitted"
    ]
    for each in admitted:
        case = year.get("eligibility", f"/v1/cases/{each['application_id']}")
        assert len(case["entitlements"]) == 7
        assert sum(not one["available"] for one in case["entitlements"]) == 1


def test_the_record_says_who_did_what(year: Year) -> None:
    """Nobody admits alone, and whoever declined did not hear the appeal."""
    (action,) = (
        each
        for each in year.get("eligibility", "/v1/bulk-actions")["actions"]
        if each["kind"] == "admit" and len(each["cases"]) == ADMITTED_IN_JANUARY
    )
    assert (action["proposed_by"], action["answered_by"]) == ("local-decider", "local-admin")
    entries = year.every("eligibility", "/v1/audit", "entries", cursor="before")
    assert {each["by"] for each in entries} >= {"local-operator", "local-decider", "local-admin", "accede", "policy"}
