"""`python -m deploy.api_documents FOLDER`: writes the AsyncAPI document and each service's OpenAPI document.

A service answers `/openapi.json` as soon as it listens, before it has found database or broker, so each is started as a
process with addresses where nothing is, and asked.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from deploy.local.keys import Keys
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.services import ServiceProcess
from deploy.local.stack import POLICY, SERVICES
from shared import asyncapi


def documents() -> dict[str, dict[str, Any]]:
    """File name → document."""
    with tempfile.TemporaryDirectory(prefix="accede-documents-") as folder:
        found = {f"{name}.openapi.json": openapi_of(name, Path(folder)) for name in SERVICES}
    return {"asyncapi.json": asyncapi.document(version("accede")), **found}


def openapi_of(service: str, data: Path) -> dict[str, Any]:
    """The OpenAPI document of one service, as its process answers it."""
    keys = Keys(data / "secrets")
    nothing = free_port()
    env = {
        "ACCEDE_MONGO_URL": f"mongodb://{LOOPBACK}:{nothing}/?serverSelectionTimeoutMS=500",
        "ACCEDE_RABBITMQ_URL": f"amqp://{LOOPBACK}:{nothing}/",
        "ACCEDE_API_KEYS_FILE": str(keys.api_keys_file),
        "ACCEDE_LINK_SECRET_FILE": str(keys.link_secret_file),
        "ACCEDE_POLICY": str(POLICY),
    }
    process = ServiceProcess(service, env, logs=data / "logs")
    process.begin()
    try:
        process.wait_ready(probe="/healthz")
        # the first asking makes the document, which takes a while where others use the machine too
        answer = httpx.get(f"{process.url}/openapi.json", trust_env=False, timeout=60)
        document: dict[str, Any] = answer.raise_for_status().json()
        return document
    finally:
        process.stop()


def main(folder: Path) -> None:
    """Write every document into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents().items():
        (folder / name).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"wrote {folder / name}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/api"))
