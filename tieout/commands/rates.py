"""``tieout rates``: how much was matched, by count, by value and at item level, and how rightly."""

from __future__ import annotations

import argparse
import datetime as dt
import json

from rich.table import Table
from rich.text import Text
from sqlalchemy import select

from tieout.commands.common import console, day_of
from tieout.commands.rates_json import rates_json
from tieout.errors import LedgerError
from tieout.ledger.models import Account
from tieout.reports.rate_lines import RateLine, lines_of
from tieout.reports.rates import Rates
from tieout.stages.rates import account_rates
from tieout.wiring import open_ledger

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "rates",
        help="how much was matched, and how rightly, by account and rung",
        description="Four rates: entries by count and by value, items, and the precision of what "
        "the ladder confirmed by itself (undone by people, or judged: `tieout audit-sample`).",
    )
    parser.add_argument("--account", metavar="CODE", help="of one account")
    parser.add_argument(
        "--since", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="booked since then"
    )
    parser.add_argument(
        "--day", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="as of a day"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object an account")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Say the rates of each account, then of each rung over all of them."""
    found: list[tuple[str, str, Rates]] = []
    with open_ledger() as ledger:
        day = day_of(ledger, args.day)
        with ledger.session() as session:
            accounts = list(session.scalars(select(Account).order_by(Account.code)))
            known = [a.code for a in accounts]
            if args.account is not None and args.account not in known:
                raise LedgerError(
                    "ACCOUNT_UNKNOWN",
                    f"no account has the code {args.account!r}",
                    where="--account",
                    remedy=f"one of {', '.join(known)}" if known else "run `tieout sync` first",
                )
            for account in accounts:
                if args.account in (None, account.code):
                    rates = account_rates(session, account, day, since=args.since)
                    found.append((account.code, account.currency, rates))
    if args.json:
        for code, currency, rates in found:
            row = {"account": code, "currency": currency, "day": day.isoformat()}
            print(json.dumps(row | rates_json(rates, currency), ensure_ascii=False))
        return 0
    _print(lines_of(found))
    return 0


def _print(lines: tuple[RateLine, ...]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("", "entries", "", "by value", "items", "", "precision (95 %)"):
        table.add_column(name, justify="right" if name or table.columns else "left")
    for row in lines:
        name = f"  {row.name}" if row.kind == "rung" else row.name
        cells = (name, row.entries, row.count, row.value, row.items, row.item_share)
        table.add_row(*map(Text, (*cells, row.precision)))
    console().print(table)
