"""Account and file level: what the ledger's history and the mappings let one expect."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sandbox import world as worlds
from tests.quality import tables as rows
from tests.stages.small import DAY, NEXT, Small
from tieout.canonical import Tables
from tieout.drops.local import LocalDrop
from tieout.ledger import Ledger
from tieout.ledger.models import FileRow, FindingRow, StatementRow
from tieout.stages import ingest, staging, validation

HOUSE = "NORD-EUR-MAIN"


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def stage(small: Small, home: Path, tables: Tables, file_id: str = "f1", **file: Any) -> str:
    """A file that was read, waiting to be validated."""
    head = {"size": 10_000, "name": f"{file_id}.xml", "drop": "banks", "format": "camt.053.001.08"}
    with small.ledger.session() as session:
        session.add(FileRow(file_id=file_id, state="identified", **head | file))
    staging.write(home, file_id, tables)
    return file_id


def next_tables(small: Small, *amounts: str, on: dt.date = NEXT, **changes: Any) -> Tables:
    """The account's next statement as a reader would give it."""
    opening = Decimal(small.closing).scaleb(-2)
    closing = opening + sum((Decimal(a) for a in amounts), Decimal(0))
    account = {"account_id": small.account.account_id, "currency": small.account.currency}
    at = dt.datetime.combine(on, dt.time(), dt.UTC)
    head = {"sequence_no": small.number + 1, "from_at": at, "to_at": at, **account, **changes}
    number = [rows.entry(f"e{n}", a, line_no=50 + n, booked_on=on) for n, a in enumerate(amounts)]
    return rows.tables(
        [rows.statement(**head)],
        [rows.balance("OPBD", str(opening), on=on), rows.balance("CLBD", str(closing), on=on)],
        number,
        [rows.detail(f"e{n}", a) for n, a in enumerate(amounts)],
    )


def history(small: Small, entries: int = 120) -> None:
    """A statement with many entries of about a hundred euros."""
    small.statement(DAY, *((9_000 + 17 * n, f"payment {n}") for n in range(entries)))


def found(small: Small, kind: str = "file") -> dict[str, FindingRow]:
    with small.ledger.session() as session:
        query = select(FindingRow).where(FindingRow.subject_kind == kind)
        return {row.code: row for row in session.scalars(query)}


def test_an_amount_of_another_order_is_loaded_and_waits_for_a_person(
    small: Small, tmp_path: Path
) -> None:
    history(small)
    file_id = stage(small, tmp_path, next_tables(small, "95.00", "25000.00"))
    validated = validation.validate(small.ledger, tmp_path, [file_id])
    assert validated.good == [file_id]
    told = found(small)
    assert {code for code, row in told.items() if row.severity != "info"} == {"AMOUNT_IMPLAUSIBLE"}
    plausible = told["AMOUNT_IMPLAUSIBLE"]
    assert plausible.where == "statement s1 entry e1 line 51"
    assert "25000.00" in plausible.message and "history_entries 120" in plausible.message
    assert set(found(small, "statement")) == {"AMOUNT_IMPLAUSIBLE"}
    assert ingest.record_files(small.ledger, tmp_path, validated.good) == [HOUSE]
    small.sync(NEXT)
    small.reconcile(NEXT)
    assert small.exceptions()["s1"] == "STATEMENT_DOUBTFUL"


def test_little_history_says_nothing(small: Small, tmp_path: Path) -> None:
    history(small, entries=99)
    file_id = stage(small, tmp_path, next_tables(small, "25000.00"))
    assert ingest.validate_files(small.ledger, tmp_path, [file_id]) == [file_id]
    assert found(small) == {}


def test_the_limit_of_the_mapping_needs_no_history(small: Small, tmp_path: Path) -> None:
    file_id = stage(small, tmp_path, next_tables(small, "-5000000.00", "-5000000.01"))
    assert ingest.validate_files(small.ledger, tmp_path, [file_id]) == [file_id]
    told = found(small)["AMOUNT_LIMIT"]
    assert told.where == "statement s1 entry e1 line 51"
    assert "1 row" in told.message and "-5000000.01" in told.message


def test_usual_entries_earn_no_finding(small: Small, tmp_path: Path) -> None:
    history(small)
    file_id = stage(small, tmp_path, next_tables(small, "95.00", "-110.00", "0.00"))
    assert ingest.validate_files(small.ledger, tmp_path, [file_id]) == [file_id]
    assert found(small) == {}


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"sequence_no": 224}, "ACCOUNT_NUMBER", "sequence_before 222"),
        ({"format": "MT940"}, "ACCOUNT_FORMAT", "'MT940'"),
    ],
)
def test_what_does_not_follow_is_said_and_goes_on(
    small: Small, tmp_path: Path, changes: dict[str, Any], code: str, says: str
) -> None:
    small.statement(DAY, (100, "one"))
    file_id = stage(small, tmp_path, next_tables(small, "1.00", **changes))
    assert ingest.validate_files(small.ledger, tmp_path, [file_id]) == [file_id]
    (told,) = found(small).values()
    assert (told.code, told.severity, told.where) == (code, "warning", "statement s1 line 3")
    assert says in told.message


def test_another_opening_is_said_with_what_is_missing(small: Small, tmp_path: Path) -> None:
    small.statement(DAY, (100, "one"))
    small.closing += 1_25
    file_id = stage(small, tmp_path, next_tables(small, "1.00"))
    assert ingest.validate_files(small.ledger, tmp_path, [file_id]) == [file_id]
    (told,) = found(small).values()
    assert told.code == "ACCOUNT_OPENING" and "opening_gap: 1.25 (" in told.message


def test_what_a_control_says_is_not_said_twice(small: Small, tmp_path: Path) -> None:
    stranger = next_tables(small, "1.00", account_id="DE02120300000000202051")
    file_id = stage(small, tmp_path, stranger)
    assert ingest.validate_files(small.ledger, tmp_path, [file_id]) == []
    assert {code: row.severity for code, row in found(small).items()} == {
        "ACCOUNT_UNKNOWN": "error"
    }
    assert "the account is in no mapping" in found(small)["ACCOUNT_UNKNOWN"].message


def test_a_file_that_cannot_hold_its_entries_is_stopped_and_the_others_pass(
    small: Small, tmp_path: Path
) -> None:
    bad = stage(small, tmp_path, next_tables(small, "1.00", "2.00"), size=10)
    other = Small(small.ledger, code="NORD-EUR-COLL")
    tables = next_tables(other, "3.00", statement_id="s2")
    tables = Tables(
        tables.statements,
        renamed(tables.balances),
        renamed(tables.entries),
        tables.details,
    )
    good = stage(small, tmp_path, tables, "f2")
    assert ingest.validate_files(small.ledger, tmp_path, [bad, good]) == [good]
    assert found(small)["FILE_TOO_MANY_ENTRIES"].where == "file f1"
    with small.ledger.session() as session:
        states = {row.file_id: row.state for row in session.scalars(select(FileRow))}
    assert states == {"f1": "quarantined", "f2": "identified"}


def renamed(table: Any) -> Any:
    """Rows of ``s1`` as rows of ``s2``."""
    changed = [row | {"statement_id": "s2"} for row in table.to_pylist()]
    return type(table).from_pylist(changed, schema=table.schema)


def test_the_days_files_earn_what_is_wrong_with_them_and_nothing_else(
    small: Small, tmp_path: Path
) -> None:
    worlds.write(worlds.build(), tmp_path / "drop")
    drop = LocalDrop(tmp_path / "drop" / "banks", name="banks")
    claimed = ingest.claim_files(small.ledger, drop, tmp_path, settle_seconds=0)
    read = [i for i in claimed if ingest.read_file(small.ledger, tmp_path, i) == "identified"]
    assert ingest.validate_files(small.ledger, tmp_path, read) == read
    with small.ledger.session() as session:
        query = select(FindingRow).where(FindingRow.subject_id.in_(read))
        told = {(row.code, row.severity) for row in session.scalars(query)}
        assert session.scalars(select(StatementRow)).all() == []
    # The reserve account's statement skips a number, and does not open where it should.
    assert {each for each in told if each[1] != "info"} == {
        ("ACCOUNT_NUMBER", "warning"),
        ("ACCOUNT_OPENING", "warning"),
    }
