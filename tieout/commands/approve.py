"""``tieout approve ID…`` and ``tieout reject ID…``: a second person decides on a proposal."""

from __future__ import annotations

import argparse

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.adjustments.store import decide
from tieout.commands.common import person
from tieout.errors import LedgerError
from tieout.ledger.models import Adjustment, AdjustmentLine
from tieout.money import format_amount
from tieout.stages.return_decide import decide_return, proposed_returns
from tieout.wiring import open_ledger

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare both commands."""
    for decision in ("approve", "reject"):
        parser = commands.add_parser(
            decision,
            help=f"{decision} proposed adjustments and returns",
            description=f"{decision.capitalize()} adjustments, and what is proposed for returned "
            "payments, that wait for a person. The decision binds exactly what is shown; journals "
            "are posted by the next run of the post stage.",
        )
        parser.add_argument("ids", nargs="+", metavar="ID", help="id of either, or its start")
        parser.add_argument("--as", dest="person", help="who decides (default: your login)")
        parser.add_argument("--reason", default="", help="why; kept in the audit log")
        parser.set_defaults(run=run, decision=decision)


def run(args: argparse.Namespace) -> int:
    """Decide on each id in turn; each is shown and decided in one transaction."""
    who = person(args.person)
    with open_ledger() as ledger:
        for prefix in args.ids:
            with ledger.session() as session:
                plan_id = _show_return(session, prefix)
            if plan_id:
                said = decide_return(ledger, plan_id, args.decision, who, args.reason)
                print(f"{plan_id}: {said}")
                continue
            with ledger.session() as session:
                adjustment = _find(session, prefix)
                _show(session, adjustment)
                decide(
                    session,
                    adjustment,
                    args.decision,
                    who,
                    adjustment.payload_sha256,
                    args.reason,
                )
            print(f"{adjustment.adjustment_id}: {adjustment.state} by {who}")
    return 0


def _show_return(session: Session, prefix: str) -> str:
    """Show the only return whose proposal's id begins so; its full id, or empty for none."""
    found = proposed_returns(session, prefix)
    if len(found) != 1:
        return ""
    (row,) = found
    amount = format_amount(row.amount_minor, row.currency)
    print(f"{row.account_code}  return  {amount} {row.currency}")
    print(f"  {row.reason}")
    plan_id: str = row.candidates["return"]["id"]
    return plan_id


def _find(session: Session, prefix: str) -> Adjustment:
    query = select(Adjustment).where(Adjustment.adjustment_id.startswith(prefix, autoescape=True))
    found = list(session.scalars(query.with_for_update().limit(2)))
    if len(found) != 1:
        problem = "no adjustment has" if not found else "more than one adjustment has"
        raise LedgerError(
            "ADJUSTMENT_UNKNOWN",
            f"{problem} an id that begins with {prefix!r}",
            remedy="the report and `tieout exceptions list --proposals` show the ids",
        )
    return found[0]


def _show(session: Session, adjustment: Adjustment) -> None:
    amount = format_amount(adjustment.amount_minor, adjustment.currency)
    print(f"{adjustment.account_code}  {adjustment.kind}  {amount} {adjustment.currency}")
    print(f"  {adjustment.narrative}")
    lines = select(AdjustmentLine).where(AdjustmentLine.adjustment_id == adjustment.adjustment_id)
    for line in session.scalars(lines.order_by(AdjustmentLine.ordinal)):
        side = "debit " if line.debit_minor else "credit"
        minor = format_amount(line.debit_minor or line.credit_minor, line.currency)
        print(f"  {side} {line.gl_account:>8} {minor:>14} {line.currency}  {line.narrative}")
