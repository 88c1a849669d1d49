"""``tieout outbox list | show`` and ``tieout post [--dry-run]``: what goes to the ERP, and how."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.commands.common import console
from tieout.connectors.ports import Journal
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import AuditRow, Outbox, PostingAttempt, PostingIntent
from tieout.money import format_amount
from tieout.posting.intents import planned_journals
from tieout.posting.payload import journal_of
from tieout.posting.protocol import WORKING
from tieout.stages.post import post_adjustments
from tieout.states import states_of
from tieout.wiring import endpoint_from_environment, open_connector, open_ledger

__all__ = ["add", "run"]

#: What a worker does first with a row in each state.
_NEXT = {
    "READY": "create a draft",
    "RETRY_WAIT": "create a draft",
    "SENDING": "look it up by its reference",
    "UNKNOWN": "look it up by its reference",
    "DRAFTED": "read the document, then post it by its id",
    "VOIDING": "delete the draft",
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``outbox`` and ``post``."""
    outbox = commands.add_parser("outbox", help="what was sent to the ERP, and what waits")
    verbs = outbox.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="unfinished postings, or those of one state")
    listing.add_argument("--state", choices=states_of("outbox"), help="only this state")
    listing.add_argument("--all", action="store_true", help="finished ones too")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    show = verbs.add_parser("show", help="one posting: journal, attempts, history")
    show.add_argument("id", help="intent id, its start, or the reference in the ERP")
    outbox.set_defaults(run=run)
    words = "send approved adjustments to the ERP, each exactly once"
    post = commands.add_parser("post", help=words, description=words)
    post.add_argument("--erp", default="tryton", help="ERP connection (default: tryton)")
    post.add_argument(
        "--dry-run", action="store_true", help="show what would be sent; send nothing"
    )
    post.set_defaults(run=run, verb="post")


def run(args: argparse.Namespace) -> int:
    """Run the chosen verb."""
    with open_ledger() as ledger:
        if args.verb == "list":
            return _list(ledger, args)
        if args.verb == "show":
            with ledger.session() as session:
                print(json.dumps(_shown(session, args.id), indent=2, ensure_ascii=False))
            return 0
        return _dry_run(ledger, args.erp) if args.dry_run else _post(ledger, args.erp)


def _post(ledger: Ledger, erp: str) -> int:
    connector = open_connector(erp, endpoint_from_environment(f"erp_{erp}"))
    done = post_adjustments(ledger, connector, erp)
    connector.close()
    print(
        f"{done.intents} new intents, {done.posted} posted, {done.refused} refused, "
        f"{done.waiting} waiting, {done.manual} for a person"
    )
    return 1 if done.refused or done.manual or done.waiting else 0


def _dry_run(ledger: Ledger, erp: str) -> int:
    """Print each request's content as JSON, one object a line; the ERP is not asked."""
    with ledger.session() as session:
        planned, refused = planned_journals(session, erp)
        for row, intent in session.execute(_rows(WORKING).where(Outbox.erp == erp)):
            first = "nothing: it is held" if row.held else _NEXT[row.state]
            _print_journal(first, row.intent_id, journal_of(intent.payload, intent.ext_ref))
    for adjustment_id, journal in planned:
        _print_journal("create a draft", adjustment_id, journal)
    for finding in refused:
        print(json.dumps({"would": "nothing", **finding.as_dict()}, ensure_ascii=False))
    return 1 if refused else 0


def _print_journal(first: str, subject: str, journal: Journal) -> None:
    fields = {"would": first, "id": subject, **asdict(journal)}
    print(json.dumps(fields, ensure_ascii=False, default=str))


def _rows(states: tuple[str, ...]) -> Any:
    return (
        select(Outbox, PostingIntent)
        .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
        .where(Outbox.state.in_(states))
        .order_by(Outbox.next_at, Outbox.intent_id)
    )


def _list(ledger: Ledger, args: argparse.Namespace) -> int:
    chosen = (args.state,) if args.state else (*WORKING, "MANUAL")
    with ledger.session() as session:
        rows = [
            {
                "intent": row.intent_id,
                "erp": row.erp,
                "state": f"{row.state} (held)" if row.held else row.state,
                "amount": f"{format_amount(intent.amount_minor, intent.currency)} "
                f"{intent.currency}",
                "reference": intent.ext_ref,
                "document": row.document_no or row.erp_doc_id or "",
                "attempts": str(row.attempts),
                "due": row.next_at.isoformat(timespec="seconds"),
                "reason": row.held or row.reason,
            }
            for row, intent in session.execute(_rows(states_of("outbox") if args.all else chosen))
        ]
    if args.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return 0
    if not rows:
        print("nothing waits" if not (args.all or args.state) else "none")
        return 0
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name, justify="right" if name in ("amount", "attempts") else "left")
    for row in rows:
        # A reason may quote the ERP: its brackets are text, not markup.
        table.add_row(row["intent"][:12], *(v.replace("[", r"\[") for v in list(row.values())[1:]))
    console().print(table)
    return 0


def _shown(session: Session, key: str) -> dict[str, Any]:
    """All that is known of one intent, in the order in which it happened."""
    found = session.scalars(
        select(PostingIntent)
        .where(
            PostingIntent.intent_id.startswith(key, autoescape=True)
            | (PostingIntent.ext_ref == key)
        )
        .limit(2)
    ).all()
    if len(found) != 1:
        raise LedgerError(
            "INTENT_UNKNOWN",
            f"{'no' if not found else 'more than one'} intent begins with {key!r}",
            remedy="`tieout outbox list --all` shows the ids",
        )
    intent, row = found[0], session.get_one(Outbox, found[0].intent_id)
    attempts = session.scalars(
        select(PostingAttempt)
        .where(PostingAttempt.intent_id == intent.intent_id)
        .order_by(PostingAttempt.attempt_id)
    )
    history = session.scalars(
        select(AuditRow)
        .where(AuditRow.subject_kind == "intent", AuditRow.subject_id == intent.intent_id)
        .order_by(AuditRow.seq)
    )
    return {
        "intent": intent.intent_id,
        "adjustment": intent.adjustment_id,
        "reference": intent.ext_ref,
        "payload_sha256": intent.payload_sha256,
        "journal": intent.payload,
        "state": row.state,
        "held": row.held,
        "reason": row.reason,
        "document_id": row.erp_doc_id,
        "document_no": row.document_no,
        "next": _NEXT.get(row.state, "nothing"),
        "due_at": row.next_at.isoformat(),
        "attempts": [_attempt(attempt) for attempt in attempts],
        "history": [
            {"at": step.at.isoformat(), "by": step.actor, **step.detail} for step in history
        ],
    }


def _attempt(attempt: PostingAttempt) -> dict[str, Any]:
    return {
        "phase": attempt.phase,
        "at": attempt.started_at.isoformat(),
        "owner": attempt.owner,
        "fence": attempt.fence,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "message": attempt.message,
    }
