"""Which document a reversal takes back: the one its adjustment's posting was confirmed with.

A reversal is an intent of its own, with its own approval, reference and attempts; it is made only
when the posting it takes back is confirmed, whose document id never changes from then on.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.ledger.models import Adjustment, Outbox, PostingIntent

__all__ = ["REVERSAL", "document_to_reverse"]

#: Kind of an adjustment whose subject is the adjustment it takes back.
REVERSAL = "reversal"


def document_to_reverse(session: Session, adjustment_id: str) -> str | None:
    """The ERP's id of the document a reversal takes back; None while there is none."""
    return session.scalar(
        select(Outbox.erp_doc_id)
        .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
        .join(Adjustment, Adjustment.subject_id == PostingIntent.adjustment_id)
        .where(
            Adjustment.adjustment_id == adjustment_id,
            Adjustment.kind == REVERSAL,
            Outbox.state == "CONFIRMED",
        )
    )
