"""How the Oracle simulator reads ``q`` and pages: as ADF REST resources do.

``q=Field='x';Other>10`` with ``;`` for and; ``LIKE`` with ``%`` from framework version 2 on. A
field the resource has not is refused. Pages are 25 rows, or ``limit`` of them, at most 499.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

__all__ = ["BadRequestError", "page", "part_of", "scim", "selected"]

Row = Mapping[str, Any]

_CLAUSE: Final = re.compile(
    r"""\s*(\w+)\s*(>=|<=|!=|=|>|<|\blike\b)\s*(?:'([^']*)'|"([^"]*)"|([^'"\s=]+))\s*""",
    re.IGNORECASE,
)
_SCIM: Final = re.compile(r'\s*(\w+) (eq|co|ge|le) "([^"]*)"\s*')
_LIMIT_DEFAULT: Final = 25
_LIMIT_MAX: Final = 499


class BadRequestError(Exception):
    """HTTP 400 with ``code`` and ``path`` for those who ask for structured errors."""

    def __init__(self, detail: str, code: str = "27024", path: str = "") -> None:
        super().__init__(detail)
        self.detail, self.code, self.path = detail, code, path


def selected(rows: Sequence[Row], query: str, fields: Sequence[str], version: int) -> list[Row]:
    """The rows a ``q`` selects, in their order."""
    found = list(rows)
    for clause in query.split(";") if query else ():
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise BadRequestError(f"The query parameter q is not valid: {clause}")
        name, operator = match[1], match[2].lower()
        value = next(part for part in match.groups()[2:] if part is not None)
        if name not in fields:
            raise BadRequestError(f"The attribute {name} is not valid", path=name)
        if operator == "like" and version < 2:
            raise BadRequestError("The query parameter q is not valid: like", path=name)
        if operator == "like":
            pattern = _pattern(value)
            texts = ((row, row.get(name)) for row in found)
            found = [
                row for row, text in texts if text is not None and pattern.fullmatch(str(text))
            ]
            continue
        found = [row for row in found if _holds(row.get(name), operator, value)]
    return found


def part_of(field: str, query: str) -> str:
    """A text every row a ``q`` selects has in a field; empty where there is none to tell.

    The longest part of a ``LIKE`` between its wildcards, or a whole value.
    """
    for clause in query.split(";"):
        match = _CLAUSE.fullmatch(clause)
        if match is None or match[1] != field:
            continue
        value = next(part for part in match.groups()[2:] if part is not None)
        if match[2] == "=":
            return value
        if match[2].lower() == "like":
            return max(re.split("[%_]", value), key=len)
    return ""


def _pattern(wanted: str) -> re.Pattern[str]:
    """What is LIKE a value."""
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in wanted)
    return re.compile("".join(parts), re.DOTALL)


def _holds(there: Any, operator: str, wanted: str) -> bool:
    if there is None:
        return False
    left, right = _comparable(there, wanted)
    return bool(
        {
            "=": left == right,
            "!=": left != right,
            ">": left > right,
            "<": left < right,
            ">=": left >= right,
            "<=": left <= right,
        }[operator]
    )


def _comparable(there: Any, wanted: str) -> tuple[Any, Any]:
    if isinstance(there, int | Decimal) and not isinstance(there, bool):
        try:
            return Decimal(there), Decimal(wanted)
        except InvalidOperation as error:
            raise BadRequestError(f"{wanted!r} is not a number") from error
    text = str(there).lower() if isinstance(there, bool) else str(there)
    return text, wanted


def page(rows: Sequence[Row], parameters: Mapping[str, str], address: str) -> dict[str, Any]:
    """One page of a collection."""
    try:
        limit = int(parameters.get("limit", _LIMIT_DEFAULT))
        offset = int(parameters.get("offset", 0))
    except ValueError as error:
        raise BadRequestError("limit and offset are numbers") from error
    if limit < 1 or offset < 0:
        raise BadRequestError("limit and offset are not negative")
    limit = min(limit, _LIMIT_MAX)
    items = list(rows[offset : offset + limit])
    found: dict[str, Any] = {
        "items": items,
        "count": len(items),
        "hasMore": offset + limit < len(rows),
        "limit": limit,
        "offset": offset,
        "links": [{"rel": "self", "href": address}],
    }
    if parameters.get("totalResults") == "true":
        found["totalResults"] = len(rows)
    return found


def scim(query: str) -> Callable[[Row], bool]:
    """The scheduler's own filter: ``state eq "RUNNING" and …``; what it keeps."""
    clauses: list[tuple[str, str, str]] = []
    for clause in query.split(" and ") if query else ():
        match = _SCIM.fullmatch(clause)
        if match is None:
            raise BadRequestError(f"the filter {clause!r} is not understood")
        clauses.append((match[1], match[2], match[3]))

    def keeps(row: Row) -> bool:
        return all(_passes(str(row.get(name, "")), how, value) for name, how, value in clauses)

    return keeps


def _passes(text: str, operator: str, value: str) -> bool:
    if operator == "co":
        return value in text
    if operator == "eq":
        return text == value
    return text >= value if operator == "ge" else text <= value
