"""Ingest: drops → archive → read → validate → ledger. Four steps, each rerunnable by itself.

1. `claim_files` takes what is complete on a drop, hashing while spooling, and archives the raw
   bytes. The same bytes again, under any name, are a duplicate delivery and change nothing.
   Containers (zip, tar, gzip) are opened: each file in them is a file of its own.
2. `read_file` reads one archived file into canonical tables (Parquet beside the archive).
3. `validate_files` runs the suites and statement controls; what must not go on is quarantined.
4. `record_files` writes the facts, then says of each account's statements which are continuous.
"""

from __future__ import annotations

import datetime as dt
import shutil
import time
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import parsers
from tieout.audit import append
from tieout.drops import Drop, settled
from tieout.errors import DropError, Finding, InputError
from tieout.home import archive_path, folder
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import Delivery, FileRow
from tieout.masterdata import BankAccount, load_accounts, record_accounts
from tieout.stages import staging
from tieout.stages.containers import open_containers
from tieout.stages.files import archive_file, finding_of, quarantine
from tieout.stages.recording import record_tables
from tieout.stages.runs import record_findings, stage_run
from tieout.stages.standing import restage, unconcluded
from tieout.stages.validation import validate_files
from tieout.states import move

__all__ = ["claim_files", "quarantine", "read_file", "record_files", "validate_files"]

#: A file that killed its reader this often is not tried again.
ATTEMPTS_MAX = 3


def claim_files(
    ledger: Ledger, drop: Drop, home: Path, *, settle_seconds: float = 1.0
) -> list[str]:
    """Take every complete new file of a drop.

    A file is complete when two listings ``settle_seconds`` apart agree on its size and time. One
    claimer works on a drop at a time; another finds nothing to do.

    Returns:
        Ids of all files of this drop that still have to be read, ordered by arrival.
    """
    with ledger.session() as lock:
        key = f"drop:{drop.name}"
        taken = select(func.pg_try_advisory_xact_lock(func.hashtextextended(key, 0)))
        if not lock.execute(taken).scalar_one():
            return []
        with stage_run(ledger, "claim", drop=drop.name) as run:
            known = _delivered(lock, drop.name)
            fresh = [f for f in drop.list() if (f.path, f.size, f.modified_at) not in known]
            if fresh:
                time.sleep(settle_seconds)
                fresh = settled(fresh, drop.list())
            claimed = duplicates = 0
            for remote in fresh:
                try:
                    fetched = drop.fetch(remote, folder(home, "spool"))
                except DropError as error:
                    # It changed or vanished under our hands: the next run takes it.
                    finding = finding_of(error)
                    with ledger.session() as session:
                        record_findings(session, run.run_id, "file", remote.path, [finding])
                    continue
                if archive_file(ledger, drop.name, remote, fetched, home):
                    claimed += 1
                else:
                    duplicates += 1
            opened = open_containers(ledger, drop.name, home)
            run.outcome = {"claimed": claimed, "duplicates": duplicates, "opened": opened}
    return _unread(ledger, drop.name)


def _delivered(session: Session, drop: str) -> set[tuple[str, int, dt.datetime]]:
    """Path, size and time of everything that was ever taken from a drop: one question for all."""
    known = select(Delivery.path, Delivery.size, Delivery.modified_at)
    return {
        (d.path, d.size, d.modified_at) for d in session.execute(known.where(Delivery.drop == drop))
    }


def _unread(ledger: Ledger, drop: str) -> list[str]:
    with ledger.session() as session:
        unread = select(FileRow.file_id).where(
            FileRow.drop == drop, FileRow.state.in_(("claimed", "identified"))
        )
        return list(session.scalars(unread.order_by(FileRow.name, FileRow.file_id)))


def read_file(ledger: Ledger, home: Path, file_id: str) -> str:
    """Read one claimed file into canonical tables beside the archive.

    Returns:
        The file's state afterwards: ``identified``, or ``quarantined`` with its findings recorded.
    """
    with ledger.session() as session:
        file = session.get_one(FileRow, file_id, with_for_update=True)
        if file.state not in ("claimed", "identified"):
            return file.state
        file.attempts += 1
        poison = file.attempts > ATTEMPTS_MAX
    if poison:
        finding = Finding(
            "FILE_POISON",
            "error",
            file.name,
            f"reading it failed {ATTEMPTS_MAX} times without an answer",
            "keep the file and report it; tieout does not try it again by itself",
        )
        return quarantine(ledger, file_id, [finding])
    try:
        stream = parsers.stream_file(archive_path(home, file_id))
        findings = staging.write_batches(home, file_id, stream.batches)
    except InputError as error:
        return quarantine(ledger, file_id, [finding_of(error)])
    with ledger.session() as session:
        file = session.get_one(FileRow, file_id, with_for_update=True)
        if file.state not in ("claimed", "identified"):
            return file.state  # another run was faster
        if file.state == "claimed":
            file.state = move("file", file.state, "identified")
        file.format = stream.format
        file.attempts = 0
        record_findings(session, None, "file", file_id, findings)
        return file.state


def record_files(ledger: Ledger, home: Path, file_ids: list[str]) -> list[str]:
    """Write validated files to the ledger, one transaction a file.

    Killed anywhere and run again, it goes on: recorded files are left alone, and accounts with a
    statement nobody concluded on yet are concluded on now.

    Returns:
        Codes of the accounts that got new statements, ordered.
    """
    touched: set[str] = set()
    accounts = load_accounts()
    with stage_run(ledger, "record", files=file_ids) as run:
        with ledger.session() as session:
            record_accounts(session, accounts)
        for file_id in file_ids:
            with ledger.session() as session:
                touched |= _record(session, home, file_id, accounts, run.run_id)
            shutil.rmtree(staging.path(home, file_id), ignore_errors=True)
        with ledger.session() as session:
            # Serialised, so that two recorders never conclude from half of each other's facts.
            session.execute(text("SELECT pg_advisory_xact_lock(7133703)"))
            touched |= unconcluded(session)
            for account in accounts:
                if account.code in touched:
                    restage(session, account, run.run_id)
        run.outcome = {"accounts": sorted(touched)}
    return sorted(touched)


def _record(
    session: Session, home: Path, file_id: str, accounts: list[BankAccount], run_id: str
) -> set[str]:
    """One file's facts, if nobody recorded it yet; codes of the accounts with new statements."""
    file = session.get_one(FileRow, file_id, with_for_update=True)
    if file.state != "identified":
        return set()
    refused, tables = staging.read_refused(home, file_id), staging.read(home, file_id)
    done = record_tables(session, tables, accounts, refused)
    if not tables.statements.num_rows:
        done.findings.append(staging.kept(file.format or "", tables))
    record_findings(session, run_id, "file", file_id, done.findings)
    failed = any(f.severity == "error" for f in done.findings)
    none = "same statements" if tables.statements.num_rows else "no statements"
    event = "recorded" if done.accounts else "refused" if failed else none
    file.state = move("file", file.state, event)
    file.recorded_at = database_now(session)
    append(session, "tieout", file.state, "file", file_id, done.counts)
    return done.accounts
