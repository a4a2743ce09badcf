"""The database's errors become ours, without the documents that theirs quote."""

from __future__ import annotations

import asyncio

import pytest
from bson.errors import InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from shared import mongo
from shared.errors import Conflict, Permanent, Transient

SECRET = "jane.doe@example.org"


def bulk(*codes: int, concern: bool = False) -> BulkWriteError:
    failures = [{"index": 0, "code": code, "errmsg": SECRET, "op": {"email": SECRET}} for code in codes]
    return BulkWriteError({"writeErrors": failures, "writeConcernErrors": [{"code": 64}] if concern else []})


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (AutoReconnect("connection closed"), Transient),
        (NotPrimaryError("stepping down", {"code": 10107}), Transient),
        (NetworkTimeout("timed out"), Transient),
        (ServerSelectionTimeoutError("a:1: refused, Topology Description: <long>"), Transient),
        (ExecutionTimeout(SECRET, 50), Transient),
        (WriteConcernError(SECRET, 64), Transient),
        (OperationFailure(SECRET, 11600, {"codeName": "InterruptedAtShutdown", "errmsg": SECRET}), Transient),
        (OperationFailure(SECRET, 13), Transient),
        (OperationFailure(SECRET, 121, {"codeName": "DocumentValidationFailure", "errInfo": SECRET}), Permanent),
        (OperationFailure(SECRET, 2), Permanent),
        (DocumentTooLarge(SECRET), Permanent),
        (InvalidDocument(SECRET), Permanent),
        (DuplicateKeyError(SECRET, 11000), Conflict),
        (bulk(11000), Transient),
        (bulk(121), Permanent),
        (bulk(121, 10334), Permanent),
        (bulk(121, 11000), Transient),
        (bulk(121, concern=True), Transient),
        (bulk(concern=True), Transient),
    ],
    ids=repr,
)
def test_each_error_is_classified_and_quotes_nobody(error: Exception, ours: type[Exception]) -> None:
    with pytest.raises(ours) as caught, mongo.classified():
        raise error
    assert type(caught.value) is ours
    assert SECRET not in str(caught.value)
    assert "Topology" not in str(caught.value)


async def raising(error: Exception) -> None:
    raise error


async def test_the_writes_of_a_bulk_whose_key_was_taken_are_named() -> None:
    taken = BulkWriteError({"writeErrors": [{"index": each, "code": 11000} for each in (7, 2)]})
    assert await mongo.keys_taken(raising(taken)) == [2, 7]
    assert await mongo.keys_taken(asyncio.sleep(0)) == []


@pytest.mark.parametrize(
    "error", [bulk(11000, 121), bulk(11000, concern=True), bulk(concern=True), NetworkTimeout(SECRET)], ids=repr
)
async def test_what_failed_for_another_reason_is_raised(error: Exception) -> None:
    with pytest.raises(Transient):
        await mongo.keys_taken(raising(error))


async def test_a_taken_key_that_is_not_the_expected_one_is_raised() -> None:
    with pytest.raises(Transient):
        await mongo.keys_taken(raising(bulk(11000)), lambda failure: "keyPattern" in failure)


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(KeyError), mongo.classified():
        raise KeyError("bug")


@pytest.mark.parametrize("url", ["mongodb://u:hidden@h:99999", "mongodb://u:hidden@h:x/", "mongodb://u:hid:den@h"])
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="ACCEDE_MONGO_URL") as caught:
        mongo.connect(url, "tests")
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_the_address_may_set_limits_and_cannot_weaken_writes() -> None:
    client = mongo.connect("mongodb://h/?timeoutMS=100&w=1&journal=false", "tests")
    assert client.delegate.options.timeout == 0.1
    assert client.write_concern.document == {"w": "majority", "j": True}
    assert client.read_concern.level == "majority"
    client.close()
