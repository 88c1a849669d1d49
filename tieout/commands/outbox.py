"""``tieout outbox …``: what was sent to the ERP, what waits, and what people decide about it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.commands.common import console, person
from tieout.errors import LedgerError, ProfileError
from tieout.ledger import Ledger
from tieout.ledger.models import AuditRow, Outbox, PostingAttempt, PostingIntent
from tieout.money import format_amount
from tieout.posting.gate import standing
from tieout.posting.protocol import WORKING
from tieout.posting.traffic import Terms
from tieout.posting.traffic_profile import load_terms
from tieout.stages.completeness import DAYS, check_postings
from tieout.stages.outbox_settled import settle
from tieout.stages.outbox_words import VERBS, find_intent, say
from tieout.states import states_of
from tieout.wiring import endpoint_from_environment, open_connector, open_gate, open_ledger

__all__ = ["NEXT", "add", "run"]

#: What a worker does first with a row in each state.
NEXT = {
    "READY": "create a draft",
    "RETRY_WAIT": "create a draft",
    "SENDING": "look it up by its reference",
    "UNKNOWN": "look it up by its reference",
    "DRAFTED": "read the document, then post it by its id",
    "VOIDING": "delete the draft",
}

#: Verb → what it does, for people.
_WORDS = {
    "hold": "send nothing more for a posting until somebody releases it",
    "release": "let a held posting go on; one for a person needs two of them",
    "cancel": "take back a posting that was never sent",
    "replay": "propose again what the ERP refused, once the cause is mended",
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
    words = "compare both ways what was posted here and what the ERP holds under our references"
    check = verbs.add_parser("check", help=words, description=words)
    check.add_argument("--erp", default="tryton", help="ERP connection (default: tryton)")
    check.add_argument("--days", type=int, default=DAYS, help="booking days back (%(default)s)")
    for verb, words in _WORDS.items():
        parser = verbs.add_parser(verb, help=words, description=words)
        parser.add_argument(
            "ids", nargs="+", metavar="ID", help="intent id, its start, or reference"
        )
        parser.add_argument("--as", dest="person", help="who decides (default: your login)")
        parser.add_argument("--reason", default="", help="why; kept in the audit log")
    words = "end a posting that was given up: one states what the ERP holds of it, another confirms"
    parser = verbs.add_parser("settle", help=words, description=words)
    parser.add_argument("id", metavar="ID", help="intent id, its start, or reference")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--document", help="the ERP's id of the document")
    which.add_argument("--absent", action="store_true", help="there is none, and will be none")
    parser.add_argument("--evidence", default="", help="where it was seen, or why there is none")
    parser.add_argument("--as", dest="person", help="who says so (default: your login)")
    outbox.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the chosen verb."""
    with open_ledger() as ledger:
        if args.verb in VERBS:
            who = person(args.person)
            for key in args.ids:
                print(f"{key}: {say(ledger, args.verb, key, who, args.reason)}")
            return 0
        if args.verb == "settle":
            print(f"{args.id}: {_settle(ledger, args)}")
            return 0
        if args.verb == "check":
            return _check(ledger, args.erp, args.days)
        if args.verb == "list":
            return _list(ledger, args)
        with ledger.session() as session:
            print(json.dumps(_shown(session, args.id), indent=2, ensure_ascii=False))
        return 0


def _settle(ledger: Ledger, args: argparse.Namespace) -> str:
    """One person's word; the ERP is asked whether it says the same, where it can be."""
    document = "" if args.absent else args.document.strip()
    if not (document or args.absent):
        raise LedgerError("DOCUMENT_MISSING", "no document is named", remedy="give its id")
    with ledger.session() as session:
        erp = find_intent(session, args.id).erp
    gate = open_gate(ledger, erp)
    connector = open_connector(erp, endpoint_from_environment(f"erp_{erp}"), gate)
    who, why = person(args.person), args.evidence
    try:
        return settle(ledger, connector, args.id, who, document=document, evidence=why)
    finally:
        connector.close()
        gate.rest()


def _check(ledger: Ledger, erp: str, days: int) -> int:
    gate = open_gate(ledger, erp)
    connector = open_connector(erp, endpoint_from_environment(f"erp_{erp}"), gate)
    try:
        done = check_postings(ledger, connector, erp, days=days)
    finally:
        connector.close()
        gate.rest()
    for line in done.differences:
        print(line)
    print(
        f"since {done.since}: {done.documents} documents in the ERP, {done.confirmed} confirmed "
        f"here, {len(done.differences)} differences; exceptions: {done.opened} opened, "
        f"{done.resolved} resolved"
    )
    if not done.listed:
        print(f"{erp} cannot list documents: references that are not in this ledger were not seen")
    return 1 if done.differences else 0


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
    kept = _kept(ledger)
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
    for line in kept:
        print(line)
    return 0


def _kept(ledger: Ledger) -> list[str]:
    """ERPs that get nothing now: maintenance, an open circuit, or because they asked for it."""
    lines = []
    with ledger.session() as session:
        for erp in session.scalars(select(Outbox.erp).distinct().order_by(Outbox.erp)):
            refused = standing(session, erp, _terms(erp))
            if refused is not None:
                until = refused.until.isoformat(timespec="seconds")
                lines.append(f"{erp} gets nothing now: {refused.words}; until {until}")
    return lines


def _terms(erp: str) -> Terms:
    try:
        return load_terms(erp)
    except ProfileError:  # a connection whose mapping is gone still has its rows
        return Terms()


def _shown(session: Session, key: str) -> dict[str, Any]:
    """All that is known of one intent, in the order in which it happened."""
    intent = find_intent(session, key)
    row = session.get_one(Outbox, intent.intent_id)
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
        "next": NEXT.get(row.state, "nothing"),
        "due_at": row.next_at.isoformat(),
        "attempts": [_attempt(attempt) for attempt in attempts],
        "history": [
            {"at": step.at.isoformat(), "by": step.actor, "did": step.action, **step.detail}
            for step in history
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
