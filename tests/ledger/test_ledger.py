"""What the database itself guards: facts, balance, four eyes, ids written once, the audit chain."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tieout.audit import append, verify
from tieout.errors import LedgerError
from tieout.ledger import Ledger, bulk_load, database_epoch
from tieout.ledger.models import APPEND_ONLY, Base, RateRow

ACCOUNT = """
INSERT INTO accounts VALUES ('ACC', 'DE02', 'EUR', 2, 'NORD', 'Main', 'Hansebank', 'tryton', '1201',
    'BANK', 'default', 'default', '2026-11-19', 0, NULL, 'f')
"""
RUN = "INSERT INTO runs (run_id, stage, code_version) VALUES ('r', 'test', 'v')"
ADJUSTMENT = """
INSERT INTO adjustments (adjustment_id, business_key, account_code, run_id, company, kind,
    subject_side, subject_id, policy, policy_rule, policy_version, currency, amount_minor, booked_on,
    narrative, payload_sha256, state, maker)
VALUES ('a', 'k', 'ACC', 'r', 'NORD', 'charge', 'entry', 'e', 'default', 'bank charges', '1', 'EUR',
    -490, '2026-11-20', 'Entgelt', 'sha', 'pending', 'tieout')
"""


def execute(ledger: Ledger, *statements: str) -> None:
    with ledger.session() as session:
        for statement in statements:
            session.execute(text(statement))


@pytest.fixture
def books(fresh_ledger: Ledger) -> Ledger:
    execute(fresh_ledger, ACCOUNT, RUN, ADJUSTMENT)
    return fresh_ledger


def test_the_migrations_make_exactly_the_models(fresh_ledger: Ledger) -> None:
    with fresh_ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_again_changes_nothing(fresh_ledger: Ledger) -> None:
    fresh_ledger.upgrade()
    fresh_ledger.upgrade()


@pytest.mark.parametrize("name", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_facts_cannot_be_taken_back(fresh_ledger: Ledger, name: str, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        execute(fresh_ledger, statement.format(name))


def test_a_fact_cannot_be_changed(books: Ledger) -> None:
    execute(
        books,
        "INSERT INTO rates (source, currency, \"on\", rate) VALUES ('x','USD','2026-11-01',1)",
    )
    with pytest.raises(DBAPIError, match="append-only"):
        execute(books, "UPDATE rates SET rate = 2")


@pytest.mark.parametrize(
    ("debit", "credit", "refused"),
    [(490, 490, ""), (490, 489, "does not balance"), (490, 0, "one_side")],
)
def test_an_adjustment_balances_or_is_not(
    books: Ledger, debit: int, credit: int, refused: str
) -> None:
    lines = [
        "INSERT INTO adjustment_lines (adjustment_id, ordinal, purpose, gl_account, debit_minor, "
        f"credit_minor, currency, narrative) VALUES ('a', {n}, 'p', '1', {d}, {c}, 'EUR', '')"
        for n, (d, c) in enumerate([(debit, 0), (0, credit)], 1)
    ]
    if not refused:
        execute(books, *lines)
        return
    with pytest.raises(DBAPIError, match=refused):
        execute(books, *lines)


@pytest.mark.parametrize(
    ("person", "shown", "refused"),
    [
        ("anna", "sha", ""),
        ("tieout", "sha", "maker"),
        (" Tieout ", "sha", "maker"),
        ("anna", "other", "changed since it was shown"),
    ],
)
def test_four_eyes_hold_against_plain_sql(
    books: Ledger, person: str, shown: str, refused: str
) -> None:
    statement = (
        "INSERT INTO approvals (adjustment_id, decision, person, payload_sha256, reason) "
        f"VALUES ('a', 'approve', '{person}', '{shown}', '')"
    )
    if not refused:
        execute(books, statement)
        return
    with pytest.raises(DBAPIError, match=refused):
        execute(books, statement)


def test_the_maker_cannot_be_the_approver_by_update_either(books: Ledger) -> None:
    with pytest.raises(IntegrityError, match="four_eyes"):
        execute(books, "UPDATE adjustments SET approver = 'tieout'")


def test_a_state_no_table_names_is_refused(books: Ledger) -> None:
    with pytest.raises(IntegrityError, match="adjustment_state"):
        execute(books, "UPDATE adjustments SET state = 'done'")


def test_a_member_is_claimed_by_one_live_group_only(books: Ledger) -> None:
    group = (
        "INSERT INTO groups (group_id, run_id, account_code, ladder, ladder_version, rung, cardinality, "
        "currency, residual_minor, state, evidence) VALUES ('{0}', 'r', 'ACC', 'l', '1', 'r', '1:1', "
        "'EUR', 0, 'confirmed', '')"
    )
    member = "INSERT INTO members VALUES ('{0}', 'item', 'i', 1, {1})"
    execute(books, group.format("g1"), group.format("g2"), member.format("g1", "true"))
    with pytest.raises(IntegrityError, match="one_live_group"):
        execute(books, member.format("g2", "true"))
    execute(books, member.format("g2", "false"))


def test_bulk_load_is_exact_and_adds_nothing_twice(fresh_ledger: Ledger) -> None:
    from decimal import Decimal

    rows = pa.table(
        {
            "source": ["a", "b"],
            "currency": ["USD", "USD"],
            "on": pa.array([dt.date(2026, 11, 1)] * 2),
            "rate": pa.array(
                [Decimal("1.0850000000"), Decimal("-99999999.9999999999")], pa.decimal128(23, 10)
            ),
        }
    )
    with fresh_ledger.session() as session:
        assert bulk_load(session, RateRow, rows) == 2
    with fresh_ledger.session() as session:
        assert bulk_load(session, RateRow, rows) == 0
        found = session.execute(text("SELECT rate FROM rates ORDER BY source")).scalars().all()
    assert found == [Decimal("1.0850000000"), Decimal("-99999999.9999999999")]


def test_bulk_load_names_a_column_that_does_not_exist(fresh_ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="speed"), fresh_ledger.session() as session:
        bulk_load(session, RateRow, pa.table({"speed": [1]}))


def test_the_epoch_is_the_servers(fresh_ledger: Ledger) -> None:
    with fresh_ledger.session() as session:
        system, timeline = database_epoch(session).split("/")
    assert int(system) > 0
    assert timeline == "1"


def audit(ledger: Ledger, count: int) -> None:
    for number in range(count):
        with ledger.session() as session:
            append(session, "tieout", "tested", "file", f"f{number}", {"n": number})


def tamper(ledger: Ledger, *statements: str) -> None:
    """As the owner of the database could: without our triggers."""
    with psycopg.connect(ledger.address.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


TAMPERINGS: dict[str, Any] = {
    "a detail changed": "UPDATE audit_log SET detail = '{\"n\": 9}' WHERE seq = 3",
    "an actor changed": "UPDATE audit_log SET actor = 'anna' WHERE seq = 1",
    "a row removed": "DELETE FROM audit_log WHERE seq = 2",
    "two rows swapped": "UPDATE audit_log SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); UPDATE audit_log SET seq = -seq WHERE seq < 0",
    "the time changed": "UPDATE audit_log SET at = at + interval '1 second' WHERE seq = 5",
}


def test_the_audit_chain_verifies(fresh_ledger: Ledger) -> None:
    audit(fresh_ledger, 5)
    with fresh_ledger.session() as session:
        assert verify(session) == (5, [])


@pytest.mark.parametrize("how", TAMPERINGS)
def test_tampering_breaks_the_chain(fresh_ledger: Ledger, how: str) -> None:
    audit(fresh_ledger, 5)
    tamper(fresh_ledger, *TAMPERINGS[how].split("; "))
    with fresh_ledger.session() as session:
        _, findings = verify(session)
    assert [f.code for f in findings][:1] == ["AUDIT_CHAIN_BROKEN"]


def test_no_effect_without_its_audit_row(fresh_ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), fresh_ledger.session() as session:
        append(session, "tieout", "tested", "file", "f", {})
        raise RuntimeError
    with fresh_ledger.session() as session:
        assert verify(session) == (0, [])
