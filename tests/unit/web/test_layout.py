"""Pages: escaped, readable without script, and strict about what they are given."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from jinja2 import UndefinedError

from shared.web.layout import Pages, day, moment, pages, shared_pages, tone, words
from tests.unit.web.apps import make_app

TEMPLATE = """{% extends "layout.html" %}{% import "parts.html" as parts %}
{% block title %}Receipt{% endblock %}
{% block main %}<h1>{{ name }}</h1>{{ parts.tag(outcome) }}{{ parts.tag(outcome, "Own <words>") }}
{{ parts.summary([("Name", name), ("Age", 0)]) }}
{{ parts.table("Counts", ["Category", "All"], [(name, 3)], numeric=(1,)) }}
{% call parts.notice("On hold") %}<p>Until {{ at|moment("Europe/London") }}</p>{% endcall %}
{{ parts.empty("Nothing yet.") }}{% endblock %}"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """The pages of a package that has one template."""
    folder = tmp_path / "some_room" / "templates"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "receipt.html").write_text(TEMPLATE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield pages("some_room", site="Alliance")
    sys.modules.pop("some_room", None)


def test_a_page_has_its_landmarks_and_everything_is_escaped(own: Pages) -> None:
    at = datetime(2021, 10, 4, 9, tzinfo=UTC)
    response = own.page("receipt.html", name="<Harbour & Sons>", outcome="not_eligible", at=at, status=201)
    html = bytes(response.body).decode()
    assert response.status_code == 201
    assert '<html lang="en">' in html
    assert "<title>Receipt – Accede</title>" in html
    assert 'class="skip-link" href="#main"' in html
    assert all(f"<{landmark}" in html for landmark in ("header", "main", "footer", "h1"))
    assert "<h1>&lt;Harbour &amp; Sons&gt;</h1>" in html
    assert "<Harbour" not in html
    assert '<strong class="tag tag--bad">Not eligible</strong>' in html
    assert "Own &lt;words&gt;" in html
    assert '<td class="number">3</td>' in html
    assert "<p>Until 4 October 2021, 10:00 BST</p>" in html


def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(own: Pages) -> None:
    html = own.render("receipt.html", name="x", outcome="eligible", at=datetime(2021, 1, 1, tzinfo=UTC), locale="fr")
    assert '<html lang="fr">' in html
    assert "<script" not in html
    assert " style=" not in html
    assert not re.findall(r'(?:src|href)="https?:', html)


def test_a_value_that_was_forgotten_is_an_error(own: Pages) -> None:
    with pytest.raises(UndefinedError, match="name"):
        own.render("receipt.html", outcome="eligible")


def test_own_globals_are_seen(own: Pages) -> None:
    assert own.environment.globals["site"] == "Alliance"


def test_days_moments_and_words_read_as_people_write_them() -> None:
    instant = datetime(2021, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert day(date(2021, 10, 4)) == "4 October 2021"
    assert moment(instant) == "31 December 2021, 23:59 UTC"
    assert moment(instant, "Asia/Tokyo") == "1 January 2022, 08:59 JST"
    assert words("not_eligible") == "Not eligible"
    assert words("needs_human") == "Needs a person"
    assert (tone("eligible"), tone("anything")) == ("good", "plain")


def test_the_shared_environment_is_made_once() -> None:
    assert shared_pages() is shared_pages()


async def test_the_style_sheet_is_served_and_may_be_cached(client: httpx.AsyncClient) -> None:
    response = await client.get("/static/accede.css")
    assert response.headers["content-type"].startswith("text/css")
    assert response.headers["cache-control"] == "public, max-age=3600"
    assert (await client.get("/static/icon.svg")).headers["content-type"] == "image/svg+xml"
    assert (await client.get("/static/../service.py")).status_code == 404


async def test_pages_and_answers_are_guarded(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/healthz")).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


async def test_a_route_may_set_a_header_itself() -> None:
    from starlette.responses import Response

    from tests.unit.web.apps import client_of

    app = make_app()

    @app.get("/own")
    async def own_headers() -> Response:
        return Response("x", headers={"Content-Security-Policy": "sandbox", "Cache-Control": "max-age=1"})

    async with client_of(app) as client:
        headers = (await client.get("/own")).headers
    assert headers.get_list("content-security-policy") == ["sandbox"]
    assert headers.get_list("cache-control") == ["max-age=1"]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_colours_keep_the_contrast_of_wcag_aa() -> None:
    sheet = (files("shared.web") / "static" / "accede.css").read_text()
    colour = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", sheet))
    pairs = [(ink, ground) for ink in ("ink", "ink-soft", "link", "visited") for ground in ("paper", "wash")]
    pairs += [(kind, f"{kind}-wash") for kind in ("good", "bad", "wait", "ask", "info")]
    pairs += [("paper", "brand"), ("ink", "focus"), ("link", "wait-wash"), ("visited", "bad-wash")]
    assert {
        pair: contrast(colour[pair[0]], colour[pair[1]])
        for pair in pairs
        if contrast(colour[pair[0]], colour[pair[1]]) < 4.5
    } == {}
