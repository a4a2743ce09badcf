"""The loader finds every mistake, and says where it is."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from shared.policy.loader import PackError, PackInvalid, load_pack
from tests.unit.policy.packs import (
    WEPROTECT,
    copy_of_weprotect,
    mistakes,
    presence_of,
    replace,
    small,
    small_pack,
    weprotect,
)

CATEGORIES = "criteria-categories.yaml"
DATED = '    label:\n      en: "Date of signing"'
LEAD = '    label:\n      en: "Senior lead"'


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (CATEGORIES, "expect: country.un_member\n", "expect: bogus ++ 1\n", "'++ 1' is not allowed"),
        (CATEGORIES, "needs: [country.un_member]", "needs: [country.un_mumber]", "is no question"),
        (CATEGORIES, "expect: country.un_member\n", "expect: government.letter == 'x'\n", "add it to 'needs'"),
        (CATEGORIES, "expect: country.un_member\n", "expect: len(country.un_member) > 1\n", "fails for"),
        (CATEGORIES, "== 'national'", "== 'Nationwide'", "answers false whatever"),
        (CATEGORIES, "{organisation.country: AQ,", "{organisation.country: DE,", "the criterion says met"),
        (CATEGORIES, "{government.level: sub_national,", "{government.level: local,", "must be one of national"),
        (CATEGORIES, "and not country.un_observer", "and not commitments.current", "'when' reads only"),
        ("criteria-members.yaml", "    needs: [aims.accepted]", "    neds: [aims.accepted]", "unknown key 'neds'"),
        ("criteria-members.yaml", "- id: aims.accepted", "- id: collaboration.attested", "is there twice"),
        ("criteria-members.yaml", "unmet: missing\n", "unmet: shrug\n", "Input should be"),
        ("questions.yaml", DATED, DATED.replace("en: ", "pt: "), "has no text in 'en'"),
        ("questions.yaml", DATED, f"{DATED}\n      english: x", "is not a locale"),
        ("questions.yaml", "    type: date", "    type: dat", "Input should be"),
        ("questions.yaml", "  commitments.role:", "  commitments.role.in:", "word of the expressions"),
        ("questions.yaml", "  response.statement:", "  commitments.role:", "is said twice"),
        ("questions.yaml", "asked_of: [technology_company]\n", "asked_of: [tech]\n", "unknown category 'tech'"),
        ("facts.yaml", "in_list: un-observers", "in_list: observers", "unknown list 'observers'"),
        ("facts.yaml", "from: commitments.text_hash,", "from: aims.accepted,", "derived from one text"),
        ("pauses.yaml", "Europe/London", "Europe/Londinium", "unknown time zone"),
        ("liaison.yaml", "Europe/London", "Europe/Londinium", "unknown time zone"),
        ("liaison.yaml", "days: 10", "days: 0", "reply_within_working_days"),
        ("pauses.yaml", "until: 2022-01-01T00:00", "until: 2021-01-01T00:00", "ends after it begins"),
        ("pauses.yaml", "until: 2022-01-01T00:00", "until: 2022-01-01T00:00Z", "wall-clock"),
        ("pauses.yaml", "until: 2022-01-01T00:00", "until: 2022-03-27T01:30", "skip"),
        ("pauses.yaml", "until: 2022-01-01T00:00", "until: New Year", "is not a time"),
        ("pauses.yaml", "exempt: [un_member_state,", "exempt: [un_member,", "unknown category 'un_member'"),
        ("declarations.yaml", "criteria: [aims.accepted]", "criteria: [aims]", "unknown criterion 'aims'"),
        ("groups.yaml", "[response.statement]", "[response.stated]", "unknown question 'response.stated'"),
        ("groups.yaml", "[collaboration.attested,", "[response.statement,", "is in the group response already"),
        ("groups.yaml", "texts: [aims.text]", "texts: [aims.words]", "unknown text 'aims.words'"),
        ("groups.yaml", "- id: response", "- id: kind", "is there twice"),
        ("groups.yaml", "- id: response", "- id: our-response", "is not an id"),
        ("evidence.yaml", "for: [un_member_state]", "for: [un_member]", "unknown category 'un_member'"),
        ("evidence.yaml", "criteria: [un-member-state.letter]", "criteria: [letter]", "unknown criterion 'letter'"),
        ("evidence.yaml", "- id: signed_commitments", "- id: registration", "is there twice"),
        ("evidence.yaml", "- id: signed_commitments", "- id: signed-commitments", "is not an id"),
        ("evidence.yaml", "- id: signed_commitments", "- ident: signed_commitments", "unknown key 'ident'"),
        ("benefits.yaml", "available: false", "available: soon", "boolean"),
        ("nominees.yaml", "name: nominees.senior.name", "name: nominees.senior.title", "unknown question"),
        ("nominees.yaml", "email: nominees.senior.email", "email: nominees.senior.role", "of type text, not email"),
        ("nominees.yaml", "name: nominees.working.name", "name: nominees.senior.name", "about the nominee senior already"),
        ("nominees.yaml", "- id: working", "- id: senior", "is there twice"),
        ("nominees.yaml", "- id: working", "- id: Working-level", "is not an id"),
        ("nominees.yaml", LEAD, LEAD.replace("en: ", "pt: "), "has no text in 'en'"),
        ("nominees.yaml", LEAD, LEAD.replace("label:", "title:"), "unknown key 'title'"),
        ("commitments.yaml", "- id: summits", "- id: promote", "is there twice"),
        ("commitments.yaml", "- id: removal", "- id: reporting", "is there twice"),
        ("texts.yaml", "  route.appeal:\n    en: \"", "  route.appeal:\n    en: \"\" #", "has no text in 'en'"),
        ("pack.yaml", "id: weprotect", "ident: weprotect", "unknown section 'ident'"),
        ("pack.yaml", "effective_from: 2020-01-01T00:00:00+00:00", "effective_from: 2020-01-01T00:00:00", "timezone"),
        ("pack.yaml", "effective_from: 2020-01-01T00", "effective_from: 9999-01-01T00", "in the years 1900 to 2199"),
        ("pauses.yaml", "until: 2022-01-01T00:00", "until: 9999-12-31T00:00", "in the years 1900 to 2199"),
        ("lists/un-observers.csv", "VA,Holy See", "PS,Holy See", "is there twice"),
        ("lists/un-observers.csv", "VA,Holy See", "VA,Holy See,1964", "does not fit the header"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file_and_line(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    folder = copy_of_weprotect(tmp_path)
    line = replace(folder / file, old, new)
    shown = [str(error) for error in mistakes(folder)]
    # A repeated id or key is named where it is repeated.
    assert any(text.startswith(f"{file}:") and message in text for text in shown), shown
    if "twice" not in message:
        assert any(text.startswith(f"{file}:{line}: ") and message in text for text in shown), (line, shown)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "pauses.yaml",
            "exempt: [un_member_state,",
            "exempt: [un_member_state,\n      nobody,",
            "unknown category 'nobody'",
        ),
        (
            CATEGORIES,
            "needs: [country.un_member]",
            "needs:\n      - country.un_member\n      - x.y",
            "'x.y' is no question",
        ),
        ("groups.yaml", "[response.statement]", "\n      - response.statement\n      - x.y", "unknown question 'x.y'"),
    ],
)
def test_of_a_list_over_several_lines_the_line_is_named(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    folder = copy_of_weprotect(tmp_path)
    line = replace(folder / file, old, new) + new.count("\n")
    assert [str(error) for error in mistakes(folder) if str(error).startswith(f"{file}:{line}: ")], mistakes(folder)
    assert any(message in str(error) for error in mistakes(folder))


def test_all_mistakes_are_told_at_once_in_their_order(tmp_path: Path) -> None:
    folder = copy_of_weprotect(tmp_path)
    lines = [
        replace(folder / "criteria-categories.yaml", "== 'national'", "= 'national'"),
        replace(folder / "facts.yaml", "in_list: un-observers", "in_list: observers"),
        replace(folder / "questions.yaml", "    type: date", "    type: dat"),
    ]
    found = mistakes(folder)
    places = [(error.file, error.line) for error in found]
    assert places == list(zip(["criteria-categories.yaml", "facts.yaml", "questions.yaml"], lines, strict=True))
    assert str(PackInvalid(found)) == "\n".join(str(error) for error in found)


def test_ids_are_small_letters(tmp_path: Path) -> None:
    questions = {
        "A.text": {"type": "choice", "label": {"en": "X"}, "choices": {"Yes!": {"en": "Yes"}}},
    }
    categories = {"Club": {"label": {"en": "Club"}, "hint": {"en": "A club."}, "evidence": []}}
    folder = small_pack(tmp_path, presence_of("contact.name"), questions=questions, categories=categories)
    shown = " ".join(error.message for error in mistakes(folder))
    for name in ("'A.text' is not a name", "'Yes!' is not an id", "'Club' is not an id"):
        assert name in shown


def test_a_name_cannot_be_the_beginning_of_another(tmp_path: Path) -> None:
    questions = {name: {"type": "text", "label": {"en": "X"}} for name in ("a.text", "a.text.more", "organisation")}
    shown = [error.message for error in mistakes(small_pack(tmp_path, questions=questions))]
    assert any("'a.text' is a name and the beginning of another" in text for text in shown)
    assert any("'organisation' is a name and the beginning of another" in text for text in shown)


def test_a_built_in_name_cannot_be_asked_again(tmp_path: Path) -> None:
    questions = {
        "contact.email": {"type": "email", "label": {"en": "X"}},
        "a.text": {"type": "text", "label": {"en": "X"}},
    }
    assert any("is there already" in error.message for error in mistakes(small_pack(tmp_path, questions=questions)))


def test_a_choice_without_choices_is_refused(tmp_path: Path) -> None:
    questions = {"a.text": {"type": "choice", "label": {"en": "X"}}}
    assert any("needs choices" in error.message for error in mistakes(small_pack(tmp_path, questions=questions)))


def test_what_every_pack_must_have(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("id: x\n", encoding="utf-8")
    shown = "\n".join(error.message for error in mistakes(tmp_path))
    for section in ("version_label", "effective_from", "categories", "questions", "criteria", "commitments", "texts"):
        assert f"the pack has no '{section}'" in shown
    assert "the text 'outcome.eligible.next' is missing" in shown


def test_an_empty_folder_is_no_pack(tmp_path: Path) -> None:
    assert any("no .yaml file" in error.message for error in mistakes(tmp_path))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("id: x\ncriteria: [\n", 3, "not YAML"),
        ("- a\n- b\n", 1, "a mapping of sections"),
        ("id: x\nid: y\n", 2, "said twice"),
        ("criteria: {}\n", 1, "must be a list"),
        ("texts: []\n", 1, "must be a mapping"),
        ("texts:\n  a: &a {en: x}\n  b: *a\n", 3, "anchors and aliases"),
        ("texts:\n  ? [a]\n  : {en: x}\n", 2, "a key must be"),
        ("texts:\n  a: *b\n", 2, "found undefined alias 'b'"),
        pytest.param("texts: " + "[" * 100_000, 1, "is nested too deeply", id="lists that do not end"),
        pytest.param("- " * 100_000, 1, "is nested too deeply", id="items that do not end"),
    ],
)
def test_files_that_are_not_read(tmp_path: Path, text: str, line: int, message: str) -> None:
    small_pack(tmp_path)
    (tmp_path / "zz.yaml").write_text(text, encoding="utf-8")
    shown = [str(error) for error in mistakes(tmp_path)]
    assert any(one.startswith(f"zz.yaml:{line}: ") and message in one for one in shown), shown


def test_files_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    small_pack(tmp_path)
    (tmp_path / "lists").mkdir()
    for name in ("zz.yaml", "lists/zz.csv"):
        (tmp_path / name).write_bytes(b"texts: \xff")
    assert {error.file for error in mistakes(tmp_path)} == {"zz.yaml", "lists/zz.csv"}


def test_a_list_says_its_source_and_its_date(tmp_path: Path) -> None:
    small_pack(tmp_path)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "clubs.csv").write_text("name\nX\n", encoding="utf-8")
    shown = " ".join(error.message for error in mistakes(tmp_path))
    assert "'# source: …'" in shown
    assert "'# as of: YYYY-MM-DD'" in shown
    assert "must be named 'code'" in shown


def test_norway_stays_a_text_and_numbers_are_asked_to_be_quoted(tmp_path: Path) -> None:
    folder = copy_of_weprotect(tmp_path)
    before = "{organisation.country: FR, answer: met}\n      - {organisation.country: AQ"
    replace(folder / "criteria-categories.yaml", before, before.replace("FR", "NO"))
    assert load_pack(folder).document.criteria[0].examples[0].values == {"organisation.country": "NO"}


def test_the_order_of_files_changes_neither_rule_nor_hash_and_a_hash_that_is_given_must_be_right(
    tmp_path: Path,
) -> None:
    folder = copy_of_weprotect(tmp_path)
    shutil.move(folder / "texts.yaml", folder / "a-texts.yaml")
    assert load_pack(folder).hash == weprotect().hash
    replace(folder / "commitments.yaml", "commitments:\n", f"commitments:\n  hash: {'0' * 64}\n")
    assert "is not that of these texts" in mistakes(folder)[0].message


def test_the_documents_hash_is_of_its_content_alone(tmp_path: Path) -> None:
    one, two = small(tmp_path / "one"), small(tmp_path / "two", effective_from="2020-01-01T01:00:00+01:00")
    assert one == two
    assert load_pack(tmp_path / "one").hash == load_pack(tmp_path / "two").hash


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_pack_is_refused_in_words_or_still_loads(tmp_path: Path, seed: int) -> None:
    """Lines are dropped, doubled and shifted at random; nothing but PackInvalid may come of it."""
    folder = copy_of_weprotect(tmp_path)
    dice = random.Random(seed)
    file = dice.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(lines))
        damage = dice.choice(["drop", "double", "shift", "cut"])
        line = lines[at]
        lines[at] = {"drop": "", "double": line * 2, "shift": "  " + line, "cut": line[: len(line) // 2] + "\n"}[damage]
    file.write_text("".join(lines), encoding="utf-8")
    errors: tuple[PackError, ...] = ()
    try:
        load_pack(folder)
    except PackInvalid as invalid:
        errors = invalid.errors
    assert all(error.line >= 1 and (WEPROTECT / error.file).exists() for error in errors)
