"""Claims to organisations: the ones in memory and the ones in MongoDB keep the same promises; two replicas that decide twins
at the same moment refer exactly one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.eligibility.domain.twins import Claim
from services.eligibility.storage.twins import CLAIMS, MongoClaims
from shared.application import Application
from shared.events import ApplicationDecided
from shared.mongo import Database
from shared.policy.identity import IdentityKey
from shared.topology import Topology
from tests.integration.eligibility.running import Running, event_of, running, settings_for, withdrawal_of
from tests.servers import Servers
from tests.unit.eligibility.fakes import NOW, FakeClaims
from tests.unit.eligibility.making import AFTER
from tests.unit.eligibility.test_twins import applied
from tests.waiting import eventually

MINUTE = timedelta(minutes=1)
NAME, DOMAIN, NUMBER = (
    IdentityKey("name", "GB harbour"),
    IdentityKey("website", "h.example"),
    IdentityKey("name", "GB h"),
)

Claims = FakeClaims | MongoClaims


@pytest.fixture(params=["memory", "MongoDB"])
async def claims(request: pytest.FixtureRequest, database: Database) -> Claims:
    if request.param == "memory":
        return FakeClaims()
    stored = MongoClaims(database)
    await stored.prepare()
    return stored


def claim(application_id: str, *keys: IdentityKey, minutes: int = 0, revision: int = 1) -> Claim:
    return Claim(application_id, NOW + minutes * MINUTE, keys, revision)


async def contested(claims: Claims, *wanted: Claim) -> Mapping[str, Mapping[IdentityKey, str]]:
    return await claims.take(wanted)


async def test_a_key_has_one_holder_and_the_rest_of_a_claim_is_taken(claims: Claims) -> None:
    assert await contested(claims, claim("a", NAME), claim("b", NAME, DOMAIN)) == {"b": {NAME: "a"}}
    assert await contested(claims, claim("c", DOMAIN)) == {"c": {DOMAIN: "b"}}


async def test_in_one_batch_who_can_have_all_comes_before_who_cannot(claims: Claims) -> None:
    batch = claim("a", NAME), claim("b", NAME, DOMAIN), claim("c", DOMAIN)
    assert await contested(claims, *batch) == {"b": {NAME: "a", DOMAIN: "c"}}


async def test_claiming_again_changes_nothing(claims: Claims) -> None:
    await contested(claims, claim("a", NAME, DOMAIN))
    assert await contested(claims, claim("a", NAME, DOMAIN)) == {}
    assert await contested(claims, claim("b", NAME), claim("c", DOMAIN)) == {"b": {NAME: "a"}, "c": {DOMAIN: "a"}}


async def test_a_later_revision_keeps_what_it_still_names_and_gives_up_the_rest(claims: Claims) -> None:
    await contested(claims, claim("a", NAME, DOMAIN))
    for _ in "12":
        assert await contested(claims, claim("a", DOMAIN, NUMBER, revision=2)) == {}
    others = claim("b", NAME), claim("c", DOMAIN), claim("d", NUMBER)
    assert await contested(claims, *others) == {"c": {DOMAIN: "a"}, "d": {NUMBER: "a"}}


async def test_what_a_later_revision_gives_up_goes_to_the_earliest_who_wanted_it(claims: Claims) -> None:
    await contested(claims, claim("a", NAME, DOMAIN), claim("late", NAME, minutes=2), claim("soon", NAME, minutes=1))
    await contested(claims, claim("a", DOMAIN, revision=2))
    assert await contested(claims, claim("b", NAME, minutes=3)) == {"b": {NAME: "soon"}}
    assert await contested(claims, claim("a", NAME, DOMAIN, revision=3)) == {"a": {NAME: "soon"}}


async def test_who_does_not_name_a_key_any_more_does_not_inherit_it(claims: Claims) -> None:
    await contested(claims, claim("a", NAME), claim("b", NAME, DOMAIN))
    await contested(claims, claim("b", DOMAIN, revision=2))
    await claims.release(["a"])
    assert await contested(claims, claim("c", NAME), claim("d", DOMAIN)) == {"d": {DOMAIN: "b"}}


async def test_later_revisions_may_be_without_any_key(claims: Claims) -> None:
    await contested(claims, claim("a", NAME), claim("b", DOMAIN))
    for _ in "12":
        nothing = claim("a", revision=2), claim("b", revision=2), claim("new", revision=2), claim("newer", revision=2)
        assert await contested(claims, *nothing) == {}
    assert await contested(claims, claim("c", NAME, DOMAIN)) == {}


async def test_a_revision_that_was_overtaken_takes_nothing_and_is_told_who_stands_in_its_way(claims: Claims) -> None:
    await contested(claims, claim("a", NAME), claim("b", NUMBER))
    await contested(claims, claim("a", DOMAIN, revision=3))
    assert await contested(claims, claim("a", NAME)) == {}
    assert await contested(claims, claim("a", NAME, NUMBER, revision=2)) == {"a": {NUMBER: "b"}}
    assert await contested(claims, claim("c", NAME), claim("d", DOMAIN)) == {"d": {DOMAIN: "a"}}
    await claims.release(["b"])
    assert await contested(claims, claim("e", NUMBER)) == {}


async def test_an_application_that_has_to_do_without_a_key_may_come_back_for_it(claims: Claims) -> None:
    await contested(claims, claim("a", NAME), claim("b", NAME))
    assert await contested(claims, claim("b", NAME)) == {"b": {NAME: "a"}}
    await claims.release(["a"])
    assert await contested(claims, claim("b", NAME)) == {}


async def test_what_is_released_is_free(claims: Claims) -> None:
    await contested(claims, claim("a", NAME, DOMAIN))
    await claims.release(["a", "nobody"])
    await claims.release(["a"])
    assert await contested(claims, claim("b", NAME)) == {}
    assert await contested(claims, claim("a", NAME, DOMAIN)) == {"a": {NAME: "b"}}


async def test_what_is_released_goes_to_the_earliest_who_wanted_it(claims: Claims) -> None:
    await contested(claims, claim("a", NAME, DOMAIN), claim("late", NAME, minutes=2), claim("soon", NAME, minutes=1))
    await claims.release(["a"])
    assert await contested(claims, claim("b", NAME, minutes=3), claim("c", DOMAIN)) == {"b": {NAME: "soon"}}
    await claims.release(["soon"])
    assert await contested(claims, claim("d", NAME)) == {"d": {NAME: "late"}}


async def test_who_is_released_inherits_nothing(claims: Claims) -> None:
    await contested(claims, claim("a", NAME), claim("b", NAME), claim("c", NAME, minutes=1))
    await claims.release(["a", "b"])
    assert await contested(claims, claim("d", NAME)) == {"d": {NAME: "c"}}


async def test_erasing_releases(claims: Claims) -> None:
    await contested(claims, claim("a", NAME))
    await claims.erase({"a"})
    await claims.erase({"a"})
    assert await contested(claims, claim("b", NAME)) == {}


async def test_a_release_that_broke_off_is_carried_to_its_end(database: Database) -> None:
    """What was held is set apart in the first write; nobody has inherited it yet."""
    claims = MongoClaims(database)
    await claims.prepare()
    await contested(claims, claim("a", NAME), claim("b", NAME))
    await database[CLAIMS].update_one({"_id": "a"}, [{"$set": {"freed": "$keys"}}, {"$unset": ["keys"]}])
    await claims.release(["a"])
    assert await contested(claims, claim("c", NAME)) == {"c": {NAME: "b"}}
    assert await database[CLAIMS].count_documents({"_id": "a"}) == 0


async def test_an_amendment_that_broke_off_hands_on_when_it_comes_again(database: Database) -> None:
    """What it gave up is set apart with the claim; nobody has inherited it yet."""
    claims = MongoClaims(database)
    await claims.prepare()
    await contested(claims, claim("a", NAME), claim("b", NAME))
    amended = {"$set": {"revision": 2, "freed": "$keys"}}
    await database[CLAIMS].update_one({"_id": "a"}, [amended, {"$unset": ["keys"]}])
    await contested(claims, claim("a", DOMAIN, revision=2))
    assert await contested(claims, claim("c", NAME)) == {"c": {NAME: "b"}}
    assert await database[CLAIMS].count_documents({"freed": {"$exists": True}}) == 0


async def test_nothing_in_the_collection_names_an_organisation(database: Database) -> None:
    claims = MongoClaims(database)
    await contested(claims, claim("a", NAME), claim("b", NAME, DOMAIN))
    assert "harbour" not in str([row async for row in database[CLAIMS].find()])


@pytest.mark.parametrize("attempt", range(5))
async def test_of_many_that_claim_at_once_one_gets_all_and_the_others_know_it(database: Database, attempt: int) -> None:
    """Each claims the same keys in another order; none of them may win one key and lose another."""
    claims = [MongoClaims(database) for _ in range(8)]
    await claims[0].prepare()
    orders = [(NAME, DOMAIN, NUMBER), (DOMAIN, NUMBER, NAME), (NUMBER, NAME, DOMAIN)]
    wanted = [claim(f"{attempt}-{number}", *orders[number % 3], minutes=number) for number in range(8)]
    answers = await asyncio.gather(
        *(each.take([one]) for each, one in zip(claims, wanted, strict=True)),
    )
    winners = [one.application_id for one, answer in zip(wanted, answers, strict=True) if not answer]
    assert len(winners) == 1
    held_by_others = [set(held.values()) for answer in answers for held in answer.values()]
    assert held_by_others == [set(winners)] * 7


def referred_to(eligibility: Running) -> dict[str, str | None]:
    """By application, the twin that was told of."""
    return {
        told.application.application_id: told.twin.application_id if told.twin else None
        for event in eligibility.elsewhere.heard
        if isinstance(told := event.data, ApplicationDecided)
    }


async def test_two_replicas_that_decide_twins_at_the_same_moment_refer_exactly_one(
    servers: Servers, database: Database, topology: Topology
) -> None:
    """Fifty organisations apply twice each, every application in a message of its own; then all comes once more."""
    pairs = [[applied(f"Harbour {number}", website=f"https://h{number}.example") for _ in "12"] for number in range(50)]
    everything = [each for pair in pairs for each in pair]
    async with running(settings_for(servers, database, topology), database, replicas=2) as eligibility:
        await asyncio.gather(*(eligibility.elsewhere.tell(event_of(each)) for each in everything))
        await eligibility.until_told(*((each.application_id, 1) for each in everything))
        first_told = referred_to(eligibility)
        heard = len(eligibility.elsewhere.heard)
        await asyncio.gather(*(eligibility.elsewhere.tell(event_of(each)) for each in reversed(everything)))
        await eventually(
            lambda: len(eligibility.elsewhere.of_type("application.decided.v1")) >= 2 * len(everything),
            f"all is told again, after {heard} events",
        )
        assert referred_to(eligibility) == first_told
    for pair in pairs:
        one, other = (each.application_id for each in pair)
        assert {one: first_told[one], other: first_told[other]} in ({one: None, other: one}, {one: other, other: None})


async def decided(eligibility: Running, *made: Application) -> None:
    for each in made:
        await eligibility.elsewhere.tell(event_of(each))
        await eligibility.until_told((each.application_id, each.revision))


async def test_operators_find_the_twin_and_the_applicant_s_receipt_tells_of_it_in_general(eligibility: Running) -> None:
    first, second = applied(website="https://harbour.example"), applied("Quay", website="https://harbour.example/en")
    await decided(eligibility, first, second)
    shown = await eligibility.get(f"/v1/applications/{second.application_id}/decisions")
    twin = shown["decisions"][0]["twin"]
    assert (twin["application_id"], twin["matched_by"]) == (first.application_id, "website")
    assert twin["reference"] == first.application_id[:8].upper()
    page = await eligibility.call(twin["receipt_page"].removeprefix("http://decisions.example"), caller=None)
    assert "Harbour Trust" in page.text
    assert (await eligibility.get(f"/v1/applications/{first.application_id}/decisions"))["decisions"][0]["twin"] is None
    receipt = await eligibility.call(shown["receipt_page"].removeprefix("http://decisions.example"), caller=None)
    assert "has reached us before" in receipt.text
    for secret in (
        first.application_id,
        first.application_id[:8].upper(),
        "Harbour Trust",
        "This receipt does not add up",
    ):
        assert secret not in receipt.text


async def test_a_withdrawal_frees_the_organisation(eligibility: Running) -> None:
    first, again = applied(), applied(received_at=AFTER + MINUTE)
    await decided(eligibility, first)
    await eligibility.elsewhere.tell(withdrawal_of(first.application_id))

    async def noted() -> bool:
        return await eligibility.database["withdrawals"].count_documents({}) == 1

    await eventually(noted, "the withdrawal is noted")
    await decided(eligibility, again)
    assert referred_to(eligibility)[again.application_id] is None
