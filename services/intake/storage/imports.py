"""Imports and the errors of their rows in Mongo.

imports        _id <import>, …, progress {row, accepted, refused}, charset, layout {…}?,
               undo {client, asked_at, row, withdrawn}?
import_errors  _id "<import>:<row>", import_id, row, line, errors [{pointer, message}]; nothing of the row itself
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from pymongo import DeleteMany, ReplaceOne, ReturnDocument

from services.intake.domain.import_layout import Column, Layout
from services.intake.domain.import_rows import Row
from services.intake.domain.imports import Import, Preview, Progress, Reason, Undo
from shared.errors import Conflict
from shared.mongo import Database, Document, classified

_PLAIN = tuple(
    each.name
    for each in fields(Import)
    if each.name not in ("import_id", "preview", "progress", "problems", "charset", "layout", "undo")
)
_UNFINISHED: list[Document] = [
    {"state": {"$in": ["stored", "previewing", "importing"]}},
    {"state": "previewed", "commit": True},
    {"state": "undoing"},
    {"state": "done", "undo": {"$type": "object"}},
]


class MongoImports:
    """The collections `imports` and `import_errors`."""

    def __init__(self, database: Database) -> None:
        self._imports = database["imports"]
        self._errors = database["import_errors"]

    async def prepare(self) -> None:
        """The indexes by which imports are claimed and errors are listed."""
        with classified():
            await self._imports.create_index([("state", 1), ("stored_at", 1)], name="state")
            await self._errors.create_index([("import_id", 1), ("row", 1)], name="import_row")

    async def add(self, job: Import) -> Import:
        """Store it; what is stored under its id, which may be an earlier one."""
        try:
            with classified():
                await self._imports.insert_one(_document_of(job))
        except Conflict:
            return await self.find(job.import_id) or job
        return job

    async def find(self, import_id: str) -> Import | None:
        """One import."""
        with classified():
            document = await self._imports.find_one({"_id": import_id})
        return _import_of(document) if document else None

    async def newest(self, client: str | None, limit: int) -> list[Import]:
        """The newest imports, of one client or of all."""
        query = {"client": client} if client else {}
        with classified():
            return [_import_of(each) async for each in self._imports.find(query).sort("stored_at", -1).limit(limit)]

    async def unfinished(self, limit: int = 100) -> list[Import]:
        """Imports that can go on, the oldest first."""
        with classified():
            found = self._imports.find({"$or": _UNFINISHED}).sort("stored_at", 1).limit(limit)
            return [_import_of(each) async for each in found]

    async def count_unfinished(self) -> int:
        """How many imports are not at their end and wait for no commit."""
        with classified():
            return await self._imports.count_documents({"$or": _UNFINISHED})

    async def count_failed(self) -> int:
        """How many imports were given up with rows taken in."""
        with classified():
            return await self._imports.count_documents({"state": "failed"})

    async def count_refused(self) -> int:
        """The rows refused so far, of all imports that were committed."""
        total: list[Document] = [
            {"$match": {"state": {"$in": ["importing", "done", "failed", "undoing", "undone"]}}},
            {"$group": {"_id": None, "n": {"$sum": "$progress.refused"}}},
        ]
        with classified():
            rows = await self._imports.aggregate(total).to_list(1)
        return int(rows[0]["n"]) if rows else 0

    async def ask_commit(self, import_id: str) -> None:
        """It is to go on after its preview."""
        await self._set({"_id": import_id}, {"commit": True})

    async def begin_preview(self, import_id: str) -> bool:
        """stored, previewing → previewing."""
        return await self._set(
            {"_id": import_id, "state": {"$in": ["stored", "previewing"]}}, {"state": "previewing", "previewed_rows": 0}
        )

    async def note_layout(self, import_id: str, layout: Layout) -> None:
        """How the file is taken."""
        await self._set({"_id": import_id, "state": "previewing"}, {"layout": asdict(layout)})

    async def note_preview(self, import_id: str, rows: int) -> None:
        """How far the preview is."""
        await self._set({"_id": import_id, "state": "previewing"}, {"previewed_rows": rows})

    async def end_preview(self, import_id: str, preview: Preview) -> bool:
        """previewing → previewed."""
        return await self._set(
            {"_id": import_id, "state": "previewing"}, {"state": "previewed", "preview": _preview_document(preview)}
        )

    async def refuse(self, import_id: str, problems: Sequence[str]) -> bool:
        """previewing → refused."""
        return await self._set(
            {"_id": import_id, "state": "previewing"}, {"state": "refused", "problems": list(problems)}
        )

    async def begin_import(self, import_id: str, committed_at: datetime, policy_hash: str) -> bool:
        """previewed → importing, once: the receipt time and the policy of its rows are set for good."""
        return await self._set(
            {"_id": import_id, "state": "previewed", "commit": True, "committed_at": None},
            {"state": "importing", "committed_at": committed_at, "policy_hash": policy_hash},
        )

    async def advance(self, import_id: str, before: Progress, after: Progress) -> bool:
        """Write the progress, if it is still what it was."""
        return await self._set(
            {"_id": import_id, "state": "importing", "progress": asdict(before), "undo": None},
            {"progress": asdict(after)},
        )

    async def end_import(self, import_id: str) -> bool:
        """importing → done."""
        return await self._set({"_id": import_id, "state": "importing"}, {"state": "done"})

    async def ask_undo(self, import_id: str, undo: Undo) -> bool:
        """It is to be undone, if that was not asked before."""
        return await self._set(
            {"_id": import_id, "state": {"$in": ["importing", "done"]}, "undo": None}, {"undo": asdict(undo)}
        )

    async def begin_undo(self, import_id: str) -> bool:
        """importing, done → undoing, where that was asked for."""
        wanted = {"_id": import_id, "state": {"$in": ["importing", "done"]}, "undo": {"$type": "object"}}
        return await self._set(wanted, {"state": "undoing"})

    async def advance_undo(self, import_id: str, before: Undo, after: Undo) -> bool:
        """Write how far the undo is, if it is still what it was."""
        return await self._set({"_id": import_id, "state": "undoing", "undo.row": before.row}, {"undo": asdict(after)})

    async def end_undo(self, import_id: str) -> bool:
        """undoing → undone."""
        return await self._set({"_id": import_id, "state": "undoing"}, {"state": "undone"})

    async def count_failure(self, import_id: str) -> Import | None:
        """Count that it failed; how it stands then."""
        with classified():
            found = await self._imports.find_one_and_update(
                {"_id": import_id}, {"$inc": {"failures": 1}}, return_document=ReturnDocument.AFTER
            )
        return _import_of(found) if found else None

    async def give_up(self, import_id: str, problems: Sequence[str]) -> bool:
        """importing → failed; stored, previewing, previewed → refused, as nothing was taken in."""
        values = {"problems": list(problems)}
        early = {"_id": import_id, "state": {"$in": ["stored", "previewing", "previewed"]}}
        return await self._set(early, {"state": "refused", **values}) or await self._set(
            {"_id": import_id, "state": "importing"}, {"state": "failed", **values}
        )

    async def _set(self, query: Document, values: Document) -> bool:
        with classified():
            return bool((await self._imports.update_one(query, {"$set": values})).matched_count)

    async def keep_errors(self, import_id: str, rows: Sequence[Row]) -> None:
        """Have the errors of exactly the refused ones of these rows, which follow one another."""
        if not rows:
            return
        refused = [row for row in rows if row.submission is None]
        span = {"import_id": import_id, "row": {"$gte": rows[0].row, "$lte": rows[-1].row}}
        gone = DeleteMany({**span, "_id": {"$nin": [f"{import_id}:{row.row}" for row in refused]}})
        kept = [
            ReplaceOne({"_id": f"{import_id}:{row.row}"}, _errors_of(import_id, row), upsert=True) for row in refused
        ]
        with classified():
            await self._errors.bulk_write([gone, *kept], ordered=False)

    async def errors(self, import_id: str, after: int, limit: int) -> list[Document]:
        """Refused rows after a row number, in order: {row, line, errors}."""
        query = {"import_id": import_id, "row": {"$gt": after}}
        with classified():
            found = self._errors.find(query, {"_id": 0, "import_id": 0}).sort("row", 1).limit(limit)
            return await found.to_list(limit)


def _errors_of(import_id: str, row: Row) -> Document:
    errors = [{"pointer": error.pointer, "message": error.message} for error in row.errors]
    return {"_id": f"{import_id}:{row.row}", "import_id": import_id, "row": row.row, "line": row.line, "errors": errors}


def _preview_document(preview: Preview) -> Document:
    # lists of pairs: a category's name may not be fit to be a key
    return {
        "rows": preview.rows,
        "valid": preview.valid,
        "refused": preview.refused,
        "by_category": [list(each) for each in preview.by_category],
        "by_reason": [asdict(each) for each in preview.by_reason],
    }


def _document_of(job: Import) -> Document:
    return {
        "_id": job.import_id,
        **{name: getattr(job, name) for name in _PLAIN},
        "preview": _preview_document(job.preview) if job.preview else None,
        "progress": asdict(job.progress),
        "problems": list(job.problems),
        "charset": job.charset,
        "layout": asdict(job.layout) if job.layout else None,
        "undo": asdict(job.undo) if job.undo else None,
    }


def _import_of(document: Mapping[str, Any]) -> Import:
    found = document["preview"]
    preview = (
        Preview(
            found["rows"],
            found["valid"],
            found["refused"],
            tuple((name, rows) for name, rows in found["by_category"]),
            tuple(Reason(**each) for each in found["by_reason"]),
        )
        if found
        else None
    )
    return Import(
        import_id=document["_id"],
        **{name: document[name] for name in _PLAIN if name in document},
        preview=preview,
        progress=Progress(**document["progress"]),
        problems=tuple(document["problems"]),
        charset=document.get("charset"),
        layout=_layout_of(document.get("layout")),
        undo=Undo(**undo) if (undo := document.get("undo")) else None,
    )


def _layout_of(document: Mapping[str, Any] | None) -> Layout | None:
    if document is None:
        return None
    columns = tuple(Column(**each) for each in document["columns"])
    return Layout(**{**document, "unread": tuple(document["unread"]), "columns": columns})
