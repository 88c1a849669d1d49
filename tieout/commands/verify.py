"""``tieout verify``: walk the audit chain, and check the posting protocol's invariants."""

from __future__ import annotations

import argparse

from tieout.audit import verify
from tieout.posting.invariants import INVARIANTS, violations
from tieout.wiring import open_ledger

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "verify",
        help="verify the audit chain and the posting invariants",
        description="Walk the whole audit chain and check the posting protocol's invariants in "
        "the ledger. Exit code 1 where anything is broken.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify and say what is broken, if anything."""
    with open_ledger() as ledger, ledger.session() as session:
        count, broken = verify(session)
        violated = violations(session)
    for finding in broken:
        print(f"{finding.where}: {finding.message} [{finding.code}]")
    for violation in violated:
        print(f"{violation.invariant} {violation.subject}: {violation.problem}")
    print(f"{count} audit rows walked, {len(broken)} broken")
    print(f"{len(INVARIANTS)} posting invariants asked, {len(violated)} violations")
    return 1 if broken or violated else 0
