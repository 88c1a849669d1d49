"""Requests to Oracle's REST resources: headers, pages, and what an answer says.

The framework version is pinned, structured errors are asked for. A read whose token was turned
away gets a new one and asks once more; a write never does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

from tieout.connectors.http_wire import HttpAnswer, HttpWire
from tieout.connectors.oracle_tokens import OracleTokens
from tieout.errors import ConnectorError, MoneyError
from tieout.money import to_minor

__all__ = [
    "ACTION",
    "ITEM",
    "RESOURCES",
    "OracleSession",
    "Row",
    "body_of",
    "complaint",
    "day_of",
    "encoded",
    "minor_of",
    "shaped",
]

#: Where the resources of financials and procurement are.
RESOURCES: Final = "/fscmRestApi/resources/11.13.18.05"
ITEM: Final = "application/vnd.oracle.adf.resourceitem+json"
ACTION: Final = "application/vnd.oracle.adf.action+json"
_FRAMEWORK: Final = "4"
_ACCEPT: Final = "application/json, application/vnd.oracle.adf.error+json"
_PAGES_MAX: Final = 10_000

Row = dict[str, Any]
Parameters = Sequence[tuple[str, str]]


class OracleSession:
    """Requests of one connection; safe to share between threads."""

    def __init__(self, wire: HttpWire, tokens: OracleTokens, page_size: int) -> None:
        self.wire, self.tokens, self.page_size = wire, tokens, page_size

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        point: str,
        kind: str = ITEM,
    ) -> HttpAnswer:
        """One request that changes something: sent at most once.

        Raises:
            ConnectorError: no token could be had; nothing has been sent.
        """
        header = self.tokens.header()
        content = encoded(body).encode() if body is not None else b""
        headers = _headers(header)
        if content:
            headers["Content-Type"] = kind
        answer = self.wire.exchange(
            method, f"{RESOURCES}/{path}", point=point, headers=headers, content=content
        )
        if answer.status == 401:
            self.tokens.forget(header)
        return answer

    def ask(self, path: str, parameters: Parameters = (), *, point: str) -> Any:
        """The JSON of one read; ``path`` behind the resources' base, or from the host's root.

        Raises:
            ConnectorError: with the code of the answer; ``NOT_FOUND`` for 404.
        """
        address = path if path.startswith("/") else f"{RESOURCES}/{path}"
        header = self.tokens.header()
        answer = self._read(address, parameters, header, point)
        if answer.status == 401:
            fresh = self.tokens.header(refused=header)
            if fresh != header:
                answer = self._read(address, parameters, fresh, point)
        return _value(answer, point)

    def rows(
        self, path: str, parameters: Parameters = (), *, point: str, limit: int | None = None
    ) -> list[Row]:
        """All items of a collection, page by page, in the collection's order.

        Raises:
            ConnectorError: as `ask`; ``ANSWER_UNEXPECTED`` where the pages do not add up.
        """
        size = limit or self.page_size
        found: list[Row] = []
        for _ in range(_PAGES_MAX):
            place = [("limit", str(size)), ("offset", str(len(found)))]
            page = self.ask(path, [*parameters, *place], point=point)
            with shaped(point):
                items = [dict(item) for item in page["items"]]
                more = bool(page["hasMore"])
            found += items
            if not more:
                return found
            if not items:
                break
        raise ConnectorError("ANSWER_UNEXPECTED", "a collection has no end", where=point)

    def children(self, row: Row, name: str, *, point: str) -> list[Row]:
        """The expanded children of a record; the rest is fetched where they were cut."""
        with shaped(point):
            found = row[name]
            if isinstance(found, list):
                return [dict(item) for item in found]
            items = [dict(item) for item in found["items"]]
            if not found.get("hasMore"):
                return items
            links = [link for link in row["links"] if link.get("name") == name]
            path = urlsplit(str(links[0]["href"])).path
        return self.rows(path, point=point)

    def _read(self, address: str, parameters: Parameters, header: str, point: str) -> HttpAnswer:
        headers = _headers(header)
        return self.wire.exchange("GET", address, point=point, headers=headers, params=parameters)


def _headers(authorization: str) -> dict[str, str]:
    return {
        "Accept": _ACCEPT,
        "Authorization": authorization,
        "REST-Framework-Version": _FRAMEWORK,
    }


def _value(answer: HttpAnswer, point: str) -> Any:
    if answer.kind != "answered":
        remedy = "check the address" if answer.kind == "unsent" else ""
        raise ConnectorError(answer.code, answer.message, where=point, remedy=remedy)
    if answer.status == 404:
        raise ConnectorError("NOT_FOUND", "Oracle has no such record", where=point)
    if answer.status in (401, 403):
        message = f"Oracle answered {answer.status}{complaint(answer)}"
        remedy = "check the user's roles and data access"
        raise ConnectorError("LOGIN_REFUSED", message, where=point, remedy=remedy)
    if answer.status != 200:
        message = f"Oracle answered HTTP {answer.status}{complaint(answer)}"
        raise ConnectorError(answer.code, message, where=point)
    found = body_of(answer)
    if found is None:
        message = "Oracle's answer is not the JSON it promises"
        raise ConnectorError("UNPARSABLE", message, where=point)
    return found


def body_of(answer: HttpAnswer) -> Any:
    """The JSON of an answer with exact numbers, None where it is none."""
    try:
        return json.loads(answer.body, parse_float=Decimal)
    except (ValueError, InvalidOperation, RecursionError):
        return None


def complaint(answer: HttpAnswer) -> str:
    """What a refusal says, `` : words``: structured details, else one line of plain text."""
    found = body_of(answer)
    if isinstance(found, dict):
        details = found.get("o:errorDetails")
        words = [
            " ".join(str(part.get(key) or "") for key in ("detail", "o:errorPath")).strip()
            for part in (details if isinstance(details, list) else [])
            if isinstance(part, dict)
        ]
        text = "; ".join(words) or str(found.get("detail") or found.get("title") or "")
    elif answer.headers.get("content-type", "").startswith("text/plain"):
        text = answer.body.decode("utf-8", "replace")
    else:
        return ""
    text = " ".join(text.split())[:300]
    return f": {text}" if text else ""


@contextmanager
def shaped(what: str) -> Iterator[None]:
    """An answer of another shape than Oracle's is the connector's error, not ours to crash on."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, MoneyError) as error:
        message = f"Oracle's {what} has an unexpected shape: {error!r}"
        remedy = "is the resource of this release another one?"
        raise ConnectorError("ANSWER_UNEXPECTED", message, remedy=remedy) from error


def encoded(value: object) -> str:
    """JSON with decimals as exact numbers, which the standard encoder cannot write."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(k)}:{encoded(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(encoded(item) for item in value) + "]"
    return json.dumps(value)


def day_of(text: str) -> date:
    """A day as the resources write it, with or without a time."""
    return date.fromisoformat(text[:10])


def minor_of(row: Row, name: str, currency: str) -> int:
    """An amount of a record in minor units, zero where there is none.

    Raises:
        ValueError: it is no number.
        MoneyError: it has more places than its currency.
    """
    found = row.get(name)
    if found is None:
        return 0
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        raise ValueError(f"{name} is {found!r}")
    return to_minor(Decimal(found), currency)
