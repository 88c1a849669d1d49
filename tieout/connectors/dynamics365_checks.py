"""What refuses a journal for Dynamics 365 by itself: its reference, sides, sums, rates, lengths."""

from __future__ import annotations

import re
from typing import Final

from tieout.connectors.dynamics365_records import company_amount, exchange_rate, line_sides
from tieout.connectors.dynamics365_session import Row
from tieout.connectors.ports import Journal, JournalLine
from tieout.errors import MoneyError, TieoutError
from tieout.money import from_minor

__all__ = ["RefusedError", "check", "hindering"]

_REFERENCE: Final = re.compile(r"[A-Z0-9]{1,16}", re.ASCII)
_INVOICE_MAX: Final = 20


class RefusedError(TieoutError):
    """The journal cannot be posted as it is; nothing was sent."""


def hindering(journal_name: Row) -> str:
    """The setting of a journal name under which a posting could not be proved; mostly empty."""
    if journal_name.get("DeleteLinesAfterPosting") == "Yes":
        return "deletes its lines after posting"
    if journal_name.get("DetailLevel") == "Summary":
        return "sums its lines up when it posts"
    if journal_name.get("OffsetAccountDisplayValue"):
        return "adds an offset account to every line"
    return ""


def check(journal: Journal) -> None:
    """Refuse what can be told without asking anyone.

    Raises:
        RefusedError: with the code of the first thing wrong.
    """
    if not _REFERENCE.fullmatch(journal.external_ref):
        message = f"{journal.external_ref!r} is not a reference: 1 to 16 of A-Z and 0-9"
        raise RefusedError("REFERENCE_MALFORMED", message)
    for line in journal.lines:
        if not line_sides(line):
            message = f"the line on {line.gl_account!r} is not on exactly one side"
            raise RefusedError("LINE_SIDES", message)
        _check_rate(line, journal.currency)
    debit = sum(line.debit_minor for line in journal.lines)
    credit = sum(line.credit_minor for line in journal.lines)
    if debit != credit or not journal.lines:
        message = f"debits {debit} and credits {credit} (minor units) differ"
        raise RefusedError("UNBALANCED", message)
    if journal.liability is not None and len(journal.liability.invoice_no) > _INVOICE_MAX:
        message = f"invoice number {journal.liability.invoice_no!r} is longer than {_INVOICE_MAX}"
        raise RefusedError("TEXT_TOO_LONG", message)


def _check_rate(line: JournalLine, currency: str) -> None:
    """A foreign amount must come back to the cent from the rate it is sent with."""
    try:
        own = from_minor(line.debit_minor - line.credit_minor, currency)
        if line.foreign_currency in (None, currency):
            return
        if not line.foreign_minor:
            message = f"the line on {line.gl_account!r} has no amount in {line.foreign_currency}"
            raise RefusedError("FOREIGN_MISSING", message)
        foreign = from_minor(line.foreign_minor, line.foreign_currency or currency)
    except MoneyError as error:
        raise RefusedError(error.code, error.message) from error
    if company_amount(foreign, exchange_rate(foreign, own), currency) != own:
        message = f"no rate of ten digits makes {foreign} {line.foreign_currency} {own} {currency}"
        raise RefusedError("RATE_NOT_EXACT", message)
