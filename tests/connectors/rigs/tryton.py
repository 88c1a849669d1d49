"""The real Tryton behind a proxy that spoils what it is told to."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sandbox.tryton import service
from tests.connectors.books import DAY, fee
from tests.connectors.proxy import Proxy, answer_bytes
from tests.services import Tryton
from tieout.connectors.http_wire import Timeouts
from tieout.connectors.ports import DocumentLine, ErpDocument, Journal
from tieout.connectors.tryton_records import reference_in
from tieout.connectors.tryton_wire import Wire

#: Kind of request → what its body contains; a look is a search for moves.
_MARKS: Final = {
    "create": b"account.move.create",
    "post": b"account.move.post",
    "delete": b"account.move.delete",
    "find": b"account.move.search_read",
    "read": b"account.move.search_read",
    "list": b"account.move.search_read",
}
_PROXY_FAULTS: Final[dict[str, str | bytes]] = {
    "lost reply": "swallow",
    "no effect": "cut",
    "maintenance": answer_bytes(503, "<html>maintenance</html>"),
    "error before": answer_bytes(500, "broken"),
    "error after": "fail",
    "throttle": answer_bytes(429, "later"),
}


class Client:
    """Tryton's administrator by plain JSON-RPC; nothing of the connector is in it."""

    def __init__(self, tryton: Tryton) -> None:
        self.url = f"{tryton.process.url}/{tryton.process.database}/rpc/"
        password = service.passwords(tryton.home)["admin"]
        uid, key = self.call("common.db.login", ["admin", {"password": password}, "en"])[:2]
        self.session = base64.b64encode(f"admin:{uid}:{key}".encode()).decode()

    def call(self, method: str, params: list[Any]) -> Any:
        """One call; an error of Tryton's fails the test."""
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "session"):
            headers["Authorization"] = f"Session {self.session}"
        request = urllib.request.Request(self.url, body, headers)
        with urllib.request.urlopen(request, timeout=20) as response:
            answer = json.load(response, parse_float=Decimal)
        assert "error" not in answer, answer
        return answer["result"] if isinstance(answer, dict) else answer

    def moves(self, reference: str) -> list[dict[str, Any]]:
        """All moves, of any state, that mention the reference."""
        fields = ["state", "number", "date", "description"]
        return self.rows("account.move", [["description", "ilike", f"%{reference}%"]], fields)

    def rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        """Records by id."""
        params = [domain, 0, None, [["id", "ASC"]], fields, {}]
        found: list[dict[str, Any]] = self.call(f"model.{model}.search_read", params)
        return found


class Planned(Proxy):
    """Spoils each kind of request by a plan."""

    def __init__(self, target: int) -> None:
        self.plan: dict[str, deque[str]] = {}
        super().__init__(target)

    def planned(self, request: bytes) -> str | bytes:
        """The fault of this request, used up by it; empty where none is planned."""
        for operation, faults in self.plan.items():
            if faults and _MARKS[operation] in request:
                return _PROXY_FAULTS[faults.popleft()]
        return ""


class TrytonRig:
    """A `Rig` over the company's books of the sandbox."""

    spare_day = date(2026, 12, 15)

    def __init__(self, tryton: Tryton, proxy: Planned) -> None:
        wire = Wire(f"http://127.0.0.1:{proxy.port}", tryton.process.database, Timeouts(2, 10, 12))
        self.connector = tryton.connector(wire=wire)
        self._proxy, self._client = proxy, Client(tryton)
        process = tryton.process
        through = f"http://127.0.0.1:{proxy.port}"
        #: What another process needs for a connector by way of the same proxy.
        self.where = (through, process.database, process.login, process.password)

    def journal(
        self, reference: str, *, amount: int = 350, booked_on: date | None = None
    ) -> Journal:
        return fee(reference, amount=amount, booked_on=booked_on or DAY)

    def fault(self, operation: str, *faults: str) -> None:
        self._proxy.plan.setdefault(operation, deque()).extend(faults)

    def forget_faults(self) -> None:
        self._proxy.plan.clear()

    def books(self, reference: str) -> list[ErpDocument]:
        return [
            ErpDocument(
                str(move["id"]),
                move["state"],
                move["number"],
                reference_in(move["description"]) or "",
                _day(move["date"]),
                tuple(self._lines(move["id"])),
            )
            for move in self._client.moves(reference)
        ]

    def _lines(self, move: int) -> list[DocumentLine]:
        fields = ["account.code", "debit", "credit"]
        return [
            DocumentLine(
                row["account."]["code"],
                _minor(row["debit"]),
                _minor(row["credit"]),
                None,
                None,
                None,
                "",
            )
            for row in self._client.rows("account.move.line", [["move", "=", move]], fields)
        ]

    def close_period(self, on: date) -> None:
        self._client.call("model.account.period.close", [[self._period(on)], {}])

    def open_period(self, on: date) -> None:
        period = self._period(on)
        self._client.call("model.account.period.reopen", [[period], {}])
        # Closing a period closes its journals; opening it does not open them again.
        closed = self._client.rows("account.journal.period", [["period", "=", period]], ["state"])
        ids = [row["id"] for row in closed if row["state"] == "closed"]
        if ids:
            self._client.call("model.account.journal.period.reopen", [ids, {}])

    def _period(self, on: date) -> int:
        day = {"__class__": "date", "year": on.year, "month": on.month, "day": on.day}
        domain = [["start_date", "<=", day], ["end_date", ">=", day], ["type", "=", "standard"]]
        return int(self._client.rows("account.period", domain, ["state"])[0]["id"])

    def let_work(self) -> None:
        """Tryton works while it is asked."""


@contextmanager
def open_rig(tryton: Tryton) -> Iterator[TrytonRig]:
    """A rig for the block."""
    with Planned(tryton.process.port) as proxy:
        rig = TrytonRig(tryton, proxy)
        yield rig
        rig.connector.close()


def _day(value: dict[str, int]) -> date:
    return date(value["year"], value["month"], value["day"])


def _minor(value: dict[str, str]) -> int:
    return int(Decimal(value["decimal"]).scaleb(2))
