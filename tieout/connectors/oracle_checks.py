"""What can be known to be wrong with a document before anything is sent, by its mapping line."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from tieout.connectors import reads
from tieout.connectors.oracle_masters import GENERAL_LEDGER, PAYABLES, OracleMasters
from tieout.connectors.oracle_profile import OracleProfile
from tieout.connectors.ports import Delivery, Journal, JournalLine
from tieout.errors import MoneyError, TieoutError
from tieout.money import from_minor
from tieout.profile_lines import place_of

__all__ = ["Periods", "RefusedError", "check", "refusal"]

#: Whether the books are open, by day and application.
Periods = dict[tuple[date, int], reads.PeriodStatus]

_REFERENCE: Final = re.compile(r"[A-Z0-9]{1,16}", re.ASCII)
_CATEGORY_MAX: Final = 25
_INVOICE_NO_MAX: Final = 50


class RefusedError(TieoutError):
    """The document cannot be posted as it is; nothing was sent."""


def refusal(error: RefusedError) -> Delivery:
    """The same as the outcome of a write."""
    place = f"{error.where}: " if error.where else ""
    mend = f" ({error.remedy})" if error.remedy else ""
    return Delivery("REJECT", None, None, error.code, f"{place}{error.message}{mend}", "")


def check(journal: Journal, profile: OracleProfile, masters: OracleMasters, asked: Periods) -> None:
    """Refuse what Oracle would refuse, or what would arrive as something else.

    Args:
        asked: periods asked for since the request began; what is asked is put there.

    Raises:
        RefusedError: with the code of the first thing wrong.
        ConnectorError: the master data could not be read.
    """
    _check_shape(journal, profile)
    ledger = masters.ledger_currency()
    if journal.currency != ledger:
        message = f"the ledger is kept in {ledger}, not {journal.currency}"
        raise RefusedError("CURRENCY_OTHER", message)
    for code in sorted({line.gl_account for line in journal.lines}):
        _check_account(code, masters)
        _check_cost_center(code, journal.booked_on, profile, masters)
    if journal.liability is not None:
        _check_party(journal.liability.party, masters)
    application = PAYABLES if journal.liability else GENERAL_LEDGER
    period = (journal.booked_on, application)
    if period not in asked:
        asked[period] = masters.status(*period)
    status = asked[period]
    if status != "open":
        raise RefusedError(
            "PERIOD_CLOSED",
            f"the period of {journal.booked_on} is {status}",
            remedy="open the period, or correct the date",
        )


def _check_shape(journal: Journal, profile: OracleProfile) -> None:
    """What can be told without asking anyone."""
    if not _REFERENCE.fullmatch(journal.external_ref):
        message = f"{journal.external_ref!r} is not a reference: 1 to 16 of A-Z and 0-9"
        raise RefusedError("REFERENCE_MALFORMED", message)
    if journal.company != profile.code:
        message = f"this connector posts for {profile.code!r}, not {journal.company!r}"
        raise RefusedError("COMPANY_OTHER", message)
    for line in journal.lines:
        _check_sides(line)
    debit = sum(line.debit_minor for line in journal.lines)
    credit = sum(line.credit_minor for line in journal.lines)
    if debit != credit or not journal.lines:
        message = f"debits {debit} and credits {credit} (minor units) differ"
        raise RefusedError("UNBALANCED", message)
    currencies = {line.foreign_currency or journal.currency for line in journal.lines}
    try:
        for currency in sorted(currencies):
            from_minor(0, currency)
    except MoneyError as error:
        raise RefusedError(error.code, error.message) from error
    if profile.single_currency and len(currencies) > 1:
        message = f"the ledger takes journals of one currency only, not {sorted(currencies)}"
        raise RefusedError("CURRENCY_MIXED", message, remedy="see [posting] single_currency")
    category = profile.journals.get(journal.journal_code, journal.journal_code)
    if not category or len(category) > _CATEGORY_MAX:
        raise _too_long("journal category", category, _CATEGORY_MAX)
    if journal.liability is not None and len(journal.liability.invoice_no) > _INVOICE_NO_MAX:
        raise _too_long("invoice number", journal.liability.invoice_no, _INVOICE_NO_MAX)


def _check_sides(line: JournalLine) -> None:
    if min(line.debit_minor, line.credit_minor) != 0 or line.debit_minor == line.credit_minor:
        message = f"the line on {line.gl_account!r} is not on exactly one side"
        raise RefusedError("LINE_SIDES", message)
    signed = line.debit_minor - line.credit_minor
    if line.foreign_minor is not None and line.foreign_minor * signed < 0:
        message = f"the line on {line.gl_account!r} has its two amounts on different sides"
        raise RefusedError("LINE_SIDES", message)


def _check_account(code: str, masters: OracleMasters) -> None:
    account = masters.accounts().get(code) or masters.accounts(fresh=True).get(code)
    where = place_of(code, erp="oracle")
    if account is None:
        message = f"Oracle has no natural account {code!r}"
        raise RefusedError("GL_ACCOUNT_UNKNOWN", message, where=where, remedy="correct the mapping")
    if not account.active:
        message = f"the natural account {code!r} is not enabled"
        raise RefusedError("GL_ACCOUNT_BLOCKED", message, where=where, remedy="enable or remap it")


def _check_cost_center(
    account: str, on: date, profile: OracleProfile, masters: OracleMasters
) -> None:
    code = profile.cost_centers.get(account, profile.cost_center)
    if "cost_center" not in profile.segments:
        return
    found = masters.cost_centers().get(code) or masters.cost_centers(fresh=True).get(code)
    where = place_of(code, erp="oracle")
    if found is None:
        message = f"Oracle has no cost center {code!r} (of account {account!r})"
        raise RefusedError(
            "COST_CENTER_UNKNOWN", message, where=where, remedy="correct [dimensions]"
        )
    center, enabled = found
    early = center.valid_from is not None and on < center.valid_from
    late = center.valid_to is not None and on > center.valid_to
    if not enabled or early or late:
        message = f"the cost center {code!r} is not in force on {on}"
        raise RefusedError(
            "COST_CENTER_BLOCKED", message, where=where, remedy="correct [dimensions]"
        )


def _check_party(number: str, masters: OracleMasters) -> None:
    supplier = masters.suppliers().get(number) or masters.suppliers(fresh=True).get(number)
    if supplier is None:
        raise RefusedError(
            "PARTY_UNKNOWN",
            f"Oracle has no supplier {number!r}",
            where=place_of(number, erp="oracle"),
            remedy="correct the supplier's number",
        )
    if supplier.get("Status", "ACTIVE") != "ACTIVE":
        raise RefusedError("PARTY_BLOCKED", f"supplier {number!r} is not active")


def _too_long(what: str, text: str, longest: int) -> RefusedError:
    return RefusedError(
        "TEXT_TOO_LONG",
        f"the {what} {text!r} has {len(text)} characters, at most {longest} fit",
        where=place_of(text, erp="oracle") if text else "",
    )
