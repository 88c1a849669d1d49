"""``tieout ingest | arrivals | sync | expenses | derive | report``: the stages of the DAGs.

They use the ledger of ``TIEOUT_DATABASE`` (or the embedded one) and the endpoints of the
environment (see `tieout.wiring`).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
from collections.abc import Callable

from rich.console import Console

from tieout.commands.common import day_of
from tieout.home import data_home
from tieout.masterdata.accounts import load_accounts
from tieout.reports import text
from tieout.stages import arrival, expenses, ingest, reconcile, report, sync
from tieout.wiring import (
    endpoint_from_environment,
    open_connector,
    open_drop,
    open_gate,
    open_ledger,
    open_mailer,
)

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands."""
    for name, words, action in (
        ("ingest", "take new files from the bank drop into the ledger", _ingest),
        ("arrivals", "say which statements are due and not there", _arrivals),
        ("sync", "read cash book, open items, balances and rates of each ERP", _sync),
        ("expenses", "take new expense extracts from their drop", _expenses),
        ("derive", "match, propose adjustments, name exceptions", _derive),
        ("report", "close the day: bank reconciliation statements, mailed once", _report),
    ):
        parser = commands.add_parser(name, help=words, description=words)
        parser.add_argument("--day", type=dt.date.fromisoformat, help="business day (ISO date)")
        parser.set_defaults(run=run, stage=action)


def run(args: argparse.Namespace) -> int:
    """Run the chosen stage."""
    stage: Callable[[argparse.Namespace], int] = args.stage
    return stage(args)


def _ingest(args: argparse.Namespace) -> int:
    home = data_home()
    drop = open_drop(endpoint_from_environment("drop_bank"))
    with open_ledger() as ledger:
        claimed = ingest.claim_files(ledger, drop, home)
        states = [ingest.read_file(ledger, home, file_id) for file_id in claimed]
        good = ingest.validate_files(
            ledger,
            home,
            [f for f, state in zip(claimed, states, strict=True) if state == "identified"],
        )
        touched = ingest.record_files(ledger, home, good)
    drop.close()
    refused = len(claimed) - len(good)
    print(f"{len(claimed)} new files: {len(good)} recorded, {refused} put aside")
    print("accounts with new statements: " + (", ".join(touched) or "none"))
    return 1 if refused else 0


def _arrivals(args: argparse.Namespace) -> int:
    held = os.environ.get("TIEOUT_DAY")
    until = args.day or (dt.date.fromisoformat(held) if held else None)
    with open_ledger() as ledger:
        found = arrival.check_arrivals(ledger, data_home(), until=until)
    for each in found.missing:
        print(f"{each.account_code}: no statement of {each.expected_on}, due {each.due}")
    print(
        f"{len(found.missing)} statements missing; exceptions: {found.opened} opened, "
        f"{found.resolved} resolved"
    )
    return 1 if found.missing else 0


def _sync(args: argparse.Namespace) -> int:
    erps = sorted({account.erp for account in load_accounts()})
    endpoints = {erp: endpoint_from_environment(f"erp_{erp}") for erp in erps}
    changed = 0
    with open_ledger() as ledger:
        for erp, endpoint in endpoints.items():
            gate = open_gate(ledger, erp)
            connector = open_connector(erp, endpoint, gate)
            changed += sync.sync_books(ledger, connector, erp, args.day)
            connector.close()
            gate.rest()
    print(f"{changed} items or balances are new or changed")
    return 0


def _expenses(args: argparse.Namespace) -> int:
    drop = open_drop(endpoint_from_environment("drop_expense"))
    with open_ledger() as ledger:
        changed = expenses.sync_expenses(ledger, drop, data_home())
    drop.close()
    print(f"{changed} reimbursements are new or changed")
    return 0


def _derive(args: argparse.Namespace) -> int:
    with open_ledger() as ledger:
        day = day_of(ledger, args.day)
        for code in reconcile.accounts(ledger):
            done = reconcile.reconcile_account(ledger, code, day)
            print(
                f"{code}: {done.groups} new groups, {done.joined} postings joined, "
                f"{done.proposals} proposals, {done.opened} exceptions opened, "
                f"{done.resolved} resolved"
            )
    return 0


def _report(args: argparse.Namespace) -> int:
    with open_ledger() as ledger:
        mailer = open_mailer(endpoint_from_environment("smtp"))
        done = report.close_report(ledger, data_home(), mailer, day_of(ledger, args.day))
    text.show(done.report, Console())
    for kind, path in sorted(done.files.items()):
        print(f"{kind}: {path}")
    print("mailed" if done.mailed else "not mailed: this report was mailed before")
    return 1 if any(a.unexplained_minor for a in done.report.accounts) else 0
