"""Evidence files over HTTP, on a real database: streamed in, capped for all replicas together, given back to be saved."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from html import unescape
from typing import Any
from uuid import uuid4

import httpx

from services.intake.domain.evidence import MAX_FILE, MAX_FILES
from services.intake.pages.evidence import DOCUMENTS
from services.intake.storage.evidence import GridEvidence, MongoDraftIds, MongoEvidenceFolders
from services.intake.use_cases.evidence import UPLOADS, EvidenceFiles, EvidenceTidying
from shared.mongo import Database
from shared.topology import Topology
from shared.web.links import Links
from shared.web.serving import WebServer
from tests.integration.intake.forms import ORGANISATION, Visitor
from tests.integration.intake.running import POLICY, Running, running, settings_for
from tests.servers import Servers
from tests.unit.intake.documents import DOCX, PDF, PNG, TEXT
from tests.unit.intake.fakes import FakeClock
from tests.waiting import eventually

CATEGORY = "civil_society_organisation"
KIND, OTHER = "registration", "other"
LABELS = {each.id: each.label["en"] for each in POLICY.document.evidence}


async def submitted(intake: Running) -> tuple[str, str]:
    """An application of the API: its id, and the path of its page."""
    accepted = (await intake.submit()).json()
    return accepted["application_id"], accepted["status_page"].removeprefix("http://join.example")


async def send(
    intake: Running,
    name: str,
    content: bytes,
    kind: str = KIND,
    file: str = "certificate.pdf",
    key: str = "",
    **more: Any,
) -> httpx.Response:
    """`POST /v1/applications/{id}/evidence`."""
    headers = {"Idempotency-Key": key} if key else {}
    files = {"file": (file, content, "application/octet-stream")}
    return await intake.call(
        "POST", f"/v1/applications/{name}/evidence", data={"kind": kind}, files=files, headers=headers, **more
    )


async def counts(database: Database) -> tuple[int, int, int]:
    """Files, chunks and notes of loose files that are stored."""
    names = ("evidence.files", "evidence.chunks", "evidence_loose")
    found = [await database[name].count_documents({}) for name in names]
    return found[0], found[1], found[2]


async def test_a_channel_adds_and_lists_and_an_operator_downloads_to_save(intake: Running) -> None:
    name, _ = await submitted(intake)
    answer = await send(intake, name, PDF, file="Enfance Protégée – “statuts”.pdf")
    assert answer.status_code == 201, answer.text
    added = answer.json()
    assert (added["media_type"], added["size"], added["added_by"]) == ("application/pdf", len(PDF), "alpha")
    assert added["sha256"] == hashlib.sha256(PDF).hexdigest()
    listed = await intake.get(f"/v1/applications/{name}/evidence", "alpha")
    assert listed["evidence"] == [added]
    assert {KIND, OTHER} <= {each["id"] for each in listed["asked"]}
    assert "government_letter" not in {each["id"] for each in listed["asked"]}
    assert listed["bytes_left"] == MAX_FILE
    path = f"/v1/applications/{name}/evidence/{added['evidence_id']}"
    assert (await intake.call("GET", path)).status_code == 403, "channels do not download"
    got = await intake.call("GET", path, "olga", headers={"Range": "bytes=0-3"})
    assert (got.status_code, got.content) == (200, PDF)
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"] == (
        'attachment; filename="Enfance Prot_g_e _ _statuts_.pdf"; '
        "filename*=UTF-8''Enfance%20Prot%C3%A9g%C3%A9e%20%E2%80%93%20%E2%80%9Cstatuts%E2%80%9D.pdf"
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert got.headers["cache-control"] == "private, no-store"
    assert got.headers["content-length"] == str(len(PDF))
    assert got.headers["cross-origin-resource-policy"] == "same-origin"
    removed = await intake.call("DELETE", path)
    assert (removed.json()["name"], removed.json()["removed_by"]) == (None, "alpha")
    assert (await intake.call("GET", path, "olga")).status_code == 404
    assert await counts(intake.database) == (0, 0, 0)
    history = [each["detail"] for each in (await intake.status(name))["history"]]
    assert history[-2:] == [f"A document was added: {LABELS[KIND]}.", f"A document was removed: {LABELS[KIND]}."]
    assert (await intake.status(name))["revision"] == 1


async def test_what_belongs_to_another_client_or_to_nobody_is_not_there(intake: Running) -> None:
    name, _ = await submitted(intake)
    added = (await send(intake, name, PDF)).json()
    assert (await send(intake, name, PDF, caller="beta")).status_code == 404
    assert (await intake.call("GET", f"/v1/applications/{name}/evidence", "beta")).status_code == 404
    assert (await intake.call("GET", f"/v1/applications/{name}/evidence", None)).status_code == 401
    assert (
        await intake.call("DELETE", f"/v1/applications/{name}/evidence/{added['evidence_id']}", "beta")
    ).status_code == 404
    assert (await intake.call("DELETE", f"/v1/applications/{name}/evidence/{uuid4()}")).status_code == 404
    another, _ = await submitted(intake)
    stray = f"/v1/applications/{another}/evidence/{added['evidence_id']}"
    assert (await intake.call("GET", stray, "olga")).status_code == 404


async def test_refusals_name_the_entry_and_store_nothing(intake: Running) -> None:
    name, _ = await submitted(intake)
    path = f"/v1/applications/{name}/evidence"
    for content, file, words in (
        (b"MZ\x90\x00" + bytes(64), "certificate.pdf", "a Windows program"),
        (b"", "certificate.pdf", "empty"),
        (DOCX, "certificate.pdf", "a Word document, but its name ends in “.pdf”"),
    ):
        answer = await send(intake, name, content, file=file)
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/file"
        assert words in error["detail"]
    answer = await send(intake, name, PDF, kind="government_letter")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/kind")
    for form in ({"files": {"file": ("a.pdf", PDF)}}, {"data": {"kind": KIND}, "files": {"more": ("a.pdf", PDF)}}):
        assert (await intake.call("POST", path, **form)).status_code == 422
    for body, kind, status in (
        (b"{}", "application/json", 415),
        (b"", "", 415),
        (b"x", "multipart/form-data", 400),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b", 400),
        (b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nother', "multipart/form-data; boundary=b", 400),
    ):
        answer = await intake.call("POST", path, content=body, headers={"Content-Type": kind})
        assert answer.status_code == status, (body, answer.text)
    assert (await intake.call("POST", f"/v1/applications/{name}/withdrawal")).status_code == 200
    assert (await send(intake, name, PDF)).status_code == 409
    assert await counts(intake.database) == (0, 0, 0)


async def test_a_repeated_request_is_answered_as_before_and_stored_once(intake: Running) -> None:
    name, _ = await submitted(intake)
    answers = await asyncio.gather(*(send(intake, name, PDF, key="k1") for _ in range(5)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["evidence_id"] for each in answers}) == 1
    assert (await counts(intake.database))[0] == 1
    assert (await send(intake, name, PNG, file="scan.png", key="k1")).status_code == 409
    assert (await counts(intake.database)) == (1, 1, 0)


async def test_a_file_beyond_its_cap_is_refused_while_it_streams_and_never_stored(intake: Running) -> None:
    name, _ = await submitted(intake)
    answer = await send(intake, name, PDF[:-6] + bytes(MAX_FILE) + b"%%EOF\n")
    assert answer.status_code == 413
    assert "larger than 10 MB" in answer.json()["detail"]
    largest = PDF[:-6] + bytes(MAX_FILE - len(PDF)) + b"%%EOF\n"
    assert (await send(intake, name, largest)).status_code == 201

    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nother\r\n--b\r\n'
        yield b'Content-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.4'
        while True:
            yield bytes(1 << 20)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await intake.call("POST", f"/v1/applications/{name}/evidence", content=endless(), headers=headers)
    assert answer.status_code == 413
    elsewhere = await intake.call(
        "POST", f"/v1/applications/{name}/evidence/{uuid4()}", content=endless(), headers=headers
    )
    assert elsewhere.status_code in (405, 413)
    assert (await intake.call("POST", "/v1/links", content=endless(), headers=headers)).status_code in (413, 415)
    assert (await counts(intake.database))[0] == 1


async def test_two_replicas_together_take_no_more_than_the_cap(
    intake: Running, servers: Servers, database: Database, topology: Topology
) -> None:
    name, _ = await submitted(intake)
    async with running(settings_for(servers, database, Topology(f"t{uuid4().hex[:10]}")), database) as other:
        answers = await asyncio.gather(
            *(
                send(each, name, TEXT + f"{number}{index}".encode(), file="note.txt")
                for number in range(14)
                for index, each in enumerate((intake, other))
            )
        )
    taken = [each for each in answers if each.status_code == 201]
    assert len(taken) == MAX_FILES
    assert all("20 documents already" in each.json()["detail"] for each in answers if each not in taken)
    assert await counts(database) == (MAX_FILES, MAX_FILES, 0)


@asynccontextmanager
async def listening(intake: Running) -> AsyncIterator[int]:
    """The same intake on a real port."""
    transport = intake._client._transport
    assert isinstance(transport, httpx.ASGITransport)
    server = WebServer(transport.app, "127.0.0.1", 0)
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


async def test_a_connection_that_is_cut_half_way_leaves_nothing(intake: Running) -> None:
    _, page = await submitted(intake)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="form"\r\n\r\n' + token_of(page).encode() + b"\r\n--b\r\n"
        b'Content-Disposition: form-data; name="file.other"; filename="a.pdf"\r\n\r\n' + PDF
    )
    head = (
        f"POST {page}/documents HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {3 << 20}\r\n\r\n"
    )
    async with listening(intake) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + body + bytes(1 << 20))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""
        # the service is as well as before: the next one goes through
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            form = {"data": {"form": token_of(page)}, "files": {"file.other": ("a.pdf", PDF)}}
            assert (await client.post(f"{page}/documents", **form)).status_code == 303  # type: ignore[arg-type]
    assert (await counts(intake.database)) == (1, 1, 0)


def token_of(page: str) -> str:
    """What a page of documents puts into its forms."""
    return Links("0123456789abcdef" * 4).sign(DOCUMENTS, page.rpartition("/")[2])


async def upload(intake: Running, page: str, *files: tuple[str, str, bytes], then: str = "") -> httpx.Response:
    """Send the page's form as a browser does, empty entries included."""
    html = (await intake.call("GET", page, None, headers={"Accept": "text/html"})).text
    (form,) = set(re.findall(r'name="form" value="([^"]+)"', html))
    chosen = [(f"file.{kind}", (name, content)) for kind, name, content in files] or [(f"file.{OTHER}", ("", b""))]
    return await intake.call("POST", page, None, data={"form": form, "then": then}, files=chosen)


async def shown(intake: Running, page: str) -> str:
    """What a page says."""
    return unescape((await intake.call("GET", page, None, headers={"Accept": "text/html"})).text)


async def test_the_applicant_adds_sees_saves_and_removes_on_their_page(intake: Running) -> None:
    name, page = await submitted(intake)
    assert "Add documents" in await shown(intake, page)
    answer = await upload(intake, f"{page}/documents", (KIND, "certificate.pdf", PDF), (OTHER, "scan.png", PNG))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}/documents")
    text = await shown(intake, page)
    assert "certificate.pdf" in text
    assert f"A document was added: {LABELS[KIND]}." in text
    listed = await shown(intake, f"{page}/documents")
    (saved, *_) = re.findall(r'href="(/status/[^"]+/documents/[0-9a-f-]{36})"', listed)
    got = await intake.call("GET", saved, None)
    assert (got.content, got.headers["cache-control"]) == (PDF, "private, no-store")
    assert got.headers["content-disposition"].startswith('attachment; filename="certificate.pdf"')
    form = {"form": token_of(page)}
    assert (await intake.call("POST", f"{saved}/removal", None, data={"form": "forged"})).status_code == 422
    assert (await intake.call("POST", f"{saved}/removal", None, data=form)).status_code == 303
    assert (await intake.call("GET", saved, None)).status_code == 404
    assert "certificate.pdf" not in await shown(intake, page)
    answer = await upload(intake, f"{page}/documents", (KIND, "b.pdf", PDF), then="continue")
    assert answer.headers["location"] == page
    assert (await intake.call("POST", f"/v1/applications/{name}/withdrawal")).status_code == 200
    assert "No more documents can be added" in await shown(intake, f"{page}/documents")
    refused = await intake.call("POST", f"{page}/documents", None, data=form, files={"file.other": ("a.pdf", PDF)})
    assert refused.status_code == 422
    assert "no more documents can be added" in unescape(refused.text)


async def test_each_file_is_judged_by_itself_and_what_is_wrong_stands_beside_its_entry(intake: Running) -> None:
    _, page = await submitted(intake)
    files = ((KIND, "a.pdf", PDF), (KIND, "b.pdf", b"MZ\x90\x00"), (OTHER, "c.png", PNG + b"x"))
    answer = await upload(intake, f"{page}/documents", *files)
    text = unescape(answer.text)
    assert answer.status_code == 422
    assert "Not every file was taken" in text
    assert "b.pdf: The file is a Windows program" in text
    assert 'href="#file.other"' in text
    assert "a.pdf</bdi>" in text
    assert "Choose a file first" in unescape((await upload(intake, f"{page}/documents")).text)
    over = b"%PDF-1.4" + bytes(MAX_FILE) + b"%%EOF"
    answer = await upload(intake, f"{page}/documents", (OTHER, "large.pdf", over), (OTHER, "note.txt", TEXT))
    assert "large.pdf: The file is larger than 10 MB" in unescape(answer.text)
    assert "note.txt</bdi>" in unescape(answer.text), "what follows a file that is too large is taken all the same"
    assert (await counts(intake.database))[0] == 2


async def test_a_form_that_was_not_ours_takes_nothing(intake: Running) -> None:
    _, page = await submitted(intake)
    forged = {"data": {"form": token_of("/status/another")}, "files": {"file.other": ("a.pdf", PDF)}}
    answer = await intake.call("POST", f"{page}/documents", None, **forged)
    assert answer.status_code == 422
    assert "open the page again" in answer.text
    assert await counts(intake.database) == (0, 0, 0)


async def test_uploads_on_public_pages_are_limited_for_all_replicas_together(
    intake: Running, servers: Servers, database: Database
) -> None:
    _, page = await submitted(intake)
    async with running(settings_for(servers, database, Topology(f"t{uuid4().hex[:10]}")), database) as other:
        form = {"data": {"form": token_of(page)}}
        many = [(f"file.{OTHER}", (f"{number}.pdf", b"MZ")) for number in range(UPLOADS.most // 2)]
        for each in (intake, other):
            answer = await each.call("POST", f"{page}/documents", None, **form, files=many)
            assert answer.status_code == 422
        answer = await other.call("POST", f"{page}/documents", None, **form, files={"file.other": ("a.pdf", PDF)})
    assert answer.status_code == 429
    assert "retry-after" in answer.headers
    assert "asked for too often" in unescape(answer.text)
    assert (await counts(database))[0] == 0


async def test_documents_of_the_form_are_seen_at_the_check_and_belong_to_the_application(intake: Running) -> None:
    visitor = Visitor(intake)
    await (await visitor.open("/apply")).send({"category": CATEGORY})
    base = visitor.path
    assert "Supporting documents" in visitor.text
    assert "Optional" in visitor.text
    answer = await upload(intake, f"{base}/documents", (KIND, "certificate.pdf", PDF), then="continue")
    assert answer.headers["location"] == base
    assert "1 file" in (await visitor.open(base)).text
    await upload(intake, f"{base}/documents", (OTHER, "note.txt", TEXT))
    await (await visitor.open(f"{base}/organisation")).send(ORGANISATION)
    assert "certificate.pdf" in (await visitor.open(f"{base}/check")).text
    (first, _) = re.findall(rf'href="({base}/documents/[0-9a-f-]{{36}})"', await shown(intake, f"{base}/documents"))
    assert (await intake.call("GET", first, None)).content == PDF
    form = {"form": Links("0123456789abcdef" * 4).sign(DOCUMENTS, base.rpartition("/")[2])}
    removed = await intake.call("POST", f"{first}/removal?back=check", None, data=form)
    assert removed.headers["location"] == f"{base}/documents?back=check"
    before = await shown(intake, f"{base}/documents")
    assert "note.txt" in before
    await (await visitor.open(f"{base}/check")).send()
    assert visitor.path.endswith("/sent"), visitor.text
    page = next(each for each in visitor.links if "/status/" in each).removeprefix("http://join.example")
    text = await shown(intake, page)
    assert "note.txt" in text
    assert "certificate.pdf" not in text
    assert "A document was" not in text, "what was done before it was sent is no news"
    assert (await visitor.open(f"{base}/documents")).path.endswith("/sent")
    late = await intake.call("POST", f"{base}/documents", None, data=form, files={"file.other": ("a.pdf", PDF)})
    assert "was sent meanwhile" in unescape(late.text)
    for each in re.findall(rf'href="({base}/documents/[0-9a-f-]{{36}})"', before):
        assert (await intake.call("GET", each, None)).headers["location"] == f"{base}/sent"


async def test_revoking_the_links_of_an_application_closes_that_of_the_draft_it_was(intake: Running) -> None:
    visitor = Visitor(intake)
    await (await visitor.open("/apply")).send({"category": CATEGORY})
    base = visitor.path
    await upload(intake, f"{base}/documents", (KIND, "certificate.pdf", PDF))
    (file,) = re.findall(rf'href="({base}/documents/[0-9a-f-]{{36}})"', await shown(intake, f"{base}/documents"))
    await (await visitor.open(f"{base}/organisation")).send(ORGANISATION)
    await (await visitor.open(f"{base}/check")).send()
    page = next(each for each in visitor.links if "/status/" in each).removeprefix("http://join.example")
    name = (await intake.call("GET", f"{page}/export.json", None)).json()["application_id"]
    assert (await intake.call("POST", f"/v1/applications/{name}/links/revocation", "olga")).is_success
    for path in (base, f"{base}/sent", f"{base}/documents", file):
        answer = await intake.call("GET", path, None, headers={"Accept": "text/html"})
        assert (answer.status_code, "/status/" in answer.text) == (404, False), path


async def test_the_export_lists_documents_with_their_links(intake: Running) -> None:
    _, page = await submitted(intake)
    await upload(intake, f"{page}/documents", (KIND, "certificate.pdf", PDF), (OTHER, "scan.png", PNG))
    listed = await shown(intake, f"{page}/documents")
    first = re.findall(r'href="(/status/[^"]+/documents/[0-9a-f-]{36})"', listed)[0]
    await intake.call("POST", f"{first}/removal", None, data={"form": token_of(page)})
    document = (await intake.call("GET", f"{page}/export.json", None)).json()
    gone, there = document["evidence"]
    assert (gone["name"], gone["where"], gone["kind"]) == (None, None, KIND)
    assert gone["removed_at"]
    assert there["name"] == "scan.png"
    saved = await intake.call("GET", there["where"].removeprefix("http://join.example"), None)
    assert saved.content == PNG
    text = await shown(intake, f"{page}/export")
    assert "scan.png" in text
    assert "removed" in text


async def test_an_amendment_has_the_documents_of_its_application_and_changes_them_at_once(intake: Running) -> None:
    _, page = await submitted(intake)
    await upload(intake, f"{page}/documents", (KIND, "certificate.pdf", PDF))
    visitor = Visitor(intake)
    await (await visitor.open(f"{page}/amend")).send()
    base = visitor.path
    assert "1 file" in visitor.text
    assert "with it at once" in (await visitor.open(f"{base}/documents")).text
    assert "certificate.pdf" in visitor.text
    await upload(intake, f"{base}/documents", (OTHER, "note.txt", TEXT))
    assert "note.txt" in await shown(intake, page)
    assert f"A document was added: {LABELS[OTHER]}." in await shown(intake, page)
    (first, _) = re.findall(rf'href="({base}/documents/[0-9a-f-]{{36}})"', await shown(intake, f"{base}/documents"))
    form = {"form": Links("0123456789abcdef" * 4).sign(DOCUMENTS, base.rpartition("/")[2])}
    assert (await intake.call("POST", f"{first}/removal", None, data=form)).status_code == 303
    assert f"A document was removed: {LABELS[KIND]}." in await shown(intake, page)
    (folder,) = await intake.database["evidence_folders"].find({}).to_list(None)
    assert folder["draft_id"] is None


async def test_erasing_an_application_takes_its_documents(intake: Running) -> None:
    name, page = await submitted(intake)
    await upload(intake, f"{page}/documents", (KIND, "certificate.pdf", PDF))
    assert (await intake.call("DELETE", f"/v1/applications/{name}", "olga")).is_success

    async def gone() -> bool:
        folders = await intake.database["evidence_folders"].count_documents({})
        return (folders, *await counts(intake.database)) == (0, 0, 0, 0)

    await eventually(gone, "the documents are gone", 10)
    assert (await send(intake, name, PDF, caller="olga")).status_code in (404, 409, 410)
    assert await counts(intake.database) == (0, 0, 0)


async def test_files_of_a_draft_that_expired_are_tidied_away(intake: Running) -> None:
    visitor = Visitor(intake)
    await (await visitor.open("/apply")).send({"category": CATEGORY})
    await upload(intake, f"{visitor.path}/documents", (KIND, "certificate.pdf", PDF))
    tidying = tidying_of(intake.database)
    await tidying.round()
    assert (await counts(intake.database))[0] == 1
    await intake.database["drafts"].delete_many({})  # as MongoDB does with what has expired
    await tidying.round()
    assert await counts(intake.database) == (0, 0, 0)
    assert await intake.database["evidence_folders"].count_documents({}) == 0


def tidying_of(database: Database) -> EvidenceTidying:
    """What the loop of the service does every ten minutes."""
    folders, stored, clock = MongoEvidenceFolders(database), GridEvidence(database), FakeClock()

    async def none(application_ids: Sequence[str]) -> set[str]:
        return set()

    files = EvidenceFiles(folders, stored, clock)
    return EvidenceTidying(files, folders, stored, clock, MongoDraftIds(database).known, none)
