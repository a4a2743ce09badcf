"""The console's pages about policies: a draft is sent, its mistakes and its differences are read, it is activated."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx

from shared.policy.source import files_of
from tests.integration.eligibility.running import WEPROTECT, Running
from tests.integration.eligibility.test_console import browser, enter, opened, send, token_of
from tests.integration.eligibility.test_policy_changes import stricter
from tests.unit.eligibility.making import EARLY, pause
from tests.waiting import eventually

PATH = "/console/policies"


def archive(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in files.items():
            made.writestr(f"weprotect/{name}", content)
    return stream.getvalue()


async def upload(client: httpx.AsyncClient, *files: tuple[str, bytes]) -> httpx.Response:
    """Send files by the form of the page, and go where it leads."""
    token = token_of(await client.get(PATH))
    sent = [("files", (name, content, "application/octet-stream")) for name, content in files]
    return await client.post(PATH, data={"form_token": token, "note": "Try."}, files=sent, follow_redirects=True)


def words(page: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


async def test_a_draft_is_sent_read_activated_and_rolled_back(eligibility: Running, tmp_path: Path) -> None:
    async with browser(eligibility) as client:
        await enter(client, await opened(eligibility, "greta", "admin"))
        files = [(name.removeprefix("lists/"), text.encode()) for name, text in stricter(tmp_path).items()]
        draft = await upload(client, *files)
        assert "It has no mistakes" in words(draft), "the files as a browser sends them, without their folder"
        assert "What it expects: was len(trim(registration.number)) >= 2" in words(draft)
        told = await client.get(str(draft.url), params={"category": "un_member_state"})
        assert "Nothing: they say the same." in words(told), "states are not asked it"
        fields = {"number": "1", "timezone": "Europe/London", "effective_from": "2030-03-01T09:00"}
        unsaid = await send(client, str(draft.url), draft, **fields)
        assert (unsaid.status_code, "Why needs a sentence" in words(unsaid)) == (422, True)
        done = await send(client, str(draft.url), draft, why="Minute 12.", **fields)
        assert (done.status_code, done.headers["location"]) == (303, PATH)
        listed = await client.get(PATH)
        assert "comes into force on 1 March 2030, 09:00 GMT, activated by greta: Minute 12." in words(listed)
        late = await send(client, f"{PATH}/rollback", listed, why="No.", number="1")
        assert (late.status_code, "number 2, not 1" in words(late)) == (409, True)
        assert (await send(client, f"{PATH}/rollback", listed, why="No.", number="2")).status_code == 303
        assert "Another policy is to come" not in words(await client.get(PATH))


async def test_a_draft_says_which_pause_names_a_kind_of_organisation_that_it_does_not_have(
    eligibility: Running,
) -> None:
    """The kind was renamed while the pause was on: the pause holds neither its old name nor its new one."""
    held = pause("guilds", until=datetime(2190, 1, 1, tzinfo=UTC), covers=("guild",))
    fact = {"pause_id": "guilds", "version": 1, "effective_from": EARLY, "pause": held.model_dump(mode="json")}
    await eligibility.database["pauses"].insert_one({"_id": "guilds:1", "stored_at": EARLY, **fact, "outbox": None})
    async with browser(eligibility) as client:
        await enter(client, await opened(eligibility, "ines"))
        draft = await upload(client, ("pack.zip", archive(files_of(WEPROTECT))))

        async def told() -> bool:
            return "The pause guilds names guild ." in words(await client.get(str(draft.url)))

        await eventually(told, "the page has read the pause")


async def test_mistakes_stand_beside_the_line_they_are_in(eligibility: Running) -> None:
    files = files_of(WEPROTECT)
    files["pauses.yaml"] = files["pauses.yaml"].replace(b"2022-01-01T00:00", b"2020-01-01T00:00")
    async with browser(eligibility) as client:
        await enter(client, await opened(eligibility, "henk"))
        draft = await upload(client, ("pack.zip", archive(files)))
        assert "a pause ends after it begins until: 2020-01-01T00:00" in words(draft)
        assert "Activate" not in words(draft)
        content = (await client.get(f"{draft.url}/pack.zip")).content
        assert zipfile.ZipFile(io.BytesIO(content)).read(zipfile.ZipFile(io.BytesIO(content)).namelist()[0])
        for broken in (("pack.zip", b"PK"), ("notes.txt", b"")):
            answer = await upload(client, broken)
            assert answer.status_code == 422
            assert "Files " in words(answer)


async def test_an_operator_drafts_and_activates_nothing(eligibility: Running) -> None:
    async with browser(eligibility) as client:
        await enter(client, await opened(eligibility, "ines", "decider"))
        page = await client.get(PATH)
        assert "Roll back" not in page.text
        (name,) = set(re.findall(rf"{PATH}/([0-9a-f]{{64}})/pack", page.text))
        for path in (f"{PATH}/rollback", f"{PATH}/{name}"):
            assert (await send(client, path, page, why="x", timezone="UTC")).status_code == 403
        assert (await client.get(f"{PATH}/{'0' * 64}")).status_code == 404
