"""The secretariat drafts a policy, looks at what it would change, activates it and rolls it back over the API; each
application is judged by the version that was in force when it was received."""

from __future__ import annotations

import io
import shutil
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.eligibility.domain.decisions import Decision
from services.eligibility.storage.decisions import decision_of
from shared.events import PolicyActivated
from shared.mongo import Database
from shared.policy.source import files_of
from shared.topology import Topology
from tests.integration.eligibility.running import KEYS, WEPROTECT, Running, event_of, running, settings_for
from tests.servers import Servers
from tests.unit.eligibility.making import AFTER, application
from tests.unit.policy.packs import replace, weprotect
from tests.waiting import eventually

SECOND = timedelta(seconds=1)


@pytest.fixture
async def winter(eligibility: Running) -> Running:
    """January 2022: the pack's own pause is over."""
    await at(eligibility, AFTER)
    return eligibility


async def at(eligibility: Running, now: datetime) -> None:
    headers = {"Authorization": f"Bearer {KEYS['ada'][1]}"}
    answer = await eligibility.client.put("/v1/clock", json={"now": now.isoformat()}, headers=headers)
    assert answer.is_success, answer.text


async def post(eligibility: Running, path: str, body: Any = None, caller: str = "ada", **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[caller][1]}", **more.pop("headers", {})}
    return await eligibility.client.post(f"/v1/policies{path}", json=body, headers=headers, **more)


async def made(eligibility: Running, path: str, body: Any, caller: str = "ada") -> dict[str, Any]:
    answer = await post(eligibility, path, body, caller)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def stricter(folder: Path) -> dict[str, str]:
    """The Alliance's pack in another version, which wants longer registration numbers of charities."""
    pack = Path(shutil.copytree(WEPROTECT, folder / "stricter"))
    rule = "len(trim(registration.number)) >= 2 and len(trim(registration.authority))"
    replace(pack / "criteria-categories.yaml", rule, rule.replace("2", "20"))
    example = '"1089599", registration.authority: Charity Commission, registration.country: GB, answer: met'
    replace(pack / "criteria-categories.yaml", example, example.replace("1089599", "1" * 20))
    return {name: content.decode() for name, content in files_of(pack).items()}


async def judged(eligibility: Running, instant: datetime) -> Decision:
    """How an application received at that instant is decided."""
    given = application(received_at=instant)
    await eligibility.elsewhere.tell(event_of(given))
    await eligibility.until_told((given.application_id, 1))
    fact = await eligibility.database["decisions"].find_one({"application_id": given.application_id})
    assert fact is not None
    return decision_of(fact)


async def until_read(eligibility: Running, activation: dict[str, Any]) -> None:
    """A version comes into force long after every replica has read it. Here the clock is set to that instant, so the test
    waits until the replica goes by it."""
    await at(eligibility, datetime.fromisoformat(activation["effective_from"]))

    async def read() -> bool:
        listed = (await eligibility.get("/v1/policies"))["policies"]
        return [each["hash"] for each in listed if each["in_force"]] == [activation["policy_hash"]]

    await eventually(read, f"activation {activation['number']} is read")


async def test_the_whole_way_of_a_policy(winter: Running, tmp_path: Path) -> None:
    draft = await made(winter, "/drafts", {"files": stricter(tmp_path), "note": "For the spring."}, "olga")
    assert (draft["mistakes"], draft["errors"], draft["by"]) == (0, [], "olga")
    compared = await winter.get(f"/v1/policies/{draft['draft_id']}/differences")
    assert (compared["before"], compared["new_signature"]) == (weprotect().hash, False)
    (difference,) = compared["differences"]
    assert "What it expects: was len(trim(registration.number)) >= 2" in difference["details"][0]

    activated = await made(winter, "/activations", {"policy": draft["draft_id"], "why": "Minute 12.", "number": 1})
    start = datetime.fromisoformat(activated["effective_from"])
    assert (activated["number"], activated["what"], activated["state"]) == (2, "activated", "to_come")
    assert timedelta(0) < start - AFTER < timedelta(minutes=2)
    await until_read(winter, activated)
    before, since = [await judged(winter, instant) for instant in (start - SECOND, start)]
    assert (before.judgement.outcome, before.judgement.policy_hash) == ("eligible", weprotect().hash)
    assert (since.judgement.outcome, since.judgement.policy_hash) == ("not_eligible", draft["policy_hash"])

    await at(winter, start + timedelta(days=1))
    back = await made(winter, "/rollback", {"why": "Too strict.", "number": 2})
    returned = datetime.fromisoformat(back["effective_from"])
    assert (back["policy_hash"], back["what"]) == (weprotect().hash, "reactivated")
    await until_read(winter, back)
    assert (await judged(winter, returned - SECOND)).judgement.outcome == "not_eligible", "the day between stays"
    assert (await judged(winter, returned)).judgement.outcome == "eligible"

    history = (await winter.get("/v1/policies/activations"))["activations"]
    assert [(each["number"], each["state"], each["by"], each["why"]) for each in history] == [
        (1, "over", "policy", ""),
        (2, "over", "ada", "Minute 12."),
        (3, "in_force", "ada", "Too strict."),
    ]

    def told() -> list[int]:
        heard = [each.data for each in winter.elsewhere.of_type("policy.activated.v1")]
        return sorted({each.number for each in heard if isinstance(each, PolicyActivated)})

    await eventually(lambda: told() == [1, 2, 3], "the other services are told of each activation")


async def test_a_draft_with_mistakes_is_kept_and_each_names_its_line_but_it_is_not_activated(winter: Running) -> None:
    files = {name: content.decode() for name, content in files_of(WEPROTECT).items()}
    files["pauses.yaml"] = files["pauses.yaml"].replace("2022-01-01T00:00", "2020-01-01T00:00")
    line = files["pauses.yaml"].splitlines().index("    until: 2020-01-01T00:00") + 1
    draft = await made(winter, "/drafts", {"files": files}, "olga")
    assert draft["policy_hash"] is None
    assert draft["errors"] == [{"file": "pauses.yaml", "line": line, "message": "a pause ends after it begins"}]
    answer = await post(winter, "/activations", {"policy": draft["draft_id"], "why": "x"})
    assert (answer.status_code, f"pauses.yaml:{line}" in answer.json()["detail"]) == (422, True)
    again = (await post(winter, f"/drafts/{draft['draft_id']}/check", caller="olga")).json()
    assert again["errors"] == draft["errors"]


async def test_the_pack_in_force_is_downloaded_and_sent_back_as_an_archive(winter: Running) -> None:
    (installed,) = (await winter.get("/v1/policies/drafts"))["drafts"]
    path = f"/v1/policies/drafts/{installed['draft_id']}/pack.zip"
    content = (await winter.call(path)).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) == len(files_of(WEPROTECT))
    sent = {"content": content, "headers": {"Content-Type": "application/zip"}}
    answer = await post(winter, "/drafts?note=The%20same.", caller="olga", **sent)
    assert (answer.status_code, answer.json()["draft_id"]) == (201, installed["draft_id"])
    answer = await post(winter, "/drafts", caller="olga", content=b"PK", headers=sent["headers"])
    assert answer.status_code == 400


async def test_what_nobody_can_mean_is_refused(winter: Running) -> None:
    async def refused(path: str, body: Any, status: int, caller: str = "ada") -> list[str]:
        answer = await post(winter, path, body, caller)
        assert answer.status_code == status, answer.text
        return [each["pointer"] for each in answer.json().get("errors", [])]

    form = {"policy": weprotect().hash, "why": "x"}
    assert await refused("/activations", form, 409) == [], "it is in force already"
    assert await refused("/activations", {**form, "effective_from": "2021-01-01T00:00"}, 422) == ["/effective_from"]
    assert await refused("/activations", {**form, "timezone": "Europe/Nowhere"}, 422) == ["/timezone"]
    assert await refused("/activations", {**form, "effective_from": "soon"}, 422) == ["/effective_from"]
    assert await refused("/activations", {**form, "policy": "0" * 64}, 404) == []
    assert await refused("/activations", {**form, "why": " "}, 422) == ["/why"]
    assert await refused("/activations", {**form, "number": 7}, 409) == []
    assert await refused("/rollback", {"why": "x"}, 409) == [], "there is none before"
    assert await refused("/drafts", {"files": {"a.txt": ""}}, 422, "olga") == ["/files"]
    for path in ("/activations", "/rollback"):
        assert await refused(path, form, 403, "dora") == [], "administrators alone"
    assert (await winter.call("/v1/policies/drafts/" + "0" * 64)).status_code == 404
    assert (await winter.call("/v1/policies/" + "0" * 64 + "/differences")).status_code == 404


async def test_a_replica_that_starts_with_its_pack_does_not_undo_what_people_activated(
    winter: Running, servers: Servers, database: Database, topology: Topology, tmp_path: Path
) -> None:
    """Neither with the pack of before, nor with a new one: that becomes a draft."""
    draft = await made(winter, "/drafts", {"files": stricter(tmp_path)}, "olga")
    await made(winter, "/activations", {"policy": draft["draft_id"], "why": "Minute 12."})
    newer = Path(shutil.copytree(WEPROTECT, tmp_path / "newer"))
    replace(newer / "pack.yaml", "version_label: ", "version_label: newer ")
    for pack in (WEPROTECT, newer):
        async with running(settings_for(servers, database, topology, policy=pack), database) as other:
            history = (await other.get("/v1/policies/activations"))["activations"]
            assert [each["by"] for each in history] == ["policy", "ada"]
            labels = [each["version_label"] for each in (await other.get("/v1/policies/drafts"))["drafts"]]
    assert any(label.startswith("newer") for label in labels)
