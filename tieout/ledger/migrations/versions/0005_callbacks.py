"""Calls the ERPs make to us, and the postings they made due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)  # type: ignore[arg-type]


def _now(name: str) -> sa.Column[object]:
    default = sa.func.clock_timestamp()
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=False)


def upgrade() -> None:
    """Both tables, append-only."""
    op.create_table(
        "callbacks",
        _text("callback_id", primary_key=True),
        _text("erp"),
        _text("sha256"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("refs", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("batch", sa.Boolean, nullable=False),
        _text("problem", server_default=""),
        _now("received_at"),
        sa.CheckConstraint("sha256 = encode(sha256(body), 'hex')", name="callback_body"),
    )
    op.create_index("ix_callbacks_refs", "callbacks", ["refs"], postgresql_using="gin")
    op.create_index(
        "ix_callbacks_batch", "callbacks", ["erp", "received_at"], postgresql_where=sa.text("batch")
    )
    callback = sa.ForeignKey("callbacks.callback_id")
    intent = sa.ForeignKey("posting_intents.intent_id")
    op.create_table(
        "callback_wakes",
        sa.Column("callback_id", sa.Text, callback, primary_key=True),
        sa.Column("intent_id", sa.Text, intent, primary_key=True),
        _now("woken_at"),
    )
    op.create_index("ix_callback_wakes_intent_id", "callback_wakes", ["intent_id"])
    for table in ("callbacks", "callback_wakes"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION tieout_refuse_change()"
        )
