"""The tables of file and account level: one row a file, a statement, and a large entry.

They hold what the suites ``files``, ``accounts`` and ``amounts`` judge: numbers and days, compared
with the account's mapping and with what the ledger knew before the batch. What is too much is said
in the suites and mappings, not here.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa

from tieout import banking_days
from tieout.canonical import AMOUNT, table
from tieout.errors import MoneyError
from tieout.masterdata import BankAccount, resolve
from tieout.money import exponent_of, to_minor
from tieout.quality.arithmetic import closed_on
from tieout.quality.controls import edges
from tieout.quality.facts import StatementFacts
from tieout.stages.history import Known, Usual

__all__ = ["ACCOUNTS", "AMOUNTS", "FILES", "Judged", "account_rows", "amount_rows", "judged"]

Row = Mapping[str, Any]

_TEXT, _INT, _FLAG, _DAY = pa.string(), pa.int64(), pa.bool_(), pa.date32()


def _schema(columns: Mapping[str, pa.DataType]) -> pa.Schema:
    return pa.schema(list(columns.items()))


FILES: Final = _schema(
    {
        "file_id": _TEXT,
        "file_name": _TEXT,
        "drop": _TEXT,
        "format": _TEXT,
        "size": _INT,
        "records": _INT,  # statements, payments and statuses
        "statements": _INT,
        "entries": _INT,
        "details": _INT,
        "entries_announced": _INT,  # by those statements that announce a number
        "entries_missing": _INT,  # announced and not there
        "numbers_twice": _INT,  # statements of another content under one number and page
        "bytes_per_entry": _INT,
        "days_old": _INT,  # from the newest statement's day to the day the file came
    }
)
ACCOUNTS: Final = _schema(
    {
        "statement_id": _TEXT,
        "line_no": _INT,
        "account_id": _TEXT,
        "account_code": _TEXT,  # null: no mapping names it
        "account_currency": _TEXT,
        "currency": _TEXT,
        "currency_fits": _FLAG,
        "kind": _TEXT,
        "format": _TEXT,
        "format_expected": _FLAG,  # null: the mapping expects nothing
        "closed_on": _DAY,
        "banking_day": _FLAG,
        "days_old": _INT,  # from the statement's day to the day the file came
        "sequence_no": _INT,
        "sequence_before": _INT,
        "sequence_step": _INT,  # null: not numbered, a further page, a new year, or no matter
        "opening": AMOUNT,
        "closing_before": AMOUNT,
        "opening_gap": AMOUNT,
        "entries": _INT,
        "entries_limit_percent": _INT,  # of the mapping's limit
        "entries_seen_percent": _INT,  # of the most the ledger knows in one statement
        "history_statements": _INT,
    }
)
AMOUNTS: Final = _schema(
    {
        "statement_id": _TEXT,
        "entry_id": _TEXT,
        "line_no": _INT,
        "account_code": _TEXT,
        "currency": _TEXT,
        "amount": AMOUNT,
        "limit": AMOUNT,  # the mapping's
        "limit_percent": _INT,
        "seen": AMOUNT,  # the largest the ledger knows
        "seen_percent": _INT,
        "spreads": _INT,  # distance of logarithms from the median, in median distances
        "history_entries": _INT,
    }
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement of the batch with all that is compared."""

    statement: Row
    account: BankAccount | None
    facts: StatementFacts
    opening: Decimal | None
    closing: Decimal | None
    closed_on: dt.date | None

    @property
    def known(self) -> Known | None:
        """As one of its account's statements, if it is one."""
        row = self.statement
        if self.account is None or self.closed_on is None or row["kind"] != "booked":
            return None
        return Known(
            row["statement_id"],
            self.account.code,
            self.closed_on,
            row["sequence_no"],
            row["page"],
            _minor(self.opening, self.account.currency),
            _minor(self.closing, self.account.currency),
            self.facts.entries,
        )


def judged(
    statements: Sequence[Row],
    balances: Sequence[Row],
    facts: Mapping[str, StatementFacts],
    accounts: Sequence[BankAccount],
) -> list[Judged]:
    """The statements of a batch, each once, with their accounts, numbers, edges and days."""
    own: dict[str, list[Row]] = {}
    for balance in balances:
        own.setdefault(balance["statement_id"], []).append(balance)
    found = []
    for key, row in {s["statement_id"]: s for s in statements}.items():
        opening, closing = edges(own.get(key, []))
        found.append(
            Judged(
                row,
                resolve(accounts, row["account_id"], row["currency"]),
                facts.get(key, StatementFacts(0, ())),
                None if opening is None else opening["amount"],
                None if closing is None else closing["amount"],
                closed_on(row, closing),
            )
        )
    return found


def account_rows(
    batch: Sequence[Judged], history: Sequence[Known], today: dt.date
) -> pa.Table:
    """One row a statement, compared with its mapping and with the statement before it."""
    before = _before(batch, history)
    most: dict[str, list[int]] = {}
    for known in history:
        most.setdefault(known.account_code, []).append(known.entries)
    rows = []
    for each in batch:
        row = {name: each.statement.get(name) for name in ACCOUNTS.names}
        row["closed_on"], row["entries"] = each.closed_on, each.facts.entries
        row["opening"] = each.opening
        if each.closed_on is not None:
            row["days_old"] = (today - each.closed_on).days
        if each.account is not None:
            row |= _mapped(each, each.account, most.get(each.account.code, []))
            previous = before.get(each.statement["statement_id"])
            row |= _follows(each, each.account, previous)
        rows.append(row)
    return table(rows, ACCOUNTS)


def _mapped(each: Judged, account: BankAccount, entries: Sequence[int]) -> dict[str, Any]:
    currency = each.statement["currency"]
    found: dict[str, Any] = {
        "account_code": account.code,
        "account_currency": account.currency,
        "currency_fits": currency in (None, account.currency),
        "history_statements": len(entries),
        "entries_seen_percent": _percent(each.facts.entries, max(entries, default=0)),
    }
    expected = account.expected
    if expected is None:
        return found
    exact = each.statement["format"] or ""
    booked = each.statement["kind"] == "booked"
    if expected.formats and booked:
        found["format_expected"] = any(exact.startswith(name) for name in expected.formats)
    if each.closed_on is not None and booked:
        found["banking_day"] = banking_days.is_banking_day(each.closed_on, expected.calendar)
    found["entries_limit_percent"] = _percent(each.facts.entries, expected.entries_max or 0)
    return found


def _before(batch: Sequence[Judged], history: Sequence[Known]) -> dict[str, Known]:
    """The statement before each statement of the batch, of the ledger or of the batch itself."""
    mine = {k.statement_id: k for each in batch if (k := each.known) is not None}
    every = {k.statement_id: k for k in history} | mine
    by_account: dict[str, list[Known]] = {}
    for known in sorted(every.values(), key=lambda k: k.order):
        by_account.setdefault(known.account_code, []).append(known)
    pairs = (pair for row in by_account.values() for pair in pairwise(row))
    return {this.statement_id: previous for previous, this in pairs if this.statement_id in mine}


def _follows(each: Judged, account: BankAccount, previous: Known | None) -> dict[str, Any]:
    """What the statement before it lets one expect of its opening balance and number."""
    this = each.known
    if this is None or this.closed_on <= account.cutover_on:
        return {}
    if previous is None or previous.closed_on <= account.cutover_on:
        closing, number, page = account.cutover_minor, account.cutover_sequence_no, 1
        year = account.cutover_on.year
    else:
        number, page = previous.sequence_no, previous.page or 1
        year = previous.closed_on.year
        if previous.closing_minor is None:
            return {"sequence_before": number}
        closing = previous.closing_minor
    found: dict[str, Any] = {
        "sequence_before": number,
        "closing_before": _decimal(closing, account.currency),
    }
    if this.opening_minor is not None:
        found["opening_gap"] = _decimal(this.opening_minor - closing, account.currency)
    if account.sequence == "strict" and number is not None and this.sequence_no is not None:
        next_page = this.sequence_no == number and (this.page or 1) == page + 1
        again = this.sequence_no == 1 and this.closed_on.year > year
        if not next_page and not again:
            found["sequence_step"] = this.sequence_no - number
    return found


def amount_rows(batch: Sequence[Judged], usual: Mapping[str, Usual]) -> pa.Table:
    """One row for each of the largest booked entries of each statement of a known account."""
    rows = []
    for each in batch:
        if each.account is None:
            continue
        for entry in each.facts.largest:
            row = _amount(entry["amount"], each.account, usual.get(each.account.code))
            row |= {name: entry[name] for name in ("entry_id", "line_no", "amount")}
            rows.append(row | {"statement_id": each.statement["statement_id"]})
    return table(rows, AMOUNTS)


def _amount(amount: Decimal, account: BankAccount, usual: Usual | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "account_code": account.code,
        "currency": account.currency,
        "history_entries": usual.entries if usual else 0,
    }
    minor = _minor(abs(amount), account.currency)
    limit = account.expected.amount_max_minor if account.expected else None
    if minor is None:
        return found  # it has no minor units: the controls refuse it
    if limit is not None:
        found["limit"] = _decimal(limit, account.currency)
        found["limit_percent"] = _percent(minor, limit)
    if usual is not None and minor:
        found["seen"] = _decimal(usual.largest_minor, account.currency)
        found["seen_percent"] = _percent(minor, usual.largest_minor)
        # Accounts whose amounts are all alike have no spread: a tenth of e stands for it.
        found["spreads"] = round(abs(math.log(minor) - usual.centre) / max(usual.spread, 0.1))
    return found


def _percent(part: int, of: int) -> int | None:
    """Rounded up, so that what is above a limit is above its hundred percent."""
    return -(-100 * part // of) if of else None


def _minor(amount: Decimal | None, currency: str) -> int | None:
    try:
        return None if amount is None else to_minor(amount, currency)
    except MoneyError:
        return None


def _decimal(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent_of(currency))
