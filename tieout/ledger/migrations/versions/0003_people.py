"""People's decisions on matches, partial claims with their guard, and the audit queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATES = "state IN ('proposed', 'confirmed', 'rejected', 'withdrawn', 'undone')"

# The row of the entry or item is locked, so that two transactions cannot each take a part that is
# there only once; whole claims beside each other are the unique index's.
_CLAIM = """
CREATE FUNCTION tieout_claim() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    there bigint;
    others integer;
    others_whole boolean;
    taken numeric;
    base bigint;
    part boolean;
BEGIN
    NEW.of_minor := coalesce(NEW.of_minor, NEW.amount_minor);
    part := NEW.amount_minor <> NEW.of_minor;
    IF NOT NEW.live THEN
        RETURN NEW;
    END IF;
    IF NEW.side = 'entry' THEN
        SELECT abs(amount_minor) INTO there FROM entries
        WHERE entry_id = NEW.member_id FOR NO KEY UPDATE;
    ELSIF NEW.side = 'item' THEN
        PERFORM 1 FROM items WHERE item_id = NEW.member_id AND version = 1 FOR NO KEY UPDATE;
        SELECT max(abs(open_minor)) INTO there FROM items WHERE item_id = NEW.member_id;
    END IF;
    IF part AND (there IS NULL OR abs(NEW.of_minor) > there) THEN
        RAISE EXCEPTION 'there is not so much of % %', NEW.side, NEW.member_id
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT count(*), coalesce(bool_or(amount_minor = of_minor), false),
        coalesce(sum(abs(amount_minor)), 0), coalesce(max(abs(of_minor)), 0)
    INTO others, others_whole, taken, base
    FROM members
    WHERE side = NEW.side AND member_id = NEW.member_id AND live AND group_id <> NEW.group_id;
    IF others = 0 THEN
        RETURN NEW;
    END IF;
    IF others_whole OR NOT part THEN
        RAISE EXCEPTION '% % is claimed by another group (one_live_group)', NEW.side, NEW.member_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'one_live_group';
    END IF;
    IF taken + abs(NEW.amount_minor) > greatest(base, abs(NEW.of_minor)) THEN
        RAISE EXCEPTION 'groups would take more of % % than there is', NEW.side, NEW.member_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

_SECOND = """
CREATE FUNCTION tieout_second_person() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE made_by text;
BEGIN
    SELECT person INTO made_by FROM match_decisions
    WHERE group_id = NEW.group_id AND decision = 'match' ORDER BY decision_no DESC LIMIT 1;
    IF NEW.decision = 'confirm' AND lower(btrim(NEW.person)) = lower(btrim(made_by)) THEN
        RAISE EXCEPTION 'who made a match may not confirm it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

_APPEND_ONLY = ("audit_samples", "audit_verdicts", "match_decisions")


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, primary_key=primary_key)


def _at(name: str) -> sa.Column[object]:
    now = sa.func.clock_timestamp()
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)


def upgrade() -> None:
    """Decisions and the queue, what groups and members need for them, and their guards."""
    _create_facts()
    op.drop_constraint("group_state", "groups")
    op.create_check_constraint("group_state", "groups", _STATES)
    op.add_column("groups", sa.Column("maker", sa.Text, server_default="tieout", nullable=False))
    op.add_column(
        "groups", sa.Column("four_eyes", sa.Boolean, server_default=sa.false(), nullable=False)
    )
    op.add_column("groups", sa.Column("approver", sa.Text))
    op.create_check_constraint(
        "group_four_eyes",
        "groups",
        "approver IS NULL OR lower(btrim(approver)) <> lower(btrim(maker))",
    )
    op.create_check_constraint(
        "group_second", "groups", "NOT (four_eyes AND state = 'confirmed' AND approver IS NULL)"
    )
    op.add_column("members", sa.Column("of_minor", sa.BigInteger))
    op.execute("UPDATE members SET of_minor = amount_minor")
    op.alter_column("members", "of_minor", nullable=False)
    op.create_check_constraint(
        "member_part",
        "members",
        "amount_minor = of_minor OR (amount_minor <> 0 "
        "AND (amount_minor < 0) = (of_minor < 0) AND abs(amount_minor) < abs(of_minor))",
    )
    op.drop_index("one_live_group", "members")
    op.create_index(
        "one_live_group",
        "members",
        ["side", "member_id"],
        unique=True,
        postgresql_where=sa.text("live AND amount_minor = of_minor"),
    )
    op.create_index(
        "live_members", "members", ["side", "member_id"], postgresql_where=sa.text("live")
    )
    for function in (_CLAIM, _SECOND):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER claim BEFORE INSERT OR UPDATE ON members "
        "FOR EACH ROW EXECUTE FUNCTION tieout_claim()"
    )
    op.execute(
        "CREATE TRIGGER second_person BEFORE INSERT ON match_decisions "
        "FOR EACH ROW EXECUTE FUNCTION tieout_second_person()"
    )
    for name in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION tieout_refuse_change()"
        )


def _account() -> sa.Column[str]:
    return sa.Column("account_code", sa.Text, sa.ForeignKey("accounts.code"), nullable=False)


def _create_facts() -> None:
    op.create_table(
        "match_decisions",
        sa.Column("decision_no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _text("group_id"),
        _account(),
        _text("decision"),
        _text("person"),
        _text("reason"),
        sa.Column("content", sa.dialects.postgresql.JSONB, nullable=False),
        _at("decided_at"),
        sa.CheckConstraint(
            "decision IN ('match','confirm','reject','undo')", name="match_decision"
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name="decision_reason"),
        sa.CheckConstraint("btrim(person) <> ''", name="decision_person"),
    )
    op.create_table(
        "audit_samples",
        _text("group_id", primary_key=True),
        _account(),
        _text("rung"),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("value_minor", sa.BigInteger, nullable=False),
        _text("currency"),
        sa.Column("drawn_from", sa.BigInteger, nullable=False),
        _text("drawn_by"),
        _at("drawn_at"),
    )
    op.create_table(
        "audit_verdicts",
        sa.Column("verdict_no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("group_id", sa.Text, sa.ForeignKey("audit_samples.group_id"), nullable=False),
        _text("verdict"),
        _text("person"),
        _text("reason"),
        _at("judged_at"),
        sa.CheckConstraint("verdict IN ('right','wrong')", name="audit_verdict"),
        sa.CheckConstraint("btrim(reason) <> ''", name="verdict_reason"),
    )
    for table, column in (
        ("match_decisions", "group_id"),
        ("match_decisions", "account_code"),
        ("audit_samples", "account_code"),
        ("audit_verdicts", "group_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
