"""``tieout demo``: the whole day on this machine, like ``make demo``."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys

from tieout.errors import TieoutError

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("demo", help="run the demo day (needs the sandbox extras)")
    parser.add_argument("--reset", action="store_true", help="forget the last demo first")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sandbox's demo in its own process: tieout itself never imports the sandbox.

    Raises:
        TieoutError: ``DEMO_MISSING`` where the sandbox or its packages are not installed.
    """
    if importlib.util.find_spec("sandbox.demo") is None or not importlib.util.find_spec("trytond"):
        raise TieoutError(
            "DEMO_MISSING",
            "the sandbox is not installed here",
            remedy="run `make demo` in a checkout, or install tieout[airflow,sandbox]",
        )
    command = [sys.executable, "-m", "sandbox.demo", *(["--reset"] if args.reset else [])]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - fixed arguments
