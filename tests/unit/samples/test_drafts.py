"""The policy that the secretariat drafts in the samples' story."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.samples import samples, write_csv
from deploy.samples.drafts import NEW_CRITERION, NEW_QUESTION, asked_anew, write_draft
from services.eligibility.domain.decisions import decide
from services.eligibility.domain.policies import PolicyVersion
from shared.application import Submission
from shared.policy.answers import check
from shared.policy.differences import differences
from shared.policy.loader import load_pack
from shared.policy.pack import Policy
from tests.unit.eligibility.making import AFTER, application, rulebook
from tests.unit.policy.packs import weprotect
from tests.unit.samples.table import rows


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    folder = tmp_path_factory.mktemp("drafts") / "draft"
    return load_pack(write_draft(Path("policies/weprotect"), folder))


def test_it_adds_one_criterion_with_its_question_and_words_one_commitment_anew(draft: Policy) -> None:
    found = differences(weprotect().document, draft.document)
    assert [(each.section, each.name, each.what) for each in found if each.section != "groups"] == [
        ("signature", "signature", "changed"),
        ("criteria", NEW_CRITERION, "added"),
        ("questions", NEW_QUESTION, "added"),
        ("commitments", "item.summits", "changed"),
    ]


def test_whoever_answers_what_is_new_is_judged_as_the_reference_table_says(draft: Policy) -> None:
    version = PolicyVersion(draft, draft.document.effective_from, draft.document.effective_from)
    new = {each.id: asked_anew(each.submission, draft.document.commitments.hash) for each in samples(2, "0" * 64)}
    found = {}
    for sample, body in new.items():
        submission = Submission.model_validate(body)
        assert not check(draft.document, submission)
        judged = decide(application(submission, received_at=AFTER), rulebook([version]), decided_at=AFTER)
        found[sample] = judged.judgement.outcome
    assert found == {row["sample"]: row["outcome"] for row in rows(2)}


def test_a_file_of_such_samples_has_a_column_for_the_new_question(tmp_path: Path) -> None:
    write_csv(tmp_path / "some.csv", samples(2, "0" * 64)[:1], also=[NEW_QUESTION])
    header, row = (tmp_path / "some.csv").read_text().splitlines()
    assert header.endswith(f",{NEW_QUESTION}")
    assert row.endswith(",")
