"""Services answered by a function, in place of the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.cli import client as client_module
from shared.cli.client import Client

_MADE = Client.__init__
Answer = Callable[[httpx.Request], httpx.Response]


def answer_with(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> list[httpx.Request]:
    """Let every Client talk to `answer`; the requests it got."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    def patched(self: Client, base_url: str, key: str | None = None, transport: Any = None) -> None:
        _MADE(self, base_url, key, httpx.MockTransport(respond))

    monkeypatch.setattr(client_module.Client, "__init__", patched)
    return seen


def problem(status: int, title: str, detail: str, **more: Any) -> httpx.Response:
    """A refusal as the services send it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json"})
