"""What people decide: the secretariat works the referred cases in November, and admits members in January."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from deploy.local.demo.story import NOMINATION, NOMINEES, Story
from deploy.local.demo.waiting import until
from deploy.local.errors import StoryFailed
from deploy.local.http import local_client
from deploy.samples.facts import CIVIL_SOCIETY, STATE
from shared.web.auth import Role

NOVEMBER = datetime(2021, 11, 15, 9, tzinfo=UTC)
LATER_IN_NOVEMBER = datetime(2021, 11, 26, 9, tzinfo=UTC)
LATE_JANUARY = datetime(2022, 1, 24, 9, tzinfo=UTC)
ADMITTED_FIRST = 5
"""Governments that are admitted in November: the pause does not hold them."""
ADMITTED_AFTER = 10
"""Organisations that are admitted in January, of those that had to wait."""
OWNER = "local-operator"
SEE_OTHER = 303
LETTER = "Letter of the Minister for Foreign Affairs, no. 2021/1182"


def november(story: Story) -> None:
    """Referred cases are shared out, asked about and declined; an appeal is heard; the first members are admitted."""
    story.printer.chapter(
        "November 2021: what people decide",
        "The pause does not hold governments and international organisations. What\n"
        "no rule may decide about them has become a queue of cases.",
    )
    story.at(NOVEMBER)
    referred = [one for one in story.applications.values() if one["state"] == "referred"]
    _together(story, "assign", referred, "operator", "operator", owner=OWNER)
    story.printer.step(f"{len(referred)} referred cases are assigned, after a look at the preview.")
    _ask_for_letters(story)
    _decline_and_appeal(story)
    _admit_governments(story)


def late_january(story: Story) -> None:
    """The first of those who waited become members."""
    story.printer.chapter(
        "Late January 2022: the first of those who waited are members",
        "Whoever meets the new criteria, and whose nominees have confirmed, is admitted.",
    )
    story.at(LATE_JANUARY)
    ready = [
        one for one in story.applications.values() if one["state"] == "eligible" and one["category"] == CIVIL_SOCIETY
    ]
    _admit(story, ready[:ADMITTED_AFTER])
    story.printer.card("The welcome", story.letters_about(ready[0]["application_id"], "admitted")[0])


def _ask_for_letters(story: Story) -> None:
    """Governments whose letter is missing are asked for it, send it, and are judged anew."""
    rows = [each for each in story.october if each.kind == "letter_missing" and each.submission["category"] == STATE]
    cases = [story.application_of(each) for each in rows]
    text = "Please give us the reference of your government's letter."
    _together(story, "request_information", cases, "operator", "operator", text=text, questions=["government.letter"])
    story.letters["information_requested"] += len(cases)
    story.wait_for_letters()
    for sample, case in zip(rows, cases, strict=True):
        answers = {**sample.submission["answers"], "government.letter": LETTER}
        story.apis.post(
            "intake", f"/v1/applications/{case['application_id']}/amendments", {**sample.submission, "answers": answers}
        )
    states = _become(story, cases, revision=2)
    for state in states.elements():
        story.expect_decision(state)
    story.wait_for_letters()
    story.printer.step(
        f"{len(cases)} governments are asked for the letter of theirs, send it, and are: {_told(states)}."
    )


def _decline_and_appeal(story: Story) -> None:
    """Companies that claim to be states are declined; one appeals, and somebody else hears it."""
    rows = [each for each in story.october if each.kind == "claimed_by_company"]
    cases = [story.application_of(each) for each in rows]
    text = "A company is no member state. Once the pause is over you may apply as a technology company."
    _together(story, "decline", cases, "operator", "decider", text=text)
    _become(story, cases, state="declined")
    story.letters["declined"] += len(cases)
    story.wait_for_letters()
    path = f"/v1/applications/{cases[0]['application_id']}/appeals"
    appeal = story.apis.post("intake", path, {"statement": "We are owned by the state."})
    story.letters["appeal_received"] += 1
    hearing = f"/v1/appeals/{appeal['appeal_id']}/hearing"
    verdict = {"verdict": "rejected", "reason": "Being owned by a state does not make a company one."}
    until(lambda: _found(story, f"/v1/appeals/{appeal['appeal_id']}"), "the appeal is in the queue")
    refusal = story.apis.refused("eligibility", hearing, verdict, "decider")
    story.apis.post("eligibility", hearing, verdict, "admin")
    story.letters["appeal_heard"] += 1
    story.wait_for_letters()
    story.printer.step(f"{len(cases)} are declined. One appeals. Who declined it may not hear that: {refusal}")
    story.printer.step("Somebody else does, and the decision stands.")


def _admit_governments(story: Story) -> None:
    ready = [one for one in story.applications.values() if one["state"] == "eligible" and one["category"] == STATE]
    _admit(story, ready[:ADMITTED_FIRST])


def _admit(story: Story, cases: Sequence[dict[str, Any]]) -> None:
    """Their nominees confirm, one person proposes the admission, and another of another role confirms it."""
    for case in cases:
        _nominees_confirm(story, case)
    action = _together(story, "admit", cases, "decider", "admin")
    _become(story, cases, state="admitted")
    story.letters["admitted"] += len(cases)
    story.wait_for_letters()
    story.printer.step(f"Both nominees of {len(cases)} confirm, by the links in their emails.")
    story.printer.done(
        f"{len(cases)} are admitted: proposed by {action['proposed_by']}, confirmed by {action['answered_by']}."
    )


def _nominees_confirm(story: Story, case: dict[str, Any]) -> None:
    path = f"/v1/applications/{case['application_id']}/nominations"
    for text in story.letters_about(case["application_id"], NOMINATION):
        link = re.search(r"http\S+/nominations/\S+", text)
        if link is None:
            raise StoryFailed(f"An email to a nominee of {case['organisation_name']} has no link.")
        _confirm(link.group())
    until(
        lambda: story.apis.get("eligibility", path)["all_confirmed"] or None, f"all {NOMINEES} nominees have confirmed"
    )


def _confirm(link: str) -> None:
    """Open a nominee's page and press the button that agrees."""
    with local_client(timeout=30) as client:
        form = re.search(r'name="form" value="([^"]+)"', client.get(link).text)
        answer = client.post(link, data={"form": form.group(1) if form else "", "answer": "confirmed"})
    if answer.status_code != SEE_OTHER:
        raise StoryFailed(f"{link} does not take the nominee's answer: {answer.status_code}.")


def _together(
    story: Story, kind: str, cases: Sequence[dict[str, Any]], proposer: Role, confirmer: Role, **details: Any
) -> dict[str, Any]:
    """Propose one deed for all these cases, look at the preview, have it confirmed, and wait until it is done."""
    ids = [one["application_id"] for one in cases]
    body = {"kind": kind, "cases": ids, **details}
    action = story.apis.post("eligibility", "/v1/bulk-actions", body, proposer)
    if hindered := [one["why"] for one in action["cases"] if not one["will_be_done"]]:
        raise StoryFailed(f"{kind}: the preview says that {len(hindered)} of {len(ids)} cannot be done: {hindered[0]}")
    path = f"/v1/bulk-actions/{action['action_id']}"
    story.apis.post("eligibility", f"{path}/confirmation", {}, confirmer)

    def done() -> dict[str, Any] | None:
        found: dict[str, Any] = story.apis.get("eligibility", path)
        return found if found["state"] == "done" else None

    found = until(done, f"{kind}: done about all of them")
    failed = [one["why_not_done"] for one in found["cases"] if not one["done"]]
    if failed:
        raise StoryFailed(f"{kind}: not done about {len(failed)} cases: {failed[0]}")
    return found


def _become(
    story: Story, cases: Sequence[dict[str, Any]], state: str | None = None, revision: int | None = None
) -> Counter[str]:
    """Wait until intake knows what became of these; how many are in each state."""
    ids = {one["application_id"] for one in cases}

    def known(one: dict[str, Any]) -> bool:
        decided = one["state"] == state if state else one["state"] != "pending"
        return bool(decided and one["revision"] == (revision or one["revision"]))

    def look() -> Counter[str] | None:
        story.look_again()
        found = [story.applications[each] for each in ids]
        return Counter(str(one["state"]) for one in found) if all(map(known, found)) else None

    return until(look, f"what became of {len(ids)} cases is known")


def _found(story: Story, path: str) -> bool | None:
    try:
        return bool(story.apis.get("eligibility", path))
    except StoryFailed:
        return None


def _told(states: Counter[str]) -> str:
    return ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.items())
