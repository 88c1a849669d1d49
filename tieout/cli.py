"""``tieout …``: the command line. Each command is one file of `tieout.commands`.

Exit codes: 0 done and nothing to complain about; 1 done with differences, or something was
quarantined or refused; 2 wrong usage, or the work could not be done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tieout import __version__
from tieout.commands import (
    approve,
    db,
    demo,
    exceptions,
    match,
    onboard,
    outbox,
    parse,
    profiles,
    reconcile,
    stages,
    statements,
    verify,
)
from tieout.errors import TieoutError

__all__ = ["main"]

#: In the order in which a day uses them.
COMMANDS = (
    parse,
    onboard,
    profiles,
    reconcile,
    match,
    stages,
    statements,
    exceptions,
    approve,
    outbox,
    verify,
    db,
    demo,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="tieout", description="Bank files in, posted and proven books out."
    )
    parser.add_argument("--version", action="version", version=f"tieout {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    chosen = parser.parse_args(arguments)
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
