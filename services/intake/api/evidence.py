"""`/v1/applications/{id}/evidence`: the documents beside an application's answers."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.intake.api.applications import ApplicationId, ChannelCaller, IdempotencyKey, Operator, checked_key, owned
from services.intake.domain.evidence import MAX_BYTES, MAX_FILE, MAX_FILES, Entry, NoRoom, megabytes, require_kind
from services.intake.domain.evidence_types import TAKEN
from services.intake.domain.status import Status
from services.intake.use_cases.evidence import Arrived
from services.intake.use_cases.evidence_changes import EvidenceChanges, require_open
from services.intake.use_cases.policies import NoPolicyYet
from services.intake.use_cases.status import StatusProjection
from shared.errors import FieldError, Refused
from shared.policy.base import Localised
from shared.web.downloads import attachment
from shared.web.multipart import Part, form_parts
from shared.web.problem import Problem, invalid, not_found, unavailable

MAX_UPLOAD: Final = MAX_FILE + (64 << 10)
"""Bytes of a request with one file: the file, and what a form needs around it."""
UPLOAD: Final = "POST /v1/applications/{application_id}/evidence"
"""The route that takes such a request."""
_EXAMPLE: Final[JsonDict] = {
    "evidence_id": "6a1f0c5e-31f5-4b2e-9d1c-0a8a1f1c2b3d",
    "kind": "a_kind_of_the_policy",
    "name": "certificate.pdf",
    "media_type": "application/pdf",
    "size": 48_213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "added_at": "2021-10-04T09:00:00Z",
    "added_by": "partner-portal",
    "removed_at": None,
    "removed_by": None,
}

_FILE: Final = {"type": "string", "format": "binary"}
_ANY_FILE: Final[dict[str, Any]] = {"*/*": {"schema": _FILE}}
_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["kind", "file"],
    "properties": {"kind": {"type": "string", "description": "The id of a kind that is asked for."}, "file": _FILE},
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": f"A form with `kind`, then one `file`: {TAKEN}. A file may have {megabytes(MAX_FILE)}, an "
        f"application {MAX_FILES} files and {megabytes(MAX_BYTES)}. What kind of file it is, is told by what is in it; "
        "its name must agree.",
        "content": {"multipart/form-data": {"schema": _FORM}},
    }
}

EvidenceId = Annotated[str, Path(description="The file's id.", max_length=36)]


class EvidenceShown(BaseModel):
    """One file, or what is left of one that was removed: then `name` and `sha256` are null, as its bytes are gone."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    evidence_id: str
    kind: str = Field(description="What it shows: the id of a kind that the policy asks for.")
    name: str | None = Field(description="As the sender called it, without what could deceive.")
    media_type: str = Field(description="What was found in the file, whatever its sender called it.")
    size: int = Field(description="Bytes.")
    sha256: str | None
    added_at: AwareDatetime
    added_by: str
    removed_at: AwareDatetime | None
    removed_by: str | None


class EvidenceKindAsked(BaseModel):
    """A kind of document that the policy in force asks of the application's category."""

    id: str
    label: Localised
    hint: Localised | None
    criteria: list[str] = Field(description="Criteria whose answers it supports.")
    required: bool


class EvidenceList(BaseModel):
    """The files of an application in the order they came, and what is asked for."""

    evidence: list[EvidenceShown]
    asked: list[EvidenceKindAsked]
    bytes_left: int = Field(description="Bytes that the next file may have.")


def evidence_routes(changes: EvidenceChanges, statuses: StatusProjection) -> APIRouter:
    """Channels add and list, operators download."""
    router = APIRouter(prefix="/v1/applications/{application_id}/evidence", tags=["evidence"])
    own = owned(statuses)

    @router.post(
        "", status_code=201, summary="Add a document to an application", openapi_extra=_BODY,
        response_description="The document is stored. The same file of the same kind is stored once.",
    )  # fmt: skip
    async def add_evidence(
        request: Request, caller: ChannelCaller, application_id: ApplicationId, idempotency_key: IdempotencyKey = None
    ) -> EvidenceShown:
        key = checked_key(idempotency_key)
        status = await own(application_id, caller)
        require_open(status)
        return shown(await _receive(request, changes, status, caller.name, key))

    @router.get("", summary="List an application's documents, and which are asked for")
    async def list_evidence(caller: ChannelCaller, application_id: ApplicationId) -> EvidenceList:
        return await _listed(changes, await own(application_id, caller))

    @router.get(
        "/{evidence_id}",
        summary="Download a document: always to be saved, never to be shown",
        response_class=Response,
        responses={200: {"description": "The file.", "content": _ANY_FILE}},
    )
    async def download_evidence(caller: Operator, application_id: ApplicationId, evidence_id: EvidenceId) -> Response:
        await own(application_id, caller)
        found = await changes.files.open(application_id, evidence_id)
        if found is None:
            raise not_found("document")
        entry, chunks = found
        return attachment(entry.name, entry.media_type, entry.size, chunks)

    @router.delete("/{evidence_id}", summary="Remove a document: its bytes go, the record that it was there stays")
    async def remove_evidence(
        caller: ChannelCaller, application_id: ApplicationId, evidence_id: EvidenceId
    ) -> EvidenceShown:
        entry = await changes.remove(await own(application_id, caller), evidence_id, caller.name)
        if entry is None:
            raise not_found("document")
        return shown(entry)

    return router


async def _receive(request: Request, changes: EvidenceChanges, status: Status, by: str, key: str | None) -> Entry:
    """The form: `kind`, then `file`. Every refusal names the entry that it is about."""
    kind, entry = "", None
    async with form_parts(request, max_parts=10) as parts:
        async for part in parts:
            if part.name == "kind" and part.filename is None:
                kind = await part.text()
            elif part.name == "file" and part.filename is not None:
                if not kind or entry is not None:
                    raise _refused("/kind", "Say first which kind of document it is, `kind`, and then send one `file`.")
                entry = await _take(part, changes, status, kind, by, key)
    if entry is None:
        raise _refused("/file", "Send the document in the entry `file`, with a file name, after `kind`.")
    return entry


async def _take(part: Part, changes: EvidenceChanges, status: Status, kind: str, by: str, key: str | None) -> Entry:
    try:
        require_kind(await changes.kinds(status.category), kind)
    except NoPolicyYet:
        raise unavailable("No policy is in force here yet. Nothing was accepted; try again shortly.") from None
    except Refused as error:
        raise _refused("/kind", str(error)) from None
    room = (await changes.files.folder(status.application_id)).room
    async with part.received(most=room) as file:
        arrived = Arrived(part.filename or "", file.content, file.size, file.sha256, file.whole)
        try:
            return await changes.add(status, kind, arrived, by, key)
        except NoRoom as error:
            raise Problem(413, "No room for this file", str(error), type="too-large") from None
        except Refused as error:
            raise _refused("/file", str(error)) from None


def _refused(pointer: str, sentence: str) -> Problem:
    return invalid([FieldError(pointer, sentence)], "form")


def shown(entry: Entry) -> EvidenceShown:
    """An entry as JSON."""
    return EvidenceShown(
        evidence_id=entry.evidence_id,
        kind=entry.kind,
        name=entry.name or None,
        media_type=entry.media_type,
        size=entry.size,
        sha256=entry.sha256 or None,
        added_at=entry.added_at,
        added_by=entry.added_by,
        removed_at=entry.removed_at,
        removed_by=entry.removed_by or None,
    )


async def _listed(changes: EvidenceChanges, status: Status) -> EvidenceList:
    folder = await changes.files.folder(status.application_id)
    try:
        kinds = await changes.kinds(status.category)
    except NoPolicyYet:
        kinds = ()
    return EvidenceList(
        evidence=[shown(each) for each in folder.entries],
        asked=[
            EvidenceKindAsked(
                id=each.id, label=each.label, hint=each.hint, criteria=list(each.criteria), required=each.required
            )
            for each in kinds
        ],
        bytes_left=folder.room,
    )
