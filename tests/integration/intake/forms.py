"""A visitor who fills in the web form with a browser that knows no scripts: it reads a page, fills in its form, sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import httpx

from tests.integration.intake.running import Running

Answers = Mapping[str, str | list[str]]


@dataclass
class Form:
    """A form of a page: where it is sent, its hidden entries, the names of its fields."""

    action: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "form":
            self.forms.append(Form(values["action"]))
        elif tag == "a":
            self.links.append(values.get("href", ""))
        elif tag in ("input", "select", "textarea"):
            if values.get("type") == "hidden":
                self.forms[-1].hidden[values["name"]] = values["value"]
            else:
                self.forms[-1].names.append(values["name"])


class Visitor:
    """One visitor with the page in front of them: `path`, `html`, `text` (what it says), `status`, `form`, `ids` …"""

    def __init__(self, intake: Running) -> None:
        self.intake = intake
        self.path, self.html, self.text, self.status = "", "", "", 0
        self.form = Form()
        self.links: list[str] = []
        self.ids: list[str] = []

    async def open(self, path: str) -> Visitor:
        """Go to a page, and on to where it sends."""
        return await self._see(path, await self.intake.call("GET", path, None, headers={"Accept": "text/html"}))

    async def send(self, answers: Answers | None = None, **hidden: str) -> Visitor:
        """Fill in the form of this page and send it."""
        assert set(answers or {}) <= set(self.form.names), f"not on this page: {set(answers or {})}"
        data = {**self.form.hidden, **hidden, **(answers or {})}
        path = self.form.action
        return await self._see(path, await self.intake.call("POST", path, None, data=data))

    async def _see(self, path: str, response: httpx.Response) -> Visitor:
        if response.status_code == 303:
            return await self.open(response.headers["location"])
        self.path, self.html, self.status = path, response.text, response.status_code
        self.text = unescape(self.html)
        reader = _Reader()
        reader.feed(response.text)
        assert len(reader.ids) == len(set(reader.ids)), "ids are unique"
        self.form = reader.forms[0] if reader.forms else Form()
        self.links, self.ids = reader.links, reader.ids
        return self

    async def follow(self, ending: str) -> Visitor:
        """Follow the first link whose address ends like this."""
        return await self.open(next(each for each in self.links if each.endswith(ending)))


ORGANISATION = {
    "organisation.name": "Safer Screens",
    "organisation.country": "GB",
    "organisation.website": "https://safer.example",
    "contact.name": "Ann Example",
    "contact.email": "ann@safer.example",
}
