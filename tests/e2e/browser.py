"""A real browser in tests: Debian's Chromium, driven by Playwright, with axe for what people with disabilities meet.

Nothing is downloaded for it: the browser is the system's (`make test` installs it where it may), axe comes in a wheel.
`ACCEDE_REQUIRE_BROWSER=1` makes a missing browser a failure; else these tests are skipped, and pytest's header says so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

OUTPUT: Final = Path("test-output/pages")
"""Screenshots of every page that was looked at, as people see it on a desk and on a phone."""
SIZES: Final = {"desktop": (1100, 800), "phone": (390, 844)}
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """The browser of this machine, if it has one."""
    named = os.environ.get("ACCEDE_TEST_CHROMIUM")
    return named or next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def header() -> str:
    """A line that says which browser it is, or that these tests are skipped."""
    found = program()
    if found:
        return f"browser: {found}"
    if os.environ.get("ACCEDE_REQUIRE_BROWSER") == "1":
        return "browser: NONE, and ACCEDE_REQUIRE_BROWSER=1: the browser tests will fail"
    return "browser: NONE. THE BROWSER TESTS ARE SKIPPED: install chromium (apt-get install chromium)"


class Window:
    """A window of the browser. `page` is Playwright's."""

    def __init__(self, page: Any, base: str) -> None:
        self.page = page
        self.base = base
        self.complaints: list[str] = []
        """What the browser refused of our pages because their own policy (CSP) forbids it."""
        page.on("console", lambda said: self.complaints.append(said.text) if "Security Policy" in said.text else None)

    def another(self) -> Window:
        """A window of somebody else: the same site, without this one's cookies."""
        return Window(self.page.context.browser.new_page(), self.base)

    def open(self, path: str) -> Window:
        """Go to an address of the site."""
        self.page.goto(path if path.startswith("http") else self.base + path)
        return self

    def look(self, name: str) -> Window:
        """Keep a picture of the page in each size, and hold it against axe's rules in each."""
        scripts = self.page.locator('script:not([src^="/static/htmx-"])')
        assert scripts.count() == 0, "pages have no scripts, but for htmx in the console"
        assert not self.complaints, f"{name}: {self.complaints}"
        OUTPUT.mkdir(parents=True, exist_ok=True)
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.screenshot(path=OUTPUT / f"{name}-{size}.png", full_page=True)
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} scrolls sideways"
            assert not (found := violations(self.page)), f"{name} ({size}): {found}"
        return self

    def fill(self, values: Mapping[str, str | list[str] | bool]) -> Window:
        """Fill in fields by name. A boolean or a list chooses options, by value; a text is written or selected."""
        for name, value in values.items():
            field = self.page.locator(f'[name="{name}"]')
            if isinstance(value, bool):
                self.choose(name, "yes" if value else "no")
            elif isinstance(value, list):
                for each in value:
                    self.choose(name, each)
            elif field.first.evaluate("each => each.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        return self

    def choose(self, name: str, value: str) -> Window:
        """Check one option."""
        self.page.locator(f'[name="{name}"][value="{value}"]').check()
        return self

    def press(self, label: str) -> Window:
        """Press a button, or follow a link, by its words."""
        button = self.page.get_by_role("button", name=label)
        (button if button.count() else self.page.get_by_role("link", name=label)).first.click()
        return self

    @property
    def heading(self) -> str:
        """The page's first heading."""
        return str(self.page.locator("h1").inner_text())

    @property
    def text(self) -> str:
        """What the page says."""
        return str(self.page.locator("body").inner_text())


def violations(page: Any) -> list[str]:
    """What axe finds wrong with a page: the rule and where. Half of what a look costs is to bring axe into the document and
    to carry home what is right, so it is brought in once for all sizes and tells violations alone."""
    from axe_playwright_python.base import AXE_SCRIPT

    if not page.evaluate("typeof window.axe?.run === 'function'"):
        page.evaluate(AXE_SCRIPT)
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(options).then(results => results.violations)", options)
    return [f"{each['id']} at {[node['target'] for node in each['nodes']]}" for each in found]


@contextmanager
def started() -> Iterator[Any]:
    """The browser, Playwright's. Skips the tests without one, or fails them where one is required."""
    path = program()
    if path is None:
        (pytest.fail if os.environ.get("ACCEDE_REQUIRE_BROWSER") == "1" else pytest.skip)(header())
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@contextmanager
def window(browser: Any, base: str) -> Iterator[Window]:
    """A window on the site at `base`, of somebody who has never been there: without cookies."""
    page = browser.new_page()  # axe needs scripts; that our pages have none, `look` makes sure
    page.set_default_timeout(60_000)
    yield Window(page, base.rstrip("/"))
    for context in browser.contexts:  # those of other windows too, which this one opened
        context.close()
