"""The protocol's invariants as SQL over our own tables; each query returns what violates it.

Run after every crash test and nightly in production. What the ERP itself holds (one posted document
for a reference) is checked against its own ledger by an independent client.

I1  no document of the ERP belongs to two intents
I2  CONFIRMED means: posted under a number, looked at afterwards (or, where nothing can be asked,
    confirmed by two people), and the adjustment says so
I3  REJECTED and CANCELLED mean: no number, no posted adjustment; CANCELLED was never sent
I4  another person approved exactly this payload before the first byte was sent
I5  nothing was sent without an attempt on record before
I7  a document id never changes
I8  reference and payload are the same in all attempts of an intent
I9  one live intent for an adjustment and kind
I10 debits equal credits in every intent, and equal the adjustment's lines
I11 every state change has exactly one audit row: they form one path from READY to the state
I15 what one person confirms of a posting that was given up, another one stated before
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

__all__ = ["INVARIANTS", "Violation", "violations"]

#: Name → query with the columns ``subject`` and ``problem``.
INVARIANTS: Final[dict[str, str]] = {
    "I1": """
        SELECT min(intent_id) AS subject,
               'document ' || erp_doc_id || ' belongs to ' || count(*) || ' intents' AS problem
        FROM outbox JOIN posting_intents USING (intent_id)
        WHERE erp_doc_id IS NOT NULL
        GROUP BY outbox.erp, company, erp_doc_id HAVING count(*) > 1
    """,
    "I2": """
        SELECT o.intent_id AS subject, 'confirmed without number, look or adjustment' AS problem
        FROM outbox o JOIN posting_intents i USING (intent_id) JOIN adjustments a
          ON a.adjustment_id = i.adjustment_id
        WHERE o.state = 'CONFIRMED' AND (
            o.erp_doc_id IS NULL OR o.document_no IS NULL
            OR (o.first_sent_at IS NULL AND o.unknown_since IS NULL)
            OR a.state NOT IN ('posted', 'reversed')
            OR a.document_no IS DISTINCT FROM o.document_no
            OR NOT EXISTS (
                SELECT FROM posting_attempts look
                WHERE look.intent_id = o.intent_id AND look.outcome = 'OK'
                  AND look.phase IN ('read', 'find') AND look.attempt_id > ALL (
                    SELECT attempt_id FROM posting_attempts
                    WHERE intent_id = o.intent_id AND phase = 'post' AND fence = o.fence))
            AND NOT EXISTS (
                SELECT FROM outbox_words w WHERE w.intent_id = o.intent_id
                  AND w.verb = 'confirm' AND w.document = o.erp_doc_id AND w.fence = o.fence))
    """,
    "I3": """
        SELECT o.intent_id AS subject, 'ended without effect, but has one' AS problem
        FROM outbox o JOIN posting_intents i USING (intent_id) JOIN adjustments a
          ON a.adjustment_id = i.adjustment_id
        WHERE o.state IN ('REJECTED', 'CANCELLED') AND (
            o.document_no IS NOT NULL
            OR a.state IN ('posted', 'reversed')
            OR (o.state = 'CANCELLED' AND EXISTS (
                SELECT FROM posting_attempts p WHERE p.intent_id = o.intent_id)))
    """,
    "I4": """
        SELECT o.intent_id AS subject, 'sent without an approval that binds it' AS problem
        FROM outbox o JOIN posting_intents i USING (intent_id)
        LEFT JOIN approvals p ON p.approval_id = i.approval_id
        WHERE o.first_sent_at IS NOT NULL AND (
            p.decision IS DISTINCT FROM 'approve'
            OR lower(btrim(p.person)) = lower(btrim(i.maker))
            OR p.payload_sha256 <> i.payload_sha256
            OR p.adjustment_id <> i.adjustment_id
            OR p.at > o.first_sent_at)
    """,
    "I5": """
        SELECT o.intent_id AS subject, 'sent without an attempt on record' AS problem
        FROM outbox o
        LEFT JOIN (SELECT intent_id, min(started_at) AS started_at FROM posting_attempts
                   WHERE phase IN ('create', 'post', 'delete') GROUP BY intent_id) p
          USING (intent_id)
        WHERE (o.first_sent_at IS NOT NULL OR o.attempts > 0)
          AND (p.started_at IS NULL OR o.first_sent_at IS NULL OR p.started_at > o.first_sent_at)
    """,
    "I7": """
        SELECT subject_id AS subject, 'the document id changed' AS problem
        FROM audit_log LEFT JOIN outbox ON intent_id = subject_id
        WHERE subject_kind = 'intent' AND detail ->> 'doc_id' IS NOT NULL
        GROUP BY subject_id, erp_doc_id
        HAVING count(DISTINCT detail ->> 'doc_id') > 1 OR min(detail ->> 'doc_id') <> erp_doc_id
    """,
    "I8": """
        SELECT p.intent_id AS subject, 'an attempt carries another reference or payload' AS problem
        FROM posting_attempts p JOIN posting_intents i USING (intent_id)
        WHERE p.ext_ref <> i.ext_ref OR p.payload_sha256 <> i.payload_sha256
    """,
    "I9": """
        SELECT adjustment_id AS subject, count(*) || ' live intents' AS problem
        FROM posting_intents JOIN outbox USING (intent_id)
        WHERE state NOT IN ('REJECTED', 'CANCELLED')
        GROUP BY adjustment_id, kind HAVING count(*) > 1
    """,
    "I10": """
        SELECT i.intent_id AS subject, 'the intent does not balance with its adjustment' AS problem
        FROM posting_intents i,
        LATERAL (SELECT sum((line ->> 'debit_minor')::bigint) AS debit,
                        sum((line ->> 'credit_minor')::bigint) AS credit
                 FROM jsonb_array_elements(i.payload -> 'lines') line) sent,
        LATERAL (SELECT sum(debit_minor) AS debit, sum(credit_minor) AS credit
                 FROM adjustment_lines WHERE adjustment_id = i.adjustment_id) kept
        WHERE sent.debit IS DISTINCT FROM sent.credit OR sent.debit <> i.amount_minor
           OR sent.debit IS DISTINCT FROM kept.debit
    """,
    "I11": """
        SELECT coalesce(o.intent_id, path.subject_id) AS subject,
               'audit rows are no single path to its state' AS problem
        FROM outbox o FULL JOIN (
            SELECT subject_id, (array_agg(detail ->> 'to' ORDER BY seq DESC))[1] AS last,
                   bool_or(detail ->> 'from' <> before) AS broken
            FROM (SELECT *, lag(detail ->> 'to', 1, '')
                              OVER (PARTITION BY subject_id ORDER BY seq) AS before
                  FROM audit_log
                  WHERE subject_kind = 'intent' AND action LIKE 'outbox %') steps
            GROUP BY subject_id) path ON path.subject_id = o.intent_id
        WHERE o.intent_id IS NULL OR path.subject_id IS NULL OR path.broken
           OR path.last <> o.state
    """,
    "I15": """
        SELECT c.intent_id AS subject, 'settled by less than two people' AS problem
        FROM outbox_words c
        WHERE c.verb = 'confirm' AND NOT EXISTS (
            SELECT FROM outbox_words s
            WHERE s.intent_id = c.intent_id AND s.verb = 'state' AND s.fence = c.fence
              AND s.document = c.document AND s.word_no < c.word_no
              AND lower(btrim(s.person)) <> lower(btrim(c.person)))
    """,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that breaks one invariant."""

    invariant: str
    subject: str
    problem: str


def violations(session: Session) -> list[Violation]:
    """Every violation of every invariant, in order; empty is how it must be."""
    found = []
    for name, query in INVARIANTS.items():
        rows = session.execute(text(f"{query} ORDER BY 1")).all()
        found += [Violation(name, row.subject, row.problem) for row in rows]
    return found
