"""The sandbox's good files earn no finding; one amount, count or date changed in them always does.

Judged are the files as they are read from their bytes, by every suite's masks and the controls.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import parsers
from parsers import concur_sae
from sandbox import world
from tieout.canonical import Tables
from tieout.errors import InputError
from tieout.masterdata import load_accounts, resolve
from tieout.profiles import mappings_dir
from tieout.quality.controls import KnownAccount, ask, check_statement
from tieout.quality.facts import StatementFacts, statement_facts
from tieout.quality.relations import frames_of
from tieout.quality.rules import load_suites
from tieout.quality.suites import sift_all

SUITES = load_suites(mappings_dir() / "suites")
ACCOUNTS = load_accounts()
DAY = dt.date(2026, 11, 20)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[Tables]:
    """The tables of every statement file of the world that can be read."""
    found = []
    for file in world.build().files:
        path = tmp_path_factory.mktemp("file") / "file"
        path.write_bytes(file.content)
        if concur_sae.identify(file.content[:65_536]):
            continue
        try:
            found.append(parsers.read_file(path).tables)
        except InputError:
            assert "resend" in file.path  # the copy that was cut off
    return found


def judge(tables: Tables) -> set[tuple[str, str]]:
    """Code and place of what suites and controls find."""
    left = sift_all(frames_of(tables), SUITES)
    found = {
        (code, owner)
        for some in left.values()
        for code, owners in some.counts.items()
        for owner in owners
        if code not in INFO
    }
    balances = tables.balances.to_pylist()
    for row in tables.statements.to_pylist():
        account = resolve(ACCOUNTS, row["account_id"], row["currency"])
        assert account is not None
        known = KnownAccount(
            account.code, account.currency, account.cutover_on, account.cutover_balance, None
        )
        own = [b for b in balances if b["statement_id"] == row["statement_id"]]
        rows = {"entries": tables.entries, "details": tables.details}
        facts = statement_facts(rows, [ask(row, own, known)])
        controls = check_statement(
            row,
            own,
            facts.get(row["statement_id"], StatementFacts()),
            account=known,
            previous=None,
            today=DAY,
            continuity=False,
        )
        found |= {(finding.code, finding.where) for finding in controls}
    return found


INFO = {
    rule["meta"]["rule_id"]
    for suite in SUITES.values()
    for rule in suite["expectations"]
    if rule["severity"] == "info"
}


def test_good_files_earn_no_finding(good: list[Tables]) -> None:
    assert len(good) >= 5
    for tables in good:
        assert judge(tables) == set()


def changed(table: pa.Table, row: int, column: str, value: Any) -> pa.Table:
    """The table with one value changed."""
    rows = table.to_pylist()
    rows[row][column] = value
    return pa.Table.from_pylist(rows, schema=table.schema)


def place(tables: Tables, row: int) -> str:
    entry = tables.entries.slice(row, 1).to_pylist()[0]
    line = f" line {entry['line_no']}" if entry["line_no"] is not None else ""
    return f"entry {entry['entry_id']}{line}"


def head(tables: Tables, key: str) -> str:
    (row,) = [s for s in tables.statements.to_pylist() if s["statement_id"] == key]
    line = f" line {row['line_no']}" if row["line_no"] is not None else ""
    return f"statement {key}{line}"


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_one_amount_changed_is_found_at_its_statement(good: list[Tables], data: Any) -> None:
    tables = data.draw(st.sampled_from([t for t in good if t.entries.num_rows]))
    by = Decimal(data.draw(st.integers(-(10**9), 10**9).filter(bool))).scaleb(-2)
    name = data.draw(st.sampled_from(["entries", "balances"]))
    table = getattr(tables, name)
    # Available balances and those to come prove nothing.
    codes = table["code"].to_pylist() if name == "balances" else []
    proving = [n for n, code in enumerate(codes) if code in ("OPBD", "CLBD")]
    row = data.draw(st.sampled_from(proving or range(table.num_rows)))
    value = table["amount"][row].as_py() + by
    wrong = dataclasses.replace(tables, **{name: changed(table, row, "amount", value)})
    where = head(tables, table["statement_id"][row].as_py())
    assert ("BALANCE_MISMATCH", where) in judge(wrong)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_one_count_changed_is_found_at_its_statement(good: list[Tables], data: Any) -> None:
    tables = data.draw(st.sampled_from(good))
    row = data.draw(st.integers(0, tables.statements.num_rows - 1))
    key = tables.statements["statement_id"][row].as_py()
    there = tables.entries["statement_id"].to_pylist().count(key)
    wrong = data.draw(st.integers(0, 50).filter(lambda n: n != there))
    statements = changed(tables.statements, row, "entry_count", wrong)
    assert judge(dataclasses.replace(tables, statements=statements)) == {
        ("ENTRY_COUNT", head(tables, key))
    }


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_an_entry_dropped_is_found_at_its_statement(good: list[Tables], data: Any) -> None:
    tables = data.draw(st.sampled_from([t for t in good if t.entries.num_rows]))
    row = data.draw(st.integers(0, tables.entries.num_rows - 1))
    rows = tables.entries.to_pylist()
    entries = pa.Table.from_pylist(rows[:row] + rows[row + 1 :], schema=tables.entries.schema)
    where = head(tables, rows[row]["statement_id"])
    assert ("BALANCE_MISMATCH", where) in judge(dataclasses.replace(tables, entries=entries))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_one_date_changed_is_found_at_its_entry(good: list[Tables], data: Any) -> None:
    tables = data.draw(st.sampled_from([t for t in good if t.entries.num_rows]))
    row = data.draw(st.integers(0, tables.entries.num_rows - 1))
    days = data.draw(st.integers(-4000, 4000).filter(lambda n: abs(n) > 20))
    booked_on = data.draw(st.sampled_from([DAY + dt.timedelta(days), None]))
    entries = changed(tables.entries, row, "booked_on", booked_on)
    assert ("ENTRY_DATE", place(tables, row)) in judge(dataclasses.replace(tables, entries=entries))


def test_the_right_line_is_named(good: list[Tables]) -> None:
    """Places hold the line of the file, where the reader knows it."""
    lines = [line for tables in good for line in tables.entries["line_no"].to_pylist()]
    assert lines and all(line is not None and line > 0 for line in lines)
