"""One day of an account in four formats, in any order: one set of entries, each with its twin."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

import parsers
from sandbox import world as worlds
from sandbox.model import BankEntry, Statement
from sandbox.render_bai2 import render_bai2
from sandbox.render_camt053 import render_camt053
from sandbox.render_mt940 import render_mt940
from sandbox.render_mt942 import render_mt942
from tieout.ledger import Ledger
from tieout.ledger.models import FileRow, StatementRow, StatementStatus
from tieout.masterdata import BankAccount, load_accounts, record_accounts
from tieout.stages.identities import booked_entries, entry_details
from tieout.stages.recording import record_tables
from tieout.stages.runs import stage_run
from tieout.stages.standing import restage

CODE = "NORD-EUR-MAIN"


def _day(*, bare: bool) -> Statement:
    """The world's day of the account; ``bare``: the bank gives no references at all."""
    told = next(s for s in worlds.build(7).statements if s.account.code == CODE)
    return replace(told, entries=tuple(_bare(e) for e in told.entries)) if bare else told


def _bare(entry: BankEntry) -> BankEntry:
    details = tuple(replace(d, end_to_end_id="", reference="") for d in entry.details)
    return replace(entry, bank_ref="", batch_id="", details=details)


def _files(statement: Statement) -> dict[str, bytes]:
    structured = replace(statement, account=replace(statement.account, dialect="mt940-structured"))
    return {
        "camt.053": render_camt053(statement),
        "MT940": render_mt940(structured),
        "MT942": render_mt942(structured),
        "BAI2": render_bai2(statement),
    }


def _account() -> BankAccount:
    return next(a for a in load_accounts() if a.code == CODE)


@pytest.mark.parametrize("bare", [False, True], ids=["with references", "without references"])
def test_any_order_gives_one_set_of_entries(
    fresh_ledger: Ledger, tmp_path: Path, bare: bool
) -> None:
    account = _account()
    statement = _day(bare=bare)
    model = Counter((e.amount_minor, e.booked_on) for e in statement.entries)
    parsed = {}
    for name, content in _files(statement).items():
        path = tmp_path / name
        path.write_bytes(content)
        parsed[name] = parsers.read_file(path)
    assert {p.format for p in parsed.values()} >= {"MT940", "MT942", "BAI2"}
    seen: set[tuple[object, ...]] = set()
    with stage_run(fresh_ledger, "test") as run:
        pass
    for order in itertools.permutations(parsed):
        with fresh_ledger.session() as session:
            record_accounts(session, load_accounts())
            for at, name in enumerate(order):
                one = parsed[name]
                session.add(
                    FileRow(file_id=one.sha256, size=1, name=name, drop="b", state="identified")
                )
                session.flush()
                record_tables(session, one.tables, [account], ())
                if at % 2:  # conclusions drawn in between must not change the outcome
                    restage(session, account, run.run_id)
            restage(session, account, run.run_id)
            booked = booked_entries(session, CODE, states=("accepted",))
            assert Counter((e.amount_minor, e.booked_on) for e in booked) == model
            assert len({e.entry_id for e in booked}) == len(booked)
            states = session.execute(
                select(StatementRow.format, StatementStatus.state)
                .join(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
                .order_by(StatementRow.format)
            ).all()
            assert Counter(state for _, state in states) == {"accepted": 1, "superseded": 2}
            details = entry_details(session, [e.entry_id for e in booked])
            told = sorted((d.end_to_end_id or "", d.amount_minor or 0) for d in details)
            # Where the bank gives a reference, even the ids do not depend on the order.
            ids = sorted(e.entry_id for e in booked if e.bank_ref)
            assert bool(ids) is not bare
            seen.add((tuple(ids), tuple(told)))
            session.rollback()
    assert len(seen) == 1


def test_a_report_lends_its_id_to_the_entry_that_is_booked(
    fresh_ledger: Ledger, tmp_path: Path
) -> None:
    """Without references the id of the announced entry is kept when the statement books it."""
    account = _account()
    day = _day(bare=True)
    german = replace(day, account=replace(day.account, dialect="mt940-structured"))
    files = _files(day) | {"morning": render_mt942(german, until=3, time="0900")}
    early: set[str] = set()
    announced: set[str] = set()
    with stage_run(fresh_ledger, "test") as run, fresh_ledger.session() as session:
        record_accounts(session, load_accounts())
        for name in ("morning", "MT942", "camt.053", "MT940"):
            path = tmp_path / name
            path.write_bytes(files[name])
            one = parsers.read_file(path)
            session.add(FileRow(file_id=one.sha256, size=1, name=name, drop="b", state="recorded"))
            session.flush()
            record_tables(session, one.tables, [account], ())
            restage(session, account, run.run_id)
            if name == "morning":
                early = set(one.tables.entries["entry_id"].to_pylist())
            elif name == "MT942":
                announced = set(one.tables.entries["entry_id"].to_pylist())
            else:
                booked = booked_entries(session, CODE, states=("accepted",))
                told = {e.entry_id for e in booked}
                assert early < told  # three from the morning's report, the rest from the later one
                assert len(told & announced) == len(told) - len(early)


def test_the_second_format_says_what_differs(fresh_ledger: Ledger, tmp_path: Path) -> None:
    account = _account()
    statement = _day(bare=False)
    first, *rest = statement.entries
    half = replace(first, amount_minor=first.amount_minor - 1)
    cent = replace(first, amount_minor=1, bank_ref="CENT")
    other = replace(statement, entries=(half, *rest, cent))
    with stage_run(fresh_ledger, "test") as run, fresh_ledger.session() as session:
        record_accounts(session, load_accounts())
        for name, content in (("c", render_camt053(statement)), ("m", render_mt940(other))):
            path = tmp_path / name
            path.write_bytes(content)
            one = parsers.read_file(path)
            session.add(FileRow(file_id=one.sha256, size=1, name=name, drop="b", state="recorded"))
            session.flush()
            record_tables(session, one.tables, [account], ())
        (superseded,) = (
            v for v in restage(session, account, run.run_id) if v.state == "superseded"
        )
    assert "only the MT940 has" in superseded.reason
    assert "only the camt.053" in superseded.reason
