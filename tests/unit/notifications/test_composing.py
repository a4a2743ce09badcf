"""What each letter says, in the words of the Alliance's own policy."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from shutil import copytree

import jinja2
import pytest

from services.notifications.delivery.composing import Composer, wrapped
from services.notifications.delivery.templates import FOLDER, Templates
from services.notifications.domain.letters import (
    DRAFT_LINK,
    ENQUIRIES,
    TEMPLATES,
    acknowledgement,
    is_acknowledged,
    reference_of,
)
from services.notifications.domain.samples import SAMPLE_ID
from services.notifications.domain.wording import Wording, choose_locale
from services.notifications.use_cases.records import content_of
from shared.application import Application, Contact, Organisation, Provenance
from shared.errors import Permanent
from shared.events import PauseNotice, ReceiptLine
from shared.policy.base import text_in
from tests.unit.notifications.letters import ADDRESSES, NOW, POLICY, SENDER, composer, letter

DOCUMENT = POLICY.document
LINK = f"https://join.example/status/{SAMPLE_ID}.signed"
VERDICTS = ("not eligible", "eligible", "not met", "criteria are met", "missing", "incomplete", "rejected", "declined")


class Outline(HTMLParser):
    """Notes what an HTML document refers to, and whether its elements are closed."""

    VOID = ("meta", "br", "!doctype")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.references: set[str] = set()
        self.language = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = dict(attrs)
        self.references |= {value for name in ("href", "src") if (value := values.get(name))}
        if tag == "html":
            self.language = values.get("lang") or ""
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_letter_leaves_anything_unfilled(template: str) -> None:
    rendered = composer().render(letter(template), DOCUMENT)
    for part in (rendered.subject, rendered.text, rendered.html):
        assert not re.search(r"\{\{|\}\}|\{%|None|undefined|[\ue000-\uf8ff]", part)


TO_APPLICANTS = [name for name in TEMPLATES if name not in (DRAFT_LINK, "nomination", "invitation", *ENQUIRIES)]


@pytest.mark.parametrize("template", TO_APPLICANTS)
def test_each_letter_about_an_application_says_who_where_and_how_to_go_on(template: str) -> None:
    rendered = composer().render(letter(template), DOCUMENT)
    for part in (rendered.text, rendered.html):
        assert LINK in part
        assert reference_of(SAMPLE_ID) in part
        assert "Dear Alex Example," in part
        assert "Example Organisation" in part
        assert text_in(DOCUMENT.categories[letter(template).category].label, "en") in part
        assert "4 October 2021" in part
    assert rendered.subject.endswith(f"(reference {reference_of(SAMPLE_ID)})")
    assert len(rendered.subject) <= 100


LEADS_TO = {
    "on_hold": {LINK, ADDRESSES.new_link, ADDRESSES.interest(SAMPLE_ID), f"{ADDRESSES.public}/liaison"},
    "interest_registered": {ADDRESSES.own_interest(SAMPLE_ID), f"{ADDRESSES.public}/"},
    "liaison_received": {ADDRESSES.liaison(SAMPLE_ID), f"{ADDRESSES.public}/apply"},
    "incomplete": {LINK, ADDRESSES.new_link, f"{LINK}/amend"},
    "draft_link": {ADDRESSES.draft(SAMPLE_ID)},
    "nomination": {ADDRESSES.nomination(SAMPLE_ID)},
    "invitation": {ADDRESSES.invitation(SAMPLE_ID, 0), ADDRESSES.interest(SAMPLE_ID)},
    "inbound_reply": {LINK, f"{ADDRESSES.public}/templates"},
}
"""Where the links of letters lead that have others than most."""


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_html_is_whole_says_its_language_and_fetches_nothing(template: str) -> None:
    outline = Outline(composer().render(letter(template), DOCUMENT).html)
    assert outline.open == []
    assert outline.language == "en"
    assert outline.tags.isdisjoint({"script", "img", "link", "iframe", "form", "table"})
    contact = f"mailto:{DOCUMENT.texts['contact.email']['en']}"
    assert outline.references == {contact} | LEADS_TO.get(template, {LINK, ADDRESSES.new_link})


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_text_part_has_lines_of_at_most_72_characters_except_for_links(template: str) -> None:
    lines = composer().render(letter(template), DOCUMENT).text.splitlines()
    assert max(len(line) for line in lines if "https://" not in line) <= 72
    assert "\n\n\n" not in "\n".join(lines)


def test_a_held_applicant_reads_the_pause_its_reason_and_end_and_no_verdict() -> None:
    rendered = composer().render(letter("on_hold"), DOCUMENT)
    pause = DOCUMENT.pauses[0]
    unwrapped = " ".join(rendered.text.split())
    assert pause.message["en"] in unwrapped
    assert pause.reason["en"] in unwrapped
    assert "until the end of 31 December 2021 (London time)" in unwrapped
    assert "Your interest is registered" in unwrapped
    assert all(text_in(DOCUMENT.categories[each].label, "en") in unwrapped for each in pause.exempt)
    assert not [word for word in VERDICTS if word in rendered.html.lower()]


def test_who_did_not_ask_to_be_told_reads_how_to_ask() -> None:
    held = letter("on_hold")
    assert held.pause is not None
    rendered = composer().render(
        replace(held, pause=held.pause.model_copy(update={"interest_registered": False})), DOCUMENT
    )
    assert "Your interest is not registered" in rendered.text
    assert "Your interest is registered" not in rendered.text


def test_a_pause_that_ends_within_a_day_is_said_with_its_hour() -> None:
    until = datetime(2021, 12, 31, 16, 30, tzinfo=UTC)
    notice = PauseNotice(
        pause_id="gone",
        message={"en": "On hold."},
        reason={"en": "A review."},
        until=until,
        exempt=[],
        interest_registered=False,
    )
    rendered = composer().render(letter("on_hold", pause=notice), DOCUMENT)
    assert "until 31 December 2021, 16:30 (UTC time)" in rendered.text
    assert "not held by it" not in rendered.text


def test_an_incomplete_applicant_reads_each_question_left_blank_and_what_to_do() -> None:
    criterion = next(each for each in DOCUMENT.criteria if len(list(each.needed_names())) > 1)
    missing = list(criterion.needed_names())
    line = ReceiptLine(criterion=criterion.id, answer="missing", missing=missing)
    rendered = composer().render(letter("incomplete", receipt=[line]), DOCUMENT)
    unwrapped = " ".join(rendered.text.split())
    assert text_in(criterion.statement, "en") in unwrapped
    assert text_in(criterion.remedy, "en") in unwrapped
    assert all(text_in(DOCUMENT.questions[name].label, "en") in unwrapped for name in missing)
    assert text_in(DOCUMENT.commitments.statement, "en") in unwrapped


def test_a_declined_applicant_reads_what_is_not_met_and_the_way_to_appeal() -> None:
    criterion = DOCUMENT.criteria[0]
    line = ReceiptLine(criterion=criterion.id, answer="not_met")
    unwrapped = " ".join(composer().render(letter("not_eligible", receipt=[line]), DOCUMENT).text.split())
    assert text_in(criterion.statement, "en") in unwrapped
    assert DOCUMENT.texts["route.appeal"]["en"] in unwrapped


def test_an_eligible_applicant_reads_what_people_still_judge() -> None:
    judged = next(each for each in DOCUMENT.criteria if each.judge == "person")
    line = ReceiptLine(criterion=judged.id, answer="needs_human")
    with_people = composer().render(letter("eligible", receipt=[line]), DOCUMENT).text
    assert text_in(judged.statement, "en") in " ".join(with_people.split())
    assert (
        "No criterion of your application is left" in composer().render(letter("eligible", receipt=[]), DOCUMENT).text
    )


def test_a_twin_s_applicant_reads_that_there_is_another_application_and_others_do_not() -> None:
    writer = composer()
    beside, alone = (writer.render(letter("referred", twin=twin), DOCUMENT) for twin in (True, False))
    for twin, other in ((beside.text, alone.text), (beside.html, alone.html)):
        assert "has reached us before" in " ".join(twin.split())
        assert "has reached us before" not in " ".join(other.split())
        assert "you need not do anything until then" in " ".join(twin.split())


def test_what_an_applicant_wrote_is_escaped_in_html_and_cannot_fake_a_placeholder() -> None:
    evil = letter("incomplete", organisation="<script>alert(1)</script> & {{ 7 * 7 }}", recipient="Eve\r\n\r\nBcc: x")
    rendered = composer().render(evil, DOCUMENT)
    assert "<script" not in rendered.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7 * 7 }}" in rendered.html
    assert "Dear Eve Bcc: x," in rendered.text


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_bytes_of_an_email_say_what_its_preview_says(template: str) -> None:
    one = composer()
    written = letter(template, organisation="Fundación „Niños“ – 学校 " * 4, recipient="Zoë Ångström")
    composed = one.compose(written, DOCUMENT, "7b5a0b52-8a30-5fd8-9d4e-9b6a4f3f6a10", NOW)
    rendered, content = one.render(written, DOCUMENT), content_of(composed.mime)
    assert content.text == rendered.text
    assert content.html.strip() == rendered.html.strip()
    assert dict(content.headers)["Subject"] == composed.subject == rendered.subject
    unfolded = b"List-Unsubscribe: <"  # an address is not cut in two
    assert max(len(line) for line in composed.mime.split(b"\r\n") if not line.startswith(unfolded)) <= 76
    assert composed.failure == ""


def test_two_applicants_with_the_same_answers_share_a_print_and_nothing_personal() -> None:
    one = composer()
    first = one.render(letter(recipient="Ada", organisation="First"), DOCUMENT)
    second = one.render(letter(recipient="Ben", organisation="Second"), DOCUMENT)
    assert "Ada" not in second.text + second.html
    assert first.text.replace("Ada", "Ben").replace("First", "Second") == second.text
    other = one.render(letter(receipt=[]), DOCUMENT)
    assert other.text != first.text


def test_an_address_that_cannot_be_used_fails_the_email_but_not_its_neighbours() -> None:
    composed = composer().compose(letter(address="ada@charity.example\r\nBcc: eve@evil.example"), DOCUMENT, "e", NOW)
    assert composed.failure == "the address contains a control character"
    assert dict(content_of(composed.mime).headers)["To"] == "undisclosed-recipients:;"
    assert b"eve@evil.example" not in composed.mime


def test_a_criterion_the_policy_version_does_not_have_is_permanent() -> None:
    line = ReceiptLine(criterion="no.such", answer="met")
    with pytest.raises(Permanent, match=r"no\.such"):
        composer().render(letter("eligible", receipt=[line]), DOCUMENT)


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("en", ("en", "fr"), "en"),
        ("fr", ("en", "fr"), "fr"),
        ("fr-CA", ("en", "fr"), "fr"),
        ("fr-CA", ("en", "fr", "fr-CA"), "fr-CA"),
        ("de", ("en", "fr"), "en"),
    ],
)
def test_the_locale_is_the_wanted_one_or_its_language_or_english(
    wanted: str, available: tuple[str, ...], chosen: str
) -> None:
    assert choose_locale(wanted, available) == chosen


def test_another_locale_is_a_folder_of_templates(tmp_path: Path) -> None:
    folder = Path(copytree(FOLDER, tmp_path / "templates"))
    (folder / "pt").mkdir()
    (folder / "pt" / "eligible.txt").write_text("Bom dia, {{ recipient }}\n\n{{ said('outcome.eligible.next') }}\n")
    (folder / "pt" / "eligible.html").write_text("<p>{{ said('outcome.eligible.next') }}</p>\n")
    one = Composer(Templates(folder), SENDER, ADDRESSES)
    written = one.render(letter("eligible", locale="pt-BR"), DOCUMENT)
    assert (written.subject, written.locale) == ("Bom dia, Alex Example", "pt")
    assert written.template_version != one.render(letter("eligible"), DOCUMENT).template_version
    assert one.render(letter("eligible", locale="de"), DOCUMENT).locale == "en"
    assert one.render(letter("withdrawn", locale="pt"), DOCUMENT).locale == "en", "it has no such letter"
    assert [each.name for each in one.versions() if each.locale == "pt"] == ["eligible"]


def test_half_a_letter_ends_the_start(tmp_path: Path) -> None:
    folder = Path(copytree(FOLDER, tmp_path / "templates"))
    (folder / "fr" / "eligible.html").unlink()
    with pytest.raises(FileNotFoundError):
        Templates(folder)


def test_a_template_that_names_something_unknown_is_permanent(tmp_path: Path) -> None:
    folder = Path(copytree(FOLDER, tmp_path / "templates"))
    (folder / "en" / "eligible.txt").write_text("{{ salutation }}\n")
    with pytest.raises(Permanent, match="salutation"):
        Composer(Templates(folder), SENDER, ADDRESSES).render(letter("eligible"), DOCUMENT)


def test_a_template_that_is_broken_ends_the_start(tmp_path: Path) -> None:
    folder = Path(copytree(FOLDER, tmp_path / "templates"))
    (folder / "en" / "eligible.html").write_text("{% if %}")
    with pytest.raises(jinja2.TemplateSyntaxError):
        Templates(folder)


def test_no_template_and_no_module_names_what_belongs_to_the_policy() -> None:
    names = [*DOCUMENT.categories, *DOCUMENT.questions, *(criterion.id for criterion in DOCUMENT.criteria)]
    service = FOLDER.parents[1]
    sources = [path for kind in ("*.py", "*.html", "*.txt") for path in service.rglob(kind)]
    texts = {path: path.read_text() for path in sources}
    assert not [(path, name) for path, text in texts.items() for name in names if name in text]


def test_a_text_the_policy_does_not_have_is_replaced_by_the_templates_own_words() -> None:
    bare = DOCUMENT.model_copy(update={"texts": {}})
    for template in TEMPLATES:
        rendered = composer().render(letter(template, policy_hash="bare"), bare)
        assert len(rendered.subject) > len("(reference 12345678)")
    assert Wording(bare, "en").text("contact.email") == ""


def test_long_lines_are_wrapped_with_the_indentation_they_begin_with() -> None:
    body = "  * " + "word " * 30 + "\n\n\n\n\nhttps://example.org/" + "x" * 100 + "\n"
    lines = wrapped(body).split("\n")
    assert all(line.startswith("    word") for line in lines[1:3])
    assert wrapped(body).count("\n\n") == 1
    assert lines[-2] == "https://example.org/" + "x" * 100


@pytest.mark.parametrize(("revision", "expected"), [(1, True), (2, False)])
def test_only_the_first_revision_is_acknowledged(revision: int, expected: bool) -> None:
    application = Application(
        category=next(iter(DOCUMENT.categories)),
        organisation=Organisation(name="An organisation", country="GB"),
        contact=Contact(name="Ada", email="ada@charity.example"),
        application_id=SAMPLE_ID,
        revision=revision,
        provenance=Provenance(channel="api", client="tests"),
        received_at=NOW,
        first_received_at=NOW,
    )
    assert is_acknowledged(application) is expected
    assert acknowledgement(application, "hash").number == 0


def test_the_letter_with_a_drafts_link_says_how_long_it_opens_and_names_nobody() -> None:
    rendered = composer().render(letter(DRAFT_LINK), DOCUMENT)
    for part in (rendered.text, rendered.html):
        assert f"https://join.example/apply/{SAMPLE_ID}.signed" in part
        assert "3 November 2021" in part
        assert text_in(DOCUMENT.categories[letter(DRAFT_LINK).category].label, "en") in part
        assert "Example Organisation" not in part
        assert reference_of(SAMPLE_ID) not in part, "what was not sent has no reference"
        assert "/status/" not in part


def test_the_letter_with_the_link_of_a_change_names_the_application() -> None:
    rendered = composer().render(letter(DRAFT_LINK, details={"draft_id": "d", "amends": "yes"}), DOCUMENT)
    assert rendered.subject.endswith(f"(reference {reference_of(SAMPLE_ID)})")
    assert "Nothing is changed before you send them." in " ".join(rendered.text.split())


def test_two_drafts_never_share_a_letter() -> None:
    writer = composer()
    links = [writer.render(letter(DRAFT_LINK, details={"draft_id": name, "amends": ""}), DOCUMENT) for name in "ab"]
    assert [f"/apply/{name}.signed" in each.text for name, each in zip("ab", links, strict=True)] == [True, True]


def test_the_letter_about_what_is_missing_leads_to_completing_it() -> None:
    rendered = composer().render(letter("incomplete"), DOCUMENT)
    assert f"Complete your application here:\n{LINK}/amend" in rendered.text
    assert f'href="{LINK}/amend"' in rendered.html
