"""What a held applicant reads about what has changed since they applied."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.policies import KnownPolicy
from services.intake.domain.status import Status
from services.intake.domain.status_changes import accepted, with_decision
from services.intake.pages.changes_panel import ChangesPanel
from services.intake.use_cases.policies import Policies
from shared.policy.pack import Commitments, Policy, PolicyDocument
from shared.web.layout import pages
from tests.unit.intake.fakes import NOW, FakeClock, FakePolicies
from tests.unit.intake.samples import POLICY, application
from tests.unit.intake.test_pages import judged, words

DAY = timedelta(days=1)
SITE = pages("services.intake.pages")


def with_other_commitments(document: PolicyDocument) -> PolicyDocument:
    first, *others = document.commitments.items
    text = {**first.text, "en": first.text["en"] + " Always."}
    items = (first.model_copy(update={"text": text}), *others)
    changed = Commitments(statement=document.commitments.statement, items=items)
    return document.model_copy(update={"version_label": "new", "commitments": changed})


NEW = Policy.of(with_other_commitments(POLICY.document))


def panel(*activations: tuple[Policy, timedelta]) -> ChangesPanel:
    store = FakePolicies()
    for number, (policy, start) in enumerate(activations):
        known = KnownPolicy(policy.hash, NOW + start, policy.document, number)
        store.policies[known.id] = known
    return ChangesPanel(Policies(store, FakeClock()))


def held(locale: str = "en") -> Status:
    status = with_decision(accepted(application()), judged("on_hold"))
    return replace(status, locale=locale)


async def shown(panel: ChangesPanel, status: Status) -> Any:
    return await panel.show(status, "token", POLICY.document, status.locale)


async def test_a_held_applicant_is_told_what_changed_and_that_they_sign_anew() -> None:
    found = await shown(panel((POLICY, -9 * DAY), (NEW, -DAY)), held())
    html = SITE.environment.get_template("panel_changes.html").render(panel=found)
    text = words(f"<main>{html}")
    assert "The text of the commitments has changed" in text
    assert " Always." in text
    assert found["since"] == NOW - DAY


@pytest.mark.parametrize("locale", ["fr", "es", "ar"])
async def test_it_is_told_in_the_applicant_s_language(locale: str) -> None:
    found = await shown(panel((POLICY, -9 * DAY), (NEW, -DAY)), held(locale))
    html = SITE.environment.get_template("panel_changes.html").render(panel=found)
    direction = "rtl" if locale == "ar" else "ltr"
    assert f'lang="{locale}" dir="{direction}"' in html
    assert "commitments has changed" not in html


async def test_nothing_is_said_when_nothing_changed_or_it_is_only_to_come_or_was_rolled_back() -> None:
    for activations in (
        [(POLICY, -9 * DAY)],
        [(POLICY, -9 * DAY), (NEW, DAY)],
        [(POLICY, -9 * DAY), (NEW, -2 * DAY), (POLICY, -DAY)],
        [(NEW, -DAY)],
    ):
        assert await shown(panel(*activations), held()) is None


async def test_whoever_is_not_on_hold_is_not_told() -> None:
    status = with_decision(accepted(application()), judged("eligible"))
    assert await shown(panel((POLICY, -9 * DAY), (NEW, -DAY)), status) is None
