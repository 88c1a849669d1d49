"""``tieout reconcile``: bank files against a ledger export; no server, no schedule, no ledger."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tieout.errors import InputError, MoneyError, TieoutError

if TYPE_CHECKING:
    from tieout.stages.desk import Desk

__all__ = ["add", "run"]

_EPILOG = """\
Exit code: 0 everything ties, 1 there are differences, 2 wrong usage or a refused file.

  tieout reconcile --bank samples/bank-camt053.xml --books samples/ledger.csv --report out/
  tieout reconcile --bank *.sta --books gl.csv --columns booked_on=Date amount=Net --report out/
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "reconcile",
        help="tie bank files to a ledger export (CSV), without any server",
        description="Tie bank files (booked statements of any format) to the export of the bank's "
        "ledger account, "
        "and write the reconciliation as HTML, PDF and workbook, the groups as CSV.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bank", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--books", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument(
        "--columns",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=COLUMN",
        help="which column of the CSV holds what: booked_on=Date amount=Net document_no=Voucher …",
    )
    parser.add_argument("--profile", metavar="NAME", help="mappings/books/NAME; default: found")
    parser.add_argument("--date-form", metavar="FORM", help="how dates are written: %%d/%%m/%%Y")
    parser.add_argument("--account", metavar="ID", help="bank account the ledger belongs to")
    parser.add_argument("--currency", metavar="CUR", help="where the ledger does not say it")
    parser.add_argument("--books-balance", metavar="AMOUNT", help="balance of the books at the end")
    parser.add_argument("--ladder", default="default", metavar="NAME")
    parser.add_argument("--report", type=Path, metavar="DIR", help="where to write the report")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    try:
        desk = _reconcile(args)
        paths = _write(desk, args.report) if args.report else {}
    except (TieoutError, OSError) as error:
        said = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        if args.json:
            code = error.code if isinstance(error, TieoutError) else "FILE_UNREADABLE"
            sys.stdout.write(json.dumps({"error": code, "message": said}) + "\n")
        sys.stderr.write(f"tieout reconcile: {said}\n")
        return 2
    if args.json:
        sys.stdout.write(json.dumps(_summary(desk, paths), ensure_ascii=False) + "\n")
    else:
        _print(desk, paths)
    return 0 if desk.tied else 1


def _reconcile(args: argparse.Namespace) -> Desk:
    from tieout import books_csv
    from tieout.matching import ladder
    from tieout.money import is_currency, parse_amount
    from tieout.stages import desk

    columns: dict[str, str] = {}
    for pair in args.columns:
        name, mark, column = pair.partition("=")
        if not mark or not column:
            raise InputError("WRONG_USAGE", f"--columns {pair!r}", remedy="write NAME=COLUMN")
        columns[name] = column
    if args.currency and not is_currency(args.currency):
        raise MoneyError(
            "CURRENCY_UNKNOWN", f"{args.currency!r} is no currency", where="--currency"
        )
    balance = parse_amount(args.books_balance) if args.books_balance else None
    rungs = ladder.load(args.ladder)
    books = books_csv.read(
        args.books, profile=args.profile, columns=columns, date_form=args.date_form
    )
    return desk.reconcile(
        args.bank,
        books,
        rungs,
        account=args.account,
        currency=args.currency,
        books_balance=balance,
    )


def _write(desk: Desk, folder: Path) -> dict[str, Path]:
    from tieout.reports import files

    paths = files.write(desk.report, folder)
    for kind, rows in (("groups", _group_rows(desk)), ("open", _open_rows(desk))):
        path = folder / f"{paths['html'].stem}-{kind}.csv"
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
        paths[f"{kind}_csv"] = path
    return paths


def _safe(text: str | None) -> str:
    """Text a spreadsheet will not take for a formula."""
    value = " ".join((text or "").split())
    return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value


def _group_rows(desk: Desk) -> list[list[str]]:
    """One line a member, groups together."""
    names = {r["item_id"]: r["document_no"] for r in desk.items.to_pylist()}
    names |= {r["entry_id"]: r["bank_ref"] for r in desk.entries.to_pylist()}
    groups = {r["group_id"]: r for r in desk.result.groups.to_pylist()}
    head = ["group", "rung", "state", "side", "name", "amount", "currency", "residual", "evidence"]
    rows = []
    for member in desk.result.members.to_pylist():
        group = groups[member["group_id"]]
        rows.append(
            [
                group["group_id"][:12],
                group["rung"],
                group["state"],
                {"entry": "bank", "detail": "bank detail", "item": "books"}[member["side"]],
                _safe(names.get(member["member_id"]) or member["member_id"][:12]),
                _plain(member["amount"]),
                group["currency"],
                _plain(group["residual"]),
                _safe(group["evidence"]),
            ]
        )
    return [head, *sorted(rows)]


def _plain(amount: Any) -> str:
    return "" if amount is None else f"{amount:.5f}".rstrip("0").rstrip(".")


def _open_rows(desk: Desk) -> list[list[str]]:
    """What is open on either side, with its reason."""
    from tieout.money import from_minor

    rows = [["account", "kind", "name", "date", "amount", "currency", "narrative", "reason"]]
    for account in desk.report.accounts:
        for part in account.sections:
            rows += [
                [
                    account.code,
                    part.kind,
                    _safe(line.ref),
                    line.on.isoformat(),
                    str(from_minor(line.amount_minor, account.currency)),
                    account.currency,
                    _safe(line.narrative),
                    _safe(line.note),
                ]
                for line in part.lines
            ]
    return rows


def _print(desk: Desk, paths: dict[str, Path]) -> None:
    from tieout.reports import text

    text.show(desk.report)
    for row in _open_rows(desk)[1:]:
        _, kind, name, day, amount, currency, narrative, reason = row
        if kind == "in_transit":
            said = f" ({reason})" if reason else ""
            sys.stdout.write(
                f"not yet at the bank: {day} {amount:>14} {currency} {name} {narrative}{said}\n"
            )
    for kind, path in paths.items():
        sys.stdout.write(f"{kind:<11}{path}\n")


def _summary(desk: Desk, paths: dict[str, Path]) -> dict[str, Any]:
    from tieout.commands.rates_json import rates_json
    from tieout.money import from_minor

    def money(minor: int | None, currency: str) -> str | None:
        return None if minor is None else str(from_minor(minor, currency))

    accounts = [
        {
            "account": a.code,
            "currency": a.currency,
            "bank_balance": money(a.bank_balance_minor, a.currency),
            "books_balance": money(a.books_balance_minor, a.currency),
            "unexplained": money(a.unexplained_minor, a.currency),
            "status": a.status,
            "entries": a.rates.entries_count,
            "entries_matched": a.rates.matched_count,
            "value": money(a.rates.entries_value_minor, a.currency),
            "value_matched": money(a.rates.matched_value_minor, a.currency),
            "rates": rates_json(a.rates, a.currency),
        }
        for a in desk.report.accounts
    ]
    head, *rows = _open_rows(desk)
    return {
        "tied": desk.tied,
        "day": desk.report.day.isoformat(),
        "ladder": desk.report.ladder,
        "accounts": accounts,
        "open": [dict(zip(head, row, strict=True)) for row in rows],
        "groups": len(desk.result.groups),
        "files": {kind: str(path) for kind, path in paths.items()},
    }
