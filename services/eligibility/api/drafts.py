"""`/v1/policies/drafts`: packs that people prepare, with what is wrong with them, and what they say otherwise."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.eligibility.api.policies import Hash, PolicyHash
from services.eligibility.domain.drafts import Draft, DraftHeading, in_one_folder, packed, unpacked
from services.eligibility.domain.pause_changes import Author
from services.eligibility.use_cases.drafts import ChangePolicy, Compared, Drafts, NoSuchPolicy
from shared.policy.differences import SIGNATURE
from shared.web.auth import OperatorCaller, require
from shared.web.downloads import saved
from shared.web.limits import read_bytes, read_model
from shared.web.openapi import json_body
from shared.web.problem import not_found

ZIP = "application/zip"
DraftId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="The draft's id, 64 hex digits.")]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


class DraftForm(BaseModel):
    """The files of a pack by their path below its folder, such as `criteria.yaml` and `lists/states.csv`."""

    model_config = ConfigDict(extra="forbid")

    files: dict[str, str]
    note: Note = Field(default="", description="What it is for.")


class MistakeView(BaseModel):
    """One mistake in a pack. `line` counts from 1."""

    file: str
    line: int
    message: str


class DraftView(BaseModel):
    """A draft without what it says. Only one without `mistakes` has a `policy_hash`, and can be activated."""

    draft_id: str
    policy_hash: str | None
    version_label: str | None
    mistakes: int
    by: str
    note: str
    stored_at: AwareDatetime


class DraftList(BaseModel):
    """All drafts, newest first."""

    drafts: list[DraftView]


class DraftWhole(DraftView):
    """A draft with its files' names, each mistake, and everything it says."""

    files: list[str]
    errors: list[MistakeView]
    document: dict[str, Any] | None


class DifferenceView(BaseModel):
    """One thing that is otherwise, in words."""

    section: str
    name: str
    what: str
    title: str
    sentence: str
    before: str | None
    after: str | None
    details: list[str]


class DifferenceList(BaseModel):
    """What `after` says otherwise than `before`. `new_signature`: signed commitments have to be signed anew."""

    before: Hash
    after: Hash
    new_signature: bool
    differences: list[DifferenceView]


def routes(drafts: Drafts, changing: ChangePolicy) -> APIRouter:
    """The routes, for operators."""
    router = APIRouter(prefix="/v1/policies", tags=["policies"], dependencies=[Depends(require("operator"))])
    body = json_body(DraftForm, "The files, as JSON or as a ZIP archive of the pack's folder.")
    body["requestBody"]["content"][ZIP] = {"schema": {"type": "string", "format": "binary"}}

    @router.post("/drafts", status_code=201, summary="Keep a draft, and say what is wrong with it", openapi_extra=body)
    async def keep_draft(
        request: Request,
        caller: OperatorCaller,
        note: Annotated[str, Query(max_length=1000, description="Of a ZIP archive: what it is for.")] = "",
    ) -> DraftWhole:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == ZIP:
            files = unpacked(await read_bytes(request))
        else:
            form = await read_model(request, DraftForm)
            note, files = form.note, in_one_folder({name: text.encode() for name, text in form.files.items()})
        return _whole(await drafts.take(files, Author(caller.name, note.strip())))

    @router.get("/drafts", summary="The drafts there are")
    async def list_drafts() -> DraftList:
        return DraftList(drafts=[_view(each) for each in await drafts.headings()])

    _add_one(router, drafts)

    @router.get("/{policy_hash}/differences", summary="What a draft or version says otherwise, in words")
    async def compare(
        policy_hash: PolicyHash,
        base: Annotated[
            Hash | None, Query(description="Otherwise than this; without it, than the one in force.")
        ] = None,
        locale: Annotated[str, Query(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en",
        category: Annotated[str | None, Query(max_length=100, description="As an applicant of it is told.")] = None,
    ) -> DifferenceList:
        try:
            return _differences(await changing.compare(policy_hash, base, locale, category))
        except NoSuchPolicy:
            raise not_found("policy") from None

    return router


def _add_one(router: APIRouter, drafts: Drafts) -> None:
    @router.get("/drafts/{draft_id}", summary="One draft, whole")
    async def get_draft(draft_id: DraftId) -> DraftWhole:
        try:
            return _whole(await drafts.get(draft_id))
        except NoSuchPolicy:
            raise not_found("draft") from None

    @router.post("/drafts/{draft_id}/check", summary="Check a draft anew, by the checks of today")
    async def check_draft(draft_id: DraftId) -> DraftWhole:
        try:
            return _whole(await drafts.checked(draft_id))
        except NoSuchPolicy:
            raise not_found("draft") from None

    @router.get(
        "/drafts/{draft_id}/pack.zip",
        summary="A draft's files, to be changed and sent again",
        response_class=Response,
        responses={200: {"content": {ZIP: {}}}},
    )
    async def download_draft(draft_id: DraftId) -> Response:
        try:
            draft = await drafts.get(draft_id)
        except NoSuchPolicy:
            raise not_found("draft") from None
        return saved(f"{draft.folder}.zip", ZIP, packed(draft.files, draft.folder))


def _view(heading: DraftHeading) -> DraftView:
    return DraftView(
        draft_id=heading.id,
        policy_hash=heading.policy_hash,
        version_label=heading.version_label,
        mistakes=heading.mistakes,
        by=heading.by,
        note=heading.note,
        stored_at=heading.stored_at,
    )


def _whole(draft: Draft) -> DraftWhole:
    policy = draft.policy
    return DraftWhole(
        draft_id=draft.id,
        policy_hash=policy.hash if policy else None,
        version_label=policy.document.version_label if policy else None,
        mistakes=len(draft.errors),
        by=draft.author.name,
        note=draft.author.why,
        stored_at=draft.stored_at,
        files=sorted(draft.files),
        errors=[MistakeView(file=each.file, line=each.line, message=each.message) for each in draft.errors],
        document=policy.document.model_dump(mode="json") if policy else None,
    )


def _differences(compared: Compared) -> DifferenceList:
    return DifferenceList(
        before=compared.before.hash,
        after=compared.after.hash,
        new_signature=any(each.section == SIGNATURE for each in compared.found),
        differences=[
            DifferenceView(
                section=each.section,
                name=each.name,
                what=each.what,
                title=each.title,
                sentence=each.sentence,
                before=each.before,
                after=each.after,
                details=list(each.details),
            )
            for each in compared.found
        ],
    )
