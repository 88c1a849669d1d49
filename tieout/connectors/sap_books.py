"""SAP's books read: bank lines, balances and open items of one company code.

Bank lines come from the general ledger's lines, whose set adds up when no key is asked for: that
is how a balance is read. What stands in a document's header (our reference, the invoice's number)
only the operational items tell, so that bank lines are read from both. Period 000 holds what was
carried forward from the year before: its postings are there already.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from tieout.connectors import reads
from tieout.connectors.sap_documents import CUBE, doc_id_of, own_reference
from tieout.connectors.sap_masters import Masters, shaped
from tieout.connectors.sap_odata import Row, after, any_of, code, day, number, plain, same, until
from tieout.connectors.sap_profile import Profile
from tieout.connectors.sap_session import Session
from tieout.connectors.sap_text import OURS, pattern_of
from tieout.errors import ConnectorError
from tieout.money import to_minor

__all__ = ["Books"]

_LEDGER: Final = ("API_GLACCOUNTLINEITEM", "GLAccountLineItem")
_LEDGER_FIELDS: Final = (
    "ID",
    "FiscalYear",
    "AccountingDocument",
    "AccountingDocumentItem",
    "AmountInBalanceTransacCrcy",
    "AmountInCompanyCodeCurrency",
    "AssignmentReference",
    "BalanceTransactionCurrency",
    "CompanyCodeCurrency",
    "DocumentItemText",
    "PostingDate",
)
_HEADER_FIELDS: Final = (
    "FiscalYear",
    "AccountingDocument",
    "AccountingDocumentHeaderText",
    "AccountingDocumentItem",
    "DocumentReferenceID",
    "FinancialAccountType",
    "Reference1InDocumentHeader",
    "ReferenceDocumentType",
    "Customer",
    "CustomerName",
    "Supplier",
    "SupplierName",
)
_OPEN_FIELDS: Final = (
    *_HEADER_FIELDS,
    "AmountInCompanyCodeCurrency",
    "AmountInTransactionCurrency",
    "CompanyCodeCurrency",
    "DocumentItemText",
    "GLAccount",
    "NetDueDate",
    "PostingDate",
    "TransactionCurrency",
)
_ORDER: Final = "FiscalYear,AccountingDocument,AccountingDocumentItem"


class Books:
    """Reads of the books of one company code."""

    def __init__(self, session: Session, masters: Masters, profile: Profile) -> None:
        self._session, self._masters, self._profile = session, masters, profile
        self._text = pattern_of(profile.text)

    def cash_book(self, gl_account: str, since: date) -> list[reads.CashBookLine]:
        """Posted lines of a bank's GL account dated after ``since``, by date, then by id."""
        with shaped("bank lines"):
            self._known(gl_account)
            where = f"{self._account(gl_account)} and {after('PostingDate', since)}"
            rows = self._session.rows(*_LEDGER, _LEDGER_FIELDS, where, "ID")
            headers = self._headers(since) if rows else {}
            lines = [self._cash_line(row, headers) for row in rows]
        return sorted(lines, key=lambda line: (line.booked_on, line.line_id))

    def balance(self, gl_account: str, on: date, currency: str) -> int:
        """The sum of all lines up to a day, in the company's currency or the account's.

        Raises:
            ConnectorError: ``CURRENCY_OTHER`` when lines in another currency stand there too.
        """
        own = currency == self._profile.currency
        named, amount = (
            ("CompanyCodeCurrency", "AmountInCompanyCodeCurrency")
            if own
            else ("BalanceTransactionCurrency", "AmountInBalanceTransacCrcy")
        )
        with shaped("balance"):
            self._known(gl_account)
            where = f"{self._account(gl_account)} and {until('PostingDate', on)}"
            rows = self._session.rows(*_LEDGER, ("GLAccount", named, amount), where)
            sums = {str(row[named]): number(row[amount]) for row in rows}
            others = sorted(code_ for code_, total in sums.items() if code_ != currency and total)
            if others:
                message = f"GL account {gl_account} holds {', '.join(others)} beside {currency}"
                raise ConnectorError("CURRENCY_OTHER", message, remedy="correct the mapping")
            return to_minor(sums.get(currency, number("0")), currency)

    def open_items(self, on: date) -> list[reads.OpenItem]:
        """Lines of customers and suppliers up to a day that nothing has cleared."""
        own = same("CompanyCode", self._profile.company_code)
        partners = any_of(same("FinancialAccountType", "D"), same("FinancialAccountType", "K"))
        where = f"{own} and {partners} and IsCleared eq false and {until('PostingDate', on)}"
        with shaped("open items"):
            rows = self._session.rows(*CUBE, _OPEN_FIELDS, where, _ORDER)
            items = [self._open_item(row) for row in rows]
        return sorted(items, key=lambda item: (item.booked_on, item.line_id))

    def _account(self, gl_account: str) -> str:
        profile = self._profile
        return " and ".join(
            (
                same("Ledger", profile.ledger),
                same("CompanyCode", profile.company_code),
                code("GLAccount", gl_account),
                "FiscalPeriod ne '000'",
            )
        )

    def _known(self, gl_account: str) -> None:
        if gl_account not in self._masters.accounts([gl_account]):
            message = f"SAP has no GL account {gl_account!r} in the company's chart"
            raise ConnectorError("GL_ACCOUNT_UNKNOWN", message, remedy="correct the mapping")

    def _headers(self, since: date) -> dict[str, list[Row]]:
        """The operational items of the documents after a day, by document."""
        own = same("CompanyCode", self._profile.company_code)
        where = f"{own} and {after('PostingDate', since)}"
        found: dict[str, list[Row]] = {}
        for row in self._session.rows(*CUBE, _HEADER_FIELDS, where, _ORDER):
            found.setdefault(self._doc_id(row), []).append(row)
        return found

    def _doc_id(self, row: Row) -> str:
        year, document = str(row["FiscalYear"]), str(row["AccountingDocument"])
        return doc_id_of(self._profile.company_code, year, document)

    def _cash_line(self, row: Row, headers: dict[str, list[Row]]) -> reads.CashBookLine:
        doc_id = self._doc_id(row)
        beside = headers.get(doc_id, [])
        reference = _ours(beside[0]) if beside else None
        party = _party(beside)
        parts = self._parts(str(row["DocumentItemText"] or ""), reference)
        item = plain(row["AccountingDocumentItem"]) or str(row["ID"])
        named = str(beside[0]["DocumentReferenceID"] or "") if beside and not reference else ""
        currency, own = str(row["BalanceTransactionCurrency"]), str(row["CompanyCodeCurrency"])
        return reads.CashBookLine(
            line_id=f"{doc_id}/{item}",
            move_id=doc_id,
            move_number=doc_id[-10:],
            booked_on=_needed(row["PostingDate"]),
            amount_minor=to_minor(number(row["AmountInBalanceTransacCrcy"]), currency),
            currency=currency,
            company_amount_minor=to_minor(number(row["AmountInCompanyCodeCurrency"]), own),
            party_code=party[0],
            party_name=party[1],
            document_no=parts.get("document_no") or named or None,
            payment_batch_id=str(row["AssignmentReference"] or "") or None,
            end_to_end_id=parts.get("end_to_end_id"),
            narrative=parts.get("narrative"),
            external_ref=reference,
        )

    def _open_item(self, row: Row) -> reads.OpenItem:
        doc_id = self._doc_id(row)
        currency, own = str(row["TransactionCurrency"]), str(row["CompanyCodeCurrency"])
        party = _party([row])
        named = str(row["DocumentReferenceID"] or "")
        return reads.OpenItem(
            line_id=f"{doc_id}/{plain(row['AccountingDocumentItem'])}",
            move_id=doc_id,
            move_number=doc_id[-10:],
            kind="receivable" if row["FinancialAccountType"] == "D" else "payable",
            source="invoice" if row["NetDueDate"] else "move",
            gl_account=plain(row["GLAccount"]),
            booked_on=_needed(row["PostingDate"]),
            due_on=day(row["NetDueDate"]),
            amount_minor=to_minor(number(row["AmountInTransactionCurrency"]), currency),
            currency=currency,
            company_amount_minor=to_minor(number(row["AmountInCompanyCodeCurrency"]), own),
            party_code=party[0],
            party_name=party[1],
            document_no=named or doc_id[-10:],
            reference=named or None,
            narrative=str(row["DocumentItemText"] or "") or None,
            external_ref=_ours(row),
        )

    def _parts(self, text: str, reference: str | None) -> dict[str, str | None]:
        """A line's text taken apart; the texts of our own postings are narrative as they are."""
        found = self._text.fullmatch(text) if reference is None else None
        if found is None:
            return {"narrative": text or None}
        return {name: value or None for name, value in found.groupdict().items()}


def _ours(row: Row) -> str | None:
    """Our reference in a document's header, None where it is not one of ours."""
    held = own_reference(row)
    return held if OURS.fullmatch(held) else None


def _party(rows: list[Row]) -> tuple[str | None, str | None]:
    """The one customer or supplier that the lines of a document name."""
    named = {
        (plain(row["Supplier"] or row["Customer"]), row["SupplierName"] or row["CustomerName"])
        for row in rows
        if row["Supplier"] or row["Customer"]
    }
    if len(named) != 1:
        return None, None
    found = named.pop()
    return found[0], str(found[1] or "") or None


def _needed(value: object) -> date:
    found = day(value)
    if found is None:
        raise ValueError("a line has no posting date")
    return found
