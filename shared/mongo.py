"""MongoDB: the connection, and the classification of its errors. Storage modules alone import this.

Writes are acknowledged by a majority and journaled, reads see majority-committed data, times come back aware (UTC).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from bson.errors import BSONError, InvalidDocument
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo.errors import BulkWriteError, DocumentTooLarge, DuplicateKeyError, OperationFailure, PyMongoError

from shared.errors import Conflict, Permanent, Transient

Document = dict[str, Any]
Client = AsyncIOMotorClient[Document]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]

DUPLICATE_KEY = 11000
_FINAL_CODES = frozenset({2, 9, 14, 52, 57, 121, 10334})  # bad value, parse, type, field names, validation, too large


_LIMITS: Final[dict[str, Any]] = {
    "serverSelectionTimeoutMS": 5000,
    "connectTimeoutMS": 5000,
    "timeoutMS": 20000,
    "maxPoolSize": 50,
}
"""Unless the address says otherwise."""


def connect(url: str, appname: str) -> Client:
    """A client of the replica set at `url`. Nothing is sent until first use.

    Raises:
        ValueError: it is no address; the message does not repeat it.
    """
    options = url.partition("?")[2].lower()
    limits = {name: limit for name, limit in _LIMITS.items() if f"{name.lower()}=" not in options}
    try:
        return AsyncIOMotorClient(
            url, appname=appname, tz_aware=True, w="majority", journal=True, readConcernLevel="majority", **limits
        )
    except (PyMongoError, ValueError):
        raise ValueError("ACCEDE_MONGO_URL is no address of a MongoDB replica set.") from None


@contextmanager
def classified() -> Iterator[None]:
    """Turn the driver's errors into ours: Conflict for a duplicate key, Permanent for a document that can never be
    stored, Transient for all else (the database is away, stepping down, too slow).

    The driver's messages quote documents, which hold personal data, so ours name codes and types alone.
    """
    try:
        yield
    except DuplicateKeyError as error:
        raise Conflict("there is a document with this key already") from error
    except (DocumentTooLarge, InvalidDocument, BSONError) as error:
        raise Permanent(f"the document cannot be stored: {type(error).__name__}") from error
    except BulkWriteError as error:
        raise _of_bulk(error.details or {}) from error
    except OperationFailure as error:
        name = (error.details or {}).get("codeName") or type(error).__name__
        if error.code in _FINAL_CODES:
            raise Permanent(f"the database refused: {name} ({error.code})") from error
        raise Transient(f"the database failed: {name} ({error.code})") from error
    except PyMongoError as error:
        # of a failed selection only the addresses and why; the description of the whole topology follows
        reason = str(error).partition(", Topology Description")[0]
        raise Transient(f"the database is away: {type(error).__name__}: {reason}") from error


def is_duplicate_key(failure: Mapping[str, Any]) -> bool:
    """Whether one write of a bulk failed because a unique key of its document was taken."""
    return failure.get("code") == DUPLICATE_KEY


async def keys_taken(
    write: Awaitable[object], is_taken: Callable[[Mapping[str, Any]], bool] = is_duplicate_key
) -> list[int]:
    """Await an unordered bulk write; the indexes, ascending, of the writes whose key was taken: what is there stays.

    Raises as `classified` does when any write failed for another reason, by `is_taken`.
    """
    with classified():
        try:
            await write
        except BulkWriteError as error:
            details: Mapping[str, Any] = error.details
            failures = details.get("writeErrors", [])
            if details.get("writeConcernErrors") or not all(map(is_taken, failures)):
                raise
            return sorted(failure["index"] for failure in failures)
    return []


def _of_bulk(details: Mapping[str, Any]) -> Transient | Permanent:
    """Only what can never be stored is final. A duplicate key in a bulk write is a race of two upserts: it passes."""
    codes = sorted({failure.get("code", 0) for failure in details.get("writeErrors", [])})
    if details.get("writeConcernErrors") or not codes or not _FINAL_CODES.issuperset(codes):
        return Transient(f"the database failed in a bulk write: codes {codes}")
    return Permanent(f"the database refused documents of a bulk write: codes {codes}")
