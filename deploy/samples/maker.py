"""Makes the samples: a part of the cast, an organisation, its people and its answers become a submission."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from deploy.samples.answers import Scene, complete
from deploy.samples.cast import Channel, Part, cast, endless_cast
from deploy.samples.facts import STATE, language
from deploy.samples.kinds import SECONDARY, WITHOUT_CONSENT, change
from deploy.samples.organisations import ELSEWHERE, IN_TRUTH, Organisation, invent, register
from deploy.samples.people import persons

DEFAULT_SEED = 2021


@dataclass(frozen=True)
class Sample:
    """A sample application. `id` is its row in the reference table and, for `api`, its idempotency key.

    `submission` has the shape of the body of `POST /v1/applications`.
    """

    id: str
    chapter: int
    channel: Channel
    kind: str
    submission: dict[str, Any]


def samples(chapter: int, commitments_hash: str, seed: int = DEFAULT_SEED) -> list[Sample]:
    """All samples of a chapter (1 or 2), in the order they come in.

    `commitments_hash` is the hash of the commitments in force, which the samples have signed. The same arguments give
    the same samples, on every machine.
    """
    return [
        _sample(rng, part, organisation, commitments_hash) for part, rng, organisation in _applicants(chapter, seed)
    ]


def _applicants(chapter: int, seed: int) -> Iterator[tuple[Part, Random, Organisation]]:
    """Who applies in a chapter, each with what else is drawn for them. Nobody applies in both chapters."""
    organisations = register(Random(f"{seed}/names"), chapter)
    if chapter > 1:
        organisations.taken.update(organisation.name for _, _, organisation in _applicants(chapter - 1, seed))
    for part in cast(chapter):
        rng = Random(f"{seed}/{part.sample}")
        yield part, rng, organisations.next(rng, part.category, part.kind)


def stream(rows: int, commitments_hash: str, seed: int = DEFAULT_SEED) -> Iterator[Sample]:
    """Any number of samples for load tests, one at a time. Names, and with them websites, and registrations bear the
    seed and a running number, so no organisation comes twice, also in runs with different seeds."""
    for number, part in enumerate(islice(endless_cast(), rows), start=1):
        rng = Random(f"{seed}/{part.sample}")
        drawn = _elsewhere(rng, part.kind) or invent(rng, IN_TRUTH.get(part.kind, part.category))
        named = Organisation(f"{drawn.name} {seed}-{number}", drawn.country, drawn.instrument, drawn.focus)
        yield _numbered(_sample(rng, part, named, commitments_hash), number, seed)


def _numbered(sample: Sample, number: int, seed: int) -> Sample:
    """The sample with a registration of its own, where it has one; a dash stays a dash."""
    answers = sample.submission["answers"]
    registered = answers.get("registration.number")
    if registered and any(character.isdigit() for character in registered):
        answers["registration.number"] = f"R{seed}-{10_000_019 + 7 * number}"
    return sample


def _elsewhere(rng: Random, kind: str) -> Organisation | None:
    if kind not in ELSEWHERE:
        return None
    pools = register(rng, chapter=1).real
    return rng.choice(pools[kind])


def _sample(rng: Random, part: Part, organisation: Organisation, commitments_hash: str) -> Sample:
    senior, working, contact = persons(
        rng, organisation.country, organisation.domain, ("office", "contact-point", "membership")
    )
    scene = Scene(rng, part.chapter, part.category, organisation, senior, working, commitments_hash)
    answers = complete(scene)
    change(part.kind, scene, answers)
    writes_own = rng.random() < 0.4
    submission = {
        "category": part.category,
        "secondary_categories": [SECONDARY[part.kind]] if part.kind in SECONDARY else [],
        "organisation": {
            "name": organisation.name,
            "country": organisation.country,
            "website": f"https://www.{organisation.domain}/" if rng.random() < 0.8 else None,
        },
        "contact": {"name": contact.name, "email": contact.email},
        "locale": language(organisation.country) if writes_own and part.category != STATE else "en",
        "consent": {"register_interest": part.kind not in WITHOUT_CONSENT},
        "answers": answers,
    }
    return Sample(part.sample, part.chapter, part.channel, part.kind, submission)
