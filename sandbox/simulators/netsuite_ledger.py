"""The books of a simulated NetSuite: records by type and id, external ids, periods, what is open.

An external id is unique for ever among the records of its type; every record is mirrored to the
tables that SuiteQL asks (`netsuite_suiteql`).
"""

from __future__ import annotations

import copy
import datetime as dt
import threading
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.simulators import netsuite_seed as seed
from sandbox.simulators.clock import Clock
from sandbox.simulators.netsuite_fields import PREFIXES, SUBLISTS, TYPES
from sandbox.simulators.netsuite_rules import approved, check, day_of, gl_lines, rate_of
from sandbox.simulators.netsuite_shapes import RefusedError
from sandbox.simulators.netsuite_suiteql import Tables

__all__ = ["Ledger"]

Record = dict[str, Any]


class Ledger:
    """All records; every public method is one transaction under one lock.

    Attributes:
        closed: internal ids of closed periods.
        approval: the status new records get that do not ask for one; "1" waits for approval.
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.tables = Tables()
        self.closed: set[str] = set()
        self.approval = "2"
        self._clock = clock
        self._records: dict[tuple[str, str], Record] = {}
        self._external: dict[tuple[str, str], str] = {}
        self._periods = seed.periods()
        self._next_id, self._next_number = 10_000, 100
        self.tables.periods(self._periods, self.closed)
        for opening in seed.OPENINGS:
            self._open(opening)

    def create(self, kind: str, values: Record) -> str:
        """A new record; its id.

        Raises:
            RefusedError: what `check` refuses, a closed period, an external id that is taken.
        """
        with self.lock:
            external = values.get("externalId", "")
            if external and (kind, external) in self._external:
                detail = "Error while accessing a resource. This record already exists."
                raise RefusedError(400, "USER_ERROR", detail, "externalId")
            record = self._completed(kind, copy.deepcopy(values))
            check(kind, record)
            self._settles(kind, record)
            self._require_open(record)
            self._next_id += 1
            self._next_number += 1
            record_id = str(self._next_id)
            record.setdefault("tranId", f"{PREFIXES[kind]}{self._next_number}")
            self._store(kind, record_id, record)
            return record_id

    def update(
        self, kind: str, record_id: str, values: Record, replace: Sequence[str] = ()
    ) -> None:
        """Change a record: lines that no key names are appended unless the sublist is replaced.

        Raises:
            RefusedError: as `create`, and 404 where there is none.
        """
        with self.lock:
            old = self.record(kind, record_id)
            record = copy.deepcopy(old)
            for name, value in copy.deepcopy(values).items():
                if isinstance(value, list) and name not in replace:
                    record[name] = _merged(record.get(name, []), value)
                else:
                    record[name] = value
            record = self._completed(kind, record)
            external = record.get("externalId", "")
            if external and self._external.get((kind, external), record_id) != record_id:
                detail = "Error while accessing a resource. This record already exists."
                raise RefusedError(400, "USER_ERROR", detail, "externalId")
            check(kind, record)
            self._require_open(old)
            self._require_open(record)
            self._forget(kind, record_id)
            self._store(kind, record_id, record)

    def delete(self, kind: str, record_id: str) -> None:
        """Delete a record of an open period."""
        with self.lock:
            self._require_open(self.record(kind, record_id))
            self._forget(kind, record_id)
            del self._records[kind, record_id]

    def record(self, kind: str, record_id: str) -> Record:
        """One record.

        Raises:
            RefusedError: 404 ``NONEXISTENT_ID``.
        """
        with self.lock:
            found = self._records.get((kind, record_id))
            if found is None:
                detail = f"The record instance does not exist. Provide a valid record ID: {kind}."
                raise RefusedError(404, "NONEXISTENT_ID", detail, record_id, "o:errorUrl")
            return found

    def by_external(self, kind: str, external: str) -> str | None:
        """The id of the record with an external id, None where there is none."""
        with self.lock:
            return self._external.get((kind, external))

    def has(self, kind: str, record_id: str) -> bool:
        """Whether there is such a record."""
        with self.lock:
            return (kind, record_id) in self._records

    def ids(self, kind: str) -> list[str]:
        """The ids of a type, in order."""
        with self.lock:
            return sorted((i for k, i in self._records if k == kind), key=int)

    def books(self, external: str = "") -> list[dict[str, Any]]:
        """What a checker reads: every document (of a reference), with what it did to the ledger."""
        with self.lock:
            keys = list(self._records)
            if external:
                found = ((kind, self._external.get((kind, external), "")) for kind in TYPES)
                keys = [key for key in found if key in self._records]
            chosen = [(*key, self._records[key]) for key in keys]
            return [_told(*each) for each in sorted(chosen, key=lambda each: int(each[1]))]

    def set_period(self, on: dt.date, *, closed: bool) -> None:
        """Close or open the period of a day."""
        with self.lock:
            period = self._period(on)
            (self.closed.add if closed else self.closed.discard)(period)
            self.tables.periods(self._periods, self.closed)

    def open_amount(self, document: str, line: int | None) -> Decimal:
        """What is still open of a document (its one open line, or one line of it)."""
        with self.lock:
            return self.tables.open_amount(document, line)

    def _completed(self, kind: str, record: Record) -> Record:
        record.setdefault("tranDate", self._clock.now().date().isoformat())
        record.setdefault("postingPeriod", {"id": self._period(day_of(record))})
        if kind == "expenseReport":
            record.setdefault("complete", True)
            record.setdefault("accountingapproval", self.approval == "2")
            record.setdefault("account", {"id": "121"})
        else:
            record.setdefault("approvalStatus", {"id": self.approval})
            record.setdefault("currency", {"id": "1"})
            record.setdefault("exchangeRate", Decimal(1))
        if kind == "vendorBill":
            record.setdefault("account", {"id": "120"})
        for name, lines in record.items():
            if f"{kind}-{name}" in SUBLISTS and name in ("line", "expense"):
                for number, line in enumerate(lines, 1):
                    line["line"] = str(number) if kind == "expenseReport" else number
        return record

    def _period(self, on: dt.date) -> str:
        for period, (_, first, last) in self._periods.items():
            if first <= on <= last:
                return period
        detail = "Error while accessing a resource. There is no posting period for this date."
        raise RefusedError(400, "USER_ERROR", detail, "tranDate")

    def _require_open(self, record: Record) -> None:
        period = record["postingPeriod"]["id"]
        if period not in self._periods:
            raise RefusedError(400, "INVALID_CONTENT", "Invalid posting period.", "postingPeriod")
        if period in self.closed:
            detail = "You cannot create or change transactions in a closed period."
            words = f"Error while accessing a resource. {detail}"
            raise RefusedError(400, "USER_ERROR", words, "postingPeriod")

    def _settles(self, kind: str, record: Record) -> None:
        """A payment may not settle more than is open."""
        for path, line in _settled(kind, record):
            if line["amount"] > self.open_amount(line["doc"]["id"], line.get("line")):
                detail = "Error while accessing a resource. The amount is more than is open."
                raise RefusedError(400, "USER_ERROR", detail, f"{path}.amount")

    def _store(self, kind: str, record_id: str, record: Record) -> None:
        record["lastModifiedDate"] = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        record.setdefault("createdDate", record["lastModifiedDate"])
        self._records[kind, record_id] = record
        if external := record.get("externalId"):
            self._external[kind, external] = record_id
        posted = approved(kind, record)
        self.tables.put(kind, record_id, record, gl_lines(kind, record), posted)
        for _, line in _settled(kind, record):
            if posted:
                self.tables.settle(line["doc"]["id"], line.get("line"), line["amount"])

    def _forget(self, kind: str, record_id: str) -> None:
        record = self._records[kind, record_id]
        self._external.pop((kind, record.get("externalId", "")), None)
        for _, line in _settled(kind, record):
            if approved(kind, record):
                self.tables.settle(line["doc"]["id"], line.get("line"), -line["amount"])
        self.tables.drop(record_id)

    def _open(self, opening: seed.Opening) -> None:
        self._next_id += 1
        entity = {"entity": {"id": opening.entity}} if opening.entity else {}
        cleared = {"cleared": True, "clearedDate": opening.on.isoformat()}
        record: Record = {
            **entity,
            "tranDate": opening.on.isoformat(),
            "tranId": opening.number,
            "memo": opening.memo,
            "subsidiary": {"id": "3"},
            "currency": {"id": opening.currency},
            "exchangeRate": Decimal(opening.rate),
            "postingPeriod": {"id": self._period(opening.on)},
            "approvalStatus": {"id": "2"},
        }
        if opening.due_on:
            record["dueDate"] = opening.due_on.isoformat()
        lines = [
            {"account": {"id": account}, **_sides(Decimal(amount)), **entity, "line": number}
            | (cleared if opening.cleared and account in ("111", "112") else {})
            for number, (account, amount) in enumerate(opening.lines, 1)
        ]
        if opening.kind == "vendorBill":
            (first, last) = lines
            record |= {"account": last["account"], "expense": [first | {"amount": first["debit"]}]}
        else:
            record["line"] = lines
        self._store(opening.kind, str(self._next_id), record)


def _sides(amount: Decimal) -> dict[str, Decimal]:
    return {"debit": amount} if amount > 0 else {"credit": -amount}


def _merged(old: list[Record], new: list[Record]) -> list[Record]:
    """Lines of an update: those whose number is there change, all others are appended."""
    lines = copy.deepcopy(old)
    by_number = {line.get("line"): line for line in lines}
    for line in new:
        if "line" in line and line["line"] in by_number:
            by_number[line["line"]].update(line)
        else:
            lines.append(line)
    return lines


def _settled(kind: str, record: Record) -> Iterator[tuple[str, Record]]:
    """The documents a payment settles, with their path."""
    if kind == "vendorPayment":
        for sublist in ("apply", "credit"):
            for index, line in enumerate(record.get(sublist, [])):
                if line.get("apply"):
                    yield f"{sublist}.items[{index}]", line


def _told(kind: str, record_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {account.id: account.number for account in seed.ACCOUNTS}
    names = {entity.id: entity.name for entity in seed.ENTITIES}
    return {
        "type": kind,
        "id": record_id,
        "number": record["tranId"],
        "externalId": record.get("externalId", ""),
        "state": "posted" if approved(kind, record) else "draft",
        "on": record["tranDate"],
        "rate": str(rate_of(kind, record)),
        "lines": [
            {
                "account": numbers[line.account],
                "amount": str(line.amount),
                "base": str(line.base),
                "entity": names.get(line.entity, ""),
                "memo": line.memo,
            }
            for line in gl_lines(kind, record)
        ],
    }
