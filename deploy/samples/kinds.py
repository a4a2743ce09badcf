"""What is special about each kind of sample, as a change to a complete application. No outcome stands here."""

from __future__ import annotations

from collections.abc import Callable

from deploy.samples.answers import ACTIVITIES, Answers, Scene, registration
from deploy.samples.facts import INTERNATIONAL, REGIONAL, states

Change = Callable[[Scene, Answers], None]

SECONDARY = {"secondary_regional": REGIONAL, "secondary_international": INTERNATIONAL}
"""Kinds that name a secondary category."""

WITHOUT_CONSENT = frozenset({"without_consent"})
"""Kinds that do not consent to be told when a pause is lifted."""

_SIGNATURE = ("commitments.signatory", "commitments.role", "commitments.signed_on", "commitments.text_hash")
_SENIOR = ("nominees.senior.name", "nominees.senior.role", "nominees.senior.email", "nominees.senior.minister")
_WORKING = ("nominees.working.name", "nominees.working.email")
_REGISTRATION = ("registration.number", "registration.authority", "registration.country")


def change(kind: str, scene: Scene, answers: Answers) -> None:
    """Make `answers` those of a sample of `kind`. An unknown kind is a KeyError."""
    for step in CHANGES[kind]:
        step(scene, answers)


def _drop(*questions: str) -> Change:
    def drop(_: Scene, answers: Answers) -> None:
        for question in questions:
            answers.pop(question, None)

    return drop


def _say(**values: str | bool | list[str]) -> Change:
    def say(_: Scene, answers: Answers) -> None:
        answers.update({question.replace("__", "."): value for question, value in values.items()})

    return say


def _write(question: str, *path: str, more: bool = False) -> Change:
    def write(scene: Scene, answers: Answers) -> None:
        before = answers[question] if more else ""
        assert isinstance(before, str)
        answers[question] = before + scene.text(*path)

    return write


def _same_nominee(scene: Scene, answers: Answers) -> None:
    answers["nominees.working.name"] = answers["nominees.senior.name"]
    answers["nominees.working.email"] = answers["nominees.senior.email"]


def _same_nominee_in_capitals(scene: Scene, answers: Answers) -> None:
    answers["nominees.working.email"] = scene.senior.email.upper()


def _several_activities(scene: Scene, answers: Answers) -> None:
    answers["technology.activities"] = sorted(scene.rng.sample(ACTIVITIES, scene.rng.randrange(2, 5)))


def _one_country(scene: Scene, answers: Answers) -> None:
    answers["regional.focus"] = [states()[scene.organisation.country]["name"].removeprefix("the ")]


def _worldwide(scene: Scene, answers: Answers) -> None:
    answers["regional.focus"] = [scene.rng.choice(("worldwide", "Worldwide"))]


def _registered_abroad(scene: Scene, answers: Answers) -> None:
    home = scene.organisation.country
    answers["registration.country"] = scene.rng.choice([code for code in ("CH", "GB", "KE", "NL") if code != home])


def _company(scene: Scene, answers: Answers) -> None:
    answers.update(registration(scene, "company"))


_NONE: tuple[Change, ...] = ()
_SUPPORTS = _write("response.statement", "response", "support")
_AIMS_DECLINED = _say(aims__accepted=False)
_NO_RESPONSE = _drop("response.statement")

CHANGES: dict[str, tuple[Change, ...]] = {
    "fine": _NONE,
    "without_consent": _NONE,
    "secondary_regional": _NONE,
    "secondary_international": _NONE,
    # what every member must do
    "attendance_impossible": (_write("response.statement", "no_travel", more=True),),
    "supports_response": (_SUPPORTS,),
    "response_missing": (_NO_RESPONSE,),
    "response_blank": (_say(response__statement="   "),),
    "commitments_unsigned": (_drop(*_SIGNATURE),),
    "commitments_undated": (_drop("commitments.signed_on"),),
    "aims_declined": (_AIMS_DECLINED,),
    "aims_unanswered": (_drop("aims.accepted"),),
    "aims_declined_response_missing": (_AIMS_DECLINED, _NO_RESPONSE),
    "collaboration_declined": (_say(collaboration__attested=False),),
    "collaboration_unanswered": (_drop("collaboration.attested"),),
    "reputation_declined": (_say(reputation__attested=False),),
    "reputation_unanswered": (_drop("reputation.attested"),),
    "working_contact_missing": (_drop(*_WORKING),),
    "senior_lead_missing": (_drop(*_SENIOR),),
    "lead_no_minister": (_say(nominees__senior__minister=False),),
    "nominee_twice": (_same_nominee,),
    "nominee_twice_other_case": (_same_nominee_in_capitals,),
    "nominee_twice_aims_declined": (_same_nominee, _AIMS_DECLINED),
    "nominee_twice_response_missing": (_same_nominee, _NO_RESPONSE),
    # states
    "not_a_member": _NONE,
    "observer_holy_see": _NONE,
    "observer_palestine": _NONE,
    "sub_national": (_say(government__level="sub_national"),),
    "letter_missing": (_drop("government.letter"),),
    "letter_missing_aims_declined": (_drop("government.letter"), _AIMS_DECLINED),
    "level_missing": (_drop("government.level"),),
    "minister_lacking": (_say(nominees__senior__minister=False, nominees__senior__role="Head of Division"),),
    "minister_unanswered": (_drop("nominees.senior.minister"),),
    "claimed_by_company": (_drop("government.level", "government.letter"), _company),
    # international and regional organisations
    "instrument_missing": (_drop("international.instrument"),),
    "instrument_missing_aims_declined": (_drop("international.instrument"), _AIMS_DECLINED),
    "personality_denied": (_say(international__legal_personality=False),),
    "personality_unanswered": (_drop("international.legal_personality"),),
    "claimed_by_charity": (
        _say(
            international__instrument="Statutes adopted by its members under article 60 of the Swiss Civil Code",
            international__legal_personality=False,
        ),
    ),
    "one_country_focus": (_one_country,),
    "focus_worldwide": (_worldwide,),
    # technology companies
    "hardware": (_say(technology__activities=[ACTIVITIES[0]]),),
    "software": (_say(technology__activities=[ACTIVITIES[1]]),),
    "specialised": (_say(technology__activities=[ACTIVITIES[2]]),),
    "telecommunications": (_say(technology__activities=[ACTIVITIES[3]]),),
    "several_activities": (_several_activities,),
    "activities_missing": (_drop("technology.activities"),),
    "registration_missing": (_drop(*_REGISTRATION),),
    # civil society; the focus of regional organisations goes missing likewise
    "focus_missing": (_drop("civil_society.child_protection_focus", "regional.focus"),),
    "registered_abroad": (_registered_abroad,),
    "registration_number_missing": (_drop("registration.number"),),
    "registration_authority_missing": (_drop("registration.authority"),),
    "registration_country_missing": (_drop("registration.country"),),
    "registration_dash": (_say(registration__number="-"),),
    "registration_dash_nominee_twice": (_say(registration__number="-"), _same_nominee),
    # financial institutions
    "heavily_exposed": (_write("financial.exploitable_services", "heavily_exposed"),),
    "no_company_registration": (_drop(*_REGISTRATION),),
    "services_missing": (_drop("financial.exploitable_services"),),
    "licence_missing": (_drop("financial.licence"),),
}
