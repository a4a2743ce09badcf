"""Every page and button that a link opens, pressed after the application is over: nothing fails, nothing is changed, and of
an erased one nothing is shown."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from shared.web.links import DESK_DOCUMENTS, DRAFT, INVITATION, NOMINATION
from tests.integration.intake.forms import Visitor
from tests.integration.intake.running import POLICY, Running
from tests.integration.intake.test_erasure import erase, named_in
from tests.integration.intake.test_evidence import send
from tests.integration.intake.test_links import LINKS
from tests.integration.intake.test_nominations import asked, eligible

HTML, PROGRAM = {"Accept": "text/html"}, {"Accept": "application/json"}
NAMES = (b"Safer Screens", b"Ann Example", b"ann@safer.example", b"nominees.example", b"a-note.txt")
COUNTING = ("limits", "leases")
"""Collections that change with every request, or with time."""


class Application:
    """An application with everything that hangs on it, and a link of each kind to it."""

    def __init__(self, intake: Running, name: str, page: str) -> None:
        self.intake = intake
        self.name = name
        self.page = page
        self.tokens: dict[str, str] = {}
        self.evidence_id = ""

    async def prepare(self) -> Application:
        """Send a document, begin a change, and make a link of each kind."""
        sent = await send(self.intake, self.name, b"A note.", file="a-note.txt")
        self.evidence_id = sent.json()["evidence_id"]
        visitor = await Visitor(self.intake).open(f"{self.page}/amend")
        await visitor.send()
        draft = await self.intake.database["drafts"].find_one({})
        nominations = await asked(self.intake, self.name)
        assert draft is not None
        self.tokens = {
            "status": self.page.rpartition("/")[2],
            "apply": LINKS.sign(DRAFT, draft["_id"]),
            "nominations": LINKS.sign(NOMINATION, nominations[0]["nomination_id"]),
            "invitations": LINKS.sign(INVITATION, self.name),
            "desk": LINKS.sign(DESK_DOCUMENTS, self.name),
        }
        return self

    def requests(self) -> Iterator[tuple[str, str]]:
        """Each request that one of its links allows: method and path."""
        transport = self.intake._client._transport
        assert isinstance(transport, httpx.ASGITransport)
        group = next(each.id for each in POLICY.document.groups)
        for route in transport.app.routes:  # type: ignore[attr-defined]
            if isinstance(route, APIRoute) and "{token}" in route.path:
                token = self.tokens[route.path.split("/")[1]]
                path = route.path.format(token=token, evidence_id=self.evidence_id, group=group, number=1)
                for method in sorted(route.methods or ()):
                    yield method, path

    async def answers(self) -> dict[str, httpx.Response]:
        """What a browser and a program are answered, wherever a link leads."""
        found = {}
        for method, path in self.requests():
            for kind, accept in (("browser", HTML), ("program", PROGRAM)):
                entries = {"data": {"form": "x", "answer": "confirmed", "statement": "x"}} if method == "POST" else {}
                found[f"{kind} {method} {path}"] = await self.intake.call(method, path, None, headers=accept, **entries)
        return found

    async def kept(self) -> dict[str, int]:
        """How many documents each collection has."""
        database = self.intake.database
        names = [name for name in await database.list_collection_names() if name not in COUNTING]
        return {name: await database[name].count_documents({}) for name in names}


@pytest.fixture
async def application(intake: Running) -> Application:
    return await Application(intake, *await eligible(intake)).prepare()


async def test_the_links_open_before(application: Application) -> None:
    for name, answer in (await application.answers()).items():
        assert answer.status_code < 500, name
        assert (answer.status_code, " GET " in name) != (404, True), name


async def test_of_an_erased_application_no_link_shows_anything_or_changes_anything(application: Application) -> None:
    assert (await erase(application.intake, application.name)).status_code == 200
    before = await application.kept()
    for name, answer in (await application.answers()).items():
        assert answer.status_code in (404, 410), f"{name}: {answer.status_code} {answer.text[:300]}"
        assert not [each for each in NAMES if each in answer.content], name
    assert await application.kept() == before
    assert await named_in(application.intake.database, NAMES) == {}


async def test_of_a_withdrawn_application_no_button_fails_or_changes_anything(application: Application) -> None:
    await application.intake.call("POST", f"/v1/applications/{application.name}/withdrawal")
    before = await application.kept()
    for name, answer in (await application.answers()).items():
        assert answer.status_code < 500, name
    assert await application.kept() == before


async def test_revoked_links_open_nothing(application: Application) -> None:
    path = f"/v1/applications/{application.name}/links/revocation"
    assert (await application.intake.call("POST", path, "olga")).status_code == 200
    for name, answer in (await application.answers()).items():
        kind = name.split("/")[1]
        if kind in ("status", "apply", "invitations"):
            assert answer.status_code == 404, f"{name}: {answer.status_code}"
