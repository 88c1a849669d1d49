"""``tieout db upgrade``: bring the ledger's schema to this version."""

from __future__ import annotations

import argparse

from tieout.wiring import open_ledger

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("db", help="the ledger's database")
    parser.add_argument("action", choices=("upgrade",), help="upgrade: migrate to this version")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Migrate; doing it again changes nothing."""
    with open_ledger(upgrade=False) as ledger:
        ledger.upgrade()
        print(f"the ledger is up to date: {ledger.engine.url.render_as_string()}")
    return 0
