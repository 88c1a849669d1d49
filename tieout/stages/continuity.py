"""Continuity: each statement opens where the one before it closed, and numbers have no hole.

A pure conclusion from all statements of an account, walked from its cutover: the order in which
the files came does not change it. The first statement that does not follow is *staged*, and so is
everything after it; nothing is posted for the account until the gap is closed. Other accounts are
not touched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.errors import Finding
from tieout.ledger import database_now
from tieout.ledger.models import StatementRow, StatementStatus
from tieout.masterdata import BankAccount
from tieout.money import format_amount
from tieout.stages.runs import record_findings

__all__ = ["Verdict", "restage", "unconcluded", "walk"]


_REMEDIES: Final = {
    "STATEMENT_GAP": "get the missing statement from the bank, it is taken up by itself; where a "
    "number comes again, ask the bank which of the two is right",
    "STATEMENT_INCOMPLETE": "ask the bank to send the file again",
    "STATEMENT_UNBALANCED": "ask the bank for statements with opening and closing balances",
    "STATEMENT_WAITS": "mend the statement before it; this one is taken up by itself",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is concluded of one statement; ``gap_minor`` is opening − previous closing."""

    statement_id: str
    state: str  # accepted | staged | superseded
    code: str = ""
    reason: str = ""
    gap_minor: int = 0


def walk(account: BankAccount, statements: Sequence[StatementRow]) -> list[Verdict]:
    """Conclude the state of every booked statement of one account.

    Args:
        account: its cutover is the statement before the first.
        statements: all booked statements, in any order.

    Returns:
        One verdict a statement, in the order of the statements' days and numbers.
    """
    verdicts: list[Verdict] = []
    closing, number, page = account.cutover_minor, account.cutover_sequence_no, 1
    waiting_for = ""
    waiting = sorted(statements, key=_order)
    while waiting:
        statement = _next(waiting, closing)
        if statement.closed_on is not None and statement.closed_on <= account.cutover_on:
            reason = f"closed on {statement.closed_on}, before the cutover"
            verdicts.append(Verdict(statement.statement_id, "superseded", "OLD", reason))
            continue
        if waiting_for:
            verdicts.append(
                Verdict(statement.statement_id, "staged", "STATEMENT_WAITS", waiting_for)
            )
            continue
        verdict = _follows(account, statement, closing, number, page)
        verdicts.append(verdict)
        if verdict.state == "staged":
            waiting_for = f"Waits: {verdict.reason}"
            continue
        closing = statement.closing_minor or 0
        number, page = statement.sequence_no, statement.page or 1
    return verdicts


def _order(statement: StatementRow) -> tuple[str, int, int, str, str]:
    """By day and number; of two with one number the first that came stands, the other waits."""
    recorded = statement.recorded_at
    return (
        str(statement.closed_on or "9999-12-31"),
        statement.sequence_no or 0,
        statement.page or 0,
        recorded.astimezone(dt.UTC).isoformat(timespec="microseconds") if recorded else "",
        statement.statement_id,
    )


def _next(waiting: list[StatementRow], closing: int) -> StatementRow:
    """Take the next statement; of several of one day without numbers, the one that follows."""
    first = waiting[0]
    if first.sequence_no is not None:
        return waiting.pop(0)
    equals = [s for s in waiting if s.sequence_no is None and s.closed_on == first.closed_on]
    chosen = next((s for s in equals if s.opening_minor == closing), first)
    waiting.remove(chosen)
    return chosen


def _follows(
    account: BankAccount, statement: StatementRow, closing: int, number: int | None, page: int
) -> Verdict:
    """Whether a statement follows the closing and number before it."""
    key, label = statement.statement_id, _label(statement)
    if statement.opening_minor is None or statement.closing_minor is None:
        reason = f"{label.capitalize()} has no opening or closing balance"
        return Verdict(key, "staged", "STATEMENT_UNBALANCED", reason)
    if statement.incomplete:
        reason = f"{label.capitalize()} has a record that could not be read"
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
    return Verdict(key, "staged", "STATEMENT_GAP", f"{missing} before {label}: {opens}", gap)


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


def _label(statement: StatementRow) -> str:
    number = statement.sequence_no if statement.sequence_no is not None else statement.statement_ref
    return f"statement {number} of {statement.closed_on}"


def unconcluded(session: Session) -> set[str]:
    """Codes of the accounts with a booked statement that has no conclusion yet."""
    query = (
        select(StatementRow.account_code)
        .outerjoin(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
        .where(StatementRow.kind == "booked", StatementStatus.statement_id.is_(None))
    )
    return set(session.scalars(query.distinct()))


def restage(session: Session, account: BankAccount, run_id: str) -> list[Verdict]:
    """Write the conclusions for one account; each change leaves an audit row and a finding."""
    booked = select(StatementRow).where(
        StatementRow.account_code == account.code, StatementRow.kind == "booked"
    )
    verdicts = walk(account, list(session.scalars(booked)))
    for verdict in verdicts:
        status = session.get(StatementStatus, verdict.statement_id)
        if status is None:
            status = StatementStatus(
                statement_id=verdict.statement_id, state=verdict.state, reason=verdict.reason
            )
            session.add(status)
        elif (status.state, status.reason) == (verdict.state, verdict.reason):
            continue
        status.state, status.reason = verdict.state, verdict.reason
        status.changed_at = database_now(session)
        append(
            session,
            "tieout",
            verdict.state,
            "statement",
            verdict.statement_id,
            {"reason": verdict.reason},
        )
        if verdict.code not in ("", "OLD"):
            finding = Finding(
                verdict.code,
                "error",
                account.code,
                verdict.reason,
                _REMEDIES[verdict.code],
            )
            record_findings(session, run_id, "account", account.code, [finding])
    return verdicts
