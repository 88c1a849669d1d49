"""Ingest killed, repeated and run twice: the same facts, once, and nothing stuck."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import func, select

from sandbox import world as worlds
from tieout.canonical import BALANCES, DETAILS, ENTRIES, STATEMENTS, Tables, table
from tieout.drops.local import LocalDrop
from tieout.errors import Finding
from tieout.identity import assign_ids, once
from tieout.ledger import Ledger
from tieout.ledger.models import (
    AuditRow,
    Delivery,
    EntryRow,
    FileRow,
    FindingRow,
    StatementRow,
    StatementStatus,
)
from tieout.masterdata import load_accounts, record_accounts
from tieout.stages import ingest, staging
from tieout.stages.identities import booked_entries
from tieout.stages.recording import Recorded, record_tables
from tieout.stages.runs import stage_run
from tieout.stages.standing import restage

DAY = dt.date(2026, 11, 20)


def count(ledger: Ledger, model: Any) -> int:
    with ledger.session() as session:
        return session.scalars(select(func.count()).select_from(model)).one()


def lay(home: Path, name: str, content: bytes) -> LocalDrop:
    target = home / "drop" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return LocalDrop(home / "drop", name="banks")


@pytest.fixture
def two(fresh_ledger: Ledger, tmp_path: Path) -> list[str]:
    """Two statements of two accounts, claimed, read and found good."""
    files = [
        f for f in worlds.build(7).files if f.path.endswith((".xml", ".sta", ".mt940", ".txt"))
    ]
    good: list[str] = []
    for file in files:
        drop = lay(tmp_path, Path(file.path).name, file.content)
    for file_id in ingest.claim_files(fresh_ledger, drop, tmp_path, settle_seconds=0):
        if ingest.read_file(fresh_ledger, tmp_path, file_id) == "identified":
            staging.write_refused(tmp_path, file_id, [])
            good.append(file_id)
    assert len(good) > 2
    return good


def test_recording_killed_before_it_concluded_goes_on(
    fresh_ledger: Ledger, tmp_path: Path, two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "restage", killed)
        with pytest.raises(KeyboardInterrupt):
            ingest.record_files(fresh_ledger, tmp_path, two)
    assert count(fresh_ledger, StatementStatus) == 0
    touched = ingest.record_files(fresh_ledger, tmp_path, two)
    assert touched
    assert count(fresh_ledger, StatementStatus) == count(fresh_ledger, StatementRow)
    assert ingest.record_files(fresh_ledger, tmp_path, two) == []


def test_recording_killed_between_two_files_goes_on(
    fresh_ledger: Ledger, tmp_path: Path, two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            ingest.record_files(fresh_ledger, tmp_path, two)
    ingest.record_files(fresh_ledger, tmp_path, two)
    with fresh_ledger.session() as session:
        assert set(session.scalars(select(FileRow.state))) <= {
            "recorded",
            "duplicate",
            "quarantined",
        }


def test_a_file_put_aside_twice_is_put_aside_once(
    fresh_ledger: Ledger, tmp_path: Path, two: list[str]
) -> None:
    finding = Finding("BAD", "error", "line 1", "bad", "mend it")
    assert ingest.quarantine(fresh_ledger, two[0], [finding]) == "quarantined"
    before = count(fresh_ledger, AuditRow)
    assert ingest.quarantine(fresh_ledger, two[0], [finding]) == "quarantined"
    assert count(fresh_ledger, AuditRow) == before
    assert ingest.validate_files(fresh_ledger, tmp_path, [two[0]]) == []


def test_a_file_that_grew_within_a_second_is_taken_once(
    fresh_ledger: Ledger, tmp_path: Path
) -> None:
    """Another size, the same path and time: a delivery of its own, known the next time."""
    for content in (b"one", b"one, two"):
        drop = lay(tmp_path, "a.xml", content)
        os.utime(tmp_path / "drop" / "a.xml", (1_790_000_000, 1_790_000_000))
        ingest.claim_files(fresh_ledger, drop, tmp_path, settle_seconds=0)
    assert count(fresh_ledger, Delivery) == 2
    before = count(fresh_ledger, AuditRow)
    ingest.claim_files(fresh_ledger, drop, tmp_path, settle_seconds=0)
    assert count(fresh_ledger, AuditRow) == before


# statements as a reader gives them --------------------------------------------------------------


def tables(
    *statements: tuple[str, int, str, str, list[tuple[str, str]]], currency: str = "EUR"
) -> Tables:
    """(account as the bank names it, number, opening, closing, [(amount, bank reference)])."""
    rows: dict[str, list[dict[str, Any]]] = {"s": [], "b": [], "e": [], "d": []}
    for n, (account, number, opening, closing, entries) in enumerate(statements, 1):
        head = {"account_id": account, "currency": currency}
        rows["s"].append(
            {
                **head,
                "statement_id": str(n),
                "statement_ref": f"ref {account[:4]} {number}",
                "sequence_no": number,
                "kind": "booked",
                "format": "test",
                "incomplete": False,
            }
        )
        for ordinal, (code, amount) in enumerate((("OPBD", opening), ("CLBD", closing)), 1):
            rows["b"].append(
                {
                    "statement_id": str(n),
                    "ordinal": ordinal,
                    "code": code,
                    "amount": Decimal(amount),
                    "currency": currency,
                    "on": DAY,
                }
            )
        for ordinal, (amount, reference) in enumerate(entries, 1):
            entry = f"{n}.{ordinal}"
            rows["e"].append(
                {
                    **head,
                    "entry_id": entry,
                    "statement_id": str(n),
                    "ordinal": ordinal,
                    "amount": Decimal(amount),
                    "booked_on": DAY,
                    "valued_on": DAY,
                    "status": "booked",
                    "bank_ref": reference,
                    "detail_count": 1,
                }
            )
            rows["d"].append(
                {"detail_id": f"{entry}.1", "entry_id": entry, "ordinal": 1, "narrative": reference}
            )
    return Tables(
        table(rows["s"], STATEMENTS),
        table(rows["b"], BALANCES),
        table(rows["e"], ENTRIES),
        table(rows["d"], DETAILS),
    )


def record(ledger: Ledger, name: str, raw: Tables) -> Recorded:
    accounts = load_accounts()
    with ledger.session() as session:
        record_accounts(session, accounts)
        session.add(FileRow(file_id=name, size=1, name=name, drop="banks", state="identified"))
        session.flush()
        return record_tables(session, once(assign_ids(raw, name)), accounts, ())


IBAN = next(a.account_id for a in load_accounts() if a.code == "NORD-EUR-MAIN")
FEES = [("-4.90", "KONTO"), ("-4.90", "KONTO")]


def test_a_reference_that_repeats_in_another_statement_is_another_entry(
    fresh_ledger: Ledger,
) -> None:
    record(fresh_ledger, "one", tables((IBAN, 222, "100", "90.20", FEES)))
    record(fresh_ledger, "two", tables((IBAN, 223, "90.20", "80.40", FEES)))
    with fresh_ledger.session() as session:
        total = select(func.sum(EntryRow.amount_minor), func.count(EntryRow.entry_id.distinct()))
        assert session.execute(total).one() == (-1960, 4)
        inside = select(EntryRow.statement_id, func.count()).group_by(EntryRow.statement_id)
        assert [n for _, n in session.execute(inside)] == [2, 2]


def test_a_statement_that_a_file_repeats_counts_once(fresh_ledger: Ledger) -> None:
    one = (IBAN, 222, "100", "90.20", FEES)
    done = record(fresh_ledger, "one", tables(one, one, (IBAN, 223, "90.20", "80.40", FEES)))
    assert {k: n for k, n in done.counts.items() if n} == {
        "statements": 2,
        "balances": 4,
        "entries": 4,
        "details": 4,
    }
    alone = record(fresh_ledger, "two", tables(one))
    assert alone.counts["entries"] == 0
    assert [f.code for f in alone.findings] == ["STATEMENT_DUPLICATE"]


def test_the_same_statement_under_another_name_of_the_account_counts_once(
    fresh_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """camt names the IBAN, MT940 the bank's number: one statement, one set of entries."""
    named = [
        replace(a, aliases=("90110040/4718200",)) if a.account_id == IBAN else a
        for a in load_accounts()
    ]
    monkeypatch.setitem(globals(), "load_accounts", lambda: named)
    record(fresh_ledger, "camt", tables((IBAN, 222, "100", "90.20", FEES)))
    record(fresh_ledger, "mt940", tables(("90110040/4718200", 222, "100", "90.20", FEES)))
    assert (count(fresh_ledger, StatementRow), count(fresh_ledger, EntryRow)) == (2, 4)
    (account,) = (a for a in named if a.account_id == IBAN)
    opens = replace(account, cutover_minor=10000)
    with stage_run(fresh_ledger, "test") as run, fresh_ledger.session() as session:
        states = [v.state for v in restage(session, opens, run.run_id)]
        assert sorted(states) == ["accepted", "superseded"]
        assert len(booked_entries(session, account.code, states=("accepted",))) == 2


def test_two_quiet_statements_of_one_day_are_two(fresh_ledger: Ledger) -> None:
    """No entries and equal balances: only the number tells them apart."""
    done = record(fresh_ledger, "one", tables((IBAN, 222, "1", "1", []), (IBAN, 223, "1", "1", [])))
    assert done.counts["statements"] == 2


def test_a_page_opens_and_closes_with_interim_balances(fresh_ledger: Ledger) -> None:
    raw = tables((IBAN, 222, "100", "90.20", FEES))
    column = raw.balances.schema.names.index("code")
    interim = raw.balances.set_column(column, "code", pa.array(["OPBD", "ITBD"]))
    page = Tables(raw.statements, interim, raw.entries, raw.details)
    record(fresh_ledger, "one", page)
    with fresh_ledger.session() as session:
        row = session.scalars(select(StatementRow)).one()
    assert (row.opening_minor, row.closing_minor, row.closed_on) == (10000, 9020, DAY)


def test_a_file_whose_amounts_do_not_fit_is_put_aside_not_called_a_duplicate(
    fresh_ledger: Ledger, tmp_path: Path
) -> None:
    raw = once(assign_ids(tables((IBAN, 222, "100", "99.995", [("-0.005", "x")])), "bad"))
    with fresh_ledger.session() as session:
        session.add(FileRow(file_id="bad", size=1, name="bad", drop="banks", state="identified"))
    staging.write(tmp_path, "bad", raw)
    staging.write_refused(tmp_path, "bad", [])
    assert ingest.record_files(fresh_ledger, tmp_path, ["bad"]) == []
    with fresh_ledger.session() as session:
        assert session.get_one(FileRow, "bad").state == "quarantined"
        found = session.scalars(select(FindingRow).where(FindingRow.subject_id == "bad")).one()
    assert (found.code, bool(found.where), bool(found.remedy)) == ("AMOUNT_SCALE", True, True)
