"""One suite for the fake and the real storage: what unit tests believe of the fakes is true of Mongo."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from services.intake.domain.applications import Revision
from services.intake.domain.import_rows import Row
from services.intake.domain.imports import Import, Preview, Progress, Reason
from services.intake.domain.policies import KnownPause, KnownPolicy
from services.intake.domain.status import Change, Status, emitted_again
from services.intake.domain.status_changes import accepted, with_dead_letter, with_decision, with_email, with_withdrawal
from services.intake.storage.import_files import GridFiles
from services.intake.storage.imports import MongoImports
from services.intake.storage.policies import MongoPolicies
from services.intake.storage.status import MongoStatuses
from shared.application import Application
from shared.errors import FieldError, Permanent
from shared.events import PauseNotice, TwinNotice
from shared.mongo import Database
from tests.unit.intake.fakes import NOW, REAL, FakeFiles, FakeImports, FakePolicies, FakeStatuses
from tests.unit.intake.samples import POLICY, application, dead_letter, decided, report, withdrawal

AFTER = timedelta(seconds=60)
BOTH = pytest.mark.parametrize("kind", ["fake", "real"])


async def statuses_of(kind: str, database: Database) -> FakeStatuses | MongoStatuses:
    if kind == "fake":
        return FakeStatuses(AFTER)
    real = MongoStatuses(database, AFTER)
    await real.prepare()
    return real


def fresh(name: str, about: Application | None = None) -> Status:
    return accepted(about or application(name=name))


@BOTH
async def test_a_status_is_kept_whole(kind: str, database: Database) -> None:
    statuses = await statuses_of(kind, database)
    assert await statuses.insert([fresh("a"), fresh("b")], REAL) == []
    assert await statuses.insert([fresh("b"), fresh("c")], REAL) == ["b"]
    pause = POLICY.document.pauses[0]
    notice = PauseNotice(
        pause_id=pause.id,
        message=pause.message,
        reason=pause.reason,
        until=pause.until,
        exempt=list(pause.exempt),
        interest_registered=True,
    )
    twin = TwinNotice(application_id="b", reference="B", matched_by="name")
    event = decided().model_copy(update={"pause": notice, "twin": twin})
    changes: list[Change] = [
        lambda status: with_dead_letter(status, dead_letter("notifications")),
        lambda status: with_decision(status, event),
        lambda status: with_email(status, report("acknowledgement"), "failed", "550"),
    ]
    assert await statuses.change({"a": changes, "nobody": changes}, REAL) == {"nobody"}
    wanted = fresh("a")
    for change in changes:
        wanted = change(wanted)
    found = await statuses.find("a")
    assert found is not None
    assert (found.version, found.due) == (2, REAL + AFTER)
    for field in ("state", "decision", "dead_letter", "acknowledgement", "outcome_email", "history", "received_at"):
        assert getattr(found, field) == getattr(wanted, field), field
    assert await statuses.find("nobody") is None


@BOTH
async def test_a_change_that_changes_nothing_writes_nothing(kind: str, database: Database) -> None:
    statuses = await statuses_of(kind, database)
    await statuses.insert([fresh("a")], REAL)
    assert await statuses.change({"a": [lambda status: status]}, REAL) == set()
    found = await statuses.find("a")
    assert found is not None
    assert found.version == 1


@BOTH
async def test_concurrent_changes_of_the_same_application_are_all_kept(kind: str, database: Database) -> None:
    statuses = await statuses_of(kind, database)
    names = [f"a{number}" for number in range(20)]
    await statuses.insert([fresh(name) for name in names], REAL)

    async def tell(number: int) -> None:
        event = decided(1, number)
        await statuses.change({name: [lambda status: with_decision(status, event)] for name in names}, REAL)

    await asyncio.gather(*(tell(number) for number in range(1, 9)))
    found = [await statuses.find(name) for name in names]
    assert {status.decision.pair for status in found if status and status.decision} == {(1, 8)}


@BOTH
async def test_what_is_overdue_is_found_longest_first_and_what_is_done_is_not(kind: str, database: Database) -> None:
    statuses = await statuses_of(kind, database)
    for number, name in enumerate(["late", "later", "done"]):
        await statuses.insert([fresh(name)], REAL + timedelta(seconds=number))
    answers = [
        lambda status: with_decision(status, decided()),
        lambda status: with_email(status, report("eligible", number=1), "sent"),
        lambda status: with_email(status, report("acknowledgement"), "sent"),
    ]
    await statuses.change({"done": answers}, REAL)
    when = REAL + timedelta(minutes=5)
    assert [each.application_id for each in await statuses.overdue(REAL, 9)] == []
    assert [each.application_id for each in await statuses.overdue(when, 9)] == ["late", "later"]
    assert [each.application_id for each in await statuses.overdue(when, 1)] == ["late"]
    again = partial(emitted_again, real=when, after=AFTER)
    await statuses.change({"late": [again]}, when)
    assert [each.application_id for each in await statuses.overdue(when, 9)] == ["later"]


@BOTH
async def test_groups_count_alike_applications_and_pages_follow_each_other(kind: str, database: Database) -> None:
    statuses = await statuses_of(kind, database)
    await statuses.insert([fresh(name) for name in "abcd"], REAL)
    await statuses.change({"a": [lambda status: with_withdrawal(status, withdrawal())]}, REAL)
    await statuses.change({"b": [lambda status: with_decision(status, decided())]}, REAL)
    await statuses.change({"c": [lambda status: with_dead_letter(status, dead_letter())]}, REAL)
    groups = {(g.state, g.given_up, g.acknowledgement, g.outcome_email): g.count for g in await statuses.groups()}
    assert groups == {
        ("withdrawn", False, "expected", None): 1,
        ("eligible", False, "expected", "expected"): 1,
        ("pending", True, "expected", None): 1,
        ("pending", False, "expected", None): 1,
    }
    first = await statuses.page({"state": "pending"}, None, 1)
    rest = await statuses.page({"state": "pending"}, first[0].application_id, 9)
    assert [each.application_id for each in [*first, *rest]] == ["c", "d"]


def job(name: str = "i", at: datetime = NOW, client: str = "alpha") -> Import:
    return Import(
        import_id=name,
        client=client,
        file_id=f"file-{name}",
        filename="list.csv",
        format="csv",
        size=7,
        sha256="00",
        historical=False,
        commit=False,
        stored_at=at,
        trace="00-trace",
    )


async def imports_of(kind: str, database: Database) -> FakeImports | MongoImports:
    if kind == "fake":
        return FakeImports()
    real = MongoImports(database)
    await real.prepare()
    return real


@BOTH
async def test_an_import_goes_from_state_to_state_and_never_back(kind: str, database: Database) -> None:
    imports = await imports_of(kind, database)
    assert await imports.add(job()) == job()
    assert (await imports.add(job(client="beta"))).client == "alpha"
    preview = Preview(3, 2, 1, (("a.category", 2),), (Reason("/category", "wrong", 1),))
    assert not await imports.end_preview("i", preview)
    assert await imports.begin_preview("i")
    await imports.note_preview("i", 2)
    found = await imports.find("i")
    assert found is not None
    assert (found.state, found.previewed_rows) == ("previewing", 2)
    assert await imports.begin_preview("i")  # after a kill it begins anew
    assert await imports.end_preview("i", preview)
    assert not await imports.refuse("i", ["too late"])
    assert await imports.count_unfinished() == 0
    assert not await imports.begin_import("i", NOW, "h")
    await imports.ask_commit("i")
    assert await imports.count_unfinished() == 1
    assert [await imports.begin_import("i", NOW, "h"), await imports.begin_import("i", REAL, "h2")] == [True, False]
    assert await imports.advance("i", Progress(), Progress(2, 1, 1))
    assert not await imports.advance("i", Progress(), Progress(2, 1, 1))
    assert await imports.count_refused() == 1
    assert [await imports.end_import("i"), await imports.end_import("i")] == [True, False]
    found = await imports.find("i")
    assert found is not None
    assert (found.state, found.preview, found.committed_at) == ("done", preview, NOW)
    assert (found.policy_hash, found.progress) == ("h", Progress(2, 1, 1))
    assert await imports.find("nobody") is None


@BOTH
async def test_an_import_that_is_given_up_is_refused_before_and_failed_after_its_first_row(
    kind: str, database: Database
) -> None:
    imports = await imports_of(kind, database)
    for name in ("early", "late", "done"):
        await imports.add(job(name))
        await imports.ask_commit(name)
        if name != "early":
            await imports.begin_preview(name)
            await imports.end_preview(name, Preview(2, 1, 1, (), ()))
            await imports.begin_import(name, NOW, "h")
            await imports.advance(name, Progress(), Progress(2, 1, 1))
    await imports.end_import("done")
    counted = [await imports.count_failure("late") for _ in range(2)]
    assert [each.failures for each in counted if each] == [1, 2]
    assert await imports.count_failure("nobody") is None
    assert [await imports.give_up(name, ["why"]) for name in ("early", "late", "done")] == [True, True, False]
    found = [await imports.find(name) for name in ("early", "late", "done")]
    assert [(each.state, each.problems) for each in found if each] == [
        ("refused", ("why",)),
        ("failed", ("why",)),
        ("done", ()),
    ]
    assert (await imports.count_unfinished(), await imports.count_failed(), await imports.count_refused()) == (0, 1, 2)


@BOTH
async def test_imports_are_listed_newest_first_and_taken_oldest_first(kind: str, database: Database) -> None:
    imports = await imports_of(kind, database)
    for number, client in enumerate(["alpha", "beta", "alpha"]):
        await imports.add(job(f"i{number}", NOW + timedelta(hours=number), client))
    assert [each.import_id for each in await imports.newest(None, 2)] == ["i2", "i1"]
    assert [each.import_id for each in await imports.newest("alpha", 9)] == ["i2", "i0"]
    assert [each.import_id for each in await imports.unfinished()] == ["i0", "i1", "i2"]
    await imports.begin_preview("i0")
    assert await imports.refuse("i0", ["no"])
    assert [each.import_id for each in await imports.unfinished()] == ["i1", "i2"]


@BOTH
async def test_the_errors_kept_are_those_of_the_refused_rows_alone(kind: str, database: Database) -> None:
    imports = await imports_of(kind, database)

    def row(number: int, *messages: str) -> Row:
        errors = tuple(FieldError("/category", message) for message in messages)
        return Row(number, number + 1, None if messages else application(), errors)

    await imports.keep_errors("i", [row(1, "bad"), row(2), row(3, "bad", "worse")])
    await imports.keep_errors("other", [row(1, "bad")])
    await imports.keep_errors("i", [])
    await imports.keep_errors("i", [row(1), row(2, "now bad")])
    found = await imports.errors("i", 0, 9)
    assert [(each["row"], each["line"], len(each["errors"])) for each in found] == [(2, 3, 1), (3, 4, 2)]
    assert found[0]["errors"] == [{"pointer": "/category", "message": "now bad"}]
    assert [each["row"] for each in await imports.errors("i", 2, 9)] == [3]
    assert len(await imports.errors("i", 0, 1)) == 1


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@BOTH
async def test_a_file_is_read_as_it_was_written_and_a_broken_upload_leaves_nothing(
    kind: str, database: Database
) -> None:
    files = FakeFiles() if kind == "fake" else GridFiles(database)
    content = bytes(range(256)) * 9000
    assert await files.write("f", "list.csv", pieces(content[:5], content[5:])) == len(content)
    assert b"".join([chunk async for chunk in files.read("f")]) == content

    async def broken() -> AsyncIterator[bytes]:
        yield content
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await files.write("g", "list.csv", broken())
    await files.delete("f")
    await files.delete("f")
    for name in ("f", "g"):
        with pytest.raises(Permanent, match="is gone"):
            [chunk async for chunk in files.read(name)]
    assert await database["import_files.chunks"].count_documents({}) == 0


async def test_a_file_that_never_became_an_import_is_removed_when_it_is_old(database: Database) -> None:
    files, imports = GridFiles(database), MongoImports(database)
    for name in ("file-i", "old", "new"):
        await files.write(name, "list.csv", pieces(b"x"))
    await imports.add(job("i"))
    old = datetime(2020, 1, 1)  # noqa: DTZ001 - as GridFS keeps it
    await database["import_files.files"].update_many({"_id": {"$ne": "new"}}, {"$set": {"uploadDate": old}})
    assert await files.delete_abandoned() == 1
    assert sorted(await database["import_files.files"].distinct("_id")) == ["file-i", "new"]


@BOTH
async def test_policies_and_pauses_are_kept_once_a_version(kind: str, database: Database) -> None:
    store = FakePolicies() if kind == "fake" else MongoPolicies(database)
    policy = KnownPolicy(POLICY.hash, NOW, POLICY.document)
    again = KnownPolicy(POLICY.hash, NOW, POLICY.document, number=3)
    pauses = [KnownPause("p", version, NOW, POLICY.document.pauses[0]) for version in (1, 2)]
    for _ in range(2):
        await store.keep_policies([policy, again])
        await store.keep_pauses(pauses)
    book = await store.book({})
    assert dict(book.policies) == {POLICY.hash: policy, f"{POLICY.hash}:3": again}
    assert sorted(book.pauses, key=lambda each: each.version) == pauses
    assert (await store.book(book.policies)).policies[POLICY.hash].document == POLICY.document


def test_a_revision_is_known_by_application_and_number() -> None:
    assert Revision(application(3)).id == "a:3"
