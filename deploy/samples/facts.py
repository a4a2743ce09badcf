"""The data files beside this module: real names as facts, and parts for invented ones."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data"

STATE = "un_member_state"
INTERNATIONAL = "international_organisation"
REGIONAL = "regional_organisation"
TECHNOLOGY = "technology_company"
CIVIL_SOCIETY = "civil_society_organisation"
FINANCIAL = "financial_institution"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `data/<name>.csv`, in order, keyed by column."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def tree(name: str) -> dict[str, Any]:
    """The content of `data/<name>.yaml`."""
    content: dict[str, Any] = yaml.safe_load((DATA / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


@cache
def states() -> dict[str, dict[str, str]]:
    """Member states by ISO 3166-1 alpha-2 code: `country`, `name` (as in "government of …"), `people` (whose names)."""
    return {row["country"]: row for row in table("states")}


@cache
def people_of(country: str) -> str:
    """Whose names people in `country` (alpha-2) have: a key of `data/people.yaml`."""
    others = {row["country"]: row["people"] for row in table("places")}
    return states()[country]["people"] if country in states() else others[country]


@cache
def place(country: str) -> str:
    """How a text names `country` (alpha-2)."""
    return states()[country]["name"] if country in states() else "our country"


def language(country: str) -> str:
    """The language an organisation in `country` gives itself a name in."""
    spoken: dict[str, str] = tree("words")["language"]
    return spoken.get(people_of(country), "en")
