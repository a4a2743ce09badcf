"""Template pairs, compiled once. Each locale has a folder of them (`en/eligible.txt`, `en/eligible.html`).

The first line of a text template is the subject. A pair's version is a hash of every source it is made from, and is kept
with each email. English has every letter; one that another locale does not have is written in English.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from services.notifications.domain.letters import TEMPLATES
from services.notifications.domain.wording import choose_locale
from shared.policy.base import DEFAULT_LOCALE

FOLDER: Final = Path(__file__).parent / "templates"
KINDS: Final = ("txt", "html")


@dataclass(frozen=True, slots=True)
class Pair:
    """The compiled templates of one letter in one locale."""

    text: Template
    html: Template
    version: str


class Templates:
    """Every pair, by locale and name.

    Raises jinja2.TemplateError or OSError at once if one is wrong, if half of one is missing, or an English one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        common: dict[str, Any] = {
            "loader": FileSystemLoader(folder),
            "undefined": StrictUndefined,
            "trim_blocks": True,
            "lstrip_blocks": True,
            "auto_reload": False,
        }
        plain, html = Environment(autoescape=False, **common), Environment(autoescape=True, **common)
        self.locales = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))
        self._pairs: dict[tuple[str, str], Pair] = {}
        for locale in self.locales:
            common_sources = _common_sources(folder, locale)
            for name in TEMPLATES:
                files = [folder / locale / f"{name}.{kind}" for kind in KINDS]
                if locale != DEFAULT_LOCALE and not any(file.exists() for file in files):
                    continue
                own = b"".join(file.read_bytes() for file in files)
                self._pairs[locale, name] = Pair(
                    text=plain.get_template(f"{locale}/{name}.txt"),
                    html=html.get_template(f"{locale}/{name}.html"),
                    version=hashlib.sha256(common_sources + own).hexdigest()[:12],
                )

    def pair(self, locale: str, name: str) -> Pair:
        """The pair of that name in a locale that `locale_for` or `locales_of` gave."""
        return self._pairs[locale, name]

    def locales_of(self, name: str) -> tuple[str, ...]:
        """The locales that have a letter of that name."""
        return tuple(locale for locale in self.locales if (locale, name) in self._pairs)

    def locale_for(self, wanted: str, name: str) -> str:
        """The locale to write a letter in: the wanted one, else its language, else English."""
        return choose_locale(wanted, self.locales_of(name))


def _common_sources(folder: Path, locale: str) -> bytes:
    """What every pair of a locale is made from beside its own two files."""
    own = {f"{name}.{kind}" for name in TEMPLATES for kind in KINDS}
    files = [*folder.iterdir(), *(path for path in (folder / locale).iterdir() if path.name not in own)]
    return b"".join(path.read_bytes() for path in sorted(files) if path.suffix in (".txt", ".html"))
