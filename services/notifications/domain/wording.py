"""The words of one policy version in one locale, looked up once and kept: rendering an email reads no policy twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.events import EntitlementNotice, PauseNotice, ReceiptLine
from shared.policy.base import text_in
from shared.policy.pack import PolicyDocument
from shared.policy.receipt import ExplainedAnswer, explain


@dataclass(frozen=True, slots=True)
class Explained:
    """The lines of a receipt a letter speaks of, by answer."""

    met: tuple[ExplainedAnswer, ...]
    not_met: tuple[ExplainedAnswer, ...]
    missing: tuple[ExplainedAnswer, ...]
    needs_human: tuple[ExplainedAnswer, ...]


@dataclass(frozen=True, slots=True)
class PauseWords:
    """A pause for a reader. `until` is its first moment after the end in the pause's own time zone; when that is a
    midnight, `last_day` is the day before it, which is how people say it."""

    message: str
    reason: str
    until: datetime
    last_day: datetime | None
    zone: str
    exempt: tuple[str, ...]
    interest_registered: bool


@dataclass(frozen=True, slots=True)
class EntitlementWords:
    """One thing that a member may use, for a reader; `note` says more about one that is not `available` yet."""

    text: str
    available: bool
    note: str


class Wording:
    """The words of `document` in `locale` (English where a text has no other)."""

    def __init__(self, document: PolicyDocument, locale: str) -> None:
        self.locale = locale
        self._document = document
        self._answers: dict[tuple[str, str, tuple[str, ...]], ExplainedAnswer] = {}
        self._texts = {name: text_in(text, locale) for name, text in document.texts.items()}
        self._categories = {name: text_in(category.label, locale) for name, category in document.categories.items()}
        self._zones = {pause.id: pause.timezone for pause in document.pauses}
        self.commitments = text_in(document.commitments.statement, locale)

    @property
    def document(self) -> PolicyDocument:
        """The policy version whose words these are."""
        return self._document

    def text(self, name: str) -> str:
        """A text of the pack, empty if it has none of that name: templates have words of their own for that."""
        return self._texts.get(name, "")

    def category(self, category_id: str) -> str:
        """What a category is called; one this policy version does not have stands for itself."""
        return self._categories.get(category_id, category_id)

    def explained(self, receipt: Iterable[ReceiptLine]) -> Explained:
        """The receipt in words. `KeyError` when a criterion is not one of this policy version."""
        by_answer: dict[str, list[ExplainedAnswer]] = {"met": [], "not_met": [], "missing": [], "needs_human": []}
        for line in receipt:
            key = (line.criterion, line.answer, tuple(line.missing))
            if (answer := self._answers.get(key)) is None:
                answer = self._answers[key] = explain(self._document, [line], self.locale)[0]
            by_answer[line.answer].append(answer)
        return Explained(**{answer: tuple(lines) for answer, lines in by_answer.items()})

    def questions(self, names: Iterable[str]) -> tuple[str, ...]:
        """What questions are called; those that this policy version does not have are left out."""
        known = self._document.questions
        return tuple(text_in(known[name].label, self.locale) for name in names if name in known)

    def entitlements(self, notices: Iterable[EntitlementNotice]) -> tuple[EntitlementWords, ...]:
        """What a member may use, in words."""
        return tuple(
            EntitlementWords(
                text_in(each.text, self.locale), each.available, text_in(each.note, self.locale) if each.note else ""
            )
            for each in notices
        )

    def pause(self, notice: PauseNotice) -> PauseWords:
        """The pause that holds an application."""
        zone = self._zones.get(notice.pause_id, "UTC")
        until = notice.until.astimezone(ZoneInfo(zone))
        midnight = (until.hour, until.minute, until.second) == (0, 0, 0)
        return PauseWords(
            message=text_in(notice.message, self.locale),
            reason=text_in(notice.reason, self.locale),
            until=until,
            last_day=until - timedelta(days=1) if midnight else None,
            zone=zone,
            exempt=tuple(self.category(category_id) for category_id in notice.exempt),
            interest_registered=notice.interest_registered,
        )


def choose_locale(wanted: str, available: Sequence[str], otherwise: str = "en") -> str:
    """The locale to write in: the wanted one, else its language (`fr` for `fr-CA`), else English."""
    return next((locale for locale in (wanted, wanted.partition("-")[0]) if locale in available), otherwise)
