"""What a person decides about files and statements: release one, resolve a damaged one."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import (
    EntryRow,
    FileRow,
    FindingRow,
    StatementDecision,
    StatementRow,
    StatementStatus,
)
from tieout.masterdata import load_accounts
from tieout.money import format_amount
from tieout.stages.runs import stage_run
from tieout.stages.standing import restage
from tieout.states import move

__all__ = ["file_rows", "release_file", "resolve_statement", "statement_rows"]


def statement_rows(session: Session, account_code: str | None = None) -> list[dict[str, str]]:
    """Booked statements with what is concluded of them, ordered by account and day."""
    query = (
        select(StatementRow, StatementStatus)
        .join(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
        .order_by(
            StatementRow.account_code,
            StatementRow.closed_on,
            StatementRow.sequence_no,
            StatementRow.page,
            StatementRow.statement_id,
        )
    )
    if account_code is not None:
        query = query.where(StatementRow.account_code == account_code)
    return [
        {
            "id": row.statement_id,
            "account": row.account_code,
            "number": str(row.sequence_no or row.statement_ref or ""),
            "day": str(row.closed_on or ""),
            "format": row.format,
            "closing": ""
            if row.closing_minor is None
            else f"{format_amount(row.closing_minor, row.currency)} {row.currency}",
            "state": status.state + (", incomplete" if row.incomplete else ""),
            "reason": status.reason,
        }
        for row, status in session.execute(query)
    ]


def resolve_statement(ledger: Ledger, prefix: str, person: str, reason: str) -> str:
    """Take a statement with an unreadable record for whole, as a person has judged it.

    The bank's balances must prove it: what could not be read was then no booked entry.

    Returns:
        The statement's state afterwards.

    Raises:
        LedgerError: ``STATEMENT_UNKNOWN``, ``STATEMENT_WHOLE`` (nothing of it is missing),
            ``STATEMENT_UNPROVEN`` (its entries do not come to its closing balance).
    """
    with stage_run(ledger, "resolve", statement=prefix) as run, ledger.session() as session:
        row = _statement(session, prefix)
        where = f"statement {row.statement_id}"
        decided = session.get(StatementDecision, row.statement_id)
        if not row.incomplete or decided is not None:
            raise LedgerError("STATEMENT_WHOLE", "every record of it counts already", where=where)
        total = select(func.coalesce(func.sum(EntryRow.amount_minor), 0)).where(
            EntryRow.statement_id == row.statement_id, EntryRow.status == "booked"
        )
        moved = int(session.scalars(total).one())
        if row.opening_minor is None or row.opening_minor + moved != row.closing_minor:
            raise LedgerError(
                "STATEMENT_UNPROVEN",
                "what was read does not come to its closing balance: a booked entry is missing",
                where=where,
                remedy="have the bank send the statement again; a whole one takes its place by "
                "itself",
            )
        session.add(StatementDecision(statement_id=row.statement_id, person=person, reason=reason))
        append(session, person, "resolved", "statement", row.statement_id, {"reason": reason})
        session.flush()
        for account in load_accounts():
            if account.code == row.account_code:
                restage(session, account, run.run_id)
        state = session.get_one(StatementStatus, row.statement_id).state
        run.outcome = {"statement": row.statement_id, "state": state}
    return state


def _statement(session: Session, prefix: str) -> StatementRow:
    query = select(StatementRow).where(
        StatementRow.statement_id.startswith(prefix, autoescape=True)
    )
    found = list(session.scalars(query.limit(2)))
    if len(found) != 1:
        problem = "no statement has" if not found else "more than one statement has"
        raise LedgerError(
            "STATEMENT_UNKNOWN",
            f"{problem} an id that begins with {prefix!r}",
            remedy="`tieout statements list` shows the ids",
        )
    return found[0]


def file_rows(session: Session, state: str) -> list[dict[str, str]]:
    """Files in a state with the first of their findings, ordered by arrival."""
    files = session.scalars(
        select(FileRow).where(FileRow.state == state).order_by(FileRow.claimed_at, FileRow.file_id)
    )
    return [
        {
            "id": file.file_id,
            "name": file.name,
            "format": file.format or "",
            "state": file.state,
            "reason": _reason(session, file.file_id),
        }
        for file in files
    ]


def _reason(session: Session, file_id: str) -> str:
    newest = (
        select(FindingRow)
        .where(FindingRow.subject_kind == "file", FindingRow.subject_id == file_id)
        .order_by(FindingRow.severity, FindingRow.found_at.desc(), FindingRow.finding_id)
    )
    row = session.scalars(newest.limit(1)).first()
    return "" if row is None else f"{row.where}: {row.message} [{row.code}]"


def release_file(session: Session, prefix: str, person: str, reason: str) -> FileRow:
    """Let a quarantined file be read once more, after what stood in its way was mended.

    Raises:
        LedgerError: ``FILE_UNKNOWN``; ``STATE_ILLEGAL`` where it is not quarantined.
    """
    query = select(FileRow).where(FileRow.file_id.startswith(prefix, autoescape=True))
    found = list(session.scalars(query.with_for_update().limit(2)))
    if len(found) != 1:
        problem = "no file has" if not found else "more than one file has"
        raise LedgerError(
            "FILE_UNKNOWN",
            f"{problem} an id that begins with {prefix!r}",
            remedy="`tieout files list` shows the ids",
        )
    (file,) = found
    file.state = move("file", file.state, "released")
    file.attempts = 0
    append(session, person, "released", "file", file.file_id, {"reason": reason})
    return file
