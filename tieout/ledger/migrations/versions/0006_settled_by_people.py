"""An end for what is MANUAL: one person states what the ERP holds of it, another confirms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A confirmation repeats what another person stated, of the same trouble (fence).
_WORD = """
CREATE OR REPLACE FUNCTION tieout_outbox_word() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE now_state text;
BEGIN
    SELECT state INTO now_state FROM outbox WHERE intent_id = NEW.intent_id FOR UPDATE;
    IF NEW.verb = 'release' AND now_state = 'MANUAL' AND NOT EXISTS (
        SELECT FROM outbox_words w
        WHERE w.intent_id = NEW.intent_id AND w.verb = 'ask' AND w.fence = NEW.fence
          AND lower(btrim(w.person)) <> lower(btrim(NEW.person)))
    THEN
        RAISE EXCEPTION 'a release from MANUAL needs two people' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.verb = 'confirm' AND NOT EXISTS (
        SELECT FROM outbox_words w
        WHERE w.intent_id = NEW.intent_id AND w.verb = 'state' AND w.fence = NEW.fence
          AND w.document = NEW.document
          AND lower(btrim(w.person)) <> lower(btrim(NEW.person)))
    THEN
        RAISE EXCEPTION 'the end of MANUAL needs two people' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

# Who changes the row by hand is asked for the same.
_LEAVE = """
CREATE OR REPLACE FUNCTION tieout_outbox_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('DRAFTED', 'CONFIRMED', 'REJECTED') THEN
        IF NOT EXISTS (
            SELECT FROM outbox_words confirmed JOIN outbox_words stated USING (intent_id, fence)
            WHERE confirmed.intent_id = OLD.intent_id AND confirmed.fence = OLD.fence
              AND confirmed.verb = 'confirm' AND stated.verb = 'state'
              AND stated.document = confirmed.document
              AND confirmed.document =
                  CASE NEW.state WHEN 'REJECTED' THEN '' ELSE NEW.erp_doc_id END
              AND lower(btrim(stated.person)) <> lower(btrim(confirmed.person)))
        THEN
            RAISE EXCEPTION 'the end of MANUAL needs two people'
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.state <> 'MANUAL' AND NOT EXISTS (
        SELECT FROM outbox_words granted JOIN outbox_words asked USING (intent_id, fence)
        WHERE granted.intent_id = OLD.intent_id AND granted.fence = OLD.fence
          AND granted.verb = 'release' AND asked.verb = 'ask'
          AND lower(btrim(asked.person)) <> lower(btrim(granted.person)))
    THEN
        RAISE EXCEPTION 'a release from MANUAL needs two people' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """The two verbs, what they are said of, and the four eyes over them."""
    op.add_column("outbox_words", sa.Column("document", sa.Text))
    op.drop_constraint("outbox_verb", "outbox_words")
    op.create_check_constraint(
        "outbox_verb",
        "outbox_words",
        "verb IN ('hold','ask','release','cancel','replay','state','confirm')",
    )
    op.create_check_constraint(
        "word_document", "outbox_words", "(document IS NOT NULL) = (verb IN ('state','confirm'))"
    )
    for function in (_WORD, _LEAVE):
        op.execute(function)
