"""Traffic to each ERP, shared by all workers, and people's words on postings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A release grants what another person asked for, of the same trouble (fence).
_WORD = """
CREATE FUNCTION tieout_outbox_word() RETURNS trigger LANGUAGE plpgsql AS $$
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
    RETURN NEW;
END $$
"""

# Who changes the row by hand is asked for the same.
_RELEASE = """
CREATE FUNCTION tieout_outbox_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'MANUAL' AND NEW.state <> 'MANUAL' AND NOT EXISTS (
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


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)  # type: ignore[arg-type]


def _at(name: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), **options)  # type: ignore[arg-type]


def upgrade() -> None:
    """The tables, and the four eyes over MANUAL."""
    op.create_table(
        "erp_traffic",
        _text("erp", primary_key=True),
        _at("full_at"),
        sa.Column("failures", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("opened", sa.BigInteger, server_default="0", nullable=False),
        _at("open_until"),
        _at("probe_until"),
        _at("not_before"),
        _text("trouble", server_default=""),
    )
    op.create_table(
        "erp_permits",
        _text("permit_id", primary_key=True),
        sa.Column("erp", sa.Text, sa.ForeignKey("erp_traffic.erp"), nullable=False),
        _text("owner"),
        _at("until", nullable=False),
    )
    op.create_index("erp_permits_out", "erp_permits", ["erp", "until"])
    _create_words()


def _create_words() -> None:
    intent = sa.ForeignKey("posting_intents.intent_id")
    op.create_table(
        "outbox_words",
        sa.Column("word_no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("intent_id", sa.Text, intent, nullable=False),
        _text("verb"),
        _text("person"),
        _text("reason"),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("successor", sa.Text, sa.ForeignKey("adjustments.adjustment_id")),
        _at("said_at", server_default=sa.func.clock_timestamp(), nullable=False),
        sa.CheckConstraint(
            "verb IN ('hold','ask','release','cancel','replay')", name="outbox_verb"
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name="word_reason"),
        sa.CheckConstraint("btrim(person) <> ''", name="word_person"),
    )
    op.create_index("ix_outbox_words_intent_id", "outbox_words", ["intent_id"])
    for function in (_WORD, _RELEASE):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER two_people BEFORE INSERT ON outbox_words "
        "FOR EACH ROW EXECUTE FUNCTION tieout_outbox_word()"
    )
    op.execute(
        "CREATE TRIGGER two_people BEFORE UPDATE ON outbox "
        "FOR EACH ROW WHEN (OLD.state = 'MANUAL') EXECUTE FUNCTION tieout_outbox_release()"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outbox_words "
        "FOR EACH STATEMENT EXECUTE FUNCTION tieout_refuse_change()"
    )
