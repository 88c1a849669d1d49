"""``tieout statements list | resolve``, ``tieout files list | release``: people's word on input."""

from __future__ import annotations

import argparse

from tieout.commands.common import person, print_rows
from tieout.stages.people import file_rows, release_file, resolve_statement, statement_rows
from tieout.wiring import open_ledger

__all__ = ["add"]

Commands = argparse._SubParsersAction  # argparse gives it no public name


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Declare both families."""
    parser = commands.add_parser("statements", help="list statements; resolve a damaged one")
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="booked statements and what counts of them")
    listing.add_argument("--account", metavar="CODE", help="of one account")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    _decision(verbs, "resolve", "take one with an unreadable record for whole")
    parser.set_defaults(run=_statements)
    parser = commands.add_parser("files", help="list files by state; release a quarantined one")
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="quarantined files, and why")
    listing.add_argument("--state", default="quarantined", help="another state")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    _decision(verbs, "release", "let the next run read it once more")
    parser.set_defaults(run=_files)


def _decision(verbs: Commands[argparse.ArgumentParser], verb: str, words: str) -> None:
    one = verbs.add_parser(verb, help=words)
    one.add_argument("id", help="its id, or the start of it")
    one.add_argument("reason", help="why, for the audit trail")
    one.add_argument("--as", dest="person", help="who decides (default: your login)")


def _statements(args: argparse.Namespace) -> int:
    with open_ledger() as ledger:
        if args.verb == "list":
            with ledger.session() as session:
                print_rows(statement_rows(session, args.account), as_json=args.json)
            return 0
        state = resolve_statement(ledger, args.id, person(args.person), args.reason)
        print(f"statement {args.id}: {state}")
        return 0 if state != "staged" else 1


def _files(args: argparse.Namespace) -> int:
    with open_ledger() as ledger, ledger.session() as session:
        if args.verb == "list":
            print_rows(file_rows(session, args.state), as_json=args.json)
            return 0
        file = release_file(session, args.id, person(args.person), args.reason)
        print(f"{file.name}: {file.state}, the next `tieout ingest` reads it")
    return 0
