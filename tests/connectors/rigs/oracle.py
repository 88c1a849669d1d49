"""Oracle's side of the contract suite: the connector over HTTP to the simulator on a free port."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.simulators.oracle import OracleSimulator, simulator
from sandbox.simulators.oracle_books import Batch, Invoice
from sandbox.simulators.oracle_world import CONSTANTS
from sandbox.simulators.serve import serving
from tieout.connectors.oracle_fusion import OracleFusionConnector
from tieout.connectors.ports import DocumentLine, ErpDocument, Journal, JournalLine, Liability
from tieout.money import to_minor
from tieout.profiles import load, mappings_dir

__all__ = ["DAY", "OracleRig", "connect", "open_rig", "profile"]

DAY = date(2026, 11, 20)


def profile(**posting: Any) -> dict[str, Any]:
    """The mapping, quick to give up, with some other settings of its ``[posting]``."""
    found = load(mappings_dir() / "erp" / "oracle.toml")
    found["timeouts"] = {"connect": 2, "read": 2, "total": 5}
    found["posting"] |= posting
    return found


def connect(
    url: str, *, options: dict[str, str] | None = None, **posting: Any
) -> OracleFusionConnector:
    """A connector of the made-up company."""
    login, password = CONSTANTS["login"], CONSTANTS["password"]
    mapping = profile(**posting)
    return OracleFusionConnector(
        url, login, password, company="NORD", mapping=mapping, options=options
    )


@dataclass
class OracleRig:
    """A connector and its tenant."""

    connector: OracleFusionConnector
    tenant: OracleSimulator
    url: str
    spare_day: date = date(2026, 9, 15)

    def journal(
        self, reference: str, *, amount: int = 350, booked_on: date | None = None
    ) -> Journal:
        lines = (
            JournalLine("6855", amount, 0, narrative="Fee\nof the bank"),
            JournalLine("1810", 0, amount),
        )
        day = booked_on or DAY
        return Journal(reference, "NORD", "bank", day, "Bank charges", "EUR", lines)

    def invoice(self, reference: str, *, amount: int = 350, number: str = "") -> Journal:
        """A supplier's invoice instead of a journal."""
        debt = Liability("1252", "supplier", number or f"R-{reference}", DAY, date(2026, 12, 20))
        lines = (JournalLine("6300", amount, 0), JournalLine("3300", 0, amount, party="1252"))
        return replace(self.journal(reference), lines=lines, liability=debt)

    def fault(self, operation: str, *faults: str) -> None:
        self.tenant.plan.add("find" if operation == "list" else operation, *faults)

    def books(self, reference: str) -> list[ErpDocument]:
        return [_document(found, reference) for found in self.tenant.documents(reference)]

    def close_period(self, on: date) -> None:
        self.tenant.close_period(on)

    def open_period(self, on: date) -> None:
        self.tenant.open_period(on)

    def let_work(self) -> None:
        self.tenant.work()


@contextmanager
def open_rig(**posting: Any) -> Iterator[OracleRig]:
    """A tenant with empty books, served, and a connector to it."""
    tenant = simulator()
    with serving(tenant.application) as url:
        connector = connect(url, **posting)
        try:
            yield OracleRig(connector, tenant, url)
        finally:
            connector.close()
            asyncio.run(tenant.arrive())


def _document(found: Batch | Invoice, reference: str) -> ErpDocument:
    """A record of the tenant's books, in our words."""
    lines: tuple[DocumentLine, ...]
    if isinstance(found, Batch):
        lines = tuple(
            DocumentLine(
                line.segments[1],
                to_minor(line.accounted_dr, "EUR"),
                to_minor(line.accounted_cr, "EUR"),
                None
                if line.currency == "EUR"
                else to_minor(line.entered_dr - line.entered_cr, line.currency),
                None if line.currency == "EUR" else line.currency,
                None,
                line.description,
            )
            for line in found.lines
        )
        posted, number, kind = found.status == "P", found.name, "journal"
    else:
        lines = (
            *(_line(x.combination, x.amount, x.description) for x in found.lines),
            _line(found.liability, -found.amount, found.description),
        )
        posted, number, kind = found.validated, found.number, "invoice"
    state = "posted" if posted else "draft"
    shown = number if posted else None
    return ErpDocument(
        f"{kind}/{found.id}",
        "posted" if state == "posted" else "draft",
        shown,
        reference,
        found.booked_on,
        lines,
    )


def _line(combination: str, signed: Decimal, text: str) -> DocumentLine:
    minor = to_minor(signed, "EUR")
    account = combination.split("-")[1]
    return DocumentLine(account, max(minor, 0), max(-minor, 0), None, None, None, text)
