"""The HTTP client behind every command. Whatever goes wrong becomes a CommandFailed that says what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from shared.cli.output import readable

SERVICES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "intake": (("ACCEDE_INTAKE_URL", "ACCEDE_PUBLIC_URL"), "http://127.0.0.1:8080"),
    "eligibility": (("ACCEDE_ELIGIBILITY_URL",), "http://127.0.0.1:8081"),
    "notifications": (("ACCEDE_NOTIFICATIONS_URL",), "http://127.0.0.1:8082"),
}
"""Service → the variables that may hold its address (the first one set counts), and where it is otherwise."""
TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)


class CommandFailed(Exception):
    """A command could not do its work; the message is what its user reads, and may quote what a service answered."""

    def __init__(self, message: str) -> None:
        super().__init__(readable(message))


class Client:
    """A service's API. `key` is an API key, `transport` replaces the network in tests."""

    def __init__(self, base_url: str, key: str | None = None, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Accept": "application/json", "User-Agent": "accede"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(base_url=self.base_url, headers=headers, timeout=TIMEOUT, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give up the connections."""
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The response of a successful request; `options` are httpx's (`json`, `params`, `content`, `headers` …).

        Raises CommandFailed: the service is away, or it refused.
        """
        try:
            response = self._http.request(method, path, **options)
        except httpx.ConnectError:
            raise CommandFailed(self._away("nothing listens there")) from None
        except httpx.TimeoutException:
            raise CommandFailed(self._away("no answer in time")) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CommandFailed(self._away(str(error) or type(error).__name__)) from None
        if response.is_success:
            return response
        raise CommandFailed(explained(response))

    def stream(self, path: str) -> Iterator[bytes]:
        """What is at `path`, piece by piece, however long it is. Raises CommandFailed, also when it breaks off."""
        try:
            with self._http.stream("GET", path) as response:
                if not response.is_success:
                    response.read()
                    raise CommandFailed(explained(response))
                yield from response.iter_bytes()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CommandFailed(self._away(str(error) or type(error).__name__)) from None

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON at `path`."""
        return self.request("GET", path, params=params).json()

    def post(self, path: str, json: Any = None, **options: Any) -> Any:
        """The JSON that a POST answers with, None if it answers with nothing."""
        return _body(self.request("POST", path, **({"json": json} if json is not None else {}), **options))

    def put(self, path: str, json: Any) -> Any:
        """The JSON that a PUT answers with, None if it answers with nothing."""
        return _body(self.request("PUT", path, json=json))

    def patch(self, path: str, json: Any) -> Any:
        """The JSON that PATCH answers."""
        return _body(self.request("PATCH", path, json=json))

    def delete(self, path: str) -> Any:
        """The JSON that a DELETE answers with, None if it answers with nothing."""
        return _body(self.request("DELETE", path))

    def _away(self, why: str) -> str:
        return (
            f"{self.base_url} cannot be reached ({why}). Start the services with `make up`, or set the address "
            f"({', '.join(names[0] for names, _ in SERVICES.values())})."
        )


def client_of(service: str) -> Client:
    """The client of `intake`, `eligibility` or `notifications`, as the environment says: its address, and the key in
    ACCEDE_API_KEY or in the file that ACCEDE_API_KEY_FILE names."""
    return Client(url_of(service), api_key())


def url_of(service: str) -> str:
    """Where a service is, as the environment says."""
    names, otherwise = SERVICES[service]
    return next((os.environ[name] for name in names if os.environ.get(name)), otherwise)


def api_key() -> str | None:
    """The key to call with, or None. Raises CommandFailed if its file cannot be read."""
    path = os.environ.get("ACCEDE_API_KEY_FILE")
    if not path:
        return os.environ.get("ACCEDE_API_KEY") or None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CommandFailed(f"ACCEDE_API_KEY_FILE names {path}, which cannot be read: {error.strerror}.") from None


def explained(response: httpx.Response) -> str:
    """A refusal in sentences: title and detail, then a line for each failing field."""
    problem = _problem(response)
    if problem is None:
        return f"{response.request.url} answered {response.status_code} {response.reason_phrase}."
    lines = [f"{problem.get('title')} ({response.status_code}). {problem.get('detail', '')}".strip()]
    lines += [f"  {error.get('pointer')}: {error.get('detail')}" for error in problem.get("errors", [])]
    if response.status_code in (401, 403):
        lines.append("Set ACCEDE_API_KEY, or ACCEDE_API_KEY_FILE, to a key with the right role.")
    return "\n".join(lines)


def _problem(response: httpx.Response) -> dict[str, Any] | None:
    if response.headers.get("content-type", "").partition(";")[0] != "application/problem+json":
        return None
    try:
        found = response.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _body(response: httpx.Response) -> Any:
    return response.json() if response.content else None
