"""What the audit says of each kind of fact: what was done, and what is otherwise since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from services.eligibility.domain.accounts import Account
from services.eligibility.domain.accounts import what_changed as what_changed_of_account
from services.eligibility.domain.audit import Entry, Place, Values, differing, stamp
from services.eligibility.domain.bulk import Action, Ending
from services.eligibility.domain.campaigns import Campaign
from services.eligibility.domain.cases import DECIDES, Deed, Step
from services.eligibility.domain.drafts import DraftHeading
from services.eligibility.domain.liaison import LiaisonRequest
from services.eligibility.domain.pause_changes import what_changed
from services.eligibility.domain.pauses import PauseVersion
from services.eligibility.domain.policies import Activation
from services.eligibility.domain.simulations import Simulation
from shared.events import DeedRecorded

_CHANGED: Final[Mapping[Deed, str]] = {
    "assigned": "owner",
    "reply_by_set": "reply_by",
    "flagged": "due_diligence",
    "cleared": "due_diligence",
    **dict.fromkeys(DECIDES, "outcome"),
}
"""The step of a case → what is otherwise since."""


def of_pauses(versions: Iterable[tuple[PauseVersion, datetime]]) -> Iterator[Entry]:
    """The changes of pauses; each version comes with the time at which it was made."""
    before: dict[str, PauseVersion] = {}
    for version, at in sorted(versions, key=lambda each: (each[0].pause_id, each[0].version)):
        earlier = before.get(version.pause_id)
        old, new = differing(_pause_values(earlier) if earlier else {}, _pause_values(version))
        place = Place(at, "pause", f"{version.pause_id}:{version.version:06}")
        what = what_changed(earlier, version)
        yield Entry(place, version.pause_id, what, version.by, old, new, version.why)
        before[version.pause_id] = version


def of_liaison(request: LiaisonRequest) -> Iterator[Entry]:
    """What was done about a request. Who received an owner or a day stays when its sender has it erased; notes do not."""
    for index, each in enumerate(request.history):
        place = Place(each.at, "liaison_request", f"{request.request_id}:{index:06}")
        name = {"assigned": "owner", "reply_by_changed": "reply_by"}.get(each.what)
        old = {name: each.old or None} if name else {}
        new = {name or "note": each.detail} if each.detail else {}
        yield Entry(place, request.request_id, each.what, each.by, old, new, each.why)


def of_step(step: Step) -> Entry:
    """A step of a case. What people wrote goes with an erasure."""
    place = Place(step.at, "case", step.step_id)
    old: Values = {}
    new: Values = {}
    if name := _CHANGED.get(step.what):
        old, new = {name: step.old or None}, {name: step.new or None}
    elif step.what == "information_requested":
        new = {"questions": list(step.questions)} if step.questions else {}
    elif step.what == "amended":
        new = {"revision": step.revision}
    if step.action_id:
        new = {**new, "bulk_action": step.action_id, "proposed_by": step.proposed_by}
    return Entry(place, step.application_id, step.what, step.by, old, new, step.text)


def of_action(action: Action) -> Entry:
    """A bulk action that was proposed."""
    place = Place(action.at, "bulk_action", f"{action.action_id}:1")
    new: Values = {"deed": action.kind, "cases": len(action.doable)}
    if action.owner:
        new = {**new, "owner": action.owner}
    if action.matching:
        new = {**new, "matching": action.matching}
    return Entry(place, action.action_id, "proposed", action.by.name, {}, new, action.text)


def of_ending(ending: Ending) -> Entry:
    """A bulk action that was confirmed or dropped."""
    place = Place(ending.at, "bulk_action", f"{ending.action_id}:2")
    return Entry(place, ending.action_id, ending.answer, ending.by.name, {}, {})


def of_activations(activations: Iterable[Activation]) -> Iterator[Entry]:
    """Activations of policies; `old` is the one that was to be in force at that instant before."""
    known: list[Activation] = []
    for each in sorted(activations, key=lambda one: (one.number, one.stored_at, one.policy_hash)):
        at = each.effective_from
        before = max((one for one in known if one.effective_from <= at), key=lambda one: one.rank, default=None)
        old = {"policy": before.policy_hash} if before else {}
        new = {"policy": each.policy_hash, "effective_from": stamp(at)}
        place = Place(each.stored_at, "policy", each.id)
        yield Entry(place, each.policy_hash, "activated", each.by, old, new, each.why)
        known.append(each)


def of_draft(draft: DraftHeading) -> Entry:
    """A draft of a policy that was handed in."""
    new: Values = {"policy": draft.policy_hash, "version_label": draft.version_label, "mistakes": draft.mistakes}
    return Entry(Place(draft.stored_at, "policy_draft", draft.id), draft.id, "drafted", draft.by, {}, new, draft.note)


def of_campaign(campaign: Campaign) -> Iterator[Entry]:
    """The steps of a campaign."""
    state, pace = "draft", campaign.pace
    pace = next((each.pace for each in campaign.steps if each.pace is not None), pace)
    for index, step in enumerate(campaign.steps):
        after = Campaign(
            campaign.campaign_id,
            campaign.pause,
            campaign.pause_version,
            campaign.lifted_at,
            campaign.opened_at,
            campaign.steps[: index + 1],
        )
        old, new = differing(
            {"state": state, "per_minute": pace.per_minute, "wave": pace.wave},
            {"state": after.state, "per_minute": after.pace.per_minute, "wave": after.pace.wave},
        )
        place = Place(step.at, "campaign", f"{campaign.campaign_id}:{step.number:06}")
        yield Entry(place, campaign.campaign_id, step.what, step.by, old, new, step.why)
        state, pace = after.state, after.pace


def of_accounts(versions: Iterable[Account]) -> Iterator[Entry]:
    """The changes of accounts. Of a password only that it was set."""
    before: dict[str, Account] = {}
    for account in sorted(versions, key=lambda each: (each.name, each.version)):
        earlier = before.get(account.name)
        old, new = differing(_account_values(earlier) if earlier else {}, _account_values(account))
        place = Place(account.at, "account", f"{account.name}:{account.version:06}")
        what = what_changed_of_account(earlier, account)
        yield Entry(place, account.name, what, account.by, old, new, account.why)
        before[account.name] = account


def of_simulation(simulation: Simulation) -> Entry:
    """A simulation that was asked for. It changes nothing."""
    place = Place(simulation.asked_at, "simulation", simulation.simulation_id)
    return Entry(place, simulation.simulation_id, "asked", simulation.by, {}, {}, simulation.note)


def of_deed(deed: DeedRecorded) -> Entry:
    """Something that was done here or in another service."""
    place = Place(deed.at, deed.about, deed.deed_id)
    return Entry(place, deed.subject_id, deed.what, deed.by, deed.old, deed.new)


def _account_values(account: Account) -> Values:
    return {"full_name": account.full_name, "role": account.role, "active": account.active}


def _pause_values(version: PauseVersion) -> Values:
    pause = version.pause
    return {
        "covers": list(pause.covers),
        "exempt": list(pause.exempt),
        "from": stamp(pause.from_),
        "until": stamp(pause.until),
        "timezone": pause.timezone,
        "message": pause.message,
        "reason": pause.reason,
    }
