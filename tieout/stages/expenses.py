"""Expenses: SAP Concur extracts become what the company owes each employee, as items.

A reimbursement is an item that expects money out; its reference is the report's key and id. An
extract whose count or total does not hold is quarantined whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from parsers import concur_sae
from tieout.audit import append
from tieout.drops import Drop
from tieout.errors import Finding, InputError, MoneyError, ProfileError
from tieout.home import archive_path, folder
from tieout.identity import content_id
from tieout.ledger import Ledger
from tieout.ledger.models import ExpenseRow, FileRow
from tieout.masterdata import load_accounts
from tieout.money import exponent_of, to_minor
from tieout.quality.suites import run_suites
from tieout.stages.ingest import claim_files, quarantine
from tieout.stages.runs import record_findings, stage_run
from tieout.stages.sync import record_items
from tieout.states import move

__all__ = ["sync_expenses"]

_SOURCE = "concur:reimbursements"


def sync_expenses(ledger: Ledger, drop: Drop, home: Path) -> int:
    """Read every new extract of a drop.

    Returns:
        How many reimbursements are new or changed.
    """
    changed = 0
    file_ids = claim_files(ledger, drop, home)
    with stage_run(ledger, "expenses", files=file_ids) as run:
        for file_id in file_ids:
            changed += _take(ledger, home, file_id, run.run_id)
        run.outcome = {"changed": changed}
    return changed


def _take(ledger: Ledger, home: Path, file_id: str, run_id: str) -> int:
    try:
        expenses = concur_sae.read(archive_path(home, file_id))
    except InputError as error:
        finding = Finding(error.code, "error", error.where, error.message, error.remedy)
        quarantine(ledger, file_id, [finding])
        return 0
    suites = run_suites(
        {"expenses": expenses.lines},
        docs_dir=folder(home, "docs"),
        run_name=run_id,
        section="expenses",
    )
    findings = [*expenses.findings, *suites.findings]
    if any(f.severity == "error" and f.code != "RULE_BROKEN" for f in findings):
        quarantine(ledger, file_id, findings)
        return 0
    owed = concur_sae.reimbursements(expenses)
    if unfit := [f for each in owed if (f := _unfit(each)) is not None]:
        quarantine(ledger, file_id, unfit)
        return 0
    with ledger.session() as session:
        file = session.get_one(FileRow, file_id, with_for_update=True)
        if file.state != "claimed":
            return 0  # another run was faster
        record_findings(session, run_id, "file", file_id, findings)
        for reimbursement in owed:
            _record(session, file_id, reimbursement)
        changed = _record_items(session)
        file.format = concur_sae.NAME
        file.state = move("file", move("file", file.state, "identified"), "recorded")
        file.recorded_at = session.execute(select(func.clock_timestamp())).scalar_one()
        append(session, "tieout", "recorded", "file", file_id, {"reimbursements": len(owed)})
    return changed


def _unfit(owed: concur_sae.Reimbursement) -> Finding | None:
    """Why an amount cannot be recorded, if it cannot."""
    try:
        to_minor(owed.amount, owed.currency)
    except MoneyError as error:
        where = f"report {owed.report_key} of employee {owed.employee_id}"
        return Finding(error.code, "error", where, error.message, error.remedy)
    return None


def _record(session: Session, file_id: str, owed: concur_sae.Reimbursement) -> None:
    amount = to_minor(owed.amount, owed.currency)
    values: dict[str, Any] = {
        # With the file: a correction back to an earlier amount is a fact of its own.
        "expense_id": content_id("expense", file_id, owed.report_key, owed.employee_id),
        "file_id": file_id,
        "report_key": owed.report_key,
        "report_id": owed.report_id,
        "report_name": owed.report_name,
        "employee_id": owed.employee_id,
        "employee_name": owed.employee_name,
        "currency": owed.currency,
        "amount_minor": amount,
        "lines": {},
    }
    session.execute(insert(ExpenseRow).values(**values).on_conflict_do_nothing())


def _record_items(session: Session) -> int:
    """All reimbursements ever recorded, as the items of one source; a correction is a version."""
    ordered = select(ExpenseRow).order_by(ExpenseRow.recorded_at, ExpenseRow.expense_id)
    newest = {(e.report_key, e.employee_id): e for e in session.scalars(ordered)}
    companies = sorted({account.company for account in load_accounts()})
    if len(companies) != 1:
        raise ProfileError(
            "EXPENSE_COMPANY",
            f"the extract does not say which of {', '.join(companies)} owes its reimbursements",
            where="mappings/accounts",
            remedy="run one ledger (TIEOUT_DATABASE) a company that takes expense extracts",
        )
    rows = [_item(companies[0], newest[key]) for key in sorted(newest)]
    return record_items(session, _SOURCE, rows)


def _item(company: str, expense: ExpenseRow) -> dict[str, Any]:
    return {
        "source_ref": f"{expense.report_key}/{expense.employee_id}",
        "company": company,
        "account_code": None,
        "kind": "expense",
        "document_no": expense.report_id,
        "currency": expense.currency,
        "exponent": exponent_of(expense.currency),
        "amount_minor": -expense.amount_minor,
        "open_minor": -expense.amount_minor,
        "booked_on": None,
        "due_on": None,
        "reference": [expense.report_key, expense.report_id],
        "payment_batch_id": None,
        "end_to_end_id": None,
        "counterparty_id": expense.employee_id,
        "counterparty_name": expense.employee_name,
        "counterparty_account": None,
        "narrative": expense.report_name,
    }
