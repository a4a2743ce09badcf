"""`/v1/imports`: send a file, see how it is taken and its preview, commit it, follow it, get its refused rows, undo it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal, Protocol

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.intake.api.applications import ChannelCaller, IdempotencyKey, Operator, checked_key
from services.intake.api.import_shapes import ErrorList, ImportList, ImportShown, RowErrors, import_shown
from services.intake.api.uploads import FILE_TYPES, upload_of
from services.intake.domain.import_layout import Encoding
from services.intake.domain.imports import Import
from services.intake.use_cases.applications import Sender
from services.intake.use_cases.import_errors import ErrorFiles
from services.intake.use_cases.import_undo import ImportUndos
from services.intake.use_cases.imports import Imports
from shared.errors import Gone
from shared.tracing import current_traceparent
from shared.web.auth import Caller
from shared.web.openapi import file_body
from shared.web.problem import Problem, not_found


class ImportReader(Protocol):
    """What the routes read."""

    async def find(self, import_id: str) -> Import | None: ...
    async def newest(self, client: str | None, limit: int) -> list[Import]: ...
    async def errors(self, import_id: str, after: int, limit: int) -> list[dict[str, object]]: ...


ImportId = Annotated[str, Path(description="The import's id.", max_length=36)]
XLSX = FILE_TYPES["xlsx"]
_FILE = file_body(
    "text/csv",
    "application/x-ndjson",
    "application/jsonl",
    XLSX,
    description="The file, as the whole body. CSV (commas, semicolons or tabs) and XLSX have a header of column names "
    "(category, organisation.name, contact.email …, one column per question; a question's English label will do). JSON "
    "Lines: one application a line, as POST /v1/applications takes it. Text is UTF-8, UTF-16 with a byte order mark, or "
    "Windows-1252.",
)
_FILE["requestBody"]["content"]["multipart/form-data"] = {
    "schema": {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
}


def import_routes(
    imports: Imports, undos: ImportUndos, files: ErrorFiles, reader: ImportReader, public_url: str, max_bytes: int
) -> APIRouter:
    """What channels and operators do with files."""
    router = APIRouter(prefix="/v1/imports", tags=["imports"])
    own = _own(reader)

    @router.post(
        "",
        status_code=202,
        summary="Send a file of applications",
        response_description="The file is stored; preview and import go on by themselves.",
        openapi_extra=_FILE,
    )
    async def create_import(
        request: Request,
        response: Response,
        caller: ChannelCaller,
        idempotency_key: IdempotencyKey = None,
        commit: Annotated[bool, Query(description="False stops after the preview, until it is committed.")] = True,
        historical: Annotated[
            bool, Query(description="Rows carry `received_at` of an earlier system; operators only.")
        ] = False,
        filename: Annotated[
            str, Query(description="What the file is called; or `X-Filename`, `Content-Disposition`.")
        ] = "",
        charset: Annotated[
            str,
            Query(
                description="`utf-8` or `windows-1252`, where the file does not tell it itself; or in `Content-Type`.",
                max_length=40,
            ),
        ] = "",
    ) -> ImportShown:
        if historical and not caller.may("operator"):
            detail = "Only an operator's import may carry receipt times: leave `historical` out."
            raise Problem(403, "Not allowed", detail, type="forbidden")
        sender = Sender(caller.name, checked_key(idempotency_key), current_traceparent())
        async with upload_of(request, max_bytes) as upload:
            job = await imports.take_in(upload, sender, historical=historical, commit=commit)
        response.headers["Location"] = f"/v1/imports/{job.import_id}"
        return import_shown(job, public_url)

    @router.get("", summary="List the newest imports")
    async def list_imports(caller: ChannelCaller, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> ImportList:
        found = await reader.newest(None if caller.may("operator") else caller.name, limit)
        return ImportList(imports=[import_shown(job, public_url) for job in found])

    @router.get("/{import_id}", summary="Read an import: state, preview, progress")
    async def read_import(caller: ChannelCaller, import_id: ImportId) -> ImportShown:
        return import_shown(await own(import_id, caller), public_url)

    @router.post("/{import_id}/commit", status_code=202, summary="Take in what was previewed")
    async def commit_import(caller: ChannelCaller, import_id: ImportId) -> ImportShown:
        return import_shown(await imports.commit(await own(import_id, caller), caller.name), public_url)

    @router.post(
        "/{import_id}/undo",
        status_code=202,
        summary="Withdraw every application of an import, and cancel their unsent emails",
        response_description="It is being undone; that goes on by itself.",
    )
    async def undo_import(caller: Operator, import_id: ImportId) -> ImportShown:
        return import_shown(await undos.ask(await own(import_id, caller), caller.name), public_url)

    @router.get(
        "/{import_id}/errors",
        summary="Read why rows were refused, or get them as a file",
        response_model=ErrorList,
        responses={
            200: {
                "content": {
                    kind: {"schema": {"type": "string", "format": "binary"}}
                    for kind in sorted(set(FILE_TYPES.values()))
                }
            }
        },
        description="With `?format=file`, or an `Accept` of the import's own type: the refused rows as they came, in the "
        "uploader's own format, with a last column `reason`. What a spreadsheet would take for a formula has an apostrophe "
        "before it. The file can be corrected and sent again as it is.",
    )
    async def read_errors(
        request: Request,
        caller: ChannelCaller,
        import_id: ImportId,
        format: Annotated[Literal["json", "file"], Query(description="`file`: the rows as they came.")] = "json",
        after: Annotated[int, Query(ge=0, le=2**31 - 1, description="`next` of the page before.")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> ErrorList | StreamingResponse:
        job = await own(import_id, caller)
        kind = FILE_TYPES[job.format]
        if format == "file" or kind in request.headers.get("accept", "").lower():
            if job.file_gone:
                raise Gone(
                    "The file of this import was deleted, since an application of it was erased or its time was over. "
                    "Why its rows were refused is still here, as JSON."
                )
            headers = {"Content-Disposition": f'attachment; filename="refused-{job.import_id}.{job.format}"'}
            charset = _CHARSETS.get(job.layout.encoding or "utf-8", "utf-8") if job.layout else "utf-8"
            if job.format == "csv":
                kind = f"{kind}; charset={charset}"
            return StreamingResponse(files.of(job), media_type=kind, headers=headers)
        found = [RowErrors.model_validate(each) for each in await reader.errors(import_id, after, limit)]
        return ErrorList(errors=found, next=found[-1].row if len(found) == limit else None)

    return router


_CHARSETS: Final[dict[Encoding, str]] = {
    "utf-16-le": "utf-16",
    "utf-16-be": "utf-16",
    "windows-1252": "windows-1252",
}


def _own(reader: ImportReader) -> Callable[[str, Caller], Awaitable[Import]]:
    async def own(import_id: str, caller: Caller) -> Import:
        job = await reader.find(import_id)
        if job is None or not (caller.may("operator") or job.client == caller.name):
            raise not_found("import")
        return job

    return own
