"""Replies to inbound email: their words, their headers, and what strangers' texts become in them."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.domain.letters import inbound_reply, is_acknowledged
from services.notifications.domain.replies import reply_of
from shared.events import InboundAnswered, InboundFault, InboundRefused, InboundTaken
from tests.unit.notifications.letters import NOW, POLICY, SENDER, composer
from tests.unit.notifications.test_correspondence import application

EMAIL_ID = "7b5a0b52-8a30-5fd8-9d4e-9b6a4f3f6a10"
ONE = "5f0c2a52-6c3e-5d0a-9a39-1f1f5a8f2f10"


def answered(**changes: Any) -> InboundAnswered:
    values: dict[str, Any] = {
        "inbound_id": "3f0c2a52-6c3e-5d0a-9a39-1f1f5a8f2f11",
        "address": "ann@safer.example",
        "subject": "Our application",
        "in_reply_to": "<1@safer.example>",
        "references": ["<0@safer.example>", "<1@safer.example>"],
        "received_at": NOW,
        "answered_at": NOW,
    }
    return InboundAnswered(**{**values, **changes})


def taken(name: str = "Safer Screens", place: str = "row 1 of “a.csv”") -> InboundTaken:
    return InboundTaken(application_id=ONE, organisation_name=name, place=place)


def written(what: InboundAnswered) -> tuple[Any, str]:
    letter = inbound_reply(what, POLICY.document, POLICY.hash)
    message = message_from_bytes(composer().compose(letter, POLICY.document, EMAIL_ID, NOW).mime, policy=default)
    body = message.get_body(("plain",))
    assert body is not None
    return message, str(body.get_content()).replace("\r\n", "\n")


def test_it_belongs_to_the_conversation_and_no_program_answers_it() -> None:
    message, _ = written(answered(accepted=[taken()]))
    assert message["In-Reply-To"] == "<1@safer.example>"
    assert message["References"] == "<0@safer.example> <1@safer.example>"
    assert (message["Auto-Submitted"], message["X-Loop"]) == ("auto-replied", SENDER.address)
    assert (message["To"], message["Subject"]) == ("ann@safer.example", "Re: Our application")


def test_it_names_each_application_with_reference_and_link() -> None:
    _, text = written(answered(accepted=[taken()]))
    assert "reference 5F0C2A52" in text
    assert f"https://join.example/status/{ONE}.signed" in text
    assert "NOT TAKEN IN" not in text


def test_it_says_what_is_wrong_field_by_field() -> None:
    refused = InboundRefused(place="row 2 of “a.csv”", faults=[InboundFault(label="Country", message="Write it.")])
    _, text = written(answered(accepted=[taken()], refused=[refused], notes=["Not looked at: “logo.png”."]))
    assert "* Row 2 of “a.csv”:\n  - Country: Write it." in text
    assert "what was taken in stays" in " ".join(text.split())
    _, nothing = written(answered(problems=["There is no application in your message."]))
    assert "TAKEN IN\n\n* There is no application in your message." in nothing
    assert "/status/" not in nothing


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Re: AW: Re[2]: Ours", "Re: Ours"),
        ("", "Re: Your message about joining"),
        ("Ours\r\nBcc: eve@x.example", "Re: Ours Bcc: eve@x.example"),
        ("x" * 500, "Re: " + "x" * 119 + "…"),
        ("\ue000" * 12 + "Ours", "Re: Ours"),
    ],
)
def test_a_subject_becomes_one_short_line_with_one_prefix(subject: str, shown: str) -> None:
    message, _ = written(answered(subject=subject))
    assert message["Subject"] == shown
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    ("locale", "written_in", "subject", "said"),
    [
        ("en", "en", "Re: Your message about joining", "Taken in"),
        ("fr-CA", "fr", "Re: Votre message sur l'adhésion", "Ce qui a été pris en compte"),
        ("es", "es", "Re: Su mensaje sobre la adhesión", "Lo que se ha admitido"),
        ("ar", "ar", "Re: رسالتكم بشأن الانضمام", "ما قُبل"),
        ("de", "en", "Re: Your message about joining", "Taken in"),
    ],
)
def test_it_is_written_in_the_senders_language_and_its_version_is_kept(
    locale: str, written_in: str, subject: str, said: str
) -> None:
    letter = inbound_reply(answered(accepted=[taken()], subject="", locale=locale), POLICY.document, POLICY.hash)
    writer = composer()
    composed = writer.compose(letter, POLICY.document, EMAIL_ID, NOW)
    versions = {(each.name, each.locale): each.version for each in writer.versions()}
    assert (composed.locale, composed.template_version) == (written_in, versions["inbound_reply", written_in])
    message = message_from_bytes(composed.mime, policy=default)
    assert (message["Subject"], message["Content-Language"]) == (subject, written_in)
    body = message.get_body(("html",))
    assert body is not None
    html = str(body.get_content())
    assert said in html
    assert f'lang="{written_in}" dir="{"rtl" if written_in == "ar" else "ltr"}"' in html


def test_what_to_do_about_a_field_stands_apart_as_the_english_it_is() -> None:
    refused = InboundRefused(place="الصف 2", faults=[InboundFault(label="البلد", message="Write a code, such as GB.")])
    letter = inbound_reply(answered(refused=[refused], locale="ar"), POLICY.document, POLICY.hash)
    rendered = composer().render(letter, POLICY.document)
    assert "- \u2068البلد\u2069: \u2068Write a code, such as GB.\u2069" in rendered.text
    assert '<span lang="en" dir="ltr">\u2068Write a code, such as GB.\u2069</span>' in rendered.html
    assert "ويُشرح باللغة الإنكليزية" in rendered.html


def test_ids_that_are_none_are_left_out() -> None:
    found = reply_of(answered(in_reply_to="<a\r\nBcc: x>", references=["<ok@x>", "nonsense", "<a b@x>"]))
    assert (found.in_reply_to, found.references) == ("", ("<ok@x>",))


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=100))
@settings(max_examples=150, deadline=None)
def test_whatever_strangers_write_the_headers_are_ours(subject: str, name: str, reference: str) -> None:
    what = answered(
        subject=subject.encode("utf-8", "replace").decode(), references=[reference.encode("utf-8", "replace").decode()]
    )
    refused = InboundRefused.model_construct(
        place=name, faults=[InboundFault.model_construct(label=name, message=name)]
    )
    what = what.model_copy(
        update={
            "refused": [refused],
            "accepted": [InboundTaken.model_construct(application_id=ONE, organisation_name=name, place=name)],
        }
    )
    letter = inbound_reply(what, POLICY.document, POLICY.hash)
    mime = composer().compose(letter, POLICY.document, EMAIL_ID, NOW).mime
    head = mime.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert set(names) <= {
        b"From",
        b"To",
        b"Subject",
        b"Date",
        b"Message-ID",
        b"Content-Language",
        b"Auto-Submitted",
        b"X-Loop",
        b"X-Auto-Response-Suppress",
        b"In-Reply-To",
        b"References",
        b"MIME-Version",
        b"Content-Type",
    }
    assert b"\n" not in head.replace(b"\r\n", b"")


def test_an_application_answered_by_a_reply_gets_no_acknowledgement() -> None:
    plain = application()
    replied = plain.model_copy(update={"provenance": plain.provenance.model_copy(update={"answered": True})})
    assert (is_acknowledged(plain), is_acknowledged(replied)) == (True, False)
