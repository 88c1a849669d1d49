"""Tryton's records in the words of `tieout.connectors.ports`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

from tieout.connectors import ports, reads
from tieout.connectors.tryton_session import Row
from tieout.errors import ConnectorError, MoneyError, ProfileError
from tieout.money import to_minor
from tieout.profiles import allow_keys

__all__ = [
    "LINE_FIELDS",
    "MOVE_FIELDS",
    "cash_book_line",
    "document_line",
    "open_item",
    "reference_in",
    "shaped",
    "text_pattern",
]

_PARTS: Final = ("document_no", "payment_batch_id", "end_to_end_id", "narrative")
_STAMP: Final = re.compile(r"\[([A-Z0-9]{1,16})\](?: |\Z)", re.ASCII)
#: Of a move with all its lines, in one answer; what they refer to by its id.
MOVE_FIELDS: Final = [
    "date",
    "description",
    "number",
    "state",
    "lines.account",
    "lines.amount_second_currency",
    "lines.credit",
    "lines.debit",
    "lines.description",
    "lines.party",
    "lines.second_currency",
]
LINE_FIELDS: Final = [
    "amount_second_currency",
    "credit",
    "debit",
    "description",
    "maturity_date",
    "move.date",
    "move.description",
    "move.number",
    "party.code",
    "party.name",
    "second_currency.code",
]


def text_pattern(text: str) -> re.Pattern[str]:
    """The mapping's pattern of a cash-book line.

    Raises:
        ProfileError: ``PROFILE_PATTERN``, ``PROFILE_KEY``.
    """
    where = "mappings/erp/tryton.toml [cash_book] text"
    try:
        pattern = re.compile(text, re.DOTALL)
    except re.error as error:
        raise ProfileError("PROFILE_PATTERN", f"{error}", where=where) from error
    allow_keys(pattern.groupindex, _PARTS, where)
    return pattern


def cash_book_line(
    row: Row,
    currency: str,
    company_currency: str,
    pattern: re.Pattern[str],
    party: Row | None,
) -> reads.CashBookLine:
    """A line of the cash book kept in ``currency``; the bank's own line names no party."""
    company_minor = to_minor(row["debit"] - row["credit"], company_currency)
    foreign = row["amount_second_currency"]
    own = currency == company_currency
    reference = reference_in(row["move."]["description"])
    parts = _parts(row, reference, pattern)
    return reads.CashBookLine(
        line_id=str(row["id"]),
        move_id=str(row["move."]["id"]),
        move_number=row["move."]["number"],
        booked_on=row["move."]["date"],
        amount_minor=company_minor if own else to_minor(foreign or Decimal(0), currency),
        currency=currency,
        company_amount_minor=company_minor,
        party_code=party["code"] if party else None,
        party_name=party["name"] if party else None,
        document_no=parts.get("document_no"),
        payment_batch_id=parts.get("payment_batch_id"),
        end_to_end_id=parts.get("end_to_end_id"),
        narrative=parts.get("narrative"),
        due_on=row["maturity_date"],
        external_ref=reference,
    )


def open_item(
    row: Row, invoice: Row | None, company_currency: str, pattern: re.Pattern[str]
) -> reads.OpenItem:
    """An open line, with the invoice its move belongs to, if any."""
    company_minor = to_minor(row["debit"] - row["credit"], company_currency)
    foreign = _named(row, "second_currency.", "code")
    amount = row["amount_second_currency"]
    reference = reference_in(row["move."]["description"])
    parts = _parts(row, reference, pattern)
    if invoice is not None:
        parts = {"document_no": invoice["number"], "narrative": invoice["description"]}
    return reads.OpenItem(
        line_id=str(row["id"]),
        move_id=str(row["move."]["id"]),
        move_number=row["move."]["number"],
        kind="receivable" if row["account."]["type."]["receivable"] else "payable",
        source="invoice" if invoice is not None else "move",
        gl_account=row["account."]["code"],
        booked_on=row["move."]["date"],
        due_on=row["maturity_date"],
        amount_minor=to_minor(amount, foreign) if foreign else company_minor,
        currency=foreign or company_currency,
        company_amount_minor=company_minor,
        party_code=_named(row, "party.", "code"),
        party_name=_named(row, "party.", "name"),
        document_no=parts.get("document_no") or row["move."]["number"],
        reference=invoice["reference"] if invoice is not None else None,
        narrative=parts.get("narrative"),
        external_ref=reference,
    )


def _parts(row: Row, reference: str | None, pattern: re.Pattern[str]) -> dict[str, str | None]:
    """A line's text taken apart; the texts of our own postings are narrative as they are."""
    text = row["description"] or _STAMP.sub("", row["move."]["description"] or "")
    found = pattern.fullmatch(text) if reference is None else None
    if found is None:
        return {"narrative": text or None}
    return {name: value or None for name, value in found.groupdict().items()}


def reference_in(description: str | None) -> str | None:
    """Our reference in a move's description, None where it is not one of ours."""
    found = _STAMP.match(description or "")
    return found.group(1) if found else None


def _named(row: Row, relation: str, field: str) -> str | None:
    related = row[relation]
    return related[field] if related else None


def document_line(row: Row, currency: str) -> ports.DocumentLine:
    """A line of a document read back; ``currency`` is the company's."""
    foreign = _named(row, "second_currency.", "code")
    return ports.DocumentLine(
        gl_account=row["account."]["code"],
        debit_minor=to_minor(row["debit"], currency),
        credit_minor=to_minor(row["credit"], currency),
        foreign_minor=to_minor(row["amount_second_currency"], foreign) if foreign else None,
        foreign_currency=foreign,
        party=_named(row, "party.", "name"),
        narrative=row["description"] or "",
    )


@contextmanager
def shaped(what: str) -> Iterator[None]:
    """An answer of another shape than Tryton's is the connector's error, not ours to crash on."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, MoneyError) as error:
        message = f"Tryton's {what} has an unexpected shape: {error!r}"
        raise ConnectorError("ANSWER_UNEXPECTED", message, remedy="is it Tryton 8.2?") from error
