"""The REST resources of the Oracle simulator: collections, journal batches, invoices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sandbox.simulators.oracle_books import Batch, Books, Invoice, InvoiceLine
from sandbox.simulators.oracle_payables import add_invoice
from sandbox.simulators.oracle_query import BadRequestError, page, part_of, selected
from sandbox.simulators.oracle_rows import (
    COLLECTIONS,
    batch_row,
    header_row,
    invoice_row,
    line_row,
)
from sandbox.simulators.oracle_world import CONSTANTS

__all__ = ["NotFoundError", "Resources"]

Parameters = Mapping[str, str]
_NESTED: Final = 25
_GIVEN: Final = frozenset(
    {"limit", "offset", "q", "fields", "expand", "onlyData", "orderBy", "totalResults", "finder"}
)
_INVOICE: Final = frozenset(
    {"InvoiceNumber", "InvoiceCurrency", "InvoiceAmount", "InvoiceDate", "BusinessUnit", "Supplier"}
    | {"SupplierSite", "InvoiceSource", "InvoiceType", "Description", "AccountingDate"}
    | {"TermsDate", "LiabilityDistribution", "invoiceLines"}
)
_INVOICE_LINE: Final = frozenset(
    {"LineNumber", "LineAmount", "LineType", "AccountingDate", "Description"}
    | {"DistributionCombination"}
)


class NotFoundError(Exception):
    """HTTP 404."""


class Resources:
    """Reads and the few writes of the resources, over one set of books."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._rows: dict[int, tuple[tuple[object, ...], dict[str, Any]]] = {}

    def get(self, path: str, given: Parameters, version: int, address: str) -> dict[str, Any]:
        """A collection or one record.

        Raises:
            NotFoundError: there is no such resource or record.
            BadRequestError: a parameter is not understood.
        """
        for key in given.keys() - _GIVEN:
            raise BadRequestError(f"The query parameter {key} is not valid", path=key)
        with self.books.lock:
            if path in COLLECTIONS:
                return self._page(COLLECTIONS[path](self.books), given, version, address)
            parts = path.split("/")
            match parts:
                case ["journalBatches", *rest]:
                    return self._batches(rest, given, version, address)
                case ["invoices"]:
                    rows = [invoice_row(invoice) for invoice in self._invoices()]
                    return self._page(rows, given, version, address)
                case ["invoices", number]:
                    return invoice_row(self._invoice(number))
                case ["suppliers", number, "child", "sites"]:
                    return self._page(self._sites(number), given, version, address)
                case ["ledgerBalances"]:
                    return self._page(self._balances(given), _without(given), version, address)
        raise NotFoundError(path)

    def _page(
        self,
        rows: Sequence[Mapping[str, Any]],
        given: Parameters,
        version: int,
        address: str,
        names: Iterable[str] = (),
    ) -> dict[str, Any]:
        fields = sorted({*names}.union(*rows))
        found = selected(rows, given.get("q", ""), fields, version) if fields else []
        return page(found, given, address)

    def _batches(
        self, rest: list[str], given: Parameters, version: int, address: str
    ) -> dict[str, Any]:
        if not rest:
            return self._batch_list(given, version, address)
        found = self.books.batches.get(int(rest[0])) if rest[0].isdecimal() else None
        batch = found if found is not None and str(found.id) == rest[0] else None
        if batch is None or not self._shows(batch):
            raise NotFoundError("/".join(rest))
        bare = address.partition("?")[0].partition("/journalBatches")[0] + "/journalBatches"
        if rest[1:] == ["child", "journalHeaders"]:
            return page([header_row(batch)], given, address)
        if len(rest) == 6 and rest[3] == _key(batch) and rest[5] == "journalLines":
            return page([line_row(line) for line in batch.lines], given, address)
        if len(rest) == 1:
            return self._batch(batch, given, version, bare)
        raise NotFoundError("/".join(rest))

    def _batch_list(self, given: Parameters, version: int, address: str) -> dict[str, Any]:
        """A page of the batches a query selects; by a name others are not even looked at."""
        part = part_of("BatchName", given.get("q", ""))
        batches = self.books.named(part) if part else self.books.batches.values()
        there = sorted(filter(self._shows, batches), key=lambda batch: batch.id)
        any_other = next(filter(self._shows, self.books.batches.values()), None)
        names = self._row(any_other) if any_other is not None else ()
        found = self._page([self._row(b) for b in there], given, version, address, names)
        # Children are only made for the page that is shown.
        found["items"] = [
            row | self._batch(self.books.batches[row["JeBatchId"]], given, version, address)
            for row in found["items"]
        ]
        return found

    def _shows(self, batch: Batch) -> bool:
        return batch.visible_at <= self.books.clock.now()

    def _row(self, batch: Batch) -> dict[str, Any]:
        """A batch's row, made again only when it changed: each search goes over all of them."""
        told = (batch.name, batch.description, batch.status, batch.error, batch.period)
        now = (*told, batch.source, batch.posted_at, batch.updated_at)
        kept = self._rows.get(batch.id)
        if kept is None or kept[0] != now:
            kept = self._rows[batch.id] = now, dict(batch_row(batch))
        return kept[1]

    def _batch(self, batch: Batch, given: Parameters, version: int, address: str) -> dict[str, Any]:
        """A batch, with the children that are asked for, cut to their first page."""
        row = batch_row(batch)
        expand = given.get("expand", "")
        base = f"{address.partition('?')[0]}/{batch.id}"
        row["links"] = [{"rel": "self", "name": "journalBatches", "href": base}]
        if expand.startswith("journalHeaders"):
            header = header_row(batch)
            href = f"{base}/child/journalHeaders/{_key(batch)}"
            header["links"] = [
                {"rel": "self", "name": "journalHeaders", "href": href},
                {"rel": "child", "name": "journalLines", "href": f"{href}/child/journalLines"},
            ]
            if expand == "journalHeaders.journalLines":
                lines = [line_row(line) for line in batch.lines]
                header["journalLines"] = _nested(lines, version)
            row["journalHeaders"] = _nested([header], version)
        return row

    def delete_batch(self, number: str) -> None:
        """Delete an unposted batch."""
        with self.books.lock:
            batch = self.books.batches.get(int(number)) if number.isdecimal() else None
            if batch is None:
                raise NotFoundError(number)
            if batch.status == "P":
                raise BadRequestError("You can't delete a posted batch.", "GL-781541")
            del self.books.batches[batch.id]

    def _invoices(self) -> list[Invoice]:
        now = self.books.clock.now()
        there = [i for i in self.books.invoices.values() if i.visible_at <= now]
        return sorted(there, key=lambda invoice: invoice.id)

    def _invoice(self, number: str) -> Invoice:
        found = self.books.invoices.get(int(number)) if number.isdecimal() else None
        if found is None or str(found.id) != number or found.visible_at > self.books.clock.now():
            raise NotFoundError(number)
        return found

    def create_invoice(self, body: Mapping[str, Any], spoil: Decimal) -> dict[str, Any]:
        """Create an invoice; business refusals are HTTP 400 with Payables' words."""
        lines = body.get("invoiceLines")
        _allow(body, _INVOICE, "")
        if not isinstance(lines, list) or not lines:
            raise BadRequestError("invoiceLines is required", path="/invoiceLines")
        for place, line in enumerate(lines):
            _allow(line, _INVOICE_LINE, f"/invoiceLines/{place}")
        suppliers = {s.name: s for s in self.books.world.suppliers}
        supplier = suppliers.get(str(body.get("Supplier")))
        try:
            invoice = _made(self.books, body, supplier.number if supplier else "", spoil)
        except (KeyError, ValueError, InvalidOperation) as error:
            raise BadRequestError(f"The request is not complete: {error}") from error
        refusal = add_invoice(self.books, invoice)
        if refusal:
            code = "AP-810295" if refusal.startswith("DUPLICATE") else "AP-810000"
            raise BadRequestError(refusal, code, "/InvoiceNumber")
        return invoice_row(invoice)

    def validate_invoice(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The action ``validateInvoice``; validating a validated invoice changes nothing."""
        _allow(body, frozenset({"InvoiceNumber", "BusinessUnit", "Supplier", "ProcessAction"}), "")
        with self.books.lock:
            found = [
                i
                for i in self.books.invoices.values()
                if (i.number, i.supplier) == (body.get("InvoiceNumber"), body.get("Supplier"))
            ]
            if not found:
                raise BadRequestError("The invoice doesn't exist.", "AP-810001")
            period = self.books.world.period_of(found[0].booked_on)
            if period is None or period.statuses[200] != "O":
                raise BadRequestError("ACCT DATE NOT IN OPEN PD", "AP-810002")
            found[0].validated = True
            found[0].updated_at = self.books.clock.now()
            return {"result": "The invoice was validated."}

    def _sites(self, number: str) -> list[dict[str, Any]]:
        for supplier in self.books.world.suppliers:
            if str(supplier.id) == number:
                unit = CONSTANTS["business_unit"]
                return [{"SupplierSite": supplier.site, "ProcurementBU": unit}]
        raise NotFoundError(number)

    def _balances(self, given: Parameters) -> list[dict[str, Any]]:
        """Beginning balance and activity of one account combination in one period."""
        name, _, text = given.get("finder", "").partition(";")
        if name != "AccountBalanceFinder":
            raise BadRequestError(f"The finder {name} is not valid")
        wanted = dict(part.partition("=")[::2] for part in text.split(","))
        start = next(
            (p.starts_on for p in self.books.world.periods if p.name == wanted["accountingPeriod"]),
            None,
        )
        if start is None:
            return []
        own = wanted["currency"] == CONSTANTS["currency"]
        before = within = Decimal(0)
        for batch in self.books.batches.values():
            for line in batch.lines if batch.status == "P" else ():
                if "-".join(line.segments) != wanted["accountCombination"]:
                    continue
                amount = line.accounted_dr - line.accounted_cr
                if not own:
                    same = line.currency == wanted["currency"]
                    amount = line.entered_dr - line.entered_cr if same else Decimal(0)
                if batch.booked_on < start:
                    before += amount
                elif batch.period == wanted["accountingPeriod"]:
                    within += amount
        return [
            {
                "AccountCombination": wanted["accountCombination"],
                "PeriodName": wanted["accountingPeriod"],
                "Currency": wanted["currency"],
                "BeginningBalance": before,
                "PeriodActivity": within,
                "EndingBalance": before + within,
            }
        ]


def _without(given: Parameters) -> dict[str, str]:
    return {key: value for key, value in given.items() if key != "finder"}


def _key(batch: Batch) -> str:
    """The hash key of a journal: not its id."""
    return f"00020000000EACED{batch.header_id:012X}"


def _nested(rows: list[dict[str, Any]], version: int) -> Any:
    """Expanded children: plain rows up to framework version 2, a cut collection from 3 on."""
    if version < 3:
        return rows
    items = rows[:_NESTED]
    counts = {"count": len(items), "limit": _NESTED, "offset": 0}
    return {"items": items, "hasMore": len(rows) > _NESTED, **counts}


def _allow(found: Any, allowed: frozenset[str], where: str) -> None:
    if not isinstance(found, dict):
        raise BadRequestError("An object is expected", path=where)
    for key in sorted(found.keys() - allowed):
        raise BadRequestError(f"The attribute {key} is not valid", path=f"{where}/{key}")


def _made(books: Books, body: Mapping[str, Any], supplier: str, spoil: Decimal) -> Invoice:
    lines = [
        InvoiceLine(
            int(line["LineNumber"]),
            Decimal(str(line["LineAmount"])) + spoil,
            str(line["DistributionCombination"]),
            str(line.get("Description", "")),
        )
        for line in body["invoiceLines"]
    ]
    return Invoice(
        id=books.next_id(),
        number=str(body["InvoiceNumber"]),
        supplier=str(body["Supplier"]),
        supplier_number=supplier,
        site=str(body["SupplierSite"]),
        business_unit=str(body["BusinessUnit"]),
        source=str(body.get("InvoiceSource", "")),
        kind=str(body["InvoiceType"]).upper(),
        amount=Decimal(str(body["InvoiceAmount"])) + spoil * len(lines),
        currency=str(body["InvoiceCurrency"]),
        invoiced_on=dt.date.fromisoformat(body["InvoiceDate"]),
        booked_on=dt.date.fromisoformat(body["AccountingDate"]),
        due_on=dt.date.fromisoformat(body["TermsDate"]),
        description=str(body["Description"]),
        liability=str(body["LiabilityDistribution"]),
        lines=lines,
        updated_at=books.clock.now(),
        visible_at=books.visible_from(),
    )
