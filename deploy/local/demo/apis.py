"""The three services' public APIs, as the demo uses them."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from deploy.local.errors import StoryFailed
from deploy.local.stack import SERVICES, Stack
from shared.cli.client import explained

PAGE = 500


class Apis:
    """Clients of the first replica of each service, with the admin's key. Refusals raise StoryFailed with their reason."""

    def __init__(self, stack: Stack) -> None:
        self._clients = {service: stack.client(service) for service in SERVICES}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._clients.values():
            client.close()

    def set_clock(self, now: datetime) -> None:
        """Set the clock of every service."""
        for service in SERVICES:
            self._ask(service, "PUT", "/v1/clock", json={"now": now.isoformat()})

    def submit(self, submission: dict[str, Any], key: str) -> str:
        """Send one application under an Idempotency-Key; returns its id."""
        answer = self._ask("intake", "POST", "/v1/applications", json=submission, headers={"Idempotency-Key": key})
        return str(answer["application_id"])

    def start_import(self, file: Path) -> str:
        """Send a CSV file; returns the import's id once the service has stored it."""
        headers = {"Content-Type": "text/csv", "X-Filename": file.name}
        answer = self._ask("intake", "POST", "/v1/imports", content=file.read_bytes(), headers=headers)
        return str(answer["import_id"])

    def import_state(self, import_id: str) -> dict[str, Any]:
        """An import with its state, progress and problems."""
        return self._document("intake", f"/v1/imports/{import_id}")

    def application(self, application_id: str) -> dict[str, Any]:
        """An application with its status and links."""
        return self._document("intake", f"/v1/applications/{application_id}")

    def decisions(self, application_id: str) -> dict[str, Any]:
        """The decisions on an application with their receipts."""
        return self._document("eligibility", f"/v1/applications/{application_id}/decisions")

    def ledger(self) -> dict[str, Any]:
        """The reconciler's ledger."""
        return self._document("intake", "/v1/ledger")

    def applications(self) -> Iterator[dict[str, Any]]:
        """Every application with its status."""
        return self._pages("intake", "/v1/applications", "applications", {})

    def emails(self, **query: str) -> Iterator[dict[str, Any]]:
        """Every email record that matches."""
        return self._pages("notifications", "/v1/emails", "emails", query)

    def _pages(self, service: str, path: str, what: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        params: dict[str, str | int] = {**query, "limit": PAGE}
        while True:
            page = self._ask(service, "GET", path, params=params)
            yield from page[what]
            if not page["next"]:
                return
            params["after"] = page["next"]

    def _document(self, service: str, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._ask(service, "GET", path)
        return found

    def _ask(self, service: str, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._clients[service].request(method, path, **options)
        except httpx.TransportError as error:
            raise StoryFailed(f"{service} does not answer ({error}). Its log is in the folder logs.") from error
        if not answer.is_success:
            raise StoryFailed(f"{service} refused {method} {path}:\n{explained(answer)}")
        return answer.json()
