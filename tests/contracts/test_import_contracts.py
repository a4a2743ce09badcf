"""The import contracts hold, and each of them fails on a violation planted for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLANTED = [
    (
        "services/intake/domain/planted.py",
        "import services.eligibility.domain\n",
        "services know nothing of each other",
    ),
    ("shared/application.py", "import services.intake.domain\n", "deploy, then services, then shared"),
    ("services/intake/helpers.py", "", "the rooms of a service"),
    ("shared/helpers.py", "", "what the services share"),
    ("services/eligibility/use_cases/planted.py", "import services.eligibility.storage\n", "the rooms of a service"),
    ("services/notifications/domain/planted.py", "import fastapi\n", "rules and use cases do no I/O"),
    ("services/intake/use_cases/planted.py", "import shared.broker\n", "rules and use cases do no I/O"),
    ("services/intake/loops/planted.py", "import motor.motor_asyncio\n", "Motor in storage alone"),
    ("services/intake/cli/__init__.py", "import shared.mongo\n", "commands are HTTP clients"),
    ("deploy/local/planted.py", "import services.intake.domain\n", "the local runner starts services as processes"),
]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source, to plant in."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("services", "shared", "deploy"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_the_contracts_hold(tree: Path) -> None:
    result = lint(tree)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("path", "line", "contract"), PLANTED, ids=[path for path, *_ in PLANTED])
def test_a_planted_violation_breaks_its_contract(tree: Path, path: str, line: str, contract: str) -> None:
    target = tree / path
    before = target.read_text(encoding="utf-8") if target.exists() else None
    target.write_text((before or "") + "\n" + line, encoding="utf-8")
    try:
        result = lint(tree)
    finally:
        if before is None:
            target.unlink()
        else:
            target.write_text(before, encoding="utf-8")
    assert result.returncode != 0, result.stdout
    broken = [text for text in result.stdout.splitlines() if text.rstrip().endswith("BROKEN") or "helpers" in text]
    assert any(contract in text or "helpers" in text for text in broken), result.stdout
