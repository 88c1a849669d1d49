"""The books of the Dynamics 365 simulator: journals, their lines, numbers, and the ledger.

One lock over everything; a change set is undone in whole when one of its operations is refused.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sandbox.simulators.clock import Clock
from sandbox.simulators.dynamics365_invoices import HEADERS, LINES, Invoices
from sandbox.simulators.dynamics365_lines import LINE, check_line, typed
from sandbox.simulators.dynamics365_odata import ODataError, infolog
from sandbox.simulators.dynamics365_world import COMPANIES, NO_DATE, Row, world

__all__ = ["Books", "Key"]

_HEADER: Row = {
    "dataAreaId": "",
    "JournalBatchNumber": "",
    "JournalName": "",
    "Description": "",
    "PostingLayer": "Current",
    "IsPosted": "No",
    "AccountingCurrency": "EUR",
    "JournalTotalDebit": Decimal(0),
    "JournalTotalCredit": Decimal(0),
    "IntegrationKey": "",
    # A read-only column the company's own developer added: why the batch job left the journal.
    "TieoutPostingLog": "",
}
_HEADER_WRITABLE = ("dataAreaId", "JournalBatchNumber", "JournalName", "Description")
_ENTRY: Row = {
    "JournalNumber": "",
    "Voucher": "",
    "AccountingDate": NO_DATE,
    "PostingLayer": "Current",
    "LedgerAccount": "",
    "TransactionCurrencyCode": "",
    "TransactionCurrencyAmount": Decimal(0),
    "AccountingCurrencyAmount": Decimal(0),
    "ReportingCurrencyAmount": Decimal(0),
    "Description": "",
    "PostingType": "LedgerJournal",
    "IsCredit": "No",
    "IsCorrection": "No",
    "DocumentDate": NO_DATE,
    "DocumentNumber": "",
    "LedgerName": "",
    "GeneralJournalAccountEntryRecId": 0,
}
Key = tuple[str, str]
_JOURNAL = re.compile(r"JournalBatchNumber eq '([^'*]*)'")
_VOUCHER = re.compile(r"\bVoucher eq '([^'*]*)'")
_NUMBER = re.compile(r"\bDocumentNumber eq '([^'*]*)'")
_DOCUMENT = re.compile(r"\bDocument eq '([^'*]*)'")


class Books:
    """All journals and the general ledger.

    Attributes:
        manual_numbers: whether a journal may bring its own number.
        exists: how the user's language says that a key is taken.
        tables: rows of the entities that are only read, and the ledger's entries.
        headers, lines: journals by company and number; lines by their number.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.manual_numbers = True
        self.exists = "The record already exists."
        self.tables = world()
        self.entries: list[Row] = []
        self.vouchers: dict[str, list[Row]] = {}
        self.numbered: dict[str, list[Row]] = {}
        self.tables["GeneralJournalAccountEntries"] = self.entries
        self.headers: dict[Key, Row] = {}
        self.lines: dict[Key, dict[Decimal, Row]] = {}
        self.references: dict[str, list[Key]] = {}
        self._next = {"journal": 1, "voucher": 1, "record": 5637000001}
        self._undo: list[Callable[[], object]] | None = None
        self.invoices = Invoices(self.tables, self._later)

    @contextmanager
    def change_set(self) -> Iterator[None]:
        """All or nothing, and nobody sees it half done."""
        with self.lock:
            self._undo = []
            try:
                yield
            except ODataError:
                for undo in reversed(self._undo):
                    undo()
                raise
            finally:
                self._undo = None

    def columns(self, name: str) -> Row:
        """A row of an entity, to know its properties.

        Raises:
            ODataError: 404, for a name that differs in one letter's case as for any other.
        """
        if name == "LedgerJournalHeaders":
            return _HEADER
        if name == "LedgerJournalLines":
            return LINE
        if name == "GeneralJournalAccountEntries":
            return _ENTRY
        if name in (HEADERS, LINES):
            return self.invoices.columns(name)
        if not self.tables.get(name):
            message = f"No HTTP resource was found that matches the request URI '/data/{name}'."
            raise ODataError(404, message)
        return self.tables[name][0]

    def rows(self, name: str, text: str = "", journal: str | None = None) -> list[Row]:
        """Rows of an entity in the system's order, without those a filter's text rules out.

        Like an index: where it asks for one journal or one document, only theirs are looked at.
        """
        self.columns(name)
        with self.lock:
            if name in (HEADERS, LINES):
                return self.invoices.rows(name)
            if name == "GeneralJournalAccountEntries":
                return [dict(row) for row in self._indexed(text)]
            if name not in ("LedgerJournalHeaders", "LedgerJournalLines"):
                return [dict(row) for row in self.tables[name]]
            journals = self._narrowed(text, journal)
            if name == "LedgerJournalHeaders":
                return [dict(self.headers[key]) for key in journals]
            return [dict(row) for key in journals for row in self.lines[key].values()]

    def _indexed(self, text: str) -> list[Row]:
        """Entries a filter may be true of: those of its voucher or document, else all."""
        if " or " in text:
            return self.entries
        if named := _VOUCHER.search(text):
            return self.vouchers.get(named[1], [])
        if named := _NUMBER.search(text):
            return self.numbered.get(named[1], [])
        return self.entries

    def _narrowed(self, text: str, journal: str | None) -> list[Key]:
        if (named := _JOURNAL.search(text)) and " or " not in text:
            journal = named[1]
        if journal is not None:
            found: list[Key] = [(company, journal) for company in COMPANIES]
        elif (named := _DOCUMENT.search(text)) and " or " not in text:
            found = list(dict.fromkeys(self.references.get(named[1], ())))
        else:
            found = list(self.headers)
        return [key for key in found if key in self.headers]

    def insert(self, name: str, values: Row) -> Row:
        """A new header or line.

        Raises:
            ODataError: an unknown property, or what the business logic says.
        """
        with self.lock:
            if name == "LedgerJournalHeaders":
                return dict(self._insert_header(values))
            if name == "LedgerJournalLines":
                return dict(self._insert_line(values))
            if name in (HEADERS, LINES):
                return dict(self.invoices.insert(name, values))
        raise ODataError(405, f"'{name}' is not updatable.")

    def update(self, name: str, key: Row, values: Row) -> Row:
        """Change a header's description, while it is not posted."""
        with self.lock:
            if name != "LedgerJournalHeaders" or set(values) - {"Description"}:
                raise ODataError(400, f"{sorted(values)} of '{name}' cannot be changed.")
            header = self.header(key)
            self._open(header)
            before = header["Description"]
            header["Description"] = typed(_HEADER, values)["Description"]
            self._later(lambda: header.update(Description=before))
            return dict(header)

    def delete(self, name: str, key: Row) -> None:
        """Delete a journal with its lines, or one line, while it is not posted."""
        with self.lock:
            if name == HEADERS:
                self.invoices.delete(key)
                return
            header = self.header(key)
            self._open(header)
            journal = (header["dataAreaId"], header["JournalBatchNumber"])
            if name == "LedgerJournalHeaders":
                lines = self.lines.pop(journal)
                del self.headers[journal]
                self._later(lambda: self.headers.__setitem__(journal, header))
                self._later(lambda: self.lines.__setitem__(journal, lines))
                return
            number = key.get("LineNumber")
            line = self.lines[journal].pop(number, None) if number is not None else None
            if line is None or number is None:
                raise ODataError(404, "No line has this key.")
            self._later(lambda: self.lines[journal].__setitem__(number, line))
            self.total(journal)

    def header(self, key: Row) -> Row:
        """A journal's own row.

        Raises:
            ODataError: 404.
        """
        found = self.headers.get((key.get("dataAreaId", ""), key.get("JournalBatchNumber", "")))
        if found is None:
            raise ODataError(404, "No journal has this key.")
        return found

    def number(self, series: str) -> int:
        """The next number of a series; numbers of what was undone stay used up."""
        with self.lock:
            self._next[series] += 1
            return self._next[series] - 1

    def total(self, journal: Key) -> None:
        """Keep the totals of a journal."""
        if journal not in self.headers:
            return
        header, lines = self.headers[journal], self.lines[journal].values()
        header["JournalTotalDebit"] = sum((row["DebitAmount"] for row in lines), Decimal(0))
        header["JournalTotalCredit"] = sum((row["CreditAmount"] for row in lines), Decimal(0))

    def _insert_header(self, values: Row) -> Row:
        misplaced = sorted(set(values) - set(_HEADER_WRITABLE))
        if misplaced:
            raise ODataError(400, f"The property '{misplaced[0]}' is unknown or read-only.")
        header = _HEADER | typed(_HEADER, values)
        company, name = header["dataAreaId"], header["JournalName"]
        if company not in COMPANIES:
            raise infolog("LedgerJournalHeaderEntity", f"Company {company!r} does not exist.")
        names = [(row["dataAreaId"], row["Name"]) for row in self.tables["JournalNames"]]
        if (company, name) not in names:
            raise infolog("LedgerJournalHeaderEntity", f"Journal name {name!r} does not exist.")
        if header["JournalBatchNumber"] and not self.manual_numbers:
            text = "Number sequence does not allow a manual journal batch number."
            raise infolog("LedgerJournalHeaderEntity", text)
        header["JournalBatchNumber"] = (
            header["JournalBatchNumber"] or f"{self.number('journal'):06d}"
        )
        key = (company, header["JournalBatchNumber"])
        if key in self.headers:
            text = f"Cannot create a record in Journal ({key[1]}). {self.exists}"
            raise infolog("LedgerJournalHeaderEntity", text)
        self.headers[key], self.lines[key] = header, {}
        self._later(lambda: (self.headers.pop(key), self.lines.pop(key)))
        return header

    def _insert_line(self, values: Row) -> Row:
        journal = (str(values.get("dataAreaId", "")), str(values.get("JournalBatchNumber", "")))
        header = self.headers.get(journal)
        if header is None:
            raise infolog("LedgerJournalLineEntity", f"Journal {journal[1]!r} does not exist.")
        self._open(header)
        line = check_line(self.tables, journal[0], values)
        lines = self.lines[journal]
        number = line["LineNumber"] or Decimal(len(lines) + 1)
        if number in lines:
            text = "Cannot create a record in Journal lines. The record already exists."
            raise infolog("LedgerJournalLineEntity", text)
        first = next(iter(lines.values()), None)
        line["Voucher"] = line["Voucher"] or (
            first["Voucher"] if first else f"GL{self.number('voucher'):08d}"
        )
        lines[number] = line | {"LineNumber": number}
        self.references.setdefault(line["Document"], []).append(journal)
        self._later(lambda: lines.pop(number, None))
        self._later(lambda: self.total(journal))
        self.total(journal)
        return lines[number]

    def _open(self, header: Row) -> None:
        if header["IsPosted"] == "Yes":
            number = header["JournalBatchNumber"]
            raise infolog("LedgerJournalHeaderEntity", f"Journal {number} has been posted.")

    def _later(self, undo: Callable[[], object]) -> None:
        if self._undo is not None:
            self._undo.append(undo)

    def book(self, entry: dict[str, Any]) -> None:
        """One entry of the general ledger."""
        record = {"GeneralJournalAccountEntryRecId": self.number("record")}
        row = _ENTRY | entry | record
        self.entries.append(row)
        self.vouchers.setdefault(row["Voucher"], []).append(row)
        self.numbered.setdefault(row["DocumentNumber"], []).append(row)
