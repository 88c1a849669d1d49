"""``tieout backtest``: a changed ladder against the one in use, over the ledger's own past."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tieout.errors import InputError, TieoutError

if TYPE_CHECKING:
    from tieout.matching.backtest import Backtest, Change
    from tieout.matching.replay import FoundGroup
    from tieout.stages.past import Past

__all__ = ["add", "run"]

_EPILOG = """\
A LADDER is a name (mappings/ladders/NAME.toml), a file, or a file at a revision of the repository:
git:main:mappings/ladders/default.toml. Nothing is written to the ledger.

Exit code: 0 fine; 1 worse than the limits: more groups lost than --max-lost, a precision below
--precision-min (or nothing judged to tell it by), or more groups that people called wrong than
with the old ladder; 2 wrong usage.

  tieout backtest --ladder drafts/new.toml --since 2026-01-01
  tieout backtest --ladder mappings/ladders/default.toml \\
      --against git:origin/main:mappings/ladders/default.toml --since 2026-01-01 \\
      --max-lost 0 --precision-min 0.9999 --json          a check before a merge
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "backtest",
        help="replay the past with a changed ladder: new, lost and changed matches, with the money",
        description="Replay the ledger's past day by day with two ladders and compare: new, lost "
        "and changed matches with their money, how many rows each rung hits, and the precision of "
        "each ladder against what people matched, confirmed, undid, rejected or audited.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--ladder", required=True, metavar="LADDER", help="the new one")
    parser.add_argument(
        "--against", metavar="LADDER", help="the old one (default: the one each account uses)"
    )
    parser.add_argument(
        "--since", required=True, type=dt.date.fromisoformat, metavar="DATE", help="YYYY-MM-DD"
    )
    parser.add_argument("--account", metavar="CODE", help="this account only")
    parser.add_argument(
        "--step",
        default="day",
        choices=("day", "week", "month"),
        help="how much of the past a run sees at once; longer is faster and sees more ties",
    )
    parser.add_argument("--max-lost", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--precision-min", metavar="P", help="least precision of the new ladder, such as 0.9999"
    )
    parser.add_argument(
        "--show", type=int, default=10, metavar="N", help="differences listed of each kind"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from tieout.stages.past import load_past
    from tieout.wiring import open_ledger

    try:
        least = _share(args.precision_min)
        if args.max_lost < 0 or args.show < 0:
            raise InputError("WRONG_USAGE", "a count is negative", remedy="give 0 or more")
        with open_ledger() as ledger:
            past = load_past(ledger, args.since, args.account)
        tests = _tested(args, past)
    except TieoutError as error:
        if args.json:
            sys.stdout.write(json.dumps({"error": error.code, "message": str(error)}) + "\n")
        sys.stderr.write(f"tieout backtest: {error}\n")
        return 2
    worse = [line for test in tests for line in _worse(test, args.max_lost, least)]
    if args.json:
        told = {
            "since": args.since.isoformat(),
            "until": past.until.isoformat(),
            "step": args.step,
            "fine": not worse,
            "worse": worse,
            "accounts": [_as_dict(test, past.names, args.show) for test in tests],
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        head = f"from {args.since} to {past.until}, a {args.step} at a time"
        lines = [head, *(line for test in tests for line in _text(test, past.names, args.show))]
        lines += [f"worse: {line}" for line in worse] or ["within the limits"]
        sys.stdout.write("\n".join(lines) + "\n")
    return 1 if worse else 0


def _share(value: str | None) -> Decimal | None:
    from tieout.money import parse_amount

    if value is None:
        return None
    share = parse_amount(value)
    if not 0 <= share <= 1:
        raise InputError(
            "WRONG_USAGE", f"--precision-min is {value}", remedy="give a share such as 0.9999"
        )
    return share


def _tested(args: argparse.Namespace, past: Past) -> list[Backtest]:
    from tieout.matching.backtest import Judge, compare
    from tieout.matching.replay import replay
    from tieout.matching.sources import ladder_of

    new = ladder_of(args.ladder)
    codes = [history.code for history in past.histories]
    sources = {code: args.against or past.ladders[code] for code in codes}
    loaded = {source: ladder_of(source) for source in sorted(set(sources.values()))}
    olds = {code: loaded[sources[code]] for code in codes}
    before = replay(past.histories, olds, step=args.step)
    after = replay(past.histories, dict.fromkeys(codes, new), step=args.step)
    judge = Judge(past.verdicts)
    return [compare(c, past.currencies[c], before, after, judge, past.until) for c in codes]


def _worse(test: Backtest, max_lost: int, least: Decimal | None) -> list[str]:
    """What is worse than the limits, in sentences."""
    found = []
    if test.lost > max_lost:
        found.append(f"{test.account}: {test.lost} groups lost, at most {max_lost} allowed")
    if test.new.wrong > test.old.wrong:
        found.append(
            f"{test.account}: {test.new.wrong} groups that people called wrong, "
            f"{test.old.wrong} with the old ladder"
        )
    if least is not None and test.new.groups:
        precision = test.new.precision
        if precision is None:
            found.append(
                f"{test.account}: nobody judged any of its groups, so precision is unknown"
            )
        elif precision < least:
            found.append(f"{test.account}: precision {_percent(precision)}, {least} asked")
    return found


def _percent(share: Decimal | None) -> str:
    return "unknown" if share is None else f"{100 * share:.2f} %"


def _amount(amount: Decimal, currency: str) -> str:
    from tieout.matching.explain import money

    return money(amount, currency)


def _text(test: Backtest, names: Mapping[str, str], show: int) -> list[str]:
    """One account's comparison for a terminal."""
    old, new = test.old, test.new
    rows: list[tuple[str, str, str]] = [
        ("", f"old {old.ladder}", f"new {new.ladder}"),
        ("groups", f"{old.groups:,}", f"{new.groups:,}"),
        ("entries matched", f"{old.entries:,}", f"{new.entries:,}"),
        ("money", _amount(old.amount, test.currency), _amount(new.amount, test.currency)),
        ("only proposed", f"{old.proposed:,}", f"{new.proposed:,}"),
        ("people said right", f"{old.right:,}", f"{new.right:,}"),
        ("people said wrong", f"{old.wrong:,}", f"{new.wrong:,}"),
        ("precision", _percent(old.precision), _percent(new.precision)),
    ]
    lines = ["", f"account {test.account}"]
    lines += [f"  {name:<20}{left:>30}{right:>30}" for name, left, right in rows]
    lines.append(
        f"  {'rung':<28}{'old':>8}{'new':>8}{'money':>20}{'right':>7}{'wrong':>7}"
        f"{'30 days':>9}{'12 months':>11}"
    )
    for rung in test.rungs:
        lines.append(
            f"  {rung.rung:<28}{rung.old:>8,}{rung.new:>8,}"
            f"{_amount(rung.amount, test.currency):>20}{rung.right:>7,}{rung.wrong:>7,}"
            f"{rung.month:>9,}{rung.year:>11,}"
        )
    for kind in ("lost", "changed", "new"):
        changes = test.of(kind)
        total = _amount(sum((c.amount for c in changes), Decimal(0)), test.currency)
        lines.append(f"  {kind}: {len(changes):,}" + (f", {total}" if changes else ""))
        for change in changes[:show]:
            lines += [f"    {line}" for line in _told(change, names)]
        if len(changes) > show:
            lines.append(f"    and {len(changes) - show:,} more (--show {len(changes)})")
    return lines


def _told(change: Change, names: Mapping[str, str]) -> list[str]:
    word = f"  [{change.word or 'noted'}: {change.words}]" if change.words else ""
    lines = [f"- {_group(g, names)}" for g in change.old]
    lines += [f"+ {_group(g, names)}" for g in change.new]
    lines[-1] += word
    return lines


def _group(group: FoundGroup, names: Mapping[str, str]) -> str:
    bank = _names(group.entries, names)
    books = _names(group.items, names)
    residual = f", {_amount(group.residual, group.currency)} over" if group.residual else ""
    amount = _amount(group.amount, group.currency)
    return f"{group.on} {amount}{residual}: {bank} = {books} by {group.rung}: {group.evidence}"


def _names(ids: Sequence[str], names: Mapping[str, str]) -> str:
    from tieout.matching.nearest import listed

    return listed([names.get(own, own[:12]) for own in ids]) if ids else "nothing"


def _as_dict(test: Backtest, names: Mapping[str, str], show: int) -> dict[str, Any]:
    def side(one: Any) -> dict[str, Any]:
        share = one.precision
        return {
            "ladder": one.ladder,
            "groups": one.groups,
            "entries": one.entries,
            "amount": _plain(one.amount),
            "proposed": one.proposed,
            "right": one.right,
            "wrong": one.wrong,
            "precision": None if share is None else str(share.quantize(Decimal("0.000001"))),
        }

    kinds = ("lost", "changed", "new")
    return {
        "account": test.account,
        "currency": test.currency,
        "old": side(test.old),
        "new": side(test.new),
        "lost": test.lost,
        "rungs": [
            {
                "rung": r.rung,
                "old": r.old,
                "new": r.new,
                "amount": _plain(r.amount),
                "right": r.right,
                "wrong": r.wrong,
                "entries_30_days": r.month,
                "entries_12_months": r.year,
            }
            for r in test.rungs
        ],
        "counts": {kind: len(test.of(kind)) for kind in kinds},  # type: ignore[arg-type]
        "amounts": {
            kind: _plain(sum((c.amount for c in test.of(kind)), Decimal(0)))  # type: ignore[arg-type]
            for kind in kinds
        },
        "changes": [
            {
                "kind": change.kind,
                "amount": _plain(change.amount),
                "word": change.word,
                "words": change.words,
                "old": [_group_dict(g, names) for g in change.old],
                "new": [_group_dict(g, names) for g in change.new],
            }
            for kind in kinds
            for change in test.of(kind)[:show]  # type: ignore[arg-type]
        ],
    }


def _plain(amount: Decimal) -> str:
    return f"{amount:.5f}".rstrip("0").rstrip(".")


def _group_dict(group: FoundGroup, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "on": group.on.isoformat(),
        "rung": group.rung,
        "amount": _plain(group.amount),
        "residual": _plain(group.residual),
        "entries": [{"id": own, "name": names.get(own, "")} for own in group.entries],
        "items": [{"id": own, "name": names.get(own, "")} for own in group.items],
        "evidence": group.evidence,
    }
