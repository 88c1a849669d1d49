"""The Oracle simulator's own ledger: interface rows, journal batches, invoices.

Nothing here knows HTTP, nor anything of tieout: what it holds is what an independent checker reads.
Amounts are exact decimals, as the file or the request gave them.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from sandbox.simulators.clock import Clock
from sandbox.simulators.oracle_names import Names
from sandbox.simulators.oracle_world import World

__all__ = ["GROUP", "Batch", "Books", "InterfaceRow", "Invoice", "InvoiceLine", "Line"]

#: The column of a journal's row that names its group.
GROUP: Final = 67


@dataclass
class InterfaceRow:
    """A row of an interface table; ``columns`` by 1-based position, empty ones left out."""

    table: str
    load_request: int
    columns: dict[int, str]
    status: str = "NEW"
    message: str = ""

    def get(self, position: int) -> str:
        """The text of a column, empty where there is none."""
        return self.columns.get(position, "")


@dataclass
class Line:
    """One line of a journal."""

    number: int
    segments: tuple[str, ...]
    currency: str
    entered_dr: Decimal
    entered_cr: Decimal
    accounted_dr: Decimal
    accounted_cr: Decimal
    description: str


@dataclass
class Batch:
    """A journal batch with its one journal; ``status`` U unposted, P posted."""

    id: int
    name: str
    header_id: int
    header_name: str
    group_id: str
    source: str
    category: str
    period: str
    booked_on: dt.date
    description: str
    reference: str
    lines: list[Line]
    visible_at: dt.datetime
    updated_at: dt.datetime
    status: str = "U"
    error: str = ""
    posted_at: dt.datetime | None = None
    stuck: str = ""


@dataclass
class InvoiceLine:
    """One line of a supplier's invoice."""

    number: int
    amount: Decimal
    combination: str
    description: str


@dataclass
class Invoice:
    """A payables invoice."""

    id: int
    number: str
    supplier: str
    supplier_number: str
    site: str
    business_unit: str
    source: str
    kind: str
    amount: Decimal
    currency: str
    invoiced_on: dt.date
    booked_on: dt.date
    due_on: dt.date
    description: str
    liability: str
    lines: list[InvoiceLine]
    updated_at: dt.datetime
    visible_at: dt.datetime
    validated: bool = False
    cancelled: bool = False
    paid: Decimal = Decimal(0)


@dataclass
class Books:
    """All of it, behind one lock.

    Attributes:
        lag: seconds until a new document can be seen by a read.
        siblings: whether the good journals of a group are imported beside a bad one.
        purge: whether rejected rows are purged from the interface after their report.
        single_currency: whether a journal may hold one currency only.
    """

    clock: Clock
    world: World = field(default_factory=World)
    rows: list[InterfaceRow] = field(default_factory=list)
    batches: dict[int, Batch] = field(default_factory=dict)
    invoices: dict[int, Invoice] = field(default_factory=dict)
    receivables: list[dict[str, object]] = field(default_factory=list)
    lag: float = 0
    siblings: bool = True
    single_currency: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    _names: Names = field(default_factory=Names)
    _groups: dict[str, list[InterfaceRow]] = field(default_factory=dict)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(2552354))

    def next_id(self) -> int:
        """A new id, never used before."""
        return next(self._ids)

    def visible_from(self) -> dt.datetime:
        """When a document made now can be seen."""
        return self.clock.now() + dt.timedelta(seconds=self.lag)

    def load(self, rows: Iterable[InterfaceRow]) -> None:
        """Put rows into the interface."""
        with self.lock:
            for row in rows:
                self.rows.append(row)
                self._groups.setdefault(row.get(GROUP), []).append(row)

    def group(self, group: str) -> list[InterfaceRow]:
        """The journal interface's rows of a group, in the order they were loaded."""
        with self.lock:
            return [row for row in self._groups.get(group, []) if row.table == "GL_INTERFACE"]

    def add(self, batch: Batch) -> None:
        """A new batch; its name never changes."""
        with self.lock:
            self.batches[batch.id] = batch
            self._names.add(batch.id, batch.name)

    def named(self, part: str) -> list[Batch]:
        """Batches whose name holds a text, by id."""
        with self.lock:
            there = (self.batches.get(number) for number in self._names.holding(part))
            return [batch for batch in there if batch is not None]

    def journals(self, reference: str) -> list[Batch]:
        """Batches whose name holds a reference as a word, by id."""
        word = re.compile(rf"\b{re.escape(reference)}\b")
        return [batch for batch in self.named(reference) if word.search(batch.name)]

    def invoices_of(self, reference: str) -> list[Invoice]:
        """Invoices whose description opens with a reference in brackets, by id."""
        with self.lock:
            opens = f"[{reference}]"
            found = [i for i in self.invoices.values() if i.description.startswith(opens)]
        return sorted(found, key=lambda invoice: invoice.id)

    def post(self, batch_id: int) -> str:
        """Post a batch; posting a posted one changes nothing. Returns the refusal or nothing."""
        with self.lock:
            batch = self.batches.get(batch_id)
            if batch is None:
                return f"batch {batch_id} does not exist"
            if batch.status == "P":
                return ""
            period = self.world.period_of(batch.booked_on)
            if period is None or period.statuses[101] != "O":
                batch.error = f"Unopened accounting period {batch.period}"
            else:
                batch.error = batch.stuck
            batch.updated_at = self.clock.now()
            if not batch.error:
                batch.status, batch.posted_at = "P", self.clock.now()
            return batch.error
