"""``tieout matches list | show | open | add | confirm | reject | undo``: people decide."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tieout.adjustments.manual import RESIDUAL_CLASSES
from tieout.commands.common import day_of, person, print_rows
from tieout.errors import InputError
from tieout.ledger import Ledger
from tieout.money import format_amount, parse_amount
from tieout.stages import match_decide
from tieout.stages.match_by_hand import Asked, match_by_hand
from tieout.stages.match_rows import match_detail, match_rows, open_rows
from tieout.wiring import open_ledger

__all__ = ["add", "run"]

Verbs = argparse._SubParsersAction  # argparse gives it no public name

_EPILOG = """\
An id may be shortened to its start; an item also goes by its document number.

  tieout matches open --account NORD-EUR-MAIN
  tieout matches add --entry 4f0c2a --item RE-2026-0417 --reason "paid by the parent company"
  tieout matches add --entry 4f0c2a --item RE-2026-0417 --amount RE-2026-0417=500.00 --reason "part"
  tieout matches undo 91c3 77ab --reason "two customers of one name"
"""


def add(commands: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the family."""
    parser = commands.add_parser(
        "matches",
        help="list matches; match by hand, confirm, reject, undo",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="matches, the newest first")
    listing.add_argument("--account", metavar="CODE", help="of one account")
    listing.add_argument("--state", metavar="STATE", help="proposed, confirmed, undone, ...")
    listing.add_argument("--limit", type=int, metavar="N", help="at most so many")
    show = verbs.add_parser("show", help="one match: members, why, who, what was posted")
    show.add_argument("id")
    open_ = verbs.add_parser("open", help="what is open on an account, with the ids to match it")
    open_.add_argument("--account", metavar="CODE", required=True)
    open_.add_argument("--day", type=dt.date.fromisoformat, metavar="YYYY-MM-DD")
    _declare_add(verbs)
    for verb, words in (
        ("confirm", "confirm what is proposed, as a second person or for the ladder"),
        ("reject", "reject what is proposed"),
        ("undo", "open their members again"),
    ):
        one = verbs.add_parser(verb, help=words)
        one.add_argument("ids", nargs="+", metavar="ID")
        one.add_argument("--reason", default="", required=verb != "confirm", help="why")
        if verb == "undo":
            one.add_argument(
                "--again", action="store_true", help="the ladder may make the same match again"
            )
        _common(one)
    for one in (listing, show, open_):
        one.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def _declare_add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    one = verbs.add_parser("add", help="match entries and items by hand, whole or in part")
    one.add_argument("--entry", nargs="+", action="extend", default=[], metavar="ID")
    one.add_argument("--item", nargs="+", action="extend", default=[], metavar="ID")
    one.add_argument(
        "--amount",
        nargs="+",
        action="extend",
        default=[],
        metavar="ID=12.34",
        help="take so much of an entry or item; the rest stays open",
    )
    one.add_argument(
        "--class",
        dest="residual_class",
        default="",
        metavar="CLASS",
        help=f"what it leaves over: {', '.join(RESIDUAL_CLASSES)}",
    )
    one.add_argument("--force", action="store_true", help="insist beyond the policy's limit")
    one.add_argument("--reason", required=True, help="why; kept with the match")
    _common(one)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="person", help="who decides (default: your login)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Run the chosen verb."""
    with open_ledger() as ledger:
        if args.verb == "add":
            return _add(ledger, args)
        if args.verb in ("confirm", "reject", "undo"):
            return _decide(ledger, args)
        with ledger.session() as session:
            if args.verb == "show":
                _show(match_detail(session, args.id), as_json=args.json)
            elif args.verb == "list":
                rows = match_rows(session, args.account, args.state, _positive(args.limit))
                print_rows(rows, as_json=args.json)
            else:
                rows = open_rows(session, args.account, day_of(ledger, args.day))
                print_rows(rows, as_json=args.json)
    return 0


def _positive(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise InputError("WRONG_USAGE", f"--limit is {limit}", remedy="give 1 or more")
    return limit


def _add(ledger: Ledger, args: argparse.Namespace) -> int:
    asked = Asked(
        entries=args.entry,
        items=args.item,
        person=person(args.person),
        reason=args.reason,
        amounts=_amounts(args.amount),
        residual_class=args.residual_class,
        force=args.force,
    )
    made = match_by_hand(ledger, asked)
    residual = f"{format_amount(made.residual_minor, made.currency)} {made.currency}"
    if args.json:
        row = {"id": made.group_id, "account": made.account_code, "state": made.state}
        print(json.dumps(row | {"residual": residual, "waits": made.waits}, ensure_ascii=False))
        return 0
    print(f"match {made.group_id}: {made.state}, residual {residual}")
    if made.waits:
        print(f"  a second person must confirm it ({made.waits}):")
        print(f"  tieout matches confirm {made.group_id[:12]}")
    return 0


def _amounts(pairs: Sequence[str]) -> dict[str, Decimal]:
    amounts: dict[str, Decimal] = {}
    for pair in pairs:
        name, mark, amount = pair.rpartition("=")
        if not mark or not name or name in amounts:
            raise InputError(
                "WRONG_USAGE", f"--amount {pair!r}", remedy="write ID=12.34, once for each"
            )
        amounts[name] = parse_amount(amount)
    return amounts


def _decide(ledger: Ledger, args: argparse.Namespace) -> int:
    who = person(args.person)
    if args.verb == "undo":
        decided = match_decide.undo(ledger, args.ids, who, args.reason, again=args.again)
    else:
        step = match_decide.confirm if args.verb == "confirm" else match_decide.reject
        decided = step(ledger, args.ids, who, args.reason)
    for one in decided:
        row = {"id": one.group_id, "account": one.account_code, "state": one.state}
        if args.json:
            print(json.dumps(row | {"by": who}, ensure_ascii=False))
        else:
            print(f"match {one.group_id}: {one.state} by {who}")
    return 0


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    second = f", confirmed by {found['confirmed_by']}" if found["confirmed_by"] else ""
    print(f"match {found['id']}  {found['state']}")
    print(f"  {found['account']}  {found['kind']}  {found['rung']} by {found['by']}{second}")
    print(f"  {found['evidence']}")
    called = f" ({found['residual_class']})" if found["residual_class"] else ""
    print(f"  leaves {found['residual']} over{called}")
    for member in found["members"]:
        part = "" if member["taken"] == member["of"] else f" of {member['of']}"
        about = " ".join(member.get(k, "") for k in ("name", "day", "party", "narrative"))
        print(
            f"  {member['side']:<6}{member['id'][:12]}  {member['taken']:>16}{part}  {about[:90]}"
        )
    for step in found["history"]:
        why = f": {step['why']}" if step["why"] else ""
        print(f"  {step['at']}  {step['what']} by {step['who']}{why}")
    for posting in found["postings"]:
        print(f"  {posting['kind']} {posting['amount']}: {posting['state']} {posting['document']}")
