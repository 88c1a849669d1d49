"""Account level: one row a statement and a large entry, for the suites to judge.

Each is compared with the account's mapping and with what the ledger knew before the batch. What is
too much is said in the suites ``accounts`` and ``amounts`` and in the mappings, not here.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa

from tieout import banking_days
from tieout.canonical import table
from tieout.errors import MoneyError
from tieout.masterdata import BankAccount, resolve
from tieout.money import from_minor, to_minor
from tieout.quality.arithmetic import closed_on
from tieout.quality.controls import edges
from tieout.quality.facts import StatementFacts
from tieout.quality.levels import ACCOUNTS, AMOUNTS
from tieout.stages.file_level import ReadFile
from tieout.stages.history import Known, Usual

__all__ = ["Judged", "account_rows", "amount_rows", "judged"]

Row = Mapping[str, Any]


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


def judged(files: Sequence[ReadFile], accounts: Sequence[BankAccount]) -> list[Judged]:
    """The statements of a batch, each once, with their accounts, numbers, edges and days."""
    found: dict[str, Judged] = {}
    for file in files:
        for row in file.statements:
            key = row["statement_id"]
            opening, closing = edges(file.balances.get(key, ()))
            found[key] = Judged(
                row,
                resolve(accounts, row["account_id"], row["currency"]),
                file.facts.get(key, StatementFacts()),
                None if opening is None else opening["amount"],
                None if closing is None else closing["amount"],
                closed_on(row, closing),
            )
    return list(found.values())


def account_rows(batch: Sequence[Judged], history: Sequence[Known], today: dt.date) -> pa.Table:
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
        "closing_before": from_minor(closing, account.currency),
    }
    if this.opening_minor is not None:
        found["opening_gap"] = from_minor(this.opening_minor - closing, account.currency)
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
        found["limit"] = from_minor(limit, account.currency)
        found["limit_percent"] = _percent(minor, limit)
    if usual is not None and minor:
        found["seen"] = from_minor(usual.largest_minor, account.currency)
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
