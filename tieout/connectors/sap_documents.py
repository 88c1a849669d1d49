"""Documents read back from SAP's operational items.

A document's id is company code, fiscal year and number, ``1010/2026/0100000067``; the number has
its ten places whatever a read shows. Our reference stands in the header's "Reference 1", in a
clearing document, which has no such field, in the document's reference, and in the header's text
of an entry that a supplier invoice made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from tieout.connectors.ports import DocumentLine, ErpDocument
from tieout.connectors.sap_odata import Row, any_of, code, day, from_day, number, plain, same
from tieout.connectors.sap_session import Session
from tieout.money import to_minor

__all__ = ["CUBE", "FIELDS", "Documents", "doc_id_of", "own_reference", "split_id"]

#: Service and entity set of operational items.
CUBE: Final = ("API_OPLACCTGDOCITEMCUBE_SRV", "A_OperationalAcctgDocItemCube")
FIELDS: Final = (
    "CompanyCode",
    "FiscalYear",
    "AccountingDocCreatedByUser",
    "AccountingDocument",
    "AccountingDocumentHeaderText",
    "AccountingDocumentItem",
    "AccountingDocumentItemRef",
    "AmountInCompanyCodeCurrency",
    "AmountInTransactionCurrency",
    "ClearingAccountingDocument",
    "ClearingDocFiscalYear",
    "CompanyCodeCurrency",
    "Customer",
    "DocumentItemText",
    "DocumentReferenceID",
    "FinancialAccountType",
    "GLAccount",
    "IsCleared",
    "IsOpenItemManaged",
    "PostingDate",
    "Reference1InDocumentHeader",
    "ReferenceDocumentType",
    "ReverseDocument",
    "ReverseDocumentFiscalYear",
    "Supplier",
    "TransactionCurrency",
)
#: What a journal entry comes from that an invoice of the invoice ledger made.
_INVOICE: Final = "RMRP"
_ORDER: Final = "FiscalYear,AccountingDocument,AccountingDocumentItem"
_ID: Final = re.compile(r"([A-Z0-9]{4})/(\d{4})/(\d{10})", re.ASCII)


def doc_id_of(company_code: str, year: str, document: str) -> str:
    """``1010/2026/0100000067``."""
    return f"{company_code}/{year}/{document.zfill(10)}"


def split_id(doc_id: str) -> tuple[str, str, str] | None:
    """Company code, fiscal year and number; None where it is no such id."""
    found = _ID.fullmatch(doc_id)
    return (found[1], found[2], found[3]) if found else None


class Documents:
    """Looks for documents of one company code."""

    def __init__(self, session: Session, company_code: str) -> None:
        self._session, self._company_code = session, company_code

    def rows(self, where: str) -> list[Row]:
        """Items of the company code that fit a filter, in the order of their keys."""
        own = same("CompanyCode", self._company_code)
        return self._session.rows(*CUBE, FIELDS, f"{own} and {where}", _ORDER)

    def with_reference(self, reference: str, *, field: str) -> list[ErpDocument]:
        """The documents with a reference in a field of their header, by id."""
        found = self._documents(self.rows(same(field, reference)))
        return [document for document in found if document.external_ref == reference]

    def one(self, doc_id: str) -> ErpDocument | None:
        """The document with an id, None where there is none."""
        rows = self.rows_of(doc_id)
        found = [d for d in self._documents(rows) if d.doc_id == doc_id]
        return found[0] if found else None

    def rows_of(self, doc_id: str) -> list[Row]:
        """The items of a document, none for an id that cannot be one of ours."""
        parts = split_id(doc_id)
        if parts is None or parts[0] != self._company_code:
            return []
        _, year, document = parts
        return self.rows(f"{same('FiscalYear', year)} and {code('AccountingDocument', document)}")

    def reversed_by(self, doc_id: str) -> str:
        """The id of the document that took one back; empty where none did."""
        for row in self.rows_of(doc_id):
            if row["ReverseDocument"]:
                year, document = str(row["ReverseDocumentFiscalYear"]), str(row["ReverseDocument"])
                return doc_id_of(self._company_code, year, document)
        return ""

    def entered_by(self, doc_id: str, user: str) -> bool:
        """Whether a document was entered in the name of a user."""
        return any(row["AccountingDocCreatedByUser"] == user for row in self.rows_of(doc_id))

    def changed(self, since: date, reference: re.Pattern[str]) -> list[ErpDocument]:
        """Documents with a reference of ours entered or changed on a day or later, by id."""
        # SAP leaves the day of change empty until somebody changes the document.
        names = ("LastChangeDate", "AccountingDocumentCreationDate")
        where = any_of(*(from_day(name, since) for name in names))
        where += " and Reference1InDocumentHeader ne ''"
        found = self._documents(self.rows(where))
        return [document for document in found if reference.fullmatch(document.external_ref)]

    def since(self, on: date, reference: re.Pattern[str], *, clearing: str) -> list[ErpDocument]:
        """Documents with a reference of ours booked on a day or later, by date, then by id.

        Args:
            clearing: document type of clearings, which carry our reference as the document's.
        """
        marks = (
            "Reference1InDocumentHeader ne ''",
            same("ReferenceDocumentType", _INVOICE),
            same("AccountingDocumentType", clearing),
        )
        rows = [
            row for mark in marks for row in self.rows(f"{from_day('PostingDate', on)} and {mark}")
        ]
        unique = {(_key(row), str(row["AccountingDocumentItem"])): row for row in rows}
        found = self._documents(unique.values())
        ours = (document for document in found if reference.fullmatch(document.external_ref))
        return sorted(ours, key=lambda document: (document.booked_on, document.doc_id))

    def _documents(self, rows: Iterable[Row]) -> list[ErpDocument]:
        grouped: dict[str, list[Row]] = {}
        for row in rows:
            grouped.setdefault(_key(row), []).append(row)
        return [_document(doc_id, grouped[doc_id]) for doc_id in sorted(grouped)]


def _document(doc_id: str, rows: list[Row]) -> ErpDocument:
    booked_on = day(rows[0]["PostingDate"])
    if booked_on is None:
        raise ValueError(f"document {doc_id} has no posting date")
    return ErpDocument(
        doc_id=doc_id,
        state="posted",
        number=doc_id[-10:],
        external_ref=own_reference(rows[0]) or str(rows[0]["DocumentReferenceID"] or ""),
        booked_on=booked_on,
        lines=() if _clears_itself(rows) else _lines(rows),
    )


def _key(row: Row) -> str:
    return doc_id_of(
        str(row["CompanyCode"]), str(row["FiscalYear"]), str(row["AccountingDocument"])
    )


def own_reference(row: Row) -> str:
    """What stands where our reference stands, of an entry or of one that an invoice made."""
    if row["ReferenceDocumentType"] == _INVOICE:
        return str(row["AccountingDocumentHeaderText"] or "")
    return str(row["Reference1InDocumentHeader"] or "")


def _clears_itself(rows: list[Row]) -> bool:
    """Whether it is a clearing document: its lines only take others off and end with them."""
    return all(
        plain(row["ClearingAccountingDocument"] or "") == plain(row["AccountingDocument"])
        and row["ClearingDocFiscalYear"] == row["FiscalYear"]
        and not row["Reference1InDocumentHeader"]
        for row in rows
    )


def _place(row: Row) -> tuple[int, int]:
    """Where a line stood in what was sent; behind them what SAP added by itself."""
    sent, item = str(row["AccountingDocumentItemRef"] or ""), str(row["AccountingDocumentItem"])
    return int(sent) if sent.isdigit() and int(sent) else 10**6, int(item)


def _lines(rows: list[Row]) -> tuple[DocumentLine, ...]:
    """The lines in the order they were sent, without those of a tax of nothing that SAP added."""
    found = [_line(row) for row in sorted(rows, key=_place) if not _nothing(row)]
    return tuple(found)


def _nothing(row: Row) -> bool:
    """Whether a line moves no amount in either currency, as that of a tax of rate zero."""
    names = ("AmountInCompanyCodeCurrency", "AmountInTransactionCurrency")
    return all(number(row[name]) == 0 for name in names)


def _line(row: Row) -> DocumentLine:
    own, currency = str(row["CompanyCodeCurrency"]), str(row["TransactionCurrency"])
    company = to_minor(number(row["AmountInCompanyCodeCurrency"]), own)
    foreign = currency != own
    amount = to_minor(number(row["AmountInTransactionCurrency"]), currency)
    return DocumentLine(
        gl_account=plain(row["GLAccount"]),
        debit_minor=max(company, 0),
        credit_minor=max(-company, 0),
        foreign_minor=amount if foreign else None,
        foreign_currency=currency if foreign else None,
        party=plain(row["Supplier"] or row["Customer"]) or None,
        narrative=str(row["DocumentItemText"] or ""),
    )
