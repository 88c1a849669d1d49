"""A logged-in Tryton user: session, reads that page, and where masters are found.

Reads may log in again once and ask again; writes never do (`Session.write`).
"""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import replace
from typing import Any, Final

from tieout.connectors.tryton_wire import Answer, Wire
from tieout.errors import ConnectorError

__all__ = ["Row", "Session", "need"]

#: Tryton wants a session used in the last five minutes for posting; ours is renewed well before.
_FRESH_SECONDS: Final = 120.0

Row = dict[str, Any]
Domain = list[Any]
Context = dict[str, object]


class Session:
    """Calls as one user. Threads share one login: the first to need it makes it."""

    def __init__(self, wire: Wire, login: str, password: str, page_size: int) -> None:
        self.wire = wire
        self._login = login
        self._password = password
        self._page_size = page_size
        self._lock = threading.Lock()
        self._header = ""
        self._used_at = 0.0
        self.context: Context = {"language": "en"}

    def authorise(self, *, refused: str = "") -> Answer | None:
        """Make sure of a fresh session; None when there is one, else why there is none.

        ``refused`` is a header that was turned away and must not be used again. A failed login is
        always ``unsent`` in the eyes of the call that needed it.
        """
        with self._lock:
            fresh = time.monotonic() - self._used_at < _FRESH_SECONDS
            if self._header and self._header != refused and fresh:
                return None
            self._header = ""
            parameters: list[Any] = [self._login, {"password": self._password}]
            answer = self.wire.exchange("common.db.login", parameters)
            match answer.value:
                case [int(user), str(token), *_] if answer.kind == "result":
                    raw = f"{self._login}:{user}:{token}".encode()
                    self._header = f"Session {base64.b64encode(raw).decode()}"
                    self._used_at = time.monotonic()
                    return None
        if answer.kind == "unauthorized":
            message = f"Tryton refuses the login {self._login!r}"
            return replace(answer, kind="unsent", code="LOGIN_REFUSED", message=message)
        if answer.code == "HTTP_429":
            message = "Tryton allows no more logins for now"
            return replace(answer, kind="unsent", code="LOGIN_THROTTLED", message=message)
        code = answer.code if answer.kind == "unsent" else "LOGIN_FAILED"
        return replace(answer, kind="unsent", code=code)

    def write(self, method: str, *params: object, context: Context | None = None) -> Answer:
        """One call that changes something: sent at most once."""
        failed = self.authorise()
        if failed is not None:
            return failed
        return self._call(self._header, method, params, context)

    def ask(self, method: str, *params: object, context: Context | None = None) -> Any:
        """One call that changes nothing; ``context`` adds to the session's own.

        Raises:
            ConnectorError: with the code of the answer.
        """
        failed = self.authorise()
        header = self._header
        answer = failed or self._call(header, method, params, context)
        if answer.kind == "unauthorized":
            failed = self.authorise(refused=header)
            answer = failed or self._call(self._header, method, params, context)
        if answer.kind == "result":
            return answer.value
        remedy = "check the address and that the server runs" if answer.kind == "unsent" else ""
        raise ConnectorError(answer.code.upper(), answer.message, where=method, remedy=remedy)

    def rows(self, model: str, domain: Domain, fields: list[str]) -> list[Row]:
        """All records of a model that fit, ordered by id, read page by page.

        Pages follow the last id seen, so that records written meanwhile neither hide others nor
        appear twice.
        """
        found: list[Row] = []
        last = 0
        while True:
            page = self.ask(
                f"model.{model}.search_read",
                [domain, ["id", ">", last]],
                0,
                self._page_size,
                [["id", "ASC"]],
                ["id", *fields],
            )
            for row in _rows(page, model):
                if row["id"] <= last:
                    message = "a page of records is out of order"
                    raise ConnectorError("ANSWER_UNEXPECTED", message, where=model)
                last = int(row["id"])
                found.append(row)
            if len(page) < self._page_size:
                return found

    def rows_of(
        self, model: str, field: str, ids: list[int], domain: Domain, fields: list[str]
    ) -> list[Row]:
        """All records whose ``field`` is one of ``ids``, asked for a page of ids at a time."""
        ordered = sorted(set(ids))
        found: list[Row] = []
        for start in range(0, len(ordered), self._page_size):
            part = ordered[start : start + self._page_size]
            found += self.rows(model, [[field, "in", part], *domain], fields)
        return found

    def _call(
        self, header: str, method: str, params: tuple[object, ...], context: Context | None = None
    ) -> Answer:
        answer = self.wire.exchange(method, [*params, self.context | (context or {})], header)
        if answer.kind in ("result", "error"):
            self._used_at = time.monotonic()
        elif answer.kind == "unauthorized":
            with self._lock:
                if self._header == header:
                    self._header = ""
        return answer


def _rows(page: object, model: str) -> list[Row]:
    if isinstance(page, list) and all(isinstance(row, dict) and "id" in row for row in page):
        return page
    raise ConnectorError("ANSWER_UNEXPECTED", "the answer is not a page of records", where=model)


def need(rows: list[Row], code: str, message: str, remedy: str = "") -> Row:
    """The one row of a lookup.

    Raises:
        ConnectorError: ``code`` when there is none or more than one.
    """
    if len(rows) != 1:
        raise ConnectorError(code, message, remedy=remedy)
    return rows[0]
