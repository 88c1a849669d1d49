"""Bodies of a simulated NetSuite: names and values checked, and how a refusal is told.

An unknown property is ignored unless ``X-NetSuite-PropertyNameValidation: Error`` is asked for; a
value of the wrong kind is an error unless the other header says otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from sandbox.simulators.netsuite_fields import RECORDS, SUBLISTS

__all__ = ["RefusedError", "error_body", "shaped"]

_TYPE: Final = "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5."
_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(eq=False)
class RefusedError(Exception):
    """A request that is refused; ``place`` is the optional key that tells where."""

    status: int
    code: str
    detail: str
    path: str = ""
    place: str = "o:errorPath"
    title: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def error_body(refused: RefusedError) -> dict[str, Any]:
    """The error document NetSuite sends."""
    detail = {"detail": refused.detail, "o:errorCode": refused.code}
    if refused.path:
        detail[refused.place] = refused.path
    return {
        "type": f"{_TYPE}{refused.status % 100 + 1}",
        "title": refused.title or _TITLES.get(refused.status, "Error"),
        "status": refused.status,
        "o:errorDetails": [detail],
    }


def shaped(kind: str, body: object, *, names: bool, values: bool) -> dict[str, Any]:
    """A record's body in our form: references by id, sublists as lists.

    Args:
        kind: the record type.
        names: an unknown property is an error, not ignored.
        values: a value of the wrong kind is an error, not ignored.

    Raises:
        RefusedError: 400 ``INVALID_CONTENT``.
    """
    if not isinstance(body, dict):
        raise RefusedError(400, "INVALID_CONTENT", "Invalid content in the request body.")
    return _shaped(RECORDS[kind], body, "", names, values)


def _shaped(
    known: Mapping[str, str], body: Mapping[str, Any], at: str, names: bool, values: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in body.items():
        path = f"{at}{name}"
        kind = known.get(name)
        if kind is None:
            if names:
                raise RefusedError(400, "INVALID_CONTENT", f"Unknown reference {name}.", path)
            continue
        if kind == "read-only":
            if names:
                raise RefusedError(400, "INVALID_CONTENT", f"Property {name} is read-only.", path)
            continue
        if kind in SUBLISTS:
            found[name] = _sublist(kind, value, path, names, values)
            continue
        try:
            found[name] = _value(kind, value)
        except (TypeError, ValueError):
            if values:
                words = f"Invalid value for the property {name}: {value!r}."
                raise RefusedError(400, "INVALID_CONTENT", words, path) from None
    return found


def _sublist(kind: str, value: object, path: str, names: bool, values: bool) -> list[Any]:
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RefusedError(400, "INVALID_CONTENT", "A sublist holds its lines in items.", path)
    return [
        _shaped(SUBLISTS[kind], item, f"{path}.items[{index}].", names, values)
        for index, item in enumerate(items)
    ]


def _value(kind: str, value: object) -> Any:
    """One value in our form; raises TypeError or ValueError where it is of another kind."""
    if kind == "ref":
        return _reference(value)
    if kind == "date":
        return dt.date.fromisoformat(_of(value, str)).isoformat()
    if kind == "boolean":
        return _of(value, bool)
    if kind in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise TypeError(kind)
        return Decimal(value) if kind == "number" else int(value)
    return _of(value, str)


def _reference(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) - {"id", "refName", "links", "externalId"}:
        raise TypeError("ref")
    given = value.get("id")
    if isinstance(given, bool) or not isinstance(given, int | str) or not f"{given}".isdigit():
        raise TypeError("ref")
    return {"id": f"{given}"}


def _of(value: object, wanted: type) -> Any:
    if not isinstance(value, wanted):
        raise TypeError(wanted.__name__)
    return value
