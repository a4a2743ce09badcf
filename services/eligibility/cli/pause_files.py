"""Pauses that are described in a file, as the API takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.cli.client import CommandFailed


def described(file: Path) -> dict[str, Any]:
    """What a JSON file says of a pause; whether that is right is the service's to say. Raises CommandFailed."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CommandFailed(f"{file} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise CommandFailed(f"{file} describes no pause: it must be a JSON object.")
    return found
