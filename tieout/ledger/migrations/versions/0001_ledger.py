"""The ledger: all tables, and what the database itself guards."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = Path(__file__).with_suffix(".sql")

# As it was then: a later table's trigger is a later migration's.
_APPEND_ONLY = (
    "approvals",
    "audit_log",
    "balances",
    "book_balances",
    "deliveries",
    "details",
    "entries",
    "exception_events",
    "expenses",
    "findings",
    "items",
    "posting_intents",
    "rates",
    "statements",
)

_REFUSE = """
CREATE FUNCTION tieout_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

_BALANCED = """
CREATE FUNCTION tieout_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(debit_minor) <> sum(credit_minor) OR count(DISTINCT currency) <> 1
        FROM adjustment_lines WHERE adjustment_id = NEW.adjustment_id) THEN
        RAISE EXCEPTION 'adjustment % does not balance', NEW.adjustment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

_FOUR_EYES = """
CREATE FUNCTION tieout_four_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE proposal adjustments%ROWTYPE;
BEGIN
    SELECT * INTO STRICT proposal FROM adjustments WHERE adjustment_id = NEW.adjustment_id;
    IF lower(btrim(NEW.person)) = lower(btrim(proposal.maker)) THEN
        RAISE EXCEPTION 'the maker of an adjustment may not decide on it'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.payload_sha256 <> proposal.payload_sha256 THEN
        RAISE EXCEPTION 'the adjustment changed since it was shown'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

_WRITE_ONCE = """
CREATE FUNCTION tieout_write_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erp_doc_id IS NOT NULL AND NEW.erp_doc_id IS DISTINCT FROM OLD.erp_doc_id THEN
        RAISE EXCEPTION 'the document id of intent % is written once', OLD.intent_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.fence < OLD.fence THEN
        RAISE EXCEPTION 'the fence of intent % only grows', OLD.intent_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Create every table, then the triggers that keep facts, balance, approval and ids."""
    for statement in _TABLES.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
    for function in (_REFUSE, _BALANCED, _FOUR_EYES, _WRITE_ONCE):
        op.execute(function)
    for name in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION tieout_refuse_change()"
        )
    op.execute(
        "CREATE CONSTRAINT TRIGGER balanced AFTER INSERT OR UPDATE ON adjustment_lines "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tieout_balanced()"
    )
    op.execute(
        "CREATE TRIGGER four_eyes BEFORE INSERT ON approvals "
        "FOR EACH ROW EXECUTE FUNCTION tieout_four_eyes()"
    )
    op.execute(
        "CREATE TRIGGER write_once BEFORE UPDATE ON outbox "
        "FOR EACH ROW EXECUTE FUNCTION tieout_write_once()"
    )
