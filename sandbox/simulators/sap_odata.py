"""OData V2 as the SAP simulator speaks it: filters, pages, sums, and JSON of its own kind."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from sandbox.simulators.sap_rows import KEYS, Row, text_of

__all__ = ["PAGE", "QueryError", "answer", "error"]

#: Rows of one answer; the rest follows by ``__next``.
PAGE: Final = 50
_TOKENS: Final = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<text>'(?:[^']|'')*')|(?P<time>datetime'[^']*')"
    r"|(?P<instant>datetimeoffset'[^']*')|(?P<number>-?\d+(?:\.\d+)?M?)|(?P<word>\w+))"
)
_COMPARES: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
_OPTIONS: Final = ("$filter", "$select", "$top", "$skip", "$skiptoken", "$inlinecount",
                   "$orderby", "$format")  # fmt: skip
Test = Callable[[Row], bool]


class QueryError(Exception):
    """The query is refused with HTTP 400."""


class _Filter:
    """A filter taken apart by descent: ``or`` over ``and`` over comparisons."""

    def __init__(self, text: str, known: set[str]) -> None:
        self._tokens = list(self._split(text))
        self._known = known
        self.names: set[str] = set()

    @staticmethod
    def _split(text: str) -> Iterator[tuple[str, str]]:
        place = 0
        while place < len(text.rstrip()):
            found = _TOKENS.match(text, place)
            if found is None or found.lastgroup is None:
                raise QueryError(f"Invalid token at position {place}")
            yield found.lastgroup, found[found.lastgroup]
            place = found.end()

    def test(self) -> Test:
        made = self._any()
        if self._tokens:
            raise QueryError(f"Unexpected {self._tokens[0][1]}")
        return made

    def _word(self, word: str) -> bool:
        if self._tokens and self._tokens[0] == ("word", word):
            self._tokens.pop(0)
            return True
        return False

    def _any(self) -> Test:
        parts = [self._all()]
        while self._word("or"):
            parts.append(self._all())
        return lambda row: any(part(row) for part in parts)

    def _all(self) -> Test:
        parts = [self._one()]
        while self._word("and"):
            parts.append(self._one())
        return lambda row: all(part(row) for part in parts)

    def _one(self) -> Test:
        kind, name = self._next()
        if kind == "open":
            inner = self._any()
            if self._next()[0] != "close":
                raise QueryError("A bracket is not closed")
            return inner
        if kind != "word" or name not in self._known:
            raise QueryError(f"Property {name} is invalid")
        if name.startswith("Amount"):
            raise QueryError(f"Property {name} is not filterable")
        self.names.add(name)
        compare = _COMPARES.get(self._next()[1])
        if compare is None:
            raise QueryError("A comparison is expected")
        value = _literal(*self._next())

        def test(row: Row) -> bool:
            held = row[name]
            if held is None or value is None:
                return held is value if compare is _COMPARES["eq"] else False
            if type(held) is not type(value):
                raise QueryError(f"Literal for {name} has another type")
            return compare(held, value)

        return test

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise QueryError("The filter ends too early")
        return self._tokens.pop(0)


def _literal(kind: str, text: str) -> object:
    if kind == "text":
        return text[1:-1].replace("''", "'")
    if kind == "time":
        return dt.datetime.fromisoformat(text[9:-1]).date()
    if kind == "instant":
        return dt.datetime.fromisoformat(text[15:-1])
    if kind == "number":
        return Decimal(text.rstrip("M"))
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    raise QueryError(f"Invalid literal {text}")


def answer(
    entity_set: str,
    rows: list[Row],
    known: set[str],
    options: Mapping[str, str],
    address: str,
    *,
    aged: bool,
) -> tuple[bytes, set[str]]:
    """One page of a set as JSON, and the names of the properties that were asked for.

    Args:
        known: the set's properties.
        address: of the set, for ``__next``.
        aged: document numbers with their leading zeros, as other releases may show them.

    Raises:
        QueryError: an option or a property that does not exist.
    """
    unknown = sorted(set(options) - set(_OPTIONS) - {"sap-language", "sap-client"})
    if unknown:
        raise QueryError(f"Unknown option {unknown[0]}")
    if aged:
        rows = [_aged(row) for row in rows]
    chosen = [name for name in options.get("$select", "").split(",") if name] or sorted(known)
    names = set(chosen)
    if options.get("$filter"):
        parsed = _Filter(options["$filter"], known)
        test = parsed.test()
        rows = [row for row in rows if test(row)]
        names |= parsed.names
    for name in [*chosen, *(part.split()[0] for part in _parts(options.get("$orderby", "")))]:
        if name not in known:
            raise QueryError(f"Property {name} is invalid")
    for part in reversed(_parts(options.get("$orderby", ""))):
        rows = sorted(rows, key=lambda row: str(row[part.split()[0]]), reverse="desc" in part)
    rows = [{name: row[name] for name in chosen} for row in rows]
    if entity_set in KEYS and not any(key in chosen for key in KEYS[entity_set]):
        rows = _summed(rows)
    return _paged(rows, options, address), names


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _aged(row: Row) -> Row:
    changed = {
        name: row[name].zfill(10)
        for name in ("AccountingDocument", "ReverseDocument", "ClearingAccountingDocument")
        if row.get(name)
    }
    if "AccountingDocumentItem" in row:
        changed["AccountingDocumentItem"] = row["AccountingDocumentItem"].zfill(3)
    return row | changed


def _summed(rows: list[Row]) -> list[Row]:
    sums: dict[tuple[tuple[str, str], ...], Row] = {}
    for row in rows:
        plain = {name: value for name, value in row.items() if not isinstance(value, Decimal)}
        key = tuple((name, str(value)) for name, value in sorted(plain.items()))
        kept = sums.setdefault(key, plain)
        for name, value in row.items():
            if isinstance(value, Decimal):
                kept[name] = kept.get(name, Decimal(0)) + value
    return list(sums.values())


def _paged(rows: list[Row], options: Mapping[str, str], address: str) -> bytes:
    total = len(rows)
    try:
        start = int(options.get("$skiptoken") or options.get("$skip") or 0)
        rest = rows[start:][: int(options["$top"])] if "$top" in options else rows[start:]
    except ValueError:
        raise QueryError("A number is expected") from None
    content: dict[str, Any] = {
        "results": [
            {"__metadata": {"uri": address}} | {n: text_of(v) for n, v in row.items()}
            for row in rest[:PAGE]
        ]
    }
    if options.get("$inlinecount") == "allpages":
        content["__count"] = str(total)
    if len(rest) > PAGE:
        kept = {n: v for n, v in options.items() if n not in ("$skip", "$skiptoken", "$top")}
        query = "&".join(f"{n}={v}" for n, v in kept.items())
        content["__next"] = f"{address}?{query}&$skiptoken={start + PAGE}".replace(" ", "%20")
    return json.dumps({"d": content}).encode()


def error(code: str, words: str, now: dt.datetime) -> bytes:
    """An error in OData V2's form."""
    inner = {
        "application": {"component_id": "FI", "service_namespace": "/SAP/"},
        "transactionid": "0" * 32,
        "timestamp": f"{now:%Y%m%d%H%M%S}.000",
        "errordetails": [{"code": code, "message": words, "severity": "error"}],
    }
    told = {"code": code, "message": {"lang": "en", "value": words}, "innererror": inner}
    return json.dumps({"error": told}).encode()
