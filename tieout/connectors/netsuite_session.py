"""Requests of a logged-in integration: writes that are sent once, reads, SuiteQL page by page.

Reads may fetch a new token once and ask again; writes never do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tieout.connectors.http_wire import HttpWire
from tieout.connectors.netsuite_auth import Login
from tieout.connectors.netsuite_wire import Answer, answered, encoded
from tieout.errors import ConnectorError

__all__ = ["RECORD", "Row", "Session", "quoted"]

RECORD: Final = "/services/rest/record/v1"
_SUITEQL: Final = "/services/rest/query/v1/suiteql"
_PAGE_MAX: Final = 1_000

#: One row of SuiteQL: column names in lower case, values as text, absent where there is none.
Row = dict[str, Any]


class Session:
    """Calls of one integration to one account.

    Args:
        page_size: rows of SuiteQL asked for at once, at most 1,000.
    """

    def __init__(self, wire: HttpWire, login: Login, page_size: int) -> None:
        self.wire = wire
        self._login = login
        self._page_size = max(1, min(page_size, _PAGE_MAX))

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        point: str,
        headers: Mapping[str, str] | None = None,
        params: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """One request that changes something: sent at most once."""
        # Unknown names and values of the wrong kind are errors: the default ignores the first.
        checked = {
            "X-NetSuite-PropertyNameValidation": "Error",
            "X-NetSuite-PropertyValueValidation": "Error",
        }
        return self._call(method, path, body, point, {**checked, **(headers or {})}, params)

    def look(self, path: str, *, point: str, params: Sequence[tuple[str, str]] = ()) -> Answer:
        """One ``GET``; a token that was turned away is renewed once."""
        return self._twice("GET", path, None, point, {}, params)

    def ask(self, path: str, *, point: str, params: Sequence[tuple[str, str]] = ()) -> Any:
        """The value of a ``GET``, None where NetSuite says there is no such record.

        Raises:
            ConnectorError: with the code of the answer.
        """
        answer = self.look(path, point=point, params=params)
        if answer.kind == "refused" and (answer.status, answer.code) == (404, "NONEXISTENT_ID"):
            return None
        return _value(answer, path)

    def rows(
        self, columns: str, source: str, where: Sequence[str], keys: Sequence[str]
    ) -> list[Row]:
        """All rows of a query, ordered by its keys.

        Pages follow the last keys seen, so that what is written meanwhile neither hides rows nor
        shows them twice, and no query comes near the 100,000 rows NetSuite gives of one.

        Args:
            columns: ``t.id AS move, tl.id AS line``; the keys' own among them.
            source: tables with their joins.
            where: conditions that all hold.
            keys: whole-number columns that tell rows apart: ``t.id``; each is the alias of a
                column before the colon: ``move:t.id``.
        """
        names = [key.split(":")[0] for key in keys]
        fields = [key.split(":")[1] for key in keys]
        found: list[Row] = []
        last: tuple[int, ...] = ()
        while True:
            conditions = [*where, *([_beyond(fields, last)] if last else [])]
            filters = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            query = f"SELECT {columns} FROM {source}{filters} ORDER BY {', '.join(fields)}"
            page, more = self._page(query)
            for row in page:
                key = tuple(int(row[name]) for name in names)
                if key <= last:
                    message = "a page of rows is out of order"
                    raise ConnectorError("ANSWER_UNEXPECTED", message, where=source)
                last = key
                found.append(row)
            # A full page is never the last one we ask for: a query that reaches the rows NetSuite
            # gives of one says there are no more.
            if not page or (not more and len(page) < self._page_size):
                return found

    def total(self, query: str) -> Row:
        """The one row of a query that sums.

        Raises:
            ConnectorError: also where there is not one row.
        """
        rows, _ = self._page(query)
        if len(rows) != 1:
            raise ConnectorError("ANSWER_UNEXPECTED", "NetSuite gave no one row of a sum")
        return rows[0]

    def _page(self, query: str) -> tuple[list[Row], bool]:
        params = (("limit", str(self._page_size)), ("offset", "0"))
        headers = {"Prefer": "transient"}
        answer = self._twice("POST", _SUITEQL, {"q": query}, "query", headers, params)
        match _value(answer, "SuiteQL"):
            case {"items": [*rows], "hasMore": bool(more)} if all(
                isinstance(row, dict) for row in rows
            ):
                return rows, more
        message = "the answer is not a page of rows"
        raise ConnectorError("ANSWER_UNEXPECTED", message, where="SuiteQL")

    def _twice(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        point: str,
        headers: Mapping[str, str],
        params: Sequence[tuple[str, str]],
    ) -> Answer:
        answer = self._call(method, path, body, point, headers, params)
        if answer.kind == "unauthorized":
            return self._call(method, path, body, point, headers, params)
        return answer

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        point: str,
        headers: Mapping[str, str],
        params: Sequence[tuple[str, str]],
    ) -> Answer:
        header = self._login.header(method, f"{self.wire.base_url}{path}", params)
        if isinstance(header, Answer):
            return header
        content = {"Content-Type": "application/json"} if body is not None else {}
        answer = answered(
            self.wire.exchange(
                method,
                path,
                point=point,
                headers={
                    "Accept": "application/json",
                    **content,
                    **headers,
                    "Authorization": header,
                },
                params=params,
                content=encoded(body).encode("utf-8") if body is not None else b"",
            )
        )
        if answer.kind == "unauthorized":
            self._login.refuse(header)
            return replace(answer, message=answer.message or "NetSuite turned the login away")
        return answer


def quoted(text: str) -> str:
    """Text as a literal of SuiteQL."""
    return "'" + text.replace("'", "''") + "'"


def _beyond(fields: Sequence[str], last: Sequence[int]) -> str:
    """The condition of rows after the last one seen."""
    cases = []
    for index, (field, value) in enumerate(zip(fields, last, strict=True)):
        same = [f"{f} = {v}" for f, v in zip(fields[:index], last[:index], strict=True)]
        cases.append("(" + " AND ".join([*same, f"{field} > {value}"]) + ")")
    return "(" + " OR ".join(cases) + ")"


def _value(answer: Answer, where: str) -> Any:
    if answer.kind == "done":
        return answer.value
    remedy = "check the address and the connection's login" if answer.kind == "unsent" else ""
    raise ConnectorError(answer.code.upper(), answer.message, where=where, remedy=remedy)
