"""Which row states which entry, statements told again, and people's word on damaged ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables more; a statement's gap beside its state."""
    op.create_table(
        "entry_identities",
        sa.Column("entry_id", sa.Text, sa.ForeignKey("entries.entry_id"), primary_key=True),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("counts", sa.Boolean, nullable=False),
        sa.Column("shared", sa.Text, nullable=False),
    )
    op.create_index("ix_entry_identities_identity", "entry_identities", ["identity"])
    op.create_table(
        "statement_decisions",
        sa.Column(
            "statement_id",
            sa.Text,
            sa.ForeignKey("statements.statement_id"),
            primary_key=True,
        ),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.clock_timestamp(),
            nullable=False,
        ),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement_decisions "
        "FOR EACH STATEMENT EXECUTE FUNCTION tieout_refuse_change()"
    )
    op.add_column(
        "statement_status",
        sa.Column("gap_minor", sa.BigInteger, server_default="0", nullable=False),
    )
