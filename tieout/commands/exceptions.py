"""``tieout exceptions list | assign | comment | resolve``: what people must decide."""

from __future__ import annotations

import argparse
import json

from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.commands.common import console, person
from tieout.errors import LedgerError
from tieout.ledger import database_now
from tieout.ledger.models import Adjustment, ExceptionEvent, ExceptionRow
from tieout.money import format_amount
from tieout.states import move
from tieout.wiring import open_ledger

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the family."""
    parser = commands.add_parser("exceptions", help="list, assign, comment, resolve exceptions")
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="open exceptions, or proposals")
    listing.add_argument("--proposals", action="store_true", help="adjustments to approve")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    for verb, words in (
        ("assign", "give an exception an owner"),
        ("comment", "add a note"),
        ("resolve", "say that it is decided, and why"),
    ):
        one = verbs.add_parser(verb, help=words)
        one.add_argument("id", help="exception id, or its start")
        one.add_argument("note", help="the owner's name" if verb == "assign" else "the text")
        one.add_argument("--as", dest="person", help="who acts (default: your login)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the chosen verb."""
    with open_ledger() as ledger, ledger.session() as session:
        if args.verb == "list":
            rows = _proposals(session) if args.proposals else _open(session)
            _print(rows, as_json=args.json)
            return 0
        row = _find(session, args.id)
        _act(session, row, args.verb, person(args.person), args.note)
        print(f"{row.exception_id}: {row.state}" + (f", owner {row.owner}" if row.owner else ""))
    return 0


def _open(session: Session) -> list[dict[str, str]]:
    query = select(ExceptionRow).where(ExceptionRow.state != "resolved")
    ordered = query.order_by(ExceptionRow.account_code, ExceptionRow.exception_id)
    return [
        {
            "id": row.exception_id,
            "account": row.account_code,
            "amount": f"{format_amount(row.amount_minor, row.currency)} {row.currency}",
            "code": row.reason_code,
            "reason": row.reason,
            "owner": row.owner or "",
        }
        for row in session.scalars(ordered)
    ]


def _proposals(session: Session) -> list[dict[str, str]]:
    query = select(Adjustment).where(Adjustment.state == "pending")
    ordered = query.order_by(Adjustment.account_code, Adjustment.adjustment_id)
    return [
        {
            "id": row.adjustment_id,
            "account": row.account_code,
            "amount": f"{format_amount(row.amount_minor, row.currency)} {row.currency}",
            "code": row.kind,
            "reason": row.narrative,
            "owner": "",
        }
        for row in session.scalars(ordered)
    ]


def _print(rows: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "account", "amount", "code", "reason", "owner"):
        table.add_column(name, justify="right" if name == "amount" else "left")
    for row in rows:
        table.add_row(row["id"][:12], *(row[n] for n in list(row)[1:]))
    console().print(table)


def _find(session: Session, prefix: str) -> ExceptionRow:
    query = select(ExceptionRow).where(
        ExceptionRow.exception_id.startswith(prefix, autoescape=True)
    )
    found = list(session.scalars(query.with_for_update().limit(2)))
    if len(found) != 1:
        problem = "no exception has" if not found else "more than one exception has"
        raise LedgerError(
            "EXCEPTION_UNKNOWN",
            f"{problem} an id that begins with {prefix!r}",
            remedy="`tieout exceptions list` shows the ids",
        )
    return found[0]


def _act(session: Session, row: ExceptionRow, verb: str, who: str, note: str) -> None:
    if verb == "assign":
        if row.state == "open":
            row.state = move("exception", row.state, "assign")
        row.owner = note
    elif verb == "resolve":
        row.state = move("exception", row.state, "resolve")
        row.resolved_at = database_now(session)
    session.add(ExceptionEvent(exception_id=row.exception_id, event=verb, person=who, note=note))
    append(session, who, f"exception {verb}", "exception", row.exception_id, {"note": note})
