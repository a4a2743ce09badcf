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
from shared.web.auth import ROLES, Role

PAGE = 500


class Apis:
    """Clients of the first replica of each service, one for each role. Refusals raise StoryFailed with their reason."""

    def __init__(self, stack: Stack) -> None:
        self._clients = {(service, role): stack.client(service, role) for service in SERVICES for role in ROLES}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._clients.values():
            client.close()

    def get(self, service: str, path: str, **params: str | int) -> Any:
        """What an admin is shown."""
        return self._ask(service, "GET", path, params=params)

    def post(self, service: str, path: str, body: Any, role: Role = "admin") -> Any:
        """What comes of it when somebody of that role asks for something to be done."""
        return self._ask(service, "POST", path, role, json=body)

    def refused(self, service: str, path: str, body: Any, role: Role) -> str:
        """The sentence by which something is refused; raises StoryFailed when it is done instead."""
        answer = self._answer(service, "POST", path, role, json=body)
        if answer.is_success:
            raise StoryFailed(f"{service} should have refused POST {path} of {role}.")
        return str(answer.json()["detail"])

    def set_clock(self, now: datetime) -> None:
        """Set the clock of every service."""
        for service in SERVICES:
            self._ask(service, "PUT", "/v1/clock", json={"now": now.isoformat()})

    def submit(self, submission: dict[str, Any], key: str) -> str:
        """Send one application under an Idempotency-Key; returns its id."""
        answer = self._ask("intake", "POST", "/v1/applications", json=submission, headers={"Idempotency-Key": key})
        return str(answer["application_id"])

    def register_interest(self, wanted: dict[str, Any], key: str) -> None:
        """Register the wish to be told when the pause is over, as the short form does."""
        self._ask("intake", "POST", "/v1/interests", json=wanted, headers={"Idempotency-Key": key})

    def draft(self, folder: Path, note: str) -> dict[str, Any]:
        """Keep the policy of a folder as a draft; with its `policy_hash`, or the `errors` that are in it."""
        files = {
            str(file.relative_to(folder)): file.read_text(encoding="utf-8")
            for file in folder.rglob("*")
            if file.is_file()
        }
        found: dict[str, Any] = self.post(
            "eligibility", "/v1/policies/drafts", {"files": files, "note": note}, "operator"
        )
        return found

    def differences(self, draft: str) -> list[dict[str, Any]]:
        """What differs between a draft and the policy in force, in words."""
        return list(self.get("eligibility", f"/v1/policies/{draft}/differences")["differences"])

    def activate(self, policy: str, when: str, timezone: str, why: str) -> None:
        """Put a version in force at a time by the clocks of a zone."""
        body = {"policy": policy, "effective_from": when, "timezone": timezone, "why": why}
        self.post("eligibility", "/v1/policies/activations", body)

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

    def _ask(self, service: str, method: str, path: str, role: Role = "admin", **options: Any) -> Any:
        answer = self._answer(service, method, path, role, **options)
        if not answer.is_success:
            raise StoryFailed(f"{service} refused {method} {path}:\n{explained(answer)}")
        return answer.json()

    def _answer(self, service: str, method: str, path: str, role: Role, **options: Any) -> httpx.Response:
        try:
            return self._clients[service, role].request(method, path, **options)
        except httpx.TransportError as error:
            raise StoryFailed(f"{service} does not answer ({error}). Its log is in the folder logs.") from error
