"""The samples are repeatable, distinct, harmless to write to, and valid where they come in."""

from __future__ import annotations

import csv
import json
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from deploy.samples import COLUMNS, Sample, csv_row, samples, stream, write_csv, write_jsonl
from deploy.samples.__main__ import PACK, main
from deploy.samples.facts import states, table
from shared.application import Submission
from shared.policy.answers import check
from shared.policy.identity import Identities
from shared.policy.loader import load_pack
from shared.policy.pack import PolicyDocument

HASH = "0" * 64
CHAPTERS = pytest.mark.parametrize("chapter", [1, 2])
EXAMPLE_HOST = re.compile(r"[a-z0-9.-]+\.example")


@pytest.fixture(scope="module")
def policy() -> PolicyDocument:
    """The Alliance's own pack."""
    return load_pack(PACK).document


def texts(submission: dict[str, Any]) -> list[str]:
    """All texts of a submission."""
    values = [submission["organisation"]["website"], submission["contact"]["email"], *submission["answers"].values()]
    return [value for value in values if isinstance(value, str)]


@CHAPTERS
def test_the_same_seed_gives_the_same_bytes(chapter: int, tmp_path: Path) -> None:
    """Both files, byte for byte; another seed gives others."""
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        made = samples(chapter, HASH, seed)
        write_csv(tmp_path / f"{name}.csv", made)
        write_jsonl(tmp_path / f"{name}.jsonl", made)
    for suffix in ("csv", "jsonl"):
        first, again, other = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "abc")
        assert first == again
        assert first != other


@CHAPTERS
def test_no_two_samples_of_a_chapter_share_an_organisation_or_a_contact_address(chapter: int) -> None:
    """Nothing in a chapter is a duplicate of anything else."""
    made = [sample.submission for sample in samples(chapter, HASH)]
    assert len({s["organisation"]["name"].casefold() for s in made}) == len(made)
    assert len({s["contact"]["email"].casefold() for s in made}) == len(made)


def test_no_two_samples_are_twins(policy: PolicyDocument) -> None:
    """In both chapters together, and among those for load tests: what happens to each is about itself alone."""
    identities = Identities(policy.identity, policy.lists)
    for made in ([*samples(1, HASH), *samples(2, HASH)], list(islice(stream(3000, HASH), 3000))):
        keys = [key for each in made for key in identities.keys(Submission.model_validate(each.submission))]
        assert len(set(keys)) == len(keys) > len(made)


def test_a_real_state_or_organisation_applies_in_one_chapter_only() -> None:
    """Both chapters can be run into one database without meeting the same body twice."""
    real = {row["name"] for row in table("intergovernmental")} | {
        f"Government of {s['name']}" for s in states().values()
    }
    first, second = ({s.submission["organisation"]["name"] for s in samples(c, HASH)} & real for c in (1, 2))
    assert first
    assert second
    assert not first & second


@pytest.mark.parametrize("made", [samples(1, HASH), samples(2, HASH), list(stream(600, HASH))], ids=["1", "2", "load"])
def test_every_address_is_at_an_example_domain(made: list[Sample]) -> None:
    """No mail and no click from a sample can reach anyone."""
    for sample in made:
        for text in texts(sample.submission):
            for host in re.findall(r"(?:@|https?://)([^\s/]+)", text):
                assert EXAMPLE_HOST.fullmatch(host.lower()), host


@CHAPTERS
def test_names_come_in_many_scripts(chapter: int) -> None:
    """Accents, apostrophes and letters that are not Latin all occur."""
    names = "".join(s.submission["contact"]["name"] for s in samples(chapter, HASH))
    assert "'" in names
    assert any("À" <= letter <= "ſ" for letter in names)
    assert any(letter > "Ͱ" for letter in names)


@pytest.mark.parametrize("made", [samples(1, HASH), samples(2, HASH), list(stream(600, HASH))], ids=["1", "2", "load"])
def test_every_sample_passes_the_validation_of_all_channels(made: list[Sample], policy: PolicyDocument) -> None:
    """What is wrong with a sample is for the criteria to find, not for the door."""
    for sample in made:
        assert check(policy, Submission.model_validate(sample.submission)) == []


def test_a_file_has_a_column_for_every_question_of_the_pack(policy: PolicyDocument) -> None:
    """The envelope's columns come first, then the pack's questions in the pack's order."""
    assert list(COLUMNS[9:]) == list(policy.questions)


@CHAPTERS
def test_a_file_says_what_the_submissions_say(chapter: int, tmp_path: Path) -> None:
    """Cells are the values; an unanswered question is an empty cell."""
    made = samples(chapter, HASH)
    assert write_csv(tmp_path / "all.csv", made) == len(made)
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [list(row.values()) for row in read] == [csv_row(sample.submission) for sample in made]
    answered = {c for row in read for c, cell in row.items() if cell}
    assert answered == set(COLUMNS)


def test_no_item_of_a_list_holds_the_separator() -> None:
    """Lists are joined by semicolons in a file and come apart again."""
    for sample in [*samples(1, HASH), *samples(2, HASH)]:
        for value in sample.submission["answers"].values():
            assert not isinstance(value, list) or not any(";" in item for item in value)


def test_load_rows_never_repeat_an_organisation_and_do_not_depend_on_how_many_are_asked_for() -> None:
    """The first rows of a long file are those of a short one, and it is made one row at a time."""
    many = list(stream(1200, HASH))
    assert [s.id for s in many[:2]] == ["R0000001", "R0000002"]
    assert len({s.submission["organisation"]["name"] for s in many}) == 1200
    assert len({s.submission["contact"]["email"].casefold() for s in many}) == 1200
    assert list(islice(stream(10**9, HASH), 50)) == many[:50]


def test_the_command_writes_a_chapter_and_signs_the_commitments_in_force(
    tmp_path: Path, policy: PolicyDocument
) -> None:
    """File and API samples each in their own file, with the hash of the pack's commitments."""
    file, api = tmp_path / "out.csv", tmp_path / "out.jsonl"
    assert main(["--chapter", "1", "--file", str(file), "--api", str(api)]) == 0
    with file.open(encoding="utf-8", newline="") as opened:
        assert len(list(csv.DictReader(opened))) == 400
    posted = [json.loads(line) for line in api.read_text(encoding="utf-8").splitlines()]
    assert len(posted) == 100
    assert {p["answers"].get("commitments.text_hash") for p in posted} == {policy.commitments.hash, None}


def test_the_command_writes_any_number_of_rows(tmp_path: Path) -> None:
    """For load tests."""
    assert main(["--rows", "37", "--file", str(tmp_path / "big.csv"), "--seed", "5"]) == 0
    assert len((tmp_path / "big.csv").read_text(encoding="utf-8").splitlines()) == 38


@pytest.mark.parametrize("arguments", [["--chapter", "1"], ["--rows", "3", "--file", "x.csv", "--api", "y"], []])
def test_the_command_says_what_is_missing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command line ends with status 2 and a sentence."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error:" in capsys.readouterr().err
