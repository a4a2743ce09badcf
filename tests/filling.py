"""Filling in the web form as a browser without scripts does: pages are read for their fields, and forms sent with them.

Nothing of the form is known here but HTML: which page asks what is learned from the pages themselves, once a category.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

Values = Mapping[str, str | bool | list[str]]
"""What is to be entered, by the name of the field."""


@dataclass(slots=True)
class Page(HTMLParser):
    """The links of a page, its hidden values, and its fields with their kinds: `select`, `textarea`, or an input's type."""

    text: str
    links: list[str] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"]] = given["value"]
        elif tag in ("input", "select", "textarea") and "name" in given:
            self.fields[given["name"]] = given.get("type", "text") if tag == "input" else tag


@dataclass(slots=True)
class FormFiller:
    """Somebody who fills in forms. `client` follows no redirects. What each category's pages ask is remembered."""

    client: httpx.Client
    known: dict[str, dict[str, Page]]

    def apply(self, submission: Mapping[str, Any]) -> str:
        """Fill in and send an application; the address of its own page. Its consent answers whether we may write when a
        pause is over, where that is asked."""
        category = str(submission["category"])
        start = self._get("/apply")
        base = self._send("/apply", {**start.hidden, "category": category})
        token = self._get(f"{base}/category").hidden
        values = entries_of(submission)
        for address, page in self._pages(category, base).items():
            entered = {name: _entered(kind, values[name]) for name, kind in page.fields.items() if name in values}
            if entered and "text" in page.hidden:
                raise AssertionError(f"{address} asks something and is to be read")
            if page.fields and not entered:
                continue
            text = {"text": page.hidden["text"]} if "text" in page.hidden else {}
            self._send(f"{base}/{address}", {**token, **text, **entered})
        if self.client.get(f"{base}/check").headers.get("location") == f"{base}/consent":
            agreed = submission["consent"]["register_interest"]
            self._send(f"{base}/consent", {**token, "consent": "yes" if agreed else "no"})
        sent = self._send(f"{base}/check", token)
        (own,) = (link for link in self._get(sent).links if "/status/" in link)
        return own

    def _pages(self, category: str, base: str) -> dict[str, Page]:
        """Address below the draft's → the page, in the order in which they are to be sent."""
        if category not in self.known:
            self.known[category] = dict(self._learn(base))
        return self.known[category]

    def _learn(self, base: str) -> Iterator[tuple[str, Page]]:
        """The pages that the list of what is to do names; before one that signs, those that are read first."""
        parts = [link.removeprefix(f"{base}/") for link in self._get(base).links if link.startswith(f"{base}/")]
        for address in parts:
            if address != "organisation" and not address.startswith("questions/"):
                continue
            answer = self.client.get(f"{base}/{address}")
            while answer.is_redirect:  # to a text that is read before this page
                to_read = answer.headers["location"].removeprefix(f"{base}/")
                page = self._get(f"{base}/{to_read}")
                yield to_read, page
                self._send(f"{base}/{to_read}", page.hidden)
                answer = self.client.get(f"{base}/{address}")
            yield address, Page(answer.raise_for_status().text)

    def _get(self, address: str) -> Page:
        return Page(self.client.get(address).raise_for_status().text)

    def _send(self, address: str, entries: Mapping[str, Any]) -> str:
        """Send a form; where it leads to. A page that comes back instead has errors."""
        answer = self.client.post(address, data=dict(entries))
        assert answer.is_redirect, f"{address}: {answer.status_code} {answer.text}"
        return str(answer.headers["location"])


@contextmanager
def filler(url: str, address: str, known: dict[str, dict[str, Page]]) -> Iterator[FormFiller]:
    """Somebody at the form of `url`. `address` is the network address that a proxy names; `known` what was learned of the
    form before."""
    headers = {"Accept": "text/html", "X-Forwarded-For": address}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
        yield FormFiller(client, known)


def entries_of(submission: Mapping[str, Any]) -> dict[str, Any]:
    """A submission's values by the name of the form's field; what is not given is left out."""
    organisation = {f"organisation.{name}": value for name, value in submission["organisation"].items()}
    contact = {f"contact.{name}": value for name, value in submission["contact"].items()}
    others = {
        "secondary_categories": submission.get("secondary_categories") or None,
        "locale": submission.get("locale"),
    }
    found = {**organisation, **contact, **others, **submission["answers"]}
    return {name: value for name, value in found.items() if value is not None}


def _entered(kind: str, value: Any) -> Any:
    """A value as a browser sends it from a field of that kind."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "\n".join(value) if isinstance(value, list) and kind == "textarea" else value
