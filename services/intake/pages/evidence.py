"""The page of evidence files, in the form and on an application's own page: a list, and a form to add some.

The form has one entry a kind, which takes several files. They are taken as they come in, each for itself: what is refused
is said beside its entry, and what was taken is in the list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.intake.domain.evidence import MAX_BYTES, MAX_FILE, MAX_FILES, Entry, Folder, NoRoom, label_of, megabytes
from services.intake.domain.evidence_types import ACCEPT, TAKEN
from services.intake.domain.file_names import clean_name
from services.intake.pages.form_site import ENTRIES, FormTooOld
from services.intake.pages.links import retry
from services.intake.use_cases.evidence import UPLOADS, Arrived, EvidenceFiles
from shared.errors import Conflict, Gone, Refused
from shared.limits import Limits, TooOften
from shared.policy.base import text_in
from shared.policy.pack import EvidenceKind, PolicyDocument
from shared.web.clients import client_of
from shared.web.downloads import attachment
from shared.web.layout import Pages
from shared.web.links import Links
from shared.web.multipart import Part, form_parts
from shared.web.problem import not_found

MAX_UPLOAD: Final = 128 << 20
"""Bytes of a form. It is more than an application may have: a browser shows no answer before it has sent everything, so what
is too large is read, dropped, and then refused with a sentence."""
UPLOADS_HERE: Final = ("POST /apply/{token}/documents", "POST /status/{token}/documents")
"""The routes that take such a form."""
DOCUMENTS: Final = "documents"
"""The purpose of the token in the forms: it says that the page was seen that this link opened."""
FORM_AGE: Final = timedelta(days=1)
_FIELD: Final = "file."

Add = Callable[[str, Arrived], Awaitable[Entry]]
"""Adds a file of a kind. Raises Refused, Conflict, Transient."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where evidence files are shown. `base` is the page's address, below that of its link's `token`; `back` where it came
    from. `closed`: nothing more can be added. `at_once`: the application was sent already, the rest of the form was not."""

    owner: str
    token: str
    base: str
    back: str
    back_label: str
    kinds: tuple[EvidenceKind, ...]
    policy: PolicyDocument
    locale: str
    closed: bool = False
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not taken, and why."""

    kind: str
    name: str
    sentence: str
    often: TooOften | None = None


class DocumentsPage:
    """Shows the page, takes its form, gives files back."""

    def __init__(self, files: EvidenceFiles, limits: Limits, links: Links, pages: Pages) -> None:
        self.files = files
        self._limits = limits
        self._links = links
        self._pages = pages

    async def show(self, place: Place, failures: list[Failure] | None = None) -> Response:
        """The page, with what was wrong with the files that were just sent."""
        failed = failures or []
        often = next((each.often for each in failed if each.often is not None), None)
        return self._pages.page(
            "documents.html",
            status=429 if often else 422 if failed else 200,
            headers=retry(often) if often else None,
            place=place,
            form=self._links.sign(DOCUMENTS, place.token),
            failures=failed,
            rows=rows_of(await self.files.folder(place.owner), place.policy, place.locale),
            kinds=[_kind(each, place.locale, failed) for each in place.kinds],
            accept=ACCEPT,
            taken=TAKEN,
            most={"file": megabytes(MAX_FILE), "files": MAX_FILES, "all": megabytes(MAX_BYTES)},
        )

    async def take(self, request: Request, place: Place, add: Add) -> Response:
        """Take what a browser sends. The whole form is read in any case: a browser reads no answer before.

        Raises:
            FormTooOld: the form was not made by this page, or too long ago; nothing was taken.
            TooOften: so many forms came from there that this one was not read.
            Gone: the application was erased, perhaps while this came in; nothing was kept.
            Transient: a file could not be stored; those before it were.
        """
        await self._limits.take(ENTRIES, client_of(request))
        ours, then, sent, failures = False, "", 0, list[Failure]()
        async with form_parts(request) as parts:
            async for part in parts:
                if part.filename is None:
                    text = await part.text()
                    ours = ours or (part.name == "form" and self._is_ours(text, place))
                    then = text if part.name == "then" else then
                elif ours and part.filename:
                    sent += 1
                    if (failure := await self._take_one(request, part, place, add)) is not None:
                        failures.append(failure)
        if not ours:
            raise FormTooOld(place.base)
        if not sent and then != "continue":
            failures.append(Failure(place.kinds[0].id if place.kinds else "", "", "Choose a file first."))
        if failures:
            return await self.show(place, failures)
        return RedirectResponse(place.back if then == "continue" else place.base, 303)

    async def _take_one(self, request: Request, part: Part, place: Place, add: Add) -> Failure | None:
        kind, name = part.name.removeprefix(_FIELD), clean_name(part.filename or "")
        folder = await self.files.folder(place.owner)
        try:
            await self._limits.take(UPLOADS, client_of(request))
            async with part.received(most=folder.room) as file:
                await add(kind, Arrived(part.filename or "", file.content, file.size, file.sha256, file.whole))
        except TooOften as error:
            return Failure(kind, name, str(error), error)
        except Gone:
            raise
        except (NoRoom, Refused, Conflict) as error:
            return Failure(kind, name, str(error))
        return None

    async def ours(self, request: Request, place: Place) -> None:
        """Whether a small form was made by this page. Raises FormTooOld."""
        entries = await request.form(max_files=0, max_fields=10)
        if not self._is_ours(str(entries.get("form", "")), place):
            raise FormTooOld(place.base)

    def _is_ours(self, form: str, place: Place) -> bool:
        return self._links.vouches(DOCUMENTS, form, place.token, FORM_AGE)

    async def give(self, owner: str, evidence_id: str) -> Response:
        """One file, to be saved. Problem 404 when it is not there (any more)."""
        found = await self.files.open(owner, evidence_id)
        if found is None:
            raise not_found("document")
        entry, chunks = found
        return attachment(entry.name, entry.media_type, entry.size, chunks)


def rows_of(folder: Folder, policy: PolicyDocument | None, locale: str) -> list[dict[str, Any]]:
    """The files that are there, for a reader."""
    return [
        {
            "id": each.evidence_id,
            "name": each.name,
            "kind": text_in(label_of(policy, each.kind), locale),
            "size": megabytes(each.size),
            "at": each.added_at,
        }
        for each in folder.files
    ]


def _kind(kind: EvidenceKind, locale: str, failures: list[Failure]) -> dict[str, Any]:
    mine = [each for each in failures if each.kind == kind.id]
    return {
        "name": f"{_FIELD}{kind.id}",
        "label": text_in(kind.label, locale),
        "hint": text_in(kind.hint, locale) if kind.hint else "",
        "required": kind.required,
        "errors": [f"{each.name}: {each.sentence}" if each.name else each.sentence for each in mine],
    }
