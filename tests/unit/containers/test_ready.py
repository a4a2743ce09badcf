"""The images' health check says yes on 200 alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from deploy.compose.ready import ready
from deploy.local.ports import free_port


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_ready_service_is_healthy() -> None:
    with answering(200, b"{}") as port:
        assert ready(port)


def test_a_service_that_is_not_ready_is_not_and_its_reason_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(503, b"Not ready: broker") as port:
        assert not ready(port)
    assert "Not ready: broker" in capsys.readouterr().out


def test_nobody_there_is_not_healthy() -> None:
    assert not ready(free_port(None), timeout=1)
