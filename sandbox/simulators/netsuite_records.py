"""Record requests of a simulated NetSuite: from method, path and body to the ledger and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sandbox.simulators import netsuite_seed as seed
from sandbox.simulators.netsuite_fields import RECORDS, SUBLISTS
from sandbox.simulators.netsuite_jobs import Result
from sandbox.simulators.netsuite_ledger import Ledger
from sandbox.simulators.netsuite_rules import approved, gl_lines
from sandbox.simulators.netsuite_shapes import RefusedError, error_body, shaped

__all__ = ["Records", "page"]

_ACCOUNTS: Final = {account.id: f"{account.number} {account.name}" for account in seed.ACCOUNTS}
_ENTITIES: Final = {entity.id: entity.name for entity in seed.ENTITIES}
_NAMES: Final[dict[str, Mapping[str, str]]] = {
    "account": _ACCOUNTS,
    "apAcct": _ACCOUNTS,
    "currency": seed.CURRENCY_NAMES,
    "department": seed.DEPARTMENTS,
    "entity": _ENTITIES,
    "expensereportcurrency": seed.CURRENCY_NAMES,
    "subsidiary": seed.SUBSIDIARIES,
}


class Records:
    """What the record API does; every method is one request.

    Args:
        base: the host's address, for links and locations.
    """

    def __init__(self, ledger: Ledger, base: str = "") -> None:
        self.ledger = ledger
        self.base = base

    def write(
        self,
        method: str,
        kind: str,
        key: str,
        body: object,
        *,
        names: bool,
        values: bool,
        replace: Sequence[str] = (),
        fault: str = "",
    ) -> Result:
        """``POST`` a new record, ``PUT`` one by its external id, ``PATCH`` one that is there.

        Raises:
            RefusedError: as the ledger and the shapes do.
        """
        found = _spoiled(shaped(kind, body, names=names, values=values), fault)
        record_id = self.find(kind, key) if key else None
        if method == "PUT" and not key.startswith("eid:"):
            detail = "An upsert needs an external ID in the URL."
            raise RefusedError(405, "INVALID_REQUEST", detail)
        if method == "PATCH" and record_id is None:
            raise RefusedError(404, "NONEXISTENT_ID", "The record instance does not exist.", key)
        if record_id is None:
            if key:
                found["externalId"] = key.removeprefix("eid:")
            record_id = self.ledger.create(kind, found)
        else:
            self.ledger.update(kind, record_id, found, replace)
        location = f"{self.base}/services/rest/record/v1/{kind}/{record_id}"
        return 204, {"Location": location}, None

    def attempt(self, *args: Any, **named: Any) -> Result:
        """`write` as a job does it: a refusal is its result."""
        try:
            return self.write(*args, **named)
        except RefusedError as refused:
            return refused.status, {}, error_body(refused)

    def find(self, kind: str, key: str) -> str | None:
        """The id of a key of the address, ``10452`` or ``eid:REFERENCE``."""
        if key.startswith("eid:"):
            return self.ledger.by_external(kind, key.removeprefix("eid:"))
        return key if self.ledger.has(kind, key) else None

    def get(self, kind: str, key: str, *, expand: bool, fields: str = "") -> dict[str, Any]:
        """One record; its sublists are links unless they are expanded."""
        record_id = self.find(kind, key)
        if record_id is None:
            detail = f"The record instance does not exist. Provide a valid record ID: {key}."
            raise RefusedError(404, "NONEXISTENT_ID", detail, key, "o:errorUrl")
        record = self.ledger.record(kind, record_id)
        address = f"{self.base}/services/rest/record/v1/{kind}/{record_id}"
        told: dict[str, Any] = {"links": [{"rel": "self", "href": address}], "id": record_id}
        total = gl_lines(kind, record)[0].amount if gl_lines(kind, record) else Decimal(0)
        if kind != "journalEntry":
            told["total"] = _plain(-total)
        if kind == "expenseReport":
            told["status"] = {"id": "F" if approved(kind, record) else "B"}
        chosen = [name for name in fields.split(",") if name] or list(record)
        for name in chosen:
            if name in record:
                told[name] = self._told(kind, name, record[name], f"{address}/{name}", expand)
        return told

    def _told(self, kind: str, name: str, value: Any, address: str, expand: bool) -> Any:
        if RECORDS[kind].get(name, "") not in SUBLISTS:
            return _told_value(name, value)
        links = [{"rel": "self", "href": address}]
        if not expand:
            return {"links": links}
        items = [{k: _told_value(k, v) for k, v in line.items()} for line in value]
        counts = {"totalResults": len(items), "count": len(items), "hasMore": False, "offset": 0}
        return {"links": links, "items": items, **counts}

    def delete(self, kind: str, key: str) -> None:
        """Delete one record."""
        record_id = self.find(kind, key)
        if record_id is None:
            raise RefusedError(404, "NONEXISTENT_ID", "The record instance does not exist.", key)
        self.ledger.delete(kind, record_id)

    def transform(self, key: str, body: object) -> Result:
        """A payment of all that is open of a bill."""
        bill_id = self.find("vendorBill", key)
        if bill_id is None:
            raise RefusedError(404, "NONEXISTENT_ID", "The record instance does not exist.", key)
        bill = self.ledger.record("vendorBill", bill_id)
        amount = self.ledger.open_amount(bill_id, None)
        if not amount:
            detail = "Error while accessing a resource. The bill is paid in full."
            raise RefusedError(400, "USER_ERROR", detail)
        values = shaped("vendorPayment", body or {}, names=True, values=True)
        payment = {
            "entity": bill["entity"],
            "subsidiary": bill["subsidiary"],
            "currency": bill["currency"],
            "exchangeRate": bill["exchangeRate"],
            "apAcct": bill["account"],
            "apply": [{"doc": {"id": bill_id}, "apply": True, "amount": amount}],
            **values,
        }
        payment_id = self.ledger.create("vendorPayment", payment)
        location = f"{self.base}/services/rest/record/v1/vendorPayment/{payment_id}"
        return 204, {"Location": location}, None


def page(items: list[Any], total: int, limit: int, offset: int, base: str) -> dict[str, Any]:
    """The envelope of a collection."""
    return {
        "links": [{"rel": "self", "href": f"{base}?limit={limit}&offset={offset}"}],
        "count": len(items),
        "hasMore": offset + len(items) < total,
        "items": items,
        "offset": offset,
        "totalResults": total,
    }


def _told_value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        named = _NAMES.get(name, {}).get(value["id"])
        return value | ({"refName": named} if named else {}) | {"links": []}
    return _plain(value)


def _plain(value: Any) -> Any:
    """Amounts leave as JSON numbers."""
    return float(value) if isinstance(value, Decimal) else value


def _spoiled(values: dict[str, Any], fault: str) -> dict[str, Any]:
    """The record as the fault has it stored: with another amount, or waiting for approval."""
    if fault == "round":
        for line in values.get("line", []):
            for side in ("debit", "credit"):
                if side in line:
                    line[side] += Decimal("0.01")
        for line in values.get("expense", []):
            line["amount"] += Decimal("0.01")
    if fault == "pending approval":
        values["approvalStatus"] = {"id": "1"}
    if fault == "other day":
        on = dt.date.fromisoformat(values["tranDate"]) - dt.timedelta(days=1)
        values["tranDate"] = on.isoformat()
    return values
