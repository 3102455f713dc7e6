"""The API as an OpenAPI document, made from the records that travel."""

from __future__ import annotations

from types import UnionType
from typing import Any, get_args

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from personalizer import __version__

__all__ = ["described", "document"]

_PLACE = "#/components/schemas/{name}"
_records: dict[str, type] = {}
"""Those that a route has named."""


def described(
    takes: type | UnionType | None = None,
    gives: Any = dict[str, Any],
    status: int = 200,
    streams: bool = False,
) -> dict[str, Any]:
    """What FastAPI is to know of a route that reads and writes its JSON by itself.

    Args:
        takes: The record in a request's body, or one of several; None for no body.
        gives: The type of the answer in JSON.
        status: Of the answer.
        streams: Whether it may be server-sent events; with ``gives`` None, always.
    """
    content = {} if gives is None else {"application/json": {"schema": _schema(gives)}}
    if streams:
        content["text/event-stream"] = {"schema": _EVENT}
    answer = {"description": "as asked", "content": content}
    error = {"description": "why not", "content": {"application/json": {"schema": _ERROR}}}
    body = {"content": {"application/json": {"schema": _schema(takes)}}, "required": True}
    return {
        "status_code": status,
        "responses": {status: answer, "4XX": error, "5XX": error},
        "openapi_extra": {} if takes is None else {"requestBody": body},
    }


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    made = get_openapi(title=app.title, version=__version__, routes=app.routes)
    _, records = msgspec.json.schema_components(_records.values(), ref_template=_PLACE)
    made.setdefault("components", {})["schemas"] = records
    return made


_TEXT = {"type": "string"}
_EVENT = {"type": "object", "required": ["data"], "properties": {"event": _TEXT, "data": _TEXT}}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {"message": _TEXT, "type": _TEXT, "code": _TEXT},
        }
    },
}


def _schema(kind: Any) -> dict[str, Any]:
    if isinstance(kind, UnionType):
        return {"anyOf": [_schema(one) for one in get_args(kind)]}
    (made,), records = msgspec.json.schema_components([kind], ref_template=_PLACE)
    if records:
        record = kind.__args__[0] if hasattr(kind, "__args__") else kind
        _records[record.__name__] = record
    return made
