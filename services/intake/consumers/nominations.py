"""What is heard of decisions goes to the nominations too: whom an eligible application names is asked."""

from __future__ import annotations

from collections.abc import Sequence

from services.intake.domain.nominations import LETTER
from services.intake.use_cases.nomination_letters import NominationLetters
from services.intake.use_cases.nominations import Decided, Nominations
from shared.application import Lane
from shared.batches import Event, Handler
from shared.events import ApplicationDecided, EmailFailed, EmailSent


def then_asking(told: Handler, nominations: Nominations) -> Handler:
    """The handler of decisions: first what it means for the status, by which it is seen whether a decision still counts."""

    async def decided(events: Sequence[Event], lane: Lane) -> None:
        await told(events, lane)
        found = [
            Decided(event.data, event.traceparent) for event in events if isinstance(event.data, ApplicationDecided)
        ]
        await nominations.ask(found, lane)

    return decided


def then_noting(told: Handler, letters: NominationLetters) -> Handler:
    """The handler of reports of emails: letters to nominees are not waited for any more."""

    async def reported(events: Sequence[Event], lane: Lane) -> None:
        await told(events, lane)
        found = [each.data for each in events if isinstance(each.data, EmailSent | EmailFailed)]
        await letters.reported([each.email_id for each in found if each.template == LETTER])

    return reported
