"""Applying with a real browser, on the whole system, in the middle of the pause.

Every page is held against axe's rules and photographed, in the sizes of a desk and of a phone: `test-output/pages/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from deploy.local.stack import Stack
from shared.policy.loader import load_pack
from tests import running
from tests.e2e.browser import Window
from tests.servers import Servers

COMMITMENTS = load_pack(running.POLICY).document.commitments
Values = Mapping[str, str | list[str] | bool]

DECLARED: Values = {"collaboration.attested": True, "aims.accepted": True, "reputation.attested": True}
SIGNED: Values = {
    "commitments.signatory": "Amina Diallo",
    "commitments.role": "Minister",
    "commitments.signed_on": "2021-10-04",
}
NOMINEES: Values = {
    "nominees.senior.name": "Amina Diallo",
    "nominees.senior.role": "Minister",
    "nominees.senior.email": "amina.diallo@interior.example",
    "nominees.working.name": "Paul Okoye",
    "nominees.working.email": "paul.okoye@interior.example",
}


@pytest.fixture(scope="module")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running.running(tmp_path_factory.mktemp("stack"), servers) as started:
        yield started


def apply_as(
    visitor: Window, category: str, name: str, kind: Values, nominees: Values, prefix: str, language: str = "en"
) -> None:
    """Go through the whole form, looking at each page, up to the check of the answers."""
    visitor.open("/").look("public-page").press("Apply for membership")
    visitor.look(f"{prefix}-1-kind-of-organisation").choose("category", category).press("Continue")
    visitor.look(f"{prefix}-2-list").press("The organisation and its contact")
    organisation: Values = {
        "organisation.name": name,
        "organisation.country": "SN",
        "contact.name": "Paul Okoye",
        "contact.email": "paul.okoye@interior.example",
        "locale": [language],
    }
    visitor.look(f"{prefix}-3-organisation").fill(organisation).press("Save and continue")
    visitor.look(f"{prefix}-4-questions").fill(kind).press("Save and continue")
    statement = "Our national centre trains investigators and supports child victims in every region."
    visitor.look(f"{prefix}-5-response").fill({"response.statement": statement}).press("Save and continue")
    visitor.look(f"{prefix}-6-declarations").fill(DECLARED).press("Save and continue")
    for number, commitment in enumerate(COMMITMENTS.items, start=1):
        assert visitor.heading.endswith(f"Commitment {number} of {len(COMMITMENTS.items)}")
        assert commitment.text["en"] in visitor.text
        if number <= 2:
            visitor.look(f"{prefix}-7-commitment-{number}")
        visitor.press("Continue to sign" if number == len(COMMITMENTS.items) else "I have read it, next")
    assert COMMITMENTS.statement["en"] in visitor.text
    visitor.look(f"{prefix}-8-sign").fill(SIGNED).press("Sign and continue")
    visitor.look(f"{prefix}-9-nominees").fill(nominees).press("Save and continue")
    visitor.look(f"{prefix}-10-list-completed").press("Check your answers and send")


def test_a_government_applies_during_the_pause_and_is_not_held(visitor: Window) -> None:
    kind: Values = {"government.level": ["national"], "government.letter": "Note verbale 12/2021 of 1 October 2021"}
    nominees = {**NOMINEES, "nominees.senior.minister": True}
    apply_as(visitor, "un_member_state", "Republic of Senegal", kind, nominees, "government")
    assert "on hold" not in visitor.text
    visitor.look("government-11-check").press("Send the application")
    assert visitor.heading == "Your application was sent"
    visitor.look("government-12-sent").press("See your application")
    see(visitor, "meets the criteria")
    visitor.look("government-13-status")


def test_a_civil_society_organisation_is_told_of_the_pause_is_held_and_consents_to_be_told(
    visitor: Window, stack: Stack
) -> None:
    visitor.open("/apply")
    assert "New applications are on hold" in visitor.text.partition("What kind of organisation are you?")[0]
    kind = {
        "civil_society.child_protection_focus": "We run a helpline for children and train teachers.",
        "registration.number": "1089599",
        "registration.authority": "Ministry of the Interior",
        "registration.country": "SN",
    }
    apply_as(visitor, "civil_society_organisation", "Enfance Protégée", kind, NOMINEES, "held", "fr")
    assert "May we write to you when the pause is over?" in visitor.heading
    visitor.press("Continue").look("held-11-consent-error")
    visitor.choose("consent", "yes").look("held-11-consent").press("Continue")
    assert "This application will be put on hold" in visitor.text
    visitor.look("held-12-check").press("Send the application")
    visitor.look("held-13-sent").press("See your application")
    see(visitor, "Votre demande est en attente")
    assert "You asked us to write to you when the pause is over" in visitor.text
    visitor.look("held-14-status")
    running.until(
        lambda: len(written_in_french(stack)) == 2, "the acknowledgement and the outcome are there, in French"
    )


def test_mistakes_are_summed_up_at_the_top_with_links_to_their_fields(visitor: Window) -> None:
    visitor.open("/apply").press("Continue")
    visitor.look("error-1-kind-of-organisation").choose("category", "technology_company").press("Continue")
    visitor.press("The organisation and its contact").fill({"contact.email": "nobody"}).press("Save and continue")
    visitor.look("error-2-organisation")
    visitor.page.get_by_role("alert").get_by_role("link").last.click()
    assert visitor.page.evaluate("document.activeElement.id") == "contact.email"
    visitor.press("Back to your application").press("Check your answers and send")
    visitor.choose("consent", "no").press("Continue").press("Send the application")
    assert "Before you can send it" in visitor.text
    visitor.look("error-3-check")
    visitor.open("/apply/nonsense").look("error-4-draft-gone")


def written_in_french(stack: Stack) -> list[str]:
    """The subjects of the emails in French."""
    subjects = [str(each["subject"]) for each in stack.mailbox.messages(to="paul.okoye@interior.example")]
    return [
        each for each in subjects if each.startswith(("Nous avons reçu votre demande", "Votre demande est en attente"))
    ]


def see(visitor: Window, words: str) -> None:
    """Look at the page again until it says so."""

    def there() -> bool:
        visitor.page.reload()
        return words in visitor.text

    running.until(there, f"the page says: {words}")
