"""``tieout …``: the command line. Each command is one file of `tieout.commands`.

Exit codes: 0 done and nothing to complain about; 1 done with differences, or something was
quarantined or refused; 2 wrong usage, or the work could not be done.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from tieout import __version__
from tieout.errors import TieoutError

__all__ = ["main"]

#: Modules of `tieout.commands`, in the order in which a day uses them.
COMMANDS = (
    "parse",
    "onboard",
    "profiles",
    "reconcile",
    "match",
    "matches",
    "audit_sample",
    "rates",
    "explain",
    "backtest",
    "suggest_rules",
    "stages",
    "statements",
    "exceptions",
    "approve",
    "post",
    "outbox",
    "serve_callbacks",
    "verify",
    "db",
    "demo",
)


def _modules(asked: str) -> list[ModuleType]:
    """The modules to declare: reading a file must not load what talks to a ledger or an ERP."""
    name = asked.replace("-", "_")
    names = [name] if name in COMMANDS else COMMANDS
    return [importlib.import_module(f"tieout.commands.{name}") for name in names]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="tieout", description="Bank files in, posted and proven books out."
    )
    parser.add_argument("--version", action="version", version=f"tieout {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    given = list(sys.argv[1:] if arguments is None else arguments)
    for module in _modules(given[0] if given else ""):
        module.add(commands)
    chosen = parser.parse_args(given)
    try:
        code: int = chosen.run(chosen)
    except TieoutError as error:
        print(f"tieout: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough.
        sys.stderr.close()
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
