"""Every letter in every language: complete, of one outline, and in that language alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser

import jinja2
import jinja2.meta
import pytest

from services.notifications.delivery.templates import FOLDER, KINDS, Templates
from services.notifications.domain.letters import DRAFT_LINK, TEMPLATES, Letter
from services.notifications.domain.replies import Fault, Refused, Reply
from services.notifications.domain.samples import SAMPLE_ID
from services.notifications.use_cases.previews import Rendered
from services.notifications.use_cases.records import content_of
from shared.events import PauseNotice
from shared.policy.languages import direction_of, languages_of, texts_of, untranslated
from tests.unit.notifications.letters import NOW, POLICY, composer, letter

DOCUMENT = POLICY.document
ENGLISH = "en"
TRANSLATED = ("ar", "es", "fr")
WRITER = composer()
UNFILLED = re.compile(r"\{\{|\}\}|\{%|None|undefined|[\ue000-\uf8ff]")
ENGLISH_WORDS = re.compile(r"\b(?:the|and|your|you|with|from|which|was|were|membership)\b", re.IGNORECASE)
NAMES = re.compile(r"https?://\S+|[\w.]+@[\w.]+|Alex Example|Example Organisation|WeProtect Global Alliance")
SAID = re.compile(r"said\(\"([\w.-]+)\"\)")


class Outline(HTMLParser):
    """The elements of an HTML document in their order, and what it refers to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.first: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.references += [value for name in ("href", "src") if (value := values.get(name))]
        if tag == "html":
            self.first = values


def variants(template: str) -> Iterator[Letter]:
    """A template's letters with every part that it has at some time. What a person writes is in no language here."""
    sample = letter(template)
    sample = replace(sample, words="7\n8") if sample.words else sample
    sample = replace(sample, reply=_wordless(sample.reply)) if sample.reply else sample
    yield sample
    if "verdict" in sample.details:
        yield replace(sample, details={"verdict": "rejected"})
    yield replace(sample, twin=True, receipt=())
    if sample.pause:
        yield replace(sample, pause=sample.pause.model_copy(update={"interest_registered": False, "exempt": []}))
    if sample.until:
        yield replace(sample, until=None if template != DRAFT_LINK else sample.until, details=_others(sample))
    if sample.reply:
        yield from (replace(sample, reply=each) for each in _replies(sample.reply))


def _others(sample: Letter) -> dict[str, str]:
    return {**sample.details, **({"amends": "yes"} if "amends" in sample.details else {})}


def _wordless(reply: Reply) -> Reply:
    """What others say in a reply is in no language here."""
    accepted = tuple(replace(each, place="5") for each in reply.accepted)
    return replace(reply, subject="", accepted=accepted, refused=(Refused("6", (Fault("7", "8"),)),), notes=("9",))


def _replies(reply: Reply) -> Iterator[Reply]:
    """Replies to one, two and three applications, and to none."""
    for accepted in range(4):
        taken = reply.accepted * accepted
        yield replace(reply, accepted=taken, refused=(), problems=(), notes=())
        yield replace(
            reply,
            accepted=taken,
            refused=(Refused("7", (Fault("8", "11"), Fault("", "12"))),),
            problems=("9",),
            notes=("10",),
        )


def in_language(locale: str, template: str) -> Iterator[tuple[Rendered, Rendered]]:
    """Each variant of a letter in this language, beside English."""
    for written in variants(template):
        yield WRITER.render(replace(written, locale=locale), DOCUMENT), WRITER.render(written, DOCUMENT)


def test_every_letter_is_there_in_every_language() -> None:
    found = Templates()
    assert set(found.locales) == {ENGLISH, *TRANSLATED}
    lacking = {(name, locale) for name in TEMPLATES for locale in found.locales if locale not in found.locales_of(name)}
    assert lacking == set()


@pytest.mark.parametrize("locale", TRANSLATED)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_placeholder_is_filled_and_nothing_is_left_out(template: str, locale: str) -> None:
    for found, english in in_language(locale, template):
        assert found.locale == locale
        for part in (found.subject, found.text, found.html):
            assert not UNFILLED.search(part)
        there, here = Outline(english.html), Outline(found.html)
        assert here.tags == there.tags
        assert sorted(here.references) == sorted(there.references)
        assert here.first == {"lang": locale, "dir": direction_of(locale)}
        assert sorted(re.findall(r"https?://\S+", found.text)) == sorted(re.findall(r"https?://\S+", english.text))
        for value in ("Alex Example", "Example Organisation", "A11CE000"):
            assert (value in found.text, value in found.html) == (value in english.text, value in english.html), value
        assert len(found.text.split("\n\n")) == len(english.text.split("\n\n"))


@pytest.mark.parametrize("locale", TRANSLATED)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_letter_is_in_its_language_alone(template: str, locale: str) -> None:
    for found, _ in in_language(locale, template):
        for part in (found.subject, found.text, re.sub(r"(?s)<style>.*?</style>|<[^>]*>", " ", found.html)):
            assert ENGLISH_WORDS.findall(NAMES.sub(" ", part)) == []


@pytest.mark.parametrize("locale", TRANSLATED)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_names_the_same_placeholders_and_texts_in_every_language(template: str, locale: str) -> None:
    for kind in KINDS:
        there, here = ((FOLDER / each / f"{template}.{kind}").read_text() for each in (ENGLISH, locale))
        assert set(SAID.findall(here)) == set(SAID.findall(there))
        assert _names(here) == _names(there)


def _names(source: str) -> set[str]:
    """What a template is filled with; the Alliance's name stands in the frame, and in sentences with its article."""
    return jinja2.meta.find_undeclared_variables(jinja2.Environment().parse(source)) - {"alliance", "the_alliance"}


@pytest.mark.parametrize("locale", TRANSLATED)
def test_the_alliances_own_policy_is_whole_in_every_language(locale: str) -> None:
    assert locale in languages_of(DOCUMENT)
    assert untranslated(DOCUMENT, locale) == ()
    same = [place for place, text in texts_of(DOCUMENT) if text.get(locale) == text["en"]]
    assert same == []


@pytest.mark.parametrize(
    ("locale", "midnight", "afternoon"),
    [
        ("en", "the end of 31 December 2021 (London time)", "1 January 2022, 16:05 (London time)"),
        ("fr", "jusqu'à la fin du 31 décembre 2021 (heure de Londres)", "jusqu'au 1er janvier 2022 à 16 h 05"),
        (
            "es",
            "hasta el final del 31 de diciembre de 2021 (hora de Londres)",
            "hasta el 1 de enero de 2022 a las 16:05",
        ),
        ("ar", "نهاية يوم 31 كانون الأول/ديسمبر 2021 (بتوقيت لندن)", "1 كانون الثاني/يناير 2022 الساعة 16:05"),
    ],
)
def test_the_end_of_a_pause_is_said_as_the_language_says_it(locale: str, midnight: str, afternoon: str) -> None:
    assert midnight in _held(locale, datetime(2022, 1, 1, tzinfo=UTC))
    assert afternoon in _held(locale, datetime(2022, 1, 1, 16, 5, tzinfo=UTC))


def _held(locale: str, until: datetime) -> str:
    sample = letter("on_hold")
    assert sample.pause is not None
    notice: PauseNotice = sample.pause.model_copy(update={"until": until})
    return " ".join(WRITER.render(replace(sample, locale=locale, pause=notice), DOCUMENT).text.split())


def test_a_zone_without_a_name_in_a_language_is_called_by_its_own() -> None:
    elsewhere = DOCUMENT.pauses[0].model_copy(update={"timezone": "Africa/Lagos"})
    document = DOCUMENT.model_copy(update={"pauses": (elsewhere,)})
    for locale, words in (("fr", "fuseau horaire"), ("es", "zona horaria"), ("ar", "المنطقة الزمنية")):
        written = letter("on_hold", locale=locale, policy_hash="elsewhere")
        assert f"{words} Africa/Lagos" in " ".join(WRITER.render(written, document).text.split())


def test_the_bytes_of_an_arabic_letter_say_their_language_and_keep_names_and_references_whole() -> None:
    written = letter("eligible", locale="ar-EG", organisation="7 Seas \u202eelifkcart\u2069 Trust")
    mime = WRITER.compose(written, DOCUMENT, SAMPLE_ID, NOW).mime
    message, text = message_from_bytes(mime, policy=default), content_of(mime).text
    assert message["Content-Language"] == "ar"
    assert message["Subject"].endswith("(الرقم المرجعي \u2068A11CE000\u2069)")
    assert "\u20687 Seas elifkcart Trust\u2069" in text, "marks of the applicant's own are gone, ours are in pairs"
    assert text.count("\u2068") == text.count("\u2069") > 0
    french = WRITER.render(replace(written, locale="fr"), DOCUMENT)
    assert "\u2068" not in french.text + french.html


def test_a_policy_that_says_nothing_in_a_language_is_answered_in_it_as_far_as_the_letters_go() -> None:
    bare = DOCUMENT.model_copy(update={"texts": {}})
    for locale in TRANSLATED:
        for template in TEMPLATES:
            rendered = WRITER.render(letter(template, policy_hash="bare", locale=locale), bare)
            assert not UNFILLED.search(rendered.subject + rendered.text + rendered.html)
