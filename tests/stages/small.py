"""A small company written straight into a ledger: one statement, a few items, no files, no suites."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from tieout.ledger import Ledger
from tieout.ledger.models import (
    Account,
    Adjustment,
    BookBalance,
    DetailRow,
    EntryRow,
    ExceptionRow,
    FileRow,
    StatementRow,
)
from tieout.masterdata import BankAccount, load_accounts, record_accounts
from tieout.reports.model import AccountTieOut
from tieout.stages.reconcile import ReconcileResult, reconcile_account
from tieout.stages.runs import stage_run
from tieout.stages.standing import restage
from tieout.stages.sync import record_items
from tieout.stages.tie_out import account_tie_out

DAY = dt.date(2026, 11, 20)
NEXT = dt.date(2026, 11, 23)


@dataclass
class Small:
    """One account of the mappings, its bank and its books moved by hand."""

    ledger: Ledger
    code: str = "NORD-EUR-MAIN"
    number: int = 0
    closing: int = 0
    booked: int = 0
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.number = self.account.cutover_sequence_no or 0
        self.closing = self.account.cutover_minor
        with self.ledger.session() as session:
            record_accounts(session, load_accounts())

    @property
    def account(self) -> BankAccount:
        return next(a for a in load_accounts() if a.code == self.code)

    def statement(self, day: dt.date, *entries: tuple[int, str], **changes: Any) -> list[str]:
        """The bank's next statement; entries are (minor units, narrative). Their ids."""
        self.number += 1
        key = f"{self.code}/{changes.get('sequence_no', self.number)}/{changes.get('version', 1)}"
        changes.pop("version", None)
        opening, self.closing = self.closing, self.closing + sum(a for a, _ in entries)
        head = {
            "opening_minor": opening,
            "closing_minor": self.closing,
            "sequence_no": self.number,
            **changes,
        }
        with self.ledger.session() as session:
            name = f"file of {key}"
            session.add(FileRow(file_id=name, size=1, name=name, drop="banks", state="recorded"))
            session.flush()
            session.add(
                StatementRow(
                    statement_id=key,
                    file_id=name,
                    account_code=self.code,
                    currency=self.account.currency,
                    kind="booked",
                    format="test",
                    closed_on=day,
                    entry_count=len(entries),
                    **head,
                )
            )
            session.flush()
            for ordinal, (amount, narrative) in enumerate(entries, 1):
                session.add(
                    EntryRow(
                        entry_id=f"{key}#{ordinal}",
                        statement_id=key,
                        ordinal=ordinal,
                        account_code=self.code,
                        currency=self.account.currency,
                        exponent=2,
                        amount_minor=amount,
                        booked_on=day,
                        valued_on=day,
                        status="booked",
                        narrative=narrative,
                    )
                )
                session.flush()
                session.add(
                    DetailRow(
                        detail_id=f"{key}#{ordinal}.1",
                        entry_id=f"{key}#{ordinal}",
                        ordinal=1,
                        amount_minor=amount,
                        currency=self.account.currency,
                        narrative=narrative,
                    )
                )
        self.restage()
        return [f"{key}#{n}" for n in range(1, len(entries) + 1)]

    def restage(self) -> None:
        with stage_run(self.ledger, "test") as run, self.ledger.session() as session:
            restage(session, self.account, run.run_id)

    def book(self, ref: str, amount: int, day: dt.date, **changes: Any) -> None:
        """A line of the cash book, or (``kind=...``) an open item."""
        kind = changes.get("kind", "cash_book")
        self.items[ref] = {
            "source_ref": ref,
            "company": self.account.company,
            "account_code": self.code if kind == "cash_book" else None,
            "kind": kind,
            "document_no": ref,
            "currency": self.account.currency,
            "exponent": 2,
            "amount_minor": amount,
            "open_minor": amount,
            "booked_on": day,
            "due_on": None,
            "reference": [ref],
            "payment_batch_id": None,
            "end_to_end_id": None,
            "counterparty_id": None,
            "counterparty_name": None,
            "counterparty_account": None,
            "narrative": None,
            **changes,
        }

    def sync(self, day: dt.date = DAY) -> None:
        """What the books say now, with their balance of a day."""
        lines = [i for i in self.items.values() if i["kind"] == "cash_book"]
        moved = sum(i["amount_minor"] for i in lines if i["booked_on"] <= day)
        with self.ledger.session() as session:
            record_items(session, "test", list(self.items.values()))
            session.add(
                BookBalance(
                    account_code=self.code,
                    on=day,
                    amount_minor=self.account.cutover_minor + moved,
                    currency=self.account.currency,
                )
            )

    def reconcile(self, day: dt.date = DAY) -> ReconcileResult:
        return reconcile_account(self.ledger, self.code, day)

    def tie_out(self, day: dt.date = DAY) -> AccountTieOut:
        with self.ledger.session() as session:
            return account_tie_out(session, session.get_one(Account, self.code), day)

    def sections(self, day: dt.date = DAY) -> dict[str, int]:
        return {s.kind: s.total_minor for s in self.tie_out(day).sections}

    def exceptions(self) -> dict[str, str]:
        """Reason code of each open exception, by what it is about."""
        with self.ledger.session() as session:
            rows = session.scalars(select(ExceptionRow).where(ExceptionRow.state != "resolved"))
            return {row.subject_id: row.reason_code for row in rows}

    def adjustments(self) -> list[Adjustment]:
        with self.ledger.session() as session:
            ordered = select(Adjustment).order_by(Adjustment.proposed_at)
            return list(session.scalars(ordered))

    def count(self, model: Any) -> int:
        with self.ledger.session() as session:
            return session.scalars(select(func.count()).select_from(model)).one()
