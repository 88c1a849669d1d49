"""``tieout suggest-rules``: readable rungs from what people match by hand, measured before use."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tieout.errors import InputError, TieoutError

if TYPE_CHECKING:
    from tieout.matching.suggest import Split, Suggestion

__all__ = ["add", "run"]

_EPILOG = """\
Matches that people made by hand are split by time: rungs are learned from the earlier ones and
tried on the later ones, each alone and by the engine itself on everything that was open then. What
is printed can be pasted into a file of mappings/ladders; where in the ladder it belongs is yours to
say, and `tieout backtest` shows what the whole ladder then does.

Exit code: 0 something is suggested, 1 nothing is, 2 wrong usage.

  tieout suggest-rules
  tieout suggest-rules --account NORD-EUR-MAIN --since 2026-01-01 --holdout 0.3 > new-rungs.toml
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "suggest-rules",
        help="propose rungs from what people match by hand, with precision on held-out history",
        description="Mine confirmed matches by hand for readable rungs and measure each on history "
        "it was not learned from, before anyone accepts it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--account", metavar="CODE", help="this account only")
    parser.add_argument(
        "--since",
        type=dt.date.fromisoformat,
        default=dt.date.min,
        metavar="DATE",
        help="YYYY-MM-DD; default: the whole history",
    )
    parser.add_argument(
        "--holdout", default="0.3", metavar="SHARE", help="of the matches by hand; default 0.3"
    )
    parser.add_argument(
        "--support-min", type=int, default=5, metavar="N", help="examples a rung needs; default 5"
    )
    parser.add_argument(
        "--precision-min", default="0.99", metavar="P", help="on held-out history; default 0.99"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    try:
        parts, found = _suggested(args)
    except TieoutError as error:
        if args.json:
            sys.stdout.write(json.dumps({"error": error.code, "message": str(error)}) + "\n")
        sys.stderr.write(f"tieout suggest-rules: {error}\n")
        return 2
    good = [s for s in found if not s.refused]
    if args.json:
        told = {
            "learned": len(parts.learned),
            "held_out": len(parts.held),
            "held_out_from": parts.held_from.isoformat(),
            "suggestions": [_as_dict(s) for s in found],
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(_text(parts, found)) + "\n")
    return 0 if good else 1


def _suggested(args: argparse.Namespace) -> tuple[Split, list[Suggestion]]:
    from tieout.matching.ladder import load
    from tieout.matching.suggest import Limits, split, suggest
    from tieout.stages.past import load_past
    from tieout.wiring import open_ledger

    holdout, precision = _share(args.holdout, "--holdout"), _share(args.precision_min, "")
    if not 0 < holdout < 1 or args.support_min < 2:
        raise InputError(
            "WRONG_USAGE",
            f"--holdout {args.holdout}, --support-min {args.support_min}",
            remedy="hold out a share between 0 and 1, and ask for 2 examples or more",
        )
    with open_ledger() as ledger:
        past = load_past(ledger, args.since, args.account)
    parts = split(past.known, holdout)
    hand = sum(k.by_hand for k in past.known)
    if parts is None or len(parts.learned) < args.support_min:
        raise InputError(
            "SUPPORT_LOW",
            f"{hand} matches were made by hand, too few to learn from and to try on",
            remedy="give an earlier --since or a lower --support-min, or come back later",
        )
    base = load(sorted(past.ladders.values())[0])
    limits = Limits(support=args.support_min, precision=precision)
    return parts, suggest(past.histories, past.known, parts, limits, base)


def _share(value: str, option: str) -> Decimal:
    from tieout.money import parse_amount

    share = parse_amount(value)
    if not 0 <= share <= 1:
        name = option or "--precision-min"
        raise InputError("WRONG_USAGE", f"{name} is {value}", remedy="give a share such as 0.3")
    return share


def _measure(one: Suggestion) -> str:
    """Precision and support in a sentence."""
    told = one.right + one.wrong
    precision = "unknown" if one.precision is None else f"{100 * one.precision:.2f} %"
    return (
        f"learned from {one.candidate.support} matches by hand; on held-out history it would have "
        f"made {one.by_hand} of {one.of_hand}, precision {precision} ({one.right} of {told}"
        + (f", and {one.unknown} of rows nobody matched yet)" if one.unknown else ")")
    )


def _text(parts: Split, found: Sequence[Suggestion]) -> list[str]:
    """Suggestions as TOML to paste; everything else is a comment in it."""
    from tieout.matching.toml_text import ladder_text

    lines = [
        f"# learned from {len(parts.learned)} matches by hand, tried on {len(parts.held)} from "
        f"{parts.held_from} on"
    ]
    for one in found:
        if not one.refused:
            lines += ["", f"# {one.candidate.words}", f"# {_measure(one)}"]
            lines += ladder_text(one.candidate.content).rstrip().split("\n")
    refused = [one for one in found if one.refused]
    if refused:
        lines += ["", "# not suggested:"]
        lines += [f"#   {one.candidate.name}: {one.refused}; {_measure(one)}" for one in refused]
    if not found:
        lines.append("# nothing that people matched by hand has enough in common")
    return lines


def _as_dict(one: Suggestion) -> dict[str, Any]:
    from tieout.matching.toml_text import ladder_text

    share = one.precision
    return {
        "name": one.candidate.name,
        "suggested": not one.refused,
        "refused": one.refused,
        "seen": one.candidate.words,
        "support": one.candidate.support,
        "precision": None if share is None else str(share.quantize(Decimal("0.000001"))),
        "right": one.right,
        "wrong": one.wrong,
        "unknown": one.unknown,
        "by_hand": one.by_hand,
        "of_hand": one.of_hand,
        "toml": ladder_text(one.candidate.content),
    }
