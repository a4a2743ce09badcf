"""Adding and removing evidence files of an application that was sent: what may be, and what its history says of it.

No answer changes by it, so there is no new revision and nothing is decided anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.intake.domain import evidence as rules
from services.intake.domain.erasure import gone
from services.intake.domain.evidence import Entry
from services.intake.domain.history import Happened
from services.intake.domain.status import Status
from services.intake.use_cases.evidence import Arrived, EvidenceFiles
from services.intake.use_cases.policies import Policies
from shared.errors import Conflict
from shared.policy.base import text_in
from shared.policy.pack import EvidenceKind, PolicyDocument


class Statuses(Protocol):
    """The statuses of applications. `happened` writes entries into their histories; the same entry once, however often it
    is told."""

    async def find(self, application_id: str) -> Status | None: ...
    async def happened(self, application_id: str, entries: Sequence[Happened]) -> None: ...


class EvidenceChanges:
    """Changes the evidence files of applications that were sent."""

    def __init__(self, files: EvidenceFiles, statuses: Statuses, policies: Policies) -> None:
        self.files = files
        self._statuses = statuses
        self._policies = policies

    async def kinds(self, category: str) -> tuple[EvidenceKind, ...]:
        """What the policy in force asks of a category. Raises NoPolicyYet, Transient."""
        return (await self._policies.current()).document.evidence_for(category)

    async def add(self, status: Status, kind: str, file: Arrived, by: str, key: str | None = None) -> Entry:
        """Add a file. `status` may be from before the file came in, which takes as long as its sender likes.

        Raises:
            Refused: nothing of this kind is asked for, the file is of no kind that is taken, or no room is left.
            Gone: the application was erased, perhaps meanwhile.
            Conflict: the application was withdrawn, or another file came under the same key.
            Transient: it could not be stored; sending it again is safe.
        """
        status = await self._statuses.find(status.application_id) or status
        require_open(status)
        rules.require_kind(await self.kinds(status.category), kind)
        entry = await self.files.add(status.application_id, kind, file, by, key)
        await self.discard_if_late(status.application_id)
        await self._tell(status)
        return entry

    async def discard_if_late(self, application_id: str) -> None:
        """Who erased while a file was stored may not have seen it: it is discarded, and Gone raised. An erasure that is not
        in the status yet deletes what is stored by now: it writes the status first."""
        status = await self._statuses.find(application_id)
        if status is not None and status.state == "erased":
            await self.files.discard(application_id)
            raise gone()

    async def remove(self, status: Status, evidence_id: str, by: str) -> Entry | None:
        """Remove a file, also of an application that was withdrawn; None when there is none of that id. Raises Transient."""
        entry = await self.files.remove(status.application_id, evidence_id, by)
        if entry is not None:
            await self._tell(status)
        return entry

    async def _tell(self, status: Status) -> None:
        """Everything is told each time: what was cut off before it could be told is told now."""
        document = (await self._policies.current()).document
        folder = await self.files.folder(status.application_id)
        entries = [each for one in folder.entries for each in _entries(one, status, document)]
        await self._statuses.happened(status.application_id, entries)


def require_open(status: Status) -> None:
    """Raises Gone or Conflict when nothing more can be added to an application."""
    if status.state == "erased":
        raise gone()
    if status.state == "withdrawn":
        raise Conflict("The application was withdrawn: no more documents can be added to it.")


def _entries(entry: Entry, status: Status, document: PolicyDocument) -> list[Happened]:
    """What happened to a file since the application was sent."""
    label, found = text_in(rules.label_of(document, entry.kind), status.locale), []
    if entry.added_at > status.first_received_at:
        found.append(Happened.document_added(entry.evidence_id, label, status.revision, entry.added_at))
    if entry.removed_at is not None and entry.removed_at > status.first_received_at:
        found.append(Happened.document_removed(entry.evidence_id, label, status.revision, entry.removed_at))
    return found
