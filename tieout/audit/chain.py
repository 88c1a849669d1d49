"""The hash chain: each audit row's SHA-256 covers the row before it.

A row is written in the same transaction as the change it records; an advisory lock serialises
writers, so that the chain has no forks. `verify` walks it and names the first broken row.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any, Final, cast

from sqlalchemy import Table, func, select, text
from sqlalchemy.orm import Session

from tieout.errors import Finding
from tieout.ledger.ledger import database_now
from tieout.ledger.models import AuditRow

__all__ = ["append", "verify"]

_LOCK: Final = 7133702
_TAKE_LOCK: Final = text(f"SELECT pg_advisory_xact_lock({_LOCK})")
_TABLE: Final = cast(Table, AuditRow.__table__)
# Built once: every change of state in the ledger comes through here.
_INSERT: Final = _TABLE.insert()
_LAST: Final = (
    select(_TABLE.c.seq, _TABLE.c.row_hash, func.clock_timestamp().label("now"))
    .order_by(_TABLE.c.seq.desc())
    .limit(1)
)
_GENESIS: Final = "0" * 64
_HEAD: Final = "audit head"  # what a session's transaction appended last


def append(
    session: Session,
    actor: str,
    action: str,
    subject_kind: str,
    subject_id: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one row in the caller's transaction.

    Args:
        session: the transaction that makes the change.
        actor: who: a person's login, or ``tieout``.
        action: what, as a past participle: ``recorded``, ``approved``, ``outbox SENDING``.
        subject_kind: ``file``, ``statement``, ``adjustment``, ``intent``, ``mail`` …
        subject_id: its id.
        detail: JSON-able facts; never secrets, never personal data.
    """
    session.flush()
    seq, previous, at = _head(session)
    body = detail or {}
    row_hash = _hash(seq, at, actor, action, subject_kind, subject_id, body, previous)
    row = {
        "seq": seq,
        "at": at,
        "actor": actor,
        "action": action,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "detail": body,
        "previous_hash": previous,
        "row_hash": row_hash,
    }
    session.connection().execute(_INSERT, row)
    # The lock is ours until the transaction ends: nobody else can append meanwhile.
    session.info[_HEAD] = (session.get_transaction(), seq + 1, row_hash, at)


def _head(session: Session) -> tuple[int, str, dt.datetime]:
    """Number of the next row, hash of the last one, and the instant; takes the lock."""
    mine, *known = session.info.get(_HEAD, (None,))
    if mine is session.get_transaction() and not session.in_nested_transaction():
        return known[0], known[1], known[2]
    connection = session.connection()
    connection.execute(_TAKE_LOCK)
    last = connection.execute(_LAST).one_or_none()
    if last is None:
        return 1, _GENESIS, database_now(session)
    return last.seq + 1, last.row_hash, last.now


def _hash(
    seq: int,
    at: dt.datetime,
    actor: str,
    action: str,
    subject_kind: str,
    subject_id: str,
    detail: dict[str, Any],
    previous: str,
) -> str:
    fields = [
        seq,
        at.astimezone(dt.UTC).isoformat(),
        actor,
        action,
        subject_kind,
        subject_id,
        json.dumps(detail, sort_keys=True, separators=(",", ":")),
        previous,
    ]
    text_ = json.dumps(fields, separators=(",", ":"))
    return hashlib.sha256(text_.encode()).hexdigest()


def verify(session: Session) -> tuple[int, list[Finding]]:
    """Walk the whole chain.

    Returns:
        How many rows were walked, and a finding for each row whose hash, predecessor or number
        is not what it must be.
    """
    expected_seq, previous = 1, _GENESIS
    findings: list[Finding] = []
    rows = session.scalars(
        select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=5000)
    )
    count = 0
    for row in rows:
        count += 1
        actual = _hash(
            row.seq,
            row.at,
            row.actor,
            row.action,
            row.subject_kind,
            row.subject_id,
            row.detail,
            row.previous_hash,
        )
        if row.seq != expected_seq or row.previous_hash != previous or row.row_hash != actual:
            findings.append(
                Finding(
                    "AUDIT_CHAIN_BROKEN",
                    "error",
                    f"audit_log row {row.seq}",
                    "the row does not follow from the one before it",
                    "compare with the anchored checkpoints and a backup: a row was changed, "
                    "removed or inserted outside tieout",
                )
            )
        expected_seq, previous = row.seq + 1, row.row_hash
    return count, findings
