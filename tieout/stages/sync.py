"""Sync: the ERP's cash book, open items, balances and rates become items and facts of the ledger.

Every read is a fact with its time. A line that changed is a new version of its item; a line that
is no longer there (an invoice that was paid) gets a version with nothing open. Nothing is deleted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from tieout.adjustments.books import load_books
from tieout.connectors.reads import BooksReader, CashBookLine, OpenItem
from tieout.identity import content_id
from tieout.ledger import Ledger, bulk_load
from tieout.ledger.models import BookBalance, ItemRow, RateRow, StatementRow
from tieout.masterdata import BankAccount, load_accounts, record_accounts
from tieout.money import exponent_of
from tieout.references import find
from tieout.stages.books_read import ask_balance, check_books, moved_days, read_books
from tieout.stages.runs import record_findings, stage_run

__all__ = ["current_items", "is_newest", "record_items", "sync_books"]

Row = dict[str, Any]

_COMPARED = (
    "account_code",
    "amount_minor",
    "booked_on",
    "counterparty_id",
    "counterparty_name",
    "currency",
    "document_no",
    "due_on",
    "end_to_end_id",
    "narrative",
    "open_minor",
    "payment_batch_id",
    "reference",
)


def sync_books(ledger: Ledger, connector: BooksReader, erp: str, day: dt.date | None = None) -> int:
    """Read everything the reconciliation of ``day`` needs from one ERP.

    Args:
        connector: how to read it.
        erp: its name in the accounts' mappings.
        day: the books' balance is asked for this day; without one, for each account's last
            statement, or today where there is none.

    Returns:
        How many items are new or changed, plus how many balances moved.
    """
    accounts = [a for a in load_accounts() if a.erp == erp]
    changed, patterns = 0, load_books(erp).reference_patterns
    with stage_run(ledger, "sync", erp=erp, day=day) as run:
        with ledger.session() as session:
            record_accounts(session, accounts)
        for account in accounts:
            read = read_books(connector, account, day or _last_day(ledger, account))
            if read.incomplete:
                # Somebody posted while we read: once more.
                read = read_books(connector, account, read.day)
            moved = {
                on: ask_balance(connector, account, on) for on in moved_days(ledger, account, read)
            }
            with ledger.session() as session:
                if not read.incomplete:
                    # Else what was read before stands: a line that is only hidden from us must
                    # not look as if it were gone, and be booked again.
                    rows = [_cash_book_item(account, line, patterns) for line in read.lines]
                    changed += record_items(session, f"{erp}:cash_book:{account.code}", rows)
                for on, balance in sorted({**moved, read.day: read.balance}.items()):
                    changed += _record_balance(session, account, on, balance)
                record_findings(
                    session, run.run_id, "account", account.code, check_books(account, read)
                )
        for company in sorted({a.company for a in accounts}):
            open_items = connector.open_items(company, on=day or dt.datetime.now(dt.UTC).date())
            with ledger.session() as session:
                # Our own postings' counter lines wait for clearing in the ERP; nobody pays them.
                rows = [_open_item(company, i) for i in open_items if i.external_ref is None]
                changed += record_items(session, f"{erp}:open_items:{company}", rows)
        with ledger.session() as session:
            _record_rates(session, erp, connector)
        run.outcome = {"changed": changed}
    return changed


def _last_day(ledger: Ledger, account: BankAccount) -> dt.date:
    with ledger.session() as session:
        last = select(func.max(StatementRow.closed_on)).where(
            StatementRow.account_code == account.code, StatementRow.kind == "booked"
        )
        found = session.scalars(last).one()
    return found or dt.datetime.now(dt.UTC).date()


def current_items(session: Session, *wanted: ColumnElement[bool]) -> dict[str, ItemRow]:
    """The newest version of the items a caller wants, by item id, in its order.

    Args:
        wanted: conditions on `ItemRow`, all of which the newest version must meet.
    """
    query = select(ItemRow).where(is_newest(), *wanted).order_by(ItemRow.item_id)
    return {item.item_id: item for item in session.scalars(query)}


def is_newest() -> ColumnElement[bool]:
    """The condition that a row of the items is its item's newest version."""
    later = aliased(ItemRow)
    found = select(later.item_id).where(
        later.item_id == ItemRow.item_id, later.version > ItemRow.version
    )
    return ~found.exists()


def record_items(session: Session, source: str, rows: Sequence[Row]) -> int:
    """Record what a source says now; returns how many items are new, changed or gone."""
    known = current_items(session, ItemRow.source == source)
    fresh: list[Row] = []
    for row in rows:
        item_id = content_id("item", source, row["source_ref"])
        before = known.pop(item_id, None)
        if before is not None and all(getattr(before, n) == row[n] for n in _COMPARED):
            continue
        version = 1 if before is None else before.version + 1
        fresh.append({**row, "item_id": item_id, "version": version, "source": source})
    fresh.extend(_closed(gone) for gone in known.values() if gone.open_minor)
    bulk_load(session, ItemRow, _arrow(fresh))
    return len(fresh)


def _closed(item: ItemRow) -> Row:
    columns = {c.name for c in ItemRow.__table__.columns} - {"observed_at"}
    row = {name: getattr(item, name) for name in sorted(columns)}
    return row | {"version": item.version + 1, "open_minor": 0}


def _cash_book_item(account: BankAccount, line: CashBookLine, patterns: Sequence[str]) -> Row:
    # People record what a line pays in its text: "CB-2026-00038 | Zahlungseingang RE-2026-00446".
    written = find(line.narrative, patterns)
    return {
        "source_ref": line.line_id,
        "company": account.company,
        "account_code": account.code,
        "kind": "cash_book",
        "document_no": line.document_no or line.move_number,
        "currency": line.currency,
        "exponent": exponent_of(line.currency),
        "amount_minor": line.amount_minor,
        "open_minor": line.amount_minor,
        "booked_on": line.booked_on,
        "due_on": line.due_on,
        "reference": _references(line.document_no, line.move_number, line.external_ref, *written),
        "payment_batch_id": line.payment_batch_id,
        "end_to_end_id": line.end_to_end_id,
        "counterparty_id": line.party_code,
        "counterparty_name": line.party_name,
        "counterparty_account": None,
        "narrative": line.narrative,
    }


def _open_item(company: str, item: OpenItem) -> Row:
    return {
        "source_ref": item.line_id,
        "company": company,
        "account_code": None,
        "kind": item.kind,
        "document_no": item.document_no,
        "currency": item.currency,
        "exponent": exponent_of(item.currency),
        "amount_minor": item.amount_minor,
        "open_minor": item.amount_minor,
        "booked_on": item.booked_on,
        "due_on": item.due_on,
        "reference": _references(item.document_no, item.reference, item.move_number),
        "payment_batch_id": None,
        "end_to_end_id": None,
        "counterparty_id": item.party_code,
        "counterparty_name": item.party_name,
        "counterparty_account": None,
        "narrative": item.narrative,
    }


def _references(*values: str | None) -> list[str]:
    return list(dict.fromkeys(v for v in values if v))


def _record_balance(session: Session, account: BankAccount, day: dt.date, balance: int) -> int:
    last = session.scalars(
        select(BookBalance.amount_minor)
        .where(BookBalance.account_code == account.code, BookBalance.on == day)
        .order_by(BookBalance.book_balance_id.desc())
        .limit(1)
    ).first()
    if last == balance:
        return 0
    session.add(
        BookBalance(
            account_code=account.code, on=day, amount_minor=balance, currency=account.currency
        )
    )
    return 1


def _record_rates(session: Session, erp: str, connector: BooksReader) -> None:
    for rate in connector.company_rates():
        key = {"source": erp, "currency": rate.currency, "on": rate.on, "rate": rate.rate}
        if session.get(RateRow, key) is None:
            session.add(RateRow(**key))


def _arrow(rows: Sequence[Row]) -> pa.Table:
    if not rows:
        return pa.table({})
    types = {
        "booked_on": pa.date32(),
        "due_on": pa.date32(),
        "reference": pa.list_(pa.string()),
        **dict.fromkeys(("amount_minor", "open_minor", "version", "exponent"), pa.int64()),
    }
    return pa.table(
        {n: pa.array([r[n] for r in rows], type=types.get(n, pa.string())) for n in rows[0]}
    )
