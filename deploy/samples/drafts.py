"""The policy as the secretariat rewrites it while intake is paused: the pack in force with one criterion more, of which the
applicants are asked something new, and one commitment in other words, so that it has to be signed anew."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.samples.facts import CIVIL_SOCIETY, DATA, FINANCIAL, TECHNOLOGY

DRAFT: Final = DATA / "draft"
NEW_QUESTION: Final = "safeguarding.policy"
NEW_CRITERION: Final = "safeguarding.in-place"
ASKED_OF: Final = frozenset({TECHNOLOGY, CIVIL_SOCIETY, FINANCIAL})
SAFEGUARDING: Final = (
    "Child safeguarding policy, adopted in 2021. Everyone who works with us is checked first and trained each year."
)
"""What a sample answers to the new question."""


def write_draft(pack: Path, folder: Path) -> Path:
    """Write the draft that follows `pack` into `folder`, which must not be there yet; the folder."""
    shutil.copytree(pack, folder)
    shutil.copy(DRAFT / "safeguarding.yaml", folder)
    changes: dict[str, Any] = yaml.safe_load((DRAFT / "changes.yaml").read_text(encoding="utf-8"))
    _reword(folder / "commitments.yaml", changes["commitments"])
    head = (folder / "pack.yaml").read_text(encoding="utf-8")
    for key in ("version_label", "effective_from"):
        value = changes[key] if isinstance(changes[key], str) else changes[key].isoformat()
        head = re.sub(rf"^{key}:.*$", f"{key}: {value}", head, flags=re.MULTILINE)
    (folder / "pack.yaml").write_text(head, encoding="utf-8")
    return folder


def asked_anew(submission: dict[str, Any], commitments_hash: str) -> dict[str, Any]:
    """A submission as its applicant sends it under the draft: who has signed signs the new text, and whoever is asked the
    new question answers it."""
    answers = dict(submission["answers"])
    if "commitments.text_hash" in answers:
        answers["commitments.text_hash"] = commitments_hash
    if submission["category"] in ASKED_OF:
        answers[NEW_QUESTION] = SAFEGUARDING
    return {**submission, "answers": answers}


def _reword(file: Path, texts: dict[str, dict[str, str]]) -> None:
    """Give the commitments of these ids other texts."""
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    for item in data["commitments"]["items"]:
        item["text"] = texts.get(item["id"], item["text"])
    file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=1000), encoding="utf-8")
