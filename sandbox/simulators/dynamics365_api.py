"""The OData service of the Dynamics 365 simulator: reads that page, writes, ``$batch``, services.

Everything is data of the user's own company unless ``cross-company=true`` is said, and the user
here has the company ``dat``, in which there is nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.simulators.dynamics365_batch import Operation, batch
from sandbox.simulators.dynamics365_books import Books
from sandbox.simulators.dynamics365_odata import (
    ODataError,
    condition,
    fault_body,
    key_of,
    loads,
    render,
)
from sandbox.simulators.dynamics365_packages import ACTIONS, Packages
from sandbox.simulators.dynamics365_posting import Poster
from sandbox.simulators.dynamics365_queue import PATH, Queues
from sandbox.simulators.dynamics365_world import Row

__all__ = ["Api", "Reply"]

_QUERY = {"$filter", "$select", "$top", "$skip", "$orderby", "$count", "$skiptoken"}
_SERVICE = "/api/services/TieoutServices/JournalService/post"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one request."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Api:
    """Answers requests whose token is good.

    Attributes:
        page_max: rows of a page; the real one's 10,000.
        queues: recurring integration.
    """

    def __init__(self, books: Books, poster: Poster, packages: Packages) -> None:
        self.books, self._poster, self._packages = books, poster, packages
        self.page_max = 10_000
        self.queues = Queues(books.clock)

    def answer(self, operation: Operation, base: str) -> Reply:
        """One request; what is refused is told in the system's own form."""
        try:
            return self._answer(operation, base)
        except ODataError as fault:
            return _reply(fault.status, fault_body(fault))
        except (TypeError, KeyError, AttributeError) as error:
            return _reply(400, fault_body(ODataError(400, f"Cannot be processed: {error!r}")))

    def _answer(self, operation: Operation, base: str) -> Reply:
        method, path = operation.method, operation.path
        if path == "/data/$batch" and method == "POST":
            kind, body = batch(operation, lambda inner: self._answer(inner, base), self.books)
            return Reply(200, body, {"content-type": kind, "odata-version": "4.0"})
        if path == _SERVICE and method == "POST":
            return self._post(loads(operation.body))
        if path.startswith(ACTIONS) and method == "POST":
            told = self._packages.act(path.removeprefix(ACTIONS), loads(operation.body), base)
            return _reply(200, render(told).encode())
        if path.startswith(PATH):
            return self._queued(path.removeprefix(PATH), operation, base)
        if not path.startswith("/data/"):
            raise ODataError(404, f"No HTTP resource was found at '{path}'.")
        name, key = key_of(path.removeprefix("/data/"))
        match method, key:
            case "GET", None:
                return self._list(name, operation, base)
            case "GET", dict():
                return self._one(name, key, operation)
            case "POST", None:
                return self._insert(name, operation, base)
            case "PATCH" | "DELETE", dict():
                return self._change(name, key, operation)
        raise ODataError(405, f"The requested resource does not support {method}.")

    def _queued(self, rest: str, operation: Operation, base: str) -> Reply:
        """Recurring integration: files in, files out, and their acknowledgement."""
        action, _, activity = rest.partition("/")
        match operation.method, action:
            case "POST", "enqueue":
                key = self.queues.enqueue(activity, dict(operation.query), operation.body)
                return _reply(200, json.dumps(key).encode())
            case "GET", "dequeue":
                found = self.queues.dequeue(activity, base)
                return Reply(204) if found is None else _reply(200, json.dumps(found).encode())
            case "POST", "ack":
                self.queues.acknowledge(activity, loads(operation.body), base)
                return Reply(200)
            case "GET", "download" if activity in self.queues.messages:
                return Reply(200, self.queues.messages[activity].content)
        raise ODataError(404, f"No HTTP resource was found at '{operation.path}'.")

    def _list(self, name: str, operation: Operation, base: str) -> Reply:
        query = operation.query
        misplaced = sorted(set(query) - _QUERY - {"cross-company"})
        if misplaced:
            raise ODataError(400, f"The query option '{misplaced[0]}' is not supported.")
        columns = self.books.columns(name)
        rows = self._visible(name, operation)
        if "$filter" in query:
            test = condition(query["$filter"], columns)
            rows = [row for row in rows if test(row)]
        for wanted in reversed([part for part in query.get("$orderby", "").split(",") if part]):
            column, _, way = wanted.strip().partition(" ")
            rows.sort(key=lambda row: row[column], reverse=way == "desc")
        start = int(query.get("$skiptoken") or query.get("$skip") or 0)
        limit = min(self.page_max, int(query.get("$top") or len(rows) + 1))
        page = rows[start : start + limit]
        told: Row = {"@odata.context": f"{base}/data/$metadata#{name}"}
        if query.get("$count") == "true":
            told["@odata.count"] = len(rows)
        told["value"] = [_told(row, query.get("$select", ""), columns) for row in page]
        if start + limit < len(rows) and "$top" not in query:
            kept = {k: v for k, v in query.items() if k not in ("$skiptoken", "$skip")}
            link = operation.link(base, kept | {"$skiptoken": str(start + limit)})
            told["@odata.nextLink"] = link
        return _reply(200, render(told).encode())

    def _one(self, name: str, key: Row, operation: Operation) -> Reply:
        found = self._keyed(name, key, operation)
        select = operation.query.get("$select", "")
        return _reply(200, render(_told(found, select, self.books.columns(name))).encode())

    def _insert(self, name: str, operation: Operation, base: str) -> Reply:
        self.books.columns(name)
        row = self.books.insert(name, loads(operation.body))
        body = render(_told(row, "", row)).encode()
        where = f"{base}/data/{name}(dataAreaId='{row['dataAreaId']}')"
        return Reply(201, body, {"content-type": "application/json", "location": where})

    def _change(self, name: str, key: Row, operation: Operation) -> Reply:
        with self.books.lock:
            found = self._keyed(name, key, operation)
            wanted = operation.headers.get("if-match", "*")
            if wanted not in ("*", _etag(found)):
                raise ODataError(412, "The record has been changed by another user.")
            if operation.method == "DELETE":
                self.books.delete(name, key)
            else:
                self.books.update(name, key, loads(operation.body))
        return Reply(204)

    def _keyed(self, name: str, key: Row, operation: Operation) -> Row:
        for row in self._visible(name, operation, key.get("JournalBatchNumber")):
            if all(column in row and row[column] == value for column, value in key.items()):
                return row
        raise ODataError(404, f"No record of '{name}' has this key.")

    def _visible(self, name: str, operation: Operation, journal: str | None = None) -> list[Row]:
        rows = self.books.rows(name, operation.query.get("$filter", ""), journal)
        if operation.query.get("cross-company") == "true":
            return rows
        return [row for row in rows if row.get("dataAreaId", "dat") == "dat"]

    def _post(self, asked: Row) -> Reply:
        """The service this company's developer built: posts a journal, or says why not."""
        request = asked.get("_request")
        if not isinstance(request, dict) or set(request) != {"DataAreaId", "JournalBatchNumber"}:
            raise ODataError(400, "The parameter '_request' is not as the contract has it.")
        journal = (request["DataAreaId"], request["JournalBatchNumber"])
        with self.books.lock:
            if journal not in self.books.headers:
                told = {"Posted": False, "Message": f"Journal {journal[1]} does not exist."}
            else:
                reason = self._poster.post(journal)
                told = {"Posted": not reason, "Message": reason}
        return _reply(200, json.dumps(told).encode())


def _told(row: Row, select: str, columns: Row) -> dict[str, Any]:
    names = [name.strip() for name in select.split(",") if name.strip()]
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise ODataError(400, f"Could not find a property named '{unknown[0]}'.", "ODataException")
    return {"@odata.etag": _etag(row)} | {name: row[name] for name in names or row}


def _etag(row: Row) -> str:
    return f'W/"{hashlib.sha256(render(row).encode()).hexdigest()[:20]}"'


def _reply(status: int, body: bytes) -> Reply:
    kind = "application/json; odata.metadata=minimal"
    return Reply(status, body, {"content-type": kind, "odata-version": "4.0"})
