"""MongoDB: the connection, and the classification of its errors. Storage modules alone import this.

Writes are acknowledged by a majority and journaled, reads see majority-committed data, times come back aware (UTC).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson.errors import BSONError, InvalidDocument
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo.errors import DocumentTooLarge, DuplicateKeyError, OperationFailure, PyMongoError

from shared.errors import Conflict, Permanent, Transient

Document = dict[str, Any]
Client = AsyncIOMotorClient[Document]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]

DUPLICATE_KEY = 11000
_FINAL_CODES = frozenset({2, 9, 14, 52, 57, 121, 10334})  # bad value, parse, type, field names, validation, too large


def connect(url: str, appname: str) -> Client:
    """A client of the replica set at `url`. Nothing is sent until first use."""
    return AsyncIOMotorClient(
        url,
        appname=appname,
        tz_aware=True,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        serverSelectionTimeoutMS=5000,
        connectTimeoutMS=5000,
        timeoutMS=20000,
        maxPoolSize=50,
    )


@contextmanager
def classified() -> Iterator[None]:
    """Turn the driver's errors into ours: Conflict for a duplicate key, Permanent for a document that can never be
    stored, Transient for all else (the database is away, stepping down, too slow)."""
    try:
        yield
    except DuplicateKeyError as error:
        raise Conflict("there is a document with this key already") from error
    except (DocumentTooLarge, InvalidDocument, BSONError) as error:
        raise Permanent(f"cannot be stored: {error}") from error
    except OperationFailure as error:
        if error.code in _FINAL_CODES:
            raise Permanent(f"the database refused: {error}") from error
        raise Transient(f"the database failed: {error}") from error
    except PyMongoError as error:
        raise Transient(f"the database is away: {error}") from error
