"""The door to an application's own pages: a signed link that was not revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response

from services.intake.domain.erasure import gone
from services.intake.domain.status import Status
from services.intake.use_cases.status import StatusProjection
from shared.errors import Gone
from shared.web.layout import Pages
from shared.web.links import STATUS, LinkInvalid, Links, read_status_subject
from shared.web.negotiation import prefers_html
from shared.web.problem import problem_of, response_of

MAX_AGE: Final = timedelta(days=365)
"""How long a link opens. Whoever holds an older one gets a new one with two entries in a form."""


class Erased(Gone):
    """The link opens, and there is nothing behind it any more but that it was erased."""

    def __init__(self, status: Status) -> None:
        super().__init__(str(gone()))
        self.status = status


class Door:
    """Opens for whoever holds a link."""

    def __init__(self, statuses: StatusProjection, links: Links) -> None:
        self._statuses = statuses
        self._links = links

    async def open(self, token: str) -> Status:
        """The application of a link.

        Raises:
            LinkInvalid: it is forged, expired, revoked, or of no application; it says the same of all of them.
            Erased: the application was erased.
        """
        application_id, generation = read_status_subject(self._links.open(STATUS, token, MAX_AGE))
        status = await self._statuses.find(application_id)
        if status is None or status.link_generation != generation:
            raise LinkInvalid
        if status.state == "erased":
            raise Erased(status)
        return status


def answer_invalid_links(web: FastAPI, pages: Pages) -> None:
    """Answer a browser whose link does not open with the page that says how to get a new one, or with the page that is
    left of an application that was erased; programs get a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        accept = request.headers.get("accept", "")
        if prefers_html(accept):
            if isinstance(error, Erased):
                return pages.page("erased.html", status=410, application=error.status)
            return pages.page("link_old.html", status=404)
        return response_of(problem_of(error), accept)

    for kind in (LinkInvalid, Erased):
        web.add_exception_handler(kind, answer)
