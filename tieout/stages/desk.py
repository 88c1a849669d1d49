"""The desk: bank files against one ledger export, without ledger, server or schedule.

Reads the files, runs the ladder, and fills the same report the daily close uses. The ledger export
need not say its own balance: without ``books_balance`` the books are taken to have started at the
bank's opening balance, and the report says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

import parsers
from parsers import Parsed
from tieout.books_csv import Books
from tieout.canonical import ITEMS, Tables, concat
from tieout.errors import InputError
from tieout.identity import content_id
from tieout.matching import engine
from tieout.matching.ladder import Ladder
from tieout.reports.model import AccountTieOut, DayReport, FileRow
from tieout.stages.desk_rows import DeskAccount, reasons, tie

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["Desk", "reconcile"]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the desk found: the report, the matching result and the tables it was made from."""

    report: DayReport
    result: engine.Result
    entries: pa.Table
    items: pa.Table
    tied: bool


def reconcile(
    bank_files: Sequence[Path],
    books: Books,
    ladder: Ladder,
    *,
    account: str | None = None,
    currency: str | None = None,
    books_balance: Decimal | None = None,
) -> Desk:
    """Tie bank files to a ledger export.

    Args:
        bank_files: one or more files in a known format.
        books: the export, from `tieout.books_csv.read`.
        ladder: the rungs.
        account: bank account the export belongs to, where it does not say so itself.
        currency: the export's currency, where it does not say so itself.
        books_balance: balance of the books after the export's last line, for one account.

    Raises:
        InputError: a bank file is refused, or the two sides cannot be brought to one account.
    """
    tables, files = _read(bank_files)
    accounts = _accounts(tables, account)
    if books_balance is not None and len(accounts) > 1:
        raise InputError(
            "WRONG_USAGE",
            "a books balance belongs to one account",
            remedy="give --account, or reconcile one account at a time",
        )
    items = _place(books.items, accounts, account, currency)
    entries, details = _booked(tables, [a.account_id for a in accounts])
    result = engine.match(entries, details, items, ladder)
    told = reasons(entries, details, items, ladder, result)
    tieouts, exceptions = [], []
    for each in accounts:
        made, open_rows = tie(each, entries, details, items, result, told, books_balance)
        tieouts.append(made)
        exceptions += open_rows
    day = max((a.closing_on for a in accounts if a.closing_on), default=None)
    day = day or max(d for d in entries["booked_on"].to_pylist() if d)
    report = DayReport(
        company_name=_owner(tables) or books.items["source"][0].as_py(),
        company="desk",
        day=day,
        generated_at=datetime.now(UTC).replace(microsecond=0),
        run_id=content_id("desk", *(f.name for f in files), result.ladder),
        accounts=tuple(tieouts),
        exceptions=tuple(exceptions),
        files=files,
        ladder=result.ladder,
    )
    waiting = len(result.groups.filter(pc.not_equal(result.groups["state"], "confirmed")))
    tied = not exceptions and not waiting and all(_is_tied(t) for t in tieouts)
    return Desk(report, result, entries, items, tied)


def _booked(tables: Tables, account_ids: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """Booked entries of the accounts, and their details."""
    wanted = pa.array(account_ids, pa.string())
    entries = tables.entries.filter(
        pc.and_(
            pc.is_in(tables.entries["account_id"], value_set=wanted),
            pc.equal(pc.fill_null(tables.entries["status"], "booked"), "booked"),
        )
    )
    kept = pc.is_in(tables.details["entry_id"], value_set=entries["entry_id"].combine_chunks())
    return entries, tables.details.filter(kept)


def _owner(tables: Tables) -> str:
    names = {name for name in tables.statements["owner_name"].to_pylist() if name}
    return names.pop() if len(names) == 1 else ""


def _is_tied(tieout: AccountTieOut) -> bool:
    return tieout.status == "tied"


def _read(paths: Sequence[Path]) -> tuple[Tables, tuple[FileRow, ...]]:
    """All files as one set of tables; the same statement in two files counts once."""
    parts, files, seen = [], [], set[str]()
    for name, parsed in (found for path in sorted(set(paths)) for found in _parsed(path)):
        tables = parsed.tables
        ids = [str(s) for s in tables.statements["statement_id"].to_pylist()]
        fresh = [s for s in ids if s not in seen]
        keep = pa.array(sorted(set(fresh)), pa.string())
        note = "" if fresh else "every statement of it is in another file too"
        if not ids:
            note = "no statement in it: payments and statuses are not matched here"
        errors = [f.message for f in tables.findings if f.severity == "error"]
        state = "recorded" if fresh or not ids else "duplicate"
        files.append(
            FileRow(name, parsed.format, state, note)
            if not errors
            else FileRow(name, parsed.format, "findings", "; ".join(errors[:3]))
        )
        seen.update(fresh)
        own = tables.entries.filter(pc.is_in(tables.entries["statement_id"], value_set=keep))
        entry_ids = own["entry_id"].combine_chunks()
        parts.append(
            Tables(
                tables.statements.filter(
                    pc.is_in(tables.statements["statement_id"], value_set=keep)
                ),
                tables.balances.filter(pc.is_in(tables.balances["statement_id"], value_set=keep)),
                own,
                tables.details.filter(pc.is_in(tables.details["entry_id"], value_set=entry_ids)),
            )
        )
    return _once(concat(parts)), tuple(files)


def _parsed(path: Path) -> Iterator[tuple[str, Parsed]]:
    """A file with its name, or every file in a container."""
    shown = str(path)
    try:
        with parsers.opened(path) as members:
            for member in members:
                inner = f"/{member.name}" if member.name else ""
                shown = f"{path}{inner}"
                yield f"{path.name}{inner}", parsers.read_file(member.path)
    except InputError as error:
        where = f"{shown}, {error.where}" if error.where else shown
        raise InputError(error.code, error.message, where=where, remedy=error.remedy) from None


def _once(tables: Tables) -> Tables:
    """Entries that several statements report (a correction, an overlap) are taken once."""
    first: dict[str, int] = {}
    for row, entry_id in enumerate(tables.entries["entry_id"].to_pylist()):
        first.setdefault(str(entry_id), row)
    details: dict[str, int] = {}
    for row, detail_id in enumerate(tables.details["detail_id"].to_pylist()):
        details.setdefault(str(detail_id), row)
    return Tables(
        tables.statements,
        tables.balances,
        tables.entries.take(pa.array(sorted(first.values()), pa.int64())),
        tables.details.take(pa.array(sorted(details.values()), pa.int64())),
    )


def _accounts(tables: Tables, account: str | None) -> list[DeskAccount]:
    """Accounts of the statements with their first opening and last closing balance."""
    balances: dict[str, list[dict[str, Any]]] = {}
    for row in tables.balances.to_pylist():
        balances.setdefault(row["statement_id"], []).append(row)
    by_account: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in tables.statements.to_pylist():
        by_account.setdefault((row["account_id"] or "", row["currency"] or ""), []).append(row)
    made = [
        _account(account_id, currency, rows, balances)
        for (account_id, currency), rows in sorted(by_account.items())
        if account is None or _bare(account_id) == _bare(account)
    ]
    if not made:
        known = sorted({account_id for account_id, _ in by_account})
        raise InputError(
            "ACCOUNT_UNKNOWN",
            f"no bank file has a statement of account {account!r}" if account else "no statement",
            remedy="the files have " + ", ".join(known) if known else "give a file with statements",
        )
    return made


def _bare(account_id: str) -> str:
    return account_id.replace(" ", "").upper()


def _account(
    account_id: str,
    currency: str,
    rows: list[dict[str, Any]],
    balances: Mapping[str, list[dict[str, Any]]],
) -> DeskAccount:
    openings, closings = [], []
    for row in rows:
        for balance in balances.get(row["statement_id"], []):
            on = balance["on"] or date.min
            key = (on, row["sequence_no"] or 0, row["page"] or 0)
            if balance["code"] in ("OPBD", "PRCD"):
                openings.append((key, balance["amount"]))
            elif balance["code"] == "CLBD":
                closings.append((key, balance["amount"], balance["on"], row))
    opening = min(openings, key=lambda o: o[0])[1] if openings else Decimal(0)
    last = max(closings, key=lambda c: c[0]) if closings else None
    row = last[3] if last else rows[-1]
    return DeskAccount(
        account_id,
        currency,
        opening,
        last[1] if last else None,
        last[2] if last else None,
        row["statement_ref"] or "",
        "" if row["sequence_no"] is None else str(row["sequence_no"]),
        row["servicer_bic"] or "",
    )


def _place(
    items: pa.Table, accounts: list[DeskAccount], account: str | None, currency: str | None
) -> pa.Table:
    """Items with the account and currency they belong to.

    Raises:
        InputError: which of several accounts, or which currency, cannot be known.
    """
    rows = items.to_pylist()
    known = {_bare(a.account_id): a.account_id for a in accounts}
    only = accounts[0].account_id if len(accounts) == 1 else None
    currencies = {a.currency for a in accounts}
    for row in rows:
        own = known.get(_bare(row["account_id"] or ""))
        row["account_id"] = own or only
        if row["account_id"] is None:
            raise InputError(
                "ACCOUNT_UNCLEAR",
                "the bank files have several accounts and the ledger does not say which is its own",
                remedy="give --account ID, one of " + ", ".join(a.account_id for a in accounts),
            )
        fallback = next(iter(currencies)) if len(currencies) == 1 else None
        row["currency"] = row["currency"] or currency or fallback
        if row["currency"] is None:
            raise InputError(
                "CURRENCY_UNCLEAR",
                "the ledger has no currency column and the bank files have several",
                remedy="give --currency",
            )
    del account
    columns = [pa.array([row[f.name] for row in rows], f.type) for f in ITEMS]
    return pa.Table.from_arrays(columns, schema=ITEMS)
