"""A complete application of each category: everything asked is there and fine. Kinds then change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from deploy.samples.facts import (
    CIVIL_SOCIETY,
    FINANCIAL,
    INTERNATIONAL,
    REGIONAL,
    STATE,
    TECHNOLOGY,
    place,
    tree,
)
from deploy.samples.organisations import Organisation
from deploy.samples.people import Person

Value = str | bool | list[str]
Answers = dict[str, Value]

ACTIVITIES = (
    "manufactures_hardware",
    "creates_software",
    "facilitates_specialised_technology",
    "provides_telecommunications",
)
# The last day on which a chapter's applicants may have signed: before any of them comes in.
SIGNED_UNTIL = {0: date(2021, 9, 30), 1: date(2021, 9, 30), 2: date(2021, 12, 31)}


@dataclass(frozen=True)
class Scene:
    """What an application is written from: who applies, who speaks for it, when, and which commitments they signed."""

    rng: Random
    chapter: int
    category: str
    organisation: Organisation
    senior: Person
    working: Person
    commitments_hash: str

    def text(self, *path: str) -> str:
        """A text of `data/texts.yaml`, filled in."""
        choice: object = tree("texts")
        for step in path:
            assert isinstance(choice, Mapping)
            choice = choice[step]
        assert isinstance(choice, list)
        year, number = self.rng.randrange(2016, 2021), self.rng.randrange(12, 980)
        template: str = self.rng.choice(choice)
        return template.format(
            name=self.organisation.name, place=place(self.organisation.country), year=year, number=number
        )

    def authority(self, kind: str) -> str:
        """Who registers a `company` or an `association`, or licenses a `bank`, in the organisation's country."""
        names: dict[str, str] = tree("texts")["authority"][kind]
        return names.get(self.organisation.country, names["other"])


def complete(scene: Scene) -> Answers:
    """All answers of a fine application of the scene's category."""
    return {**_OF_CATEGORY[scene.category](scene), **_of_everyone(scene)}


def _of_everyone(scene: Scene) -> Answers:
    signed_on = SIGNED_UNTIL[scene.chapter] - timedelta(days=scene.rng.randrange(25))
    role = scene.text("role", scene.category)
    signs_itself = scene.category == STATE or scene.rng.random() < 0.7
    return {
        "commitments.signatory": scene.senior.name if signs_itself else scene.working.name,
        "commitments.role": role if signs_itself else scene.text("role", "deputy"),
        "commitments.signed_on": signed_on.isoformat(),
        "commitments.text_hash": scene.commitments_hash,
        "response.statement": scene.text("response", scene.category),
        "collaboration.attested": True,
        "aims.accepted": True,
        "nominees.senior.name": scene.senior.name,
        "nominees.senior.role": role,
        "nominees.senior.email": scene.senior.email,
        "nominees.working.name": scene.working.name,
        "nominees.working.email": scene.working.email,
        "reputation.attested": True,
    }


def _state(scene: Scene) -> Answers:
    forms = ("Letter ref. {}/{}/2021", "Note verbale {}/{}, 2021", "Letter of the Minister, file {}-{}")
    reference = scene.rng.choice(forms).format(scene.rng.randrange(10, 99), scene.rng.randrange(100, 9999))
    return {"government.level": "national", "government.letter": reference, "nominees.senior.minister": True}


def _international(scene: Scene) -> Answers:
    return {"international.instrument": scene.organisation.instrument, "international.legal_personality": True}


def _regional(scene: Scene) -> Answers:
    return {**_international(scene), "regional.focus": list(scene.organisation.focus)}


def _technology(scene: Scene) -> Answers:
    return {"technology.activities": [scene.rng.choice(ACTIVITIES)], **registration(scene, "company")}


def _civil_society(scene: Scene) -> Answers:
    return {"civil_society.child_protection_focus": scene.text("focus"), **registration(scene, "association")}


def _financial(scene: Scene) -> Answers:
    licence = f"{scene.authority('bank')}, licence {scene.rng.randrange(100_000, 999_999)}"
    return {
        "financial.exploitable_services": scene.text("services"),
        "financial.licence": licence,
        **registration(scene, "company"),
    }


def registration(scene: Scene, register: str) -> Answers:
    """An entry in the register of a `company` or an `association`."""
    forms = ("{}", "{}", "REG-{}", "HR {}", "{}/21")
    return {
        "registration.number": scene.rng.choice(forms).format(scene.rng.randrange(100_000, 9_999_999)),
        "registration.authority": scene.authority(register),
        "registration.country": scene.organisation.country,
    }


_OF_CATEGORY: dict[str, Callable[[Scene], Answers]] = {
    STATE: _state,
    INTERNATIONAL: _international,
    REGIONAL: _regional,
    TECHNOLOGY: _technology,
    CIVIL_SOCIETY: _civil_society,
    FINANCIAL: _financial,
}
