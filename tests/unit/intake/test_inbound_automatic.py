"""Automatic mail is recognised by headers as real programs write them, and people's mail is not taken for it."""

from __future__ import annotations

import pytest

from services.intake.domain.inbound import inbound_id_for, is_of_sender, untagged
from services.intake.domain.inbound_automatic import MAX_OWN_REFERENCES, Ours, why_ignored
from services.intake.domain.inbound_mail import read_headers

OURS = Ours("membership@alliance.example", frozenset({"apply@alliance.example"}))
OWN_ID = "<0b0f5f0e-58ad-5d6c-9a39-1f1f5a8f2f10@alliance.example>"
PERSON = "From: Ann <ann@safer.example>\nMessage-ID: <CAF=x1@mail.safer.example>\nSubject: Our application\n"

AUTOMATIC = {
    "a bounce of Postfix": ("", "From: MAILER-DAEMON@mx.example\nAuto-Submitted: auto-replied\n"),
    "a bounce of Exim": ("", "X-Failed-Recipients: x@y.example\nAuto-Submitted: auto-replied\n"),
    "a bounce with a return path": (
        "ann@safer.example",
        "Content-Type: multipart/report; report-type=delivery-status\n",
    ),
    "a read receipt": (
        "ann@safer.example",
        'Content-Type: multipart/report;\n report-type="disposition-notification"\n',
    ),
    "an out-of-office reply of Exchange": (
        "ann@safer.example",
        "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n",
    ),
    "an out-of-office reply of Gmail": (
        "ann@safer.example",
        "Auto-Submitted: auto-replied\nPrecedence: bulk\nX-Autoreply: yes\n",
    ),
    "a vacation reply of a Sieve script": ("ann@safer.example", "Auto-Submitted: auto-replied (vacation)\n"),
    "a reply of an old vacation program": ("ann@safer.example", "Precedence: junk\n"),
    "a ticket system": ("help@safer.example", "Precedence: auto_reply\n"),
    "a mailing list": ("list-bounces@lists.example", "List-Id: Members <members.lists.example>\nPrecedence: list\n"),
    "a list that rewrites nothing": ("ann@safer.example", "List-Id: <members.lists.example>\n"),
    "a list that names its address": ("ann@safer.example", "List-Post: <mailto:members@lists.example>\n"),
    "a newsletter": ("news@shop.example", "List-Unsubscribe: <https://shop.example/out>\nPrecedence: bulk\n"),
    "a program's address with a tag": ("prvs=0123456789=postmaster@safer.example", ""),
    "our own address with a tag": ("prvs=0123456789=membership@alliance.example", ""),
    "a cron job": ("root@safer.example", "Auto-Submitted: auto-generated\nX-Cron-Env: <SHELL=/bin/sh>\n"),
    "a mail server's own address": ("Mailer-Daemon@mx.safer.example", ""),
    "the postmaster": ("postmaster@safer.example", ""),
    "an address that takes no replies": ("no-reply@safer.example", ""),
    "another that takes none": ("NoReply@safer.example", ""),
    "one more": ("do_not_reply@safer.example", ""),
    "a bounce address with a key": ("bounces+31=x@safer.example", ""),
    "a list's owner": ("owner-members@lists.example", ""),
    "our own address": ("membership@alliance.example", ""),
    "the address that is written to": ("Apply@Alliance.example", ""),
    "a letter of ours that came back": ("ann@safer.example", f"Message-ID: {OWN_ID}\n"),
    "a forwarder that keeps our mark": ("ann@safer.example", "X-Loop: membership@alliance.example\n"),
    "a conversation without an end": (
        "ann@safer.example",
        f"References: {' '.join([OWN_ID] * (MAX_OWN_REFERENCES + 1))}\n",
    ),
    "a loop of mail servers": ("ann@safer.example", "Received: from a by b\n" * 60),
}


@pytest.mark.parametrize("what", AUTOMATIC)
def test_automatic_mail_is_never_answered(what: str) -> None:
    sender, headers = AUTOMATIC[what]
    assert why_ignored(read_headers((headers + "Subject: x\n\nbody").encode()), sender, OURS)


BY_PEOPLE = {
    "a plain message": "",
    "one that says that a person sent it": "Auto-Submitted: no\n",
    "a reply to a letter of ours": f"In-Reply-To: {OWN_ID}\nReferences: {OWN_ID}\n",
    "an urgent one": "Precedence: first-class\nImportance: high\n",
    "one that suppresses read receipts": "X-Auto-Response-Suppress: DR, RN, NRN\n",
    "one through four servers": "Received: from a by b\n" * 4,
    "one of a person whose address has such a word": "X-Sender: noreply@elsewhere.example\n",
    "one with a signature of the sender's domain": "DKIM-Signature: v=1; a=rsa-sha256; d=safer.example\n",
    "one whose provider adds a way to unsubscribe": "List-Unsubscribe: <mailto:out@safer.example>\n",
    "one with a subject like a reply of a program": "Subject: Out of office hours support, our application\n",
}


@pytest.mark.parametrize("what", BY_PEOPLE)
def test_what_people_send_is_read(what: str) -> None:
    assert why_ignored(read_headers((PERSON + BY_PEOPLE[what] + "\nbody").encode()), "ann@safer.example", OURS) is None


@pytest.mark.parametrize(
    "sender", ["prvs=0123456789=jane@m2.test", "PRVS=01234ABCDE=jane@m2.test", "btv1==01af==jane@m2.test"]
)
def test_who_writes_through_a_server_that_tags_its_senders_is_a_person(sender: str) -> None:
    assert why_ignored(read_headers((PERSON + "\nbody").encode()), sender, OURS) is None
    assert is_of_sender(sender, "Jane@m2.test")
    assert not is_of_sender(sender, "ann@m2.test")


def test_the_same_message_under_another_tag_is_the_same() -> None:
    raw = (PERSON + "\nbody").encode()
    first, second = (inbound_id_for(f"prvs={tag}=jane@m2.test", raw) for tag in ("0123456789", "1123456789"))
    assert first == second == inbound_id_for("jane@m2.test", raw)


def test_what_only_looks_like_a_tag_stays() -> None:
    for sender in ("prvs=jane@m2.test", "prvs=0123456789=@m2.test", "jane.prvs=1=x@m2.test"):
        assert untagged(sender) == sender
