"""``tieout profiles check``: load every mapping and say what is wrong, with the nearest right key.

Exit codes: 0 all are right, 1 at least one is wrong (the others are still checked).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from parsers import check_profile
from tieout import books_csv, profiles
from tieout.adjustments.policy import load_policy
from tieout.commands.common import console
from tieout.errors import TieoutError
from tieout.masterdata import load_accounts
from tieout.matching import ladder

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("profiles", help="check the mappings")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    check = verbs.add_parser(
        "check",
        help="load every mapping",
        description="Load every mapping of accounts, banks, books, ladders and policies. "
        "Exit code 0: all right; 1: one is wrong.",
    )
    check.set_defaults(run=run)


_CHECKS: Final[dict[str, Callable[[str, dict[str, Any]], object]]] = {
    "accounts": lambda name, found: load_accounts(),
    "banks": check_profile,
    "books": books_csv.check_profile,
    "ladders": lambda name, found: ladder.load(name),
    "policies": lambda name, found: load_policy(name),
}


def run(args: argparse.Namespace) -> int:
    """Check all mappings; one that is wrong never hides the others."""
    page, wrong = console(), 0
    for kind, check in _CHECKS.items():
        paths = sorted((profiles.mappings_dir() / kind).glob("*.toml"))
        names = [path for path in paths if not path.name.startswith("_")]
        for path in names:
            problem = _problem(check, path)
            wrong += problem is not None
            if problem is not None:
                page.print(f"{kind}/{path.name}: {problem}", markup=False, soft_wrap=True)
            if kind == "accounts":
                break  # they are checked together
        page.print(f"{kind}: {len(names)} checked", markup=False)
    return 1 if wrong else 0


def _problem(check: Callable[[str, dict[str, Any]], object], path: Path) -> TieoutError | None:
    try:
        check(path.stem, profiles.load(path))
    except TieoutError as error:
        return error
    return None
