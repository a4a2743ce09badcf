"""The mailbox as a child process, and a small client of its HTTP API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.local.http import local_client
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.processes import inherited_environment
from deploy.local.services import HttpProcess

PAGE = 5_000


class Mailbox(HttpProcess):
    """`python -m deploy.local.mailbox` with its messages kept in the data folder."""

    def __init__(self, data: Path, *, port: int | None = None, smtp_port: int | None = None) -> None:
        self.smtp_port = smtp_port or free_port()
        port = port or free_port()
        env = {
            **inherited_environment("ACCEDE_MAILBOX_"),
            "ACCEDE_MAILBOX_HOST": LOOPBACK,
            "ACCEDE_MAILBOX_PORT": str(port),
            "ACCEDE_MAILBOX_SMTP_PORT": str(self.smtp_port),
            "ACCEDE_MAILBOX_FILE": str(data.resolve() / "mailbox" / "messages"),
        }
        super().__init__("mailbox", "deploy.local.mailbox", env, port=port, log=data.resolve() / "logs" / "mailbox.log")

    def messages(self, **search: str) -> Iterator[dict[str, Any]]:
        """Every message that matches (`to`, `subject`, `message_id`, `since`), newest first, as the API lists it."""
        query: dict[str, str | int] = {**search, "limit": PAGE}
        while True:
            listing = self._ask("GET", "/api/messages", params=query)
            yield from listing["messages"]
            if listing["next"] is None:
                return
            query["before"] = listing["next"]

    def message(self, number: int) -> dict[str, Any]:
        """One message with `headers`, `text` and `html`."""
        found: dict[str, Any] = self._ask("GET", f"/api/messages/{number}")
        return found

    def count(self, **search: str) -> int:
        """How many messages match."""
        return int(self._ask("GET", "/api/count", params=search)["count"])

    def newest(self, to: str, subject: str = "") -> dict[str, Any]:
        """The newest message to an address, with `headers`, `text` and `html`; StopIteration when there is none."""
        return self.message(next(self.messages(to=to, subject=subject))["id"])

    def unsubscribe(self, address: str) -> None:
        """Do what a mail program does when its owner clicks on *unsubscribe* beside the newest message (RFC 8058)."""
        headers = {name.lower(): value for name, value in self.newest(address)["headers"]}
        url = str(headers["list-unsubscribe"]).strip("<>")
        with local_client(timeout=30) as client:
            client.post(url, data={"List-Unsubscribe": "One-Click"}).raise_for_status()

    def behave(self, **switches: bool | int) -> None:
        """Misbehave as the switches say (see mailbox.behaviour.Switches); without any: behave again."""
        self._ask("PUT", "/api/behaviour", json=switches)

    def clear(self) -> None:
        """Delete every message."""
        self._ask("DELETE", "/api/messages")

    def page_of(self, message: dict[str, Any]) -> str:
        """The address of a message's page."""
        return f"{self.url}/messages/{message['id']}"

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        with local_client(base_url=self.url, timeout=30) as client:
            answer = client.request(method, path, **options)
            answer.raise_for_status()
            return answer.json()
