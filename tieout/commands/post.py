"""``tieout post [--dry-run]``: send approved adjustments, or show exactly what would be sent."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from sqlalchemy import select

from tieout.commands.outbox import NEXT
from tieout.connectors.connector import Connector
from tieout.connectors.ports import Journal, Previewer
from tieout.errors import TieoutError
from tieout.ledger import Ledger
from tieout.ledger.models import Outbox, PostingIntent
from tieout.posting.gate import Gate
from tieout.posting.intents import planned_journals
from tieout.posting.payload import journal_of
from tieout.posting.protocol import WORKING
from tieout.stages.post import post_adjustments
from tieout.wiring import endpoint_from_environment, open_connector, open_gate, open_ledger

__all__ = ["add", "run"]

#: States whose next request creates the document.
_CREATES = ("READY", "RETRY_WAIT")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    words = "send approved adjustments to the ERP, each exactly once"
    post = commands.add_parser("post", help=words, description=words)
    post.add_argument("--erp", default="tryton", help="ERP connection (default: tryton)")
    post.add_argument(
        "--dry-run",
        action="store_true",
        help="show what would be sent, with the ERP's own request where its address is set; "
        "nothing is sent",
    )
    post.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Post, or show."""
    with open_ledger() as ledger:
        return _dry_run(ledger, args.erp) if args.dry_run else _post(ledger, args.erp)


def _post(ledger: Ledger, erp: str) -> int:
    with _connector(ledger, erp) as (connector, gate):
        done = post_adjustments(ledger, connector, erp, gate)
    print(
        f"{done.intents} new intents, {done.posted} posted, {done.refused} refused, "
        f"{done.waiting} waiting, {done.manual} for a person"
    )
    if done.kept:
        print(f"{erp} gets nothing now: {done.kept}")
    return 1 if done.refused or done.manual or done.waiting else 0


@contextmanager
def _connector(ledger: Ledger, erp: str) -> Iterator[tuple[Connector, Gate]]:
    gate = open_gate(ledger, erp)
    connector = open_connector(erp, endpoint_from_environment(f"erp_{erp}"), gate)
    try:
        yield connector, gate
    finally:
        connector.close()
        gate.rest()


def _dry_run(ledger: Ledger, erp: str) -> int:
    """Print each journal as JSON, one object a line, with the request that would carry it."""
    with ledger.session() as session:
        planned, refused = planned_journals(session, erp)
        waiting = session.execute(
            select(Outbox, PostingIntent)
            .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
            .where(Outbox.state.in_(WORKING), Outbox.erp == erp)
            .order_by(Outbox.next_at, Outbox.intent_id)
        ).all()
    rows: list[tuple[str, str, Journal, bool]] = []
    for row, intent in waiting:
        first = "nothing: it is held" if row.held else NEXT[row.state]
        creates = row.state in _CREATES and not row.held
        journal = journal_of(intent.payload, intent.ext_ref)
        rows.append((first, row.intent_id, journal, creates))
    rows += [("create a draft", key, journal, True) for key, journal in planned]
    broken = _print_rows(ledger, erp, rows)
    for finding in refused:
        print(json.dumps({"would": "nothing", **finding.as_dict()}, ensure_ascii=False))
    return 1 if refused or broken else 0


def _print_rows(ledger: Ledger, erp: str, rows: list[tuple[str, str, Journal, bool]]) -> int:
    """Print them; returns how many the ERP's own masters would refuse."""
    broken = 0
    if not rows or not os.environ.get(f"TIEOUT_ERP_{erp.upper()}"):
        for first, key, journal, _ in rows:
            _print_journal(first, key, journal, {})
        return 0
    with _connector(ledger, erp) as (connector, _):
        for first, key, journal, creates in rows:
            shown: dict[str, str] = {}
            if creates and isinstance(connector, Previewer):
                try:
                    shown = {"request": connector.preview(journal)}
                except TieoutError as error:
                    broken, first, shown = broken + 1, "be refused", {"refusal": str(error)}
            _print_journal(first, key, journal, shown)
    return broken


def _print_journal(first: str, subject: str, journal: Journal, shown: dict[str, str]) -> None:
    fields = {"would": first, "id": subject, **asdict(journal), **shown}
    print(json.dumps(fields, ensure_ascii=False, default=str))
