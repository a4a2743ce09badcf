"""Pieces of OpenAPI documents that FastAPI cannot derive: bodies we read ourselves, and problems as answers."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from shared.web.problem import MEDIA_TYPE, ProblemDocument


def schema_of(model: Any) -> dict[str, Any]:
    """The JSON schema of a model (or any annotated type), with its definitions put in place of the references."""
    schema = TypeAdapter(model).json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    inlined: dict[str, Any] = _inline(schema, definitions)
    return inlined


def json_body(model: type[BaseModel], description: str = "", media_type: str = "application/json") -> dict[str, Any]:
    """`openapi_extra` of a route that reads its body with `read_model`."""
    content = {media_type: {"schema": schema_of(model)}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def file_body(*media_types: str, description: str = "") -> dict[str, Any]:
    """`openapi_extra` of a route that takes a file as its body."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        siblings = {key: value for key, value in node.items() if key != "$ref"}
        found: dict[str, Any] = definitions[reference.rpartition("/")[2]]
        return _inline({**found, **siblings}, definitions)
    return {key: _inline(value, definitions) for key, value in node.items()}


_PROBLEM: Final[dict[str, Any]] = {"content": {MEDIA_TYPE: {"schema": schema_of(ProblemDocument)}}}
PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "Refused; `errors` names every failing field by JSON pointer.", **_PROBLEM},
    "5XX": {"description": "Our fault or a dependency's; 503 carries Retry-After.", **_PROBLEM},
}
"""The refusals every route may answer with."""
