"""``tieout explain``: why something matched, or the nearest candidates and what failed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tieout.errors import InputError, TieoutError

if TYPE_CHECKING:
    from tieout.matching.explain import Explanation

__all__ = ["add", "run"]

_EPILOG = """\
ID is the id of an entry, a payment inside one, an item, a group or an exception, or the start of
one; a document number or a bank reference will do where only one thing has it.

Exit code: 0 it is explained, 2 the ID is unknown or means several things.

  tieout explain RE-2026-00417                  on the ledger
  tieout explain 3f2a90 --json                  by the start of an id
  tieout match ENTRIES.parquet ITEMS.parquet --out out/
  tieout explain E17 --in out/                  on the tables of that match, without a ledger
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "explain",
        help="say why something matched, or what came nearest and which condition failed",
        description="Say why an entry, item or group matched, with its members, rung and run; or, "
        "of what did not match, the nearest candidates and for each the condition that failed and "
        "by how much.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("id", metavar="ID")
    parser.add_argument(
        "--in",
        dest="folder",
        type=Path,
        metavar="DIR",
        help="the folder `tieout match --out` wrote to; without it, the ledger",
    )
    for name in ("entries", "details", "items"):
        parser.add_argument(
            f"--{name}",
            type=Path,
            metavar="FILE.parquet",
            help=f"with --in: the {name} of that match (default: where they were then)",
        )
    parser.add_argument(
        "--ladder",
        metavar="NAME",
        help="with --in: the ladder of that match (default: the one it names), or a file",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from tieout.matching.explain import as_dict, lines

    try:
        told = _of_folder(args) if args.folder else _of_ledger(args)
    except TieoutError as error:
        if args.json:
            sys.stdout.write(json.dumps({"error": error.code, "message": str(error)}) + "\n")
        sys.stderr.write(f"tieout explain: {error}\n")
        return 2
    if args.json:
        sys.stdout.write(json.dumps(as_dict(told), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(lines(told)) + "\n")
    return 0


def _of_ledger(args: argparse.Namespace) -> Explanation:
    from tieout.stages.explain import explain
    from tieout.wiring import open_ledger

    given = [f"--{n}" for n in ("entries", "details", "items", "ladder") if getattr(args, n)]
    if given:
        raise InputError(
            "WRONG_USAGE", f"{given[0]} without --in", remedy="give --in DIR, or leave it out"
        )
    with open_ledger() as ledger:
        return explain(ledger, args.id)


def _of_folder(args: argparse.Namespace) -> Explanation:
    from tieout.commands.match import read_table
    from tieout.matching.engine import Result
    from tieout.matching.explain_tables import Tables, of_tables
    from tieout.matching.sources import ladder_of

    about = _about(args.folder)
    groups, members, refused = (
        read_table(args.folder / f"{name}.parquet") for name in ("groups", "members", "refused")
    )
    entries, items = (_input(args, about, name) for name in ("entries", "items"))
    details = _input(args, about, "details", needed=False)
    ladder = ladder_of(args.ladder or str(about.get("ladder", "default")))
    known = str(about.get("version", f"{ladder.name}@{ladder.version}"))
    result = Result(groups, members, refused, known)
    return of_tables(args.id, Tables(entries, details, items, result), ladder)


def _about(folder: Path) -> dict[str, Any]:
    """What `tieout match` noted of its run."""
    path = folder / "run.json"
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(
            "RUN_UNREADABLE",
            str(error)[:200],
            where=str(path),
            remedy="run `tieout match` again, or give --entries, --items and --ladder",
        ) from None
    return about if isinstance(about, dict) else {}


def _input(args: argparse.Namespace, about: dict[str, Any], name: str, needed: bool = True) -> Any:
    from tieout.commands.match import read_table

    given: Path | None = getattr(args, name)
    noted = about.get(name)
    path = given or (Path(str(noted)) if noted else None)
    if path is None and not needed:
        return None
    if path is None:
        raise InputError(
            "INPUT_UNKNOWN",
            f"it is not noted where the {name} of that match are",
            where=str(args.folder),
            remedy=f"give --{name} FILE.parquet",
        )
    return read_table(path)
