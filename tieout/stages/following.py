"""Whether a statement follows the closing balance and the number before it, and what is missing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from tieout.ledger.models import StatementRow
from tieout.masterdata import BankAccount
from tieout.money import format_amount
from tieout.stages.pairing import Pair

__all__ = ["REMEDIES", "Verdict", "follows", "label", "order"]

REMEDIES: Final = {
    "STATEMENT_CORRECTED": "nothing, unless a posting rests on what is gone: see the proposals",
    "STATEMENT_GAP": "get the missing statement from the bank, it is taken up by itself; where a "
    "number comes again, ask the bank which of the two is right",
    "STATEMENT_INCOMPLETE": "ask the bank to send the file again; where its balances "
    "prove the rest, `tieout statements resolve` takes it as it is",
    "STATEMENT_UNBALANCED": "ask the bank for statements with opening and closing balances",
    "STATEMENT_WAITS": "mend the statement before it; this one is taken up by itself",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is concluded of one statement.

    Attributes:
        gap_minor: opening − previous closing.
        superseded_by: the statement that counts in its place.
        pairs: its entries that are entries of another statement, which count there.
    """

    statement_id: str
    state: str  # accepted | staged | superseded
    code: str = ""
    reason: str = ""
    gap_minor: int = 0
    superseded_by: str | None = None
    pairs: tuple[Pair, ...] = field(default=())


def order(statement: StatementRow) -> tuple[str, int, int, str, str]:
    """By day and number; of two with one number the first that came stands, the other waits."""
    recorded = statement.recorded_at
    return (
        str(statement.closed_on or "9999-12-31"),
        statement.sequence_no or 0,
        statement.page or 0,
        recorded.astimezone(dt.UTC).isoformat(timespec="microseconds") if recorded else "",
        statement.statement_id,
    )


def follows(
    account: BankAccount, statement: StatementRow, closing: int, number: int | None, page: int
) -> Verdict:
    """Whether a statement follows the closing and number before it."""
    key, name = statement.statement_id, label(statement)
    if statement.opening_minor is None or statement.closing_minor is None:
        reason = f"{name.capitalize()} has no opening or closing balance"
        return Verdict(key, "staged", "STATEMENT_UNBALANCED", reason)
    if statement.incomplete:
        reason = f"{name.capitalize()} has a record that could not be read"
        return Verdict(key, "staged", "STATEMENT_INCOMPLETE", reason)
    gap = statement.opening_minor - closing
    hole = account.sequence == "strict" and _hole(statement, number, page)
    if not gap and not hole:
        return Verdict(key, "accepted")
    missing = _missing(number, statement.sequence_no)
    opens = (
        f"it opens with {format_amount(statement.opening_minor, account.currency)}, "
        f"the last one closed with {format_amount(closing, account.currency)}"
    )
    return Verdict(key, "staged", "STATEMENT_GAP", f"{missing} before {name}: {opens}", gap)


def _hole(statement: StatementRow, number: int | None, page: int) -> bool:
    if statement.sequence_no is None or number is None:
        return False
    next_page = statement.sequence_no == number and (statement.page or 1) == page + 1
    new_year = statement.sequence_no == 1 and number > 1
    return not (statement.sequence_no == number + 1 or next_page or new_year)


def _missing(number: int | None, found: int | None) -> str:
    if number is None or found is None:
        return "A statement is missing"
    if found <= number:
        return f"Number {found} comes again"
    between = [str(n) for n in range(number + 1, found)][:5]
    if not between:
        return "Something is missing"
    noun = "Statement" if len(between) == 1 else "Statements"
    return f"{noun} {', '.join(between)} missing"


def label(statement: StatementRow) -> str:
    """A statement by number and day."""
    number = statement.sequence_no if statement.sequence_no is not None else statement.statement_ref
    return f"statement {number} of {statement.closed_on}"
