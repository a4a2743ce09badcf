"""Organisations that apply: states and intergovernmental ones as they are called, all others invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from deploy.samples.facts import (
    CIVIL_SOCIETY,
    INTERNATIONAL,
    REGIONAL,
    STATE,
    TECHNOLOGY,
    language,
    people_of,
    states,
    table,
    tree,
)
from deploy.samples.people import slug

# Words in the name of a kind that say something unkind or untrue of the applicant: not said of a body that exists.
UNKIND = ("declined", "denied", "worldwide")
# The applicant is not what it claims: which category it really is of.
IN_TRUTH = {"claimed_by_company": TECHNOLOGY, "claimed_by_charity": CIVIL_SOCIETY}
ELSEWHERE = frozenset(row["kind"] for row in table("places"))


@dataclass(frozen=True)
class Organisation:
    """A name, a country (alpha-2), a domain reserved for examples; instrument and focus for intergovernmental ones."""

    name: str
    country: str
    instrument: str = ""
    focus: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """Its domain, under the top-level domain `example`."""
        return f"{slug(self.name)}.example"


def invent(rng: Random, category: str, country: str | None = None) -> Organisation:
    """An invented organisation of `category`, or a ministry of a real state. Two draws may give one name."""
    country = country or rng.choice(sorted(states()))
    templates = tree("words")[category if category != STATE else "ministry"]
    words = {name: rng.choice(tree("words")[name]) for name in ("word", "topic", "body", "region")}
    template = rng.choice(templates.get(language(country)) or templates["en"])
    name = template.format(state=states()[country]["name"], **words)
    if category == TECHNOLOGY:
        forms = tree("words")["legal_form"]
        name += " " + rng.choice(forms.get(people_of(country)) or forms["other"])
    if category not in (INTERNATIONAL, REGIONAL):
        return Organisation(name, country)
    year = rng.randrange(1952, 2015)
    focus = (words["region"],) if category == REGIONAL else ()
    return Organisation(name, country, f"Agreement establishing the {name}, signed in {year}", focus)


@dataclass
class Register:
    """Hands out organisations so that no two have one name: real ones first, each once, then invented ones."""

    real: dict[str, list[Organisation]]
    taken: set[str] = field(default_factory=set)

    def next(self, rng: Random, category: str, kind: str) -> Organisation:
        """An organisation fit to play `kind` in `category`."""
        pool = self.real.get(kind if kind in ELSEWHERE else category, [])
        unkind = category != STATE and any(word in kind for word in UNKIND)
        if pool and kind not in IN_TRUTH and not unkind:
            organisation = pool.pop()
        else:
            organisation = self._invented(rng, IN_TRUTH.get(kind, category))
        self.taken.add(organisation.name)
        return organisation

    def _invented(self, rng: Random, category: str) -> Organisation:
        for _ in range(1000):
            organisation = invent(rng, category)
            if organisation.name not in self.taken:
                return organisation
        raise RuntimeError(f"the words for {category} are used up; add some to data/words.yaml")


def register(rng: Random, chapter: int) -> Register:
    """A register for a chapter. Both chapters share out the real names, so nobody applies in both."""
    real: dict[str, list[Organisation]] = {STATE: _governments(rng)}
    for row in table("intergovernmental"):
        focus = tuple(part for part in row["focus"].split(";") if part)
        real.setdefault(row["category"], []).append(Organisation(row["name"], row["country"], row["instrument"], focus))
    for row in table("places"):
        real.setdefault(row["kind"], []).append(Organisation(row["name"], row["country"]))
    for pool in real.values():
        rng.shuffle(pool)
        if len(pool) > 1:
            cut = len(pool) * 4 // 5
            pool[:] = pool[:cut] if chapter == 1 else pool[cut:]
    return Register(real)


def _governments(rng: Random) -> list[Organisation]:
    titles = tree("words")["ministry"]["en"]
    return [
        Organisation(rng.choice([titles[0], *titles]).format(state=row["name"]), code) for code, row in states().items()
    ]
