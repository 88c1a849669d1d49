"""``tieout audit-sample``: draw matches for people to judge; list the queue, judge one."""

from __future__ import annotations

import argparse
import datetime as dt
import json

from tieout.commands.common import person, print_rows
from tieout.ledger import Ledger
from tieout.money import format_amount
from tieout.stages.audit_sample import draw, judge, queue
from tieout.stages.match_decide import undo
from tieout.wiring import open_ledger

__all__ = ["add", "run"]

#: How many are drawn where nobody says.
_SIZE = 20


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its verbs."""
    parser = commands.add_parser(
        "audit-sample",
        help="draw automatic matches for people to judge: the measure of precision",
        description="Draw matches the ladder confirmed by itself and nobody looked at, by rung "
        "and in proportion to their value, into a queue. What people judge there, and what they "
        "undo, is the precision that `tieout rates` and the reports say.",
    )
    parser.add_argument("--size", type=int, default=_SIZE, metavar="N", help=f"default {_SIZE}")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another draw")
    parser.add_argument("--account", metavar="CODE", help="of one account")
    parser.add_argument(
        "--since", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="booked since then"
    )
    parser.add_argument("--as", dest="person", help="who draws or judges (default: your login)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    verbs = parser.add_subparsers(dest="verb")
    listing = verbs.add_parser("list", help="what waits to be judged")
    listing.add_argument("--all", action="store_true", help="also what was judged")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    one = verbs.add_parser("judge", help="say whether a drawn match is right")
    one.add_argument("id", help="match id, or its start")
    one.add_argument("verdict", choices=("right", "wrong"))
    one.add_argument("--reason", required=True, help="why; kept with the verdict")
    one.add_argument("--undo", action="store_true", help="undo it too where it is wrong")
    one.add_argument("--as", dest="person", help="who judges (default: your login)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw, list or judge."""
    with open_ledger() as ledger:
        if args.verb == "judge":
            _judge(ledger, args)
        elif args.verb == "list":
            with ledger.session() as session:
                print_rows(queue(session, judged=args.all), as_json=args.json)
        else:
            _draw(ledger, args)
    return 0


def _draw(ledger: Ledger, args: argparse.Namespace) -> None:
    drawn = draw(
        ledger,
        person(args.person),
        size=args.size,
        seed=args.seed,
        account_code=args.account,
        since=args.since,
    )
    if args.json:
        for one in drawn:
            amount = f"{format_amount(one.value_minor, one.currency)} {one.currency}"
            row = {"id": one.group_id, "account": one.account_code, "rung": one.rung}
            print(json.dumps(row | {"amount": amount}, ensure_ascii=False))
        return
    print(f"drawn: {len(drawn)}; `tieout audit-sample list` shows what waits")


def _judge(ledger: Ledger, args: argparse.Namespace) -> None:
    who = person(args.person)
    with ledger.session() as session:
        group = judge(session, args.id, args.verdict, who, args.reason)
    print(f"match {group.group_id}: {args.verdict}, by {who}")
    if args.verdict == "right" or group.state != "confirmed":
        return
    if args.undo:
        undo(ledger, [group.group_id], who, args.reason)
        print("  undone")
    else:
        print(f"  to open its members again: tieout matches undo {group.group_id[:12]} --reason …")
