"""The decisions on all samples equal the reference table, which was written by hand from the Alliance's page."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from deploy.samples import samples
from services.eligibility.domain.decisions import Decision, decide, recompute
from services.eligibility.storage.decisions import decision_of, fact_of
from shared.application import Submission
from shared.policy.answers import check
from tests.unit.eligibility.making import AFTER, DURING, alliance, application, rulebook
from tests.unit.policy.packs import weprotect
from tests.unit.samples.table import rows

RECEIVED = {1: DURING, 2: AFTER}


@cache
def submissions(chapter: int) -> dict[str, Submission]:
    """The samples of a chapter by id, valid by the one validation there is."""
    document = weprotect().document
    found = {
        sample.id: Submission.model_validate(sample.submission)
        for sample in samples(chapter, document.commitments.hash)
    }
    assert not [error for each in found.values() for error in check(document, each)]
    return found


def decision(chapter: int, sample: str) -> Decision:
    received = application(submissions(chapter)[sample], received_at=RECEIVED[chapter])
    return decide(received, rulebook(), decided_at=datetime(2022, 6, 1, tzinfo=UTC))


CASES = [pytest.param(row, id=f"{row['chapter']}-{row['sample']}") for chapter in (1, 2) for row in rows(chapter)]


@pytest.mark.parametrize("row", CASES)
def test_each_sample_is_decided_as_the_page_says(row: dict[str, str]) -> None:
    """Row by row; the requirement that decides it is named when it fails."""
    found = decision(int(row["chapter"]), row["sample"]).judgement
    unmet = [f"{line.criterion}: {line.answer}" for line in found.receipt if line.answer in ("not_met", "missing")]
    assert found.outcome == row["outcome"], (
        f"{row['kind']} of a {row['category']}: requirement {row['requirement']} says {row['outcome']} "
        f"({row['why']}); decided {found.outcome} by {unmet}"
    )


@pytest.mark.parametrize("chapter", [1, 2])
def test_every_receipt_can_be_recomputed_from_what_is_stored(chapter: int) -> None:
    """From the stored document alone: the same outcome, answers and evidence, for every sample."""
    for sample in submissions(chapter):
        stored = decision_of(fact_of(decision(chapter, sample)))
        assert recompute(stored, alliance(), rulebook().pauses) == stored.judgement, sample


def test_a_decision_of_before_answers_were_kept_is_still_read_and_recomputed() -> None:
    """As one that was held: none are known."""
    document = fact_of(decision(2, next(iter(submissions(2)))))
    assert document["application"].pop("answers")
    assert document["application"].pop("secondary_categories") is not None
    stored = decision_of(document)
    assert (stored.applicant.answers, stored.applicant.secondary_categories) == (None, ())
    assert recompute(stored, alliance(), rulebook().pauses) == stored.judgement
