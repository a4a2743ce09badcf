"""What people do about an application that its applicant has to know of."""

from __future__ import annotations

from pydantic import AwareDatetime

from shared.application import Published
from shared.events.applications import ApplicationSummary


class InformationRequested(Published):
    """The secretariat asks the applicant for something, in the words of `text`; `questions` are the ids of those they are
    asked to answer anew. The applicant answers by amending the application. `number` counts what was done about it."""

    application: ApplicationSummary
    number: int
    text: str
    questions: list[str] = []
    requested_at: AwareDatetime
