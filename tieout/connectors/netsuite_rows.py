"""Rows of SuiteQL in the words of `tieout.connectors.reads`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from tieout.connectors import reads
from tieout.connectors.netsuite_session import Row
from tieout.money import to_minor

__all__ = ["LINES", "SOURCE", "cash_book_line", "open_item", "ours"]

#: Our references as external ids; other integrations have their own.
_REFERENCE: Final = re.compile(r"[A-Z2-7]{16}", re.ASCII)

#: Lines of the ledger with their transaction; amounts are debit less credit.
LINES: Final = (
    "t.id AS move, tl.id AS line, t.type AS type, t.tranid AS number,"
    " TO_CHAR(t.trandate, 'YYYY-MM-DD') AS day, TO_CHAR(t.duedate, 'YYYY-MM-DD') AS due,"
    " t.externalid AS reference, t.memo AS text, tl.memo AS memo, t.entity AS head,"
    " NVL(tl.entity, t.entity) AS entity, a.acctnumber AS account, a.accttype AS accttype,"
    " c.symbol AS symbol, tal.amount AS amount, tl.foreignamount AS foreignamount,"
    " tal.amountunpaid AS unpaid, tl.foreignamountunpaid AS foreignunpaid"
)
SOURCE: Final = (
    "transactionaccountingline tal"
    " JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline"
    " JOIN transaction t ON t.id = tal.transaction"
    " JOIN account a ON a.id = tal.account"
    " JOIN currency c ON c.id = t.currency"
)
_INVOICES: Final = ("CustCred", "CustInvc", "ExpRept", "VendBill", "VendCred")


def cash_book_line(
    row: Row, currency: str, own: str, pattern: re.Pattern[str], party: Row | None
) -> reads.CashBookLine:
    """A line of the cash book kept in ``currency``; ``own`` is the company's."""
    company_minor = to_minor(Decimal(row["amount"]), own)
    foreign = Decimal(row.get("foreignamount") or 0)
    reference = ours(row)
    parts = _parts(row, reference, pattern)
    return reads.CashBookLine(
        line_id=_line_id(row),
        move_id=row["move"],
        move_number=row.get("number"),
        booked_on=date.fromisoformat(row["day"]),
        amount_minor=company_minor if currency == own else to_minor(foreign, currency),
        currency=currency,
        company_amount_minor=company_minor,
        party_code=party.get("entityid") if party else None,
        party_name=party.get("name") if party else None,
        document_no=parts.get("document_no"),
        payment_batch_id=parts.get("payment_batch_id"),
        end_to_end_id=parts.get("end_to_end_id"),
        narrative=parts.get("narrative"),
        due_on=_date(row.get("due")),
        external_ref=reference,
    )


def open_item(row: Row, own: str, party: Row | None) -> reads.OpenItem:
    """An open line; what is open has the sign of the line's own amount."""
    sign = 1 if Decimal(row["amount"]) > 0 else -1
    currency = row["symbol"]
    amount = sign * to_minor(abs(Decimal(row["foreignunpaid"])), currency)
    company = sign * to_minor(abs(Decimal(row.get("unpaid") or row["foreignunpaid"])), own)
    return reads.OpenItem(
        line_id=_line_id(row),
        move_id=row["move"],
        move_number=row.get("number"),
        kind="receivable" if row["accttype"] == "AcctRec" else "payable",
        source="invoice" if row["type"] in _INVOICES else "move",
        gl_account=row["account"],
        booked_on=date.fromisoformat(row["day"]),
        due_on=_date(row.get("due")),
        amount_minor=amount,
        currency=currency,
        company_amount_minor=company,
        party_code=party.get("entityid") if party else None,
        party_name=party.get("name") if party else None,
        document_no=row.get("number"),
        reference=row.get("number") if row["type"] in ("VendBill", "VendCred") else None,
        narrative=row.get("memo") or row.get("text"),
        external_ref=ours(row),
    )


def _parts(row: Row, reference: str | None, pattern: re.Pattern[str]) -> Mapping[str, str | None]:
    """A line's text taken apart; the texts of our own postings are narrative as they are."""
    text = row.get("memo") or row.get("text") or ""
    found = pattern.fullmatch(text) if reference is None else None
    if found is None:
        return {"narrative": text or None}
    return {name: value or None for name, value in found.groupdict().items()}


def ours(row: Row) -> str | None:
    """The external id where it is one of ours."""
    found = row.get("reference", "")
    return found if _REFERENCE.fullmatch(found) else None


def _line_id(row: Row) -> str:
    return f"{row['move']}/{row['line']}"


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
