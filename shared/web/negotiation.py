"""Reading the headers with which clients say what they send and what they want."""

from __future__ import annotations


def prefers_html(accept: str) -> bool:
    """Whether an Accept header wants a page rather than JSON. Only what is named counts: `*/*` gets JSON."""
    weights = dict(_weighted(accept))
    json = max(weights.get("application/json", 0.0), weights.get("application/problem+json", 0.0))
    return weights.get("text/html", 0.0) > json


def media_type(content_type: str) -> str:
    """The media type of a Content-Type header, lower case, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is JSON: `application/json`, or anything that ends in `+json`."""
    kind = media_type(content_type)
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _weighted(accept: str) -> list[tuple[str, float]]:
    return [(media_type(entry), _weight(entry)) for entry in accept.split(",") if entry.strip()]


def _weight(entry: str) -> float:
    for parameter in entry.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
