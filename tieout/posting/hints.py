"""Callbacks as hints: kept raw and once, and what they name is due for its look now.

A hint only brings forward the due time of a row that waits for a look; what may be sent, and when,
is decided by the attempts on record as ever. It is used up once by each posting it names, so that
one that comes twice changes nothing. A posting that a worker holds, or that has not come so far as
to wait, is woken later: a callback may come before the answer of the request it belongs to.

After a fail-over a row waits until nothing of the old database can be in flight: a row that was
not looked at since then is not woken.
"""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.connectors.hints import Hint
from tieout.identity import content_id
from tieout.ledger.models import Callback

__all__ = ["keep", "wake"]

_WAKE: Final = text("""
    WITH hinted AS (
        SELECT o.intent_id, c.callback_id
        FROM outbox o
        JOIN posting_intents i USING (intent_id)
        JOIN LATERAL (
            SELECT callback_id, received_at FROM callbacks
            WHERE erp = o.erp AND refs @> ARRAY[i.ext_ref]
            UNION
            SELECT callback_id, received_at FROM callbacks
            WHERE erp = o.erp AND batch AND received_at >= i.created_at) c ON true
        LEFT JOIN callback_wakes w USING (callback_id, intent_id)
        WHERE o.erp = :erp AND o.state IN ('UNKNOWN', 'DRAFTED') AND o.owner IS NULL
          AND w.callback_id IS NULL AND c.received_at >= i.created_at
          AND EXISTS (SELECT FROM posting_attempts p
                      WHERE p.intent_id = o.intent_id AND p.ended_at >= o.changed_at)
        FOR UPDATE OF o SKIP LOCKED
    ), used AS (
        INSERT INTO callback_wakes (callback_id, intent_id)
        SELECT callback_id, intent_id FROM hinted ON CONFLICT DO NOTHING
    )
    UPDATE outbox SET next_at = LEAST(next_at, clock_timestamp())
    FROM (SELECT intent_id, min(callback_id) AS callback_id FROM hinted GROUP BY intent_id) found
    WHERE outbox.intent_id = found.intent_id
    RETURNING outbox.intent_id, found.callback_id
""")


def keep(session: Session, erp: str, body: bytes, hint: Hint, problem: str = "") -> bool:
    """Keep a callback; False where the same bytes were kept before."""
    digest = hashlib.sha256(body).hexdigest()
    row = {
        "callback_id": content_id("callback", erp, digest),
        "erp": erp,
        "sha256": digest,
        "body": body,
        "refs": list(hint.references),
        "batch": hint.batch,
        "problem": problem,
    }
    adding = insert(Callback).values(row).on_conflict_do_nothing()
    return session.execute(adding.returning(Callback.callback_id)).one_or_none() is not None


def wake(session: Session, erp: str) -> list[str]:
    """Make due what hints name that have not been used up by it; the intents, in order."""
    woken = sorted((row.intent_id, row.callback_id) for row in session.execute(_WAKE, {"erp": erp}))
    for intent_id, callback_id in woken:
        append(session, erp, "called back", "intent", intent_id, {"callback": callback_id})
    return [intent_id for intent_id, _ in woken]
