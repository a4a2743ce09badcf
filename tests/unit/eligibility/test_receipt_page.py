"""The page of a receipt is in English, and says where the policy speaks the applicant's language."""

from __future__ import annotations

from services.eligibility.domain.decisions import decide
from services.eligibility.domain.receipts import receipt_of
from services.eligibility.pages.receipts import sections_of
from tests.unit.eligibility.making import AFTER, alliance, application, rulebook
from tests.unit.policy.packs import complete

DOCUMENT = alliance().document


def lines_in(locale: str) -> list[str]:
    """The criteria, remedies and questions of a receipt, as the page shows them."""
    sent = complete("un_member_state", aims__accepted=False, government__letter=None)
    one = application(sent, received_at=AFTER).model_copy(update={"locale": locale})
    book = rulebook()
    receipt = receipt_of(decide(one, book, decided_at=AFTER), book, locale)
    shown = [line for section in sections_of(receipt) for line in section.lines]
    explained = [text for line in shown for text in (line.explained.statement, line.explained.remedy)]
    return [*explained, *(label for line in shown for _, label in line.explained.missing)]


def test_sentences_of_the_policy_say_their_language_and_direction() -> None:
    criterion = DOCUMENT.criterion("aims.accepted")
    arabic = lines_in("ar-EG")
    assert f'<span lang="ar" dir="rtl">{criterion.statement["ar"]}</span>' in arabic
    assert all(text.startswith('<span lang="ar" dir="rtl">') for text in arabic)
    assert criterion.statement["en"] in lines_in("en")
    assert not [text for text in lines_in("de") if "<span" in text], "it is in English, as the page is"
