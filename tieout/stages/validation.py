"""Validation: what suites and statement controls say of a batch of files, and what may go on.

All files of a batch are judged by one run of the suites, at file, statement and account level
(`tieout.quality.suites`); then each file's statements by the controls. What must not go on is left
behind: a statement with an error, or the whole file where the file itself is at fault. The rest
passes. A finding of a rule that blocks is recorded as a doubt about its statement: that is loaded,
and nothing of its account is posted by itself until a person has looked.

Continuity with earlier statements is said here, and concluded after recording, from all statements
of an account (`tieout.stages.continuity`), so that the order of arrival does not matter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.errors import Finding
from tieout.home import folder
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import FileRow
from tieout.masterdata import BankAccount, load_accounts, resolve
from tieout.profiles import mappings_dir
from tieout.quality.controls import CONTROL_CODES, KnownAccount, ask, check_statement
from tieout.quality.facts import StatementFacts, statement_facts
from tieout.quality.relations import Frame
from tieout.quality.rules import Suite, blocking, load_suites
from tieout.quality.suites import SuiteOutcome, run_suites
from tieout.stages import staging
from tieout.stages.account_level import account_rows, amount_rows, judged
from tieout.stages.file_level import ReadFile, file_rows
from tieout.stages.files import quarantine
from tieout.stages.history import known_statements, usual_entries
from tieout.stages.runs import record_findings, stage_run

__all__ = ["Validated", "Verdict", "check_file", "validate", "validate_files"]

#: Days of history that are compared with, where the suite ``amounts`` does not say.
_HISTORY_DAYS: Final = 400


@dataclass
class Verdict:
    """Findings of one file, its statements that must not be recorded, and why some are doubtful.

    Attributes:
        stopped: nothing of the file may go on.
        doubts: findings by statement id that keep the account from automatic posting until a
            person has looked.
    """

    findings: list[Finding] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    doubts: dict[str, list[Finding]] = field(default_factory=dict)
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Validated:
    """What a batch came to: the files that may go on, and the run's page of the Data Docs."""

    good: list[str]
    docs: Path | None


def validate_files(ledger: Ledger, home: Path, file_ids: Sequence[str]) -> list[str]:
    """The ids of the files that may be recorded, in the given order: see `validate`."""
    return validate(ledger, home, file_ids).good


def validate(ledger: Ledger, home: Path, file_ids: Sequence[str]) -> Validated:
    """Run the Great Expectations suites and the statement controls over all given files at once.

    A file none of whose statements may be recorded is quarantined; a single statement that may not
    is left out and said. Findings go to the ledger, Data Docs to ``docs`` in the data folder.
    """
    accounts, suites = load_accounts(), load_suites(mappings_dir() / "suites")
    with ledger.session() as session:
        files = _identified(session, home, file_ids, accounts)
        today = database_now(session).date()
        frames = _frames(session, files, accounts, suites, today)
    if not files:
        return Validated([], None)
    with stage_run(ledger, "validate", files=[file.file_id for file in files]) as run:
        outcome = run_suites(frames, docs_dir=folder(home, "docs"), run_name=run.run_id)
        with ledger.session() as session:
            # A rule that broke is no finding about anybody's data, but it must be seen.
            record_findings(session, run.run_id, "rule", "suites", outcome.by_owner.get("", ()))
        good: list[str] = []
        for file in files:
            verdict = check_file(file, accounts, outcome, blocking(suites), today)
            _record(ledger, home, run.run_id, file.file_id, verdict)
            if verdict.stopped:
                quarantine(ledger, file.file_id, [])
            else:
                good.append(file.file_id)
        run.outcome = {
            "good": len(good),
            "of": len(files),
            "docs": outcome.docs.relative_to(home).as_posix(),
        }
    return Validated(good, outcome.docs)


def check_file(
    file: ReadFile,
    accounts: Sequence[BankAccount],
    outcome: SuiteOutcome,
    blocks: Collection[str],
    today: dt.date,
) -> Verdict:
    """Judge each statement of one file.

    Args:
        accounts: master data, to tell whose statement it is.
        outcome: what the suites found.
        blocks: codes of the suites' rules whose findings are doubts.
        today: no statement closes after it.

    Returns:
        The findings that concern this file, and the statements refused.
    """
    verdict = Verdict(findings=list(outcome.by_owner.get(file.file_id, ())))
    at_fault = any(found.severity == "error" for found in verdict.findings)
    for statement in file.statements:
        key = statement["statement_id"]
        account = resolve(accounts, statement["account_id"], statement["currency"])
        controls = check_statement(
            statement,
            file.balances.get(key, ()),
            file.facts.get(key, StatementFacts()),
            account=None if account is None else _known(account),
            previous=None,
            today=today,
            continuity=False,
        )
        # What a control says too, it says better: with the line and the amounts.
        said = {found.code for found in controls}
        suites = [f for f in outcome.by_owner.get(key, ()) if f.code not in said]
        verdict.findings += [*suites, *controls]
        effects = [CONTROL_CODES[found.code].effect for found in controls]
        refused = "quarantine" in effects or any(found.severity == "error" for found in suites)
        if at_fault or refused:
            verdict.refused.append(key)
        doubts = [f for f, effect in zip(controls, effects, strict=True) if effect == "block"]
        doubts += [found for found in suites if found.code in blocks]
        if doubts:
            verdict.doubts[key] = doubts
    verdict.refused.sort()
    none = bool(verdict.refused) and len(verdict.refused) == len(file.statements)
    verdict.stopped = at_fault or none
    return verdict


def _identified(
    session: Session, home: Path, file_ids: Sequence[str], accounts: Sequence[BankAccount]
) -> list[ReadFile]:
    """Those of the files that wait to be recorded, in the given order, with their numbers."""
    query = select(FileRow).where(FileRow.file_id.in_(file_ids), FileRow.state == "identified")
    waiting = {row.file_id: row for row in session.scalars(query)}
    there = [i for i in file_ids if i in waiting and staging.exists(home, i)]
    return [_read(home, waiting[i], accounts) for i in there]


def _read(home: Path, row: FileRow, accounts: Sequence[BankAccount]) -> ReadFile:
    """A file's statements and balances; of its entries and details, only the numbers."""
    paths = {path.stem: path for path in sorted(staging.path(home, row.file_id).glob("*.parquet"))}
    counts = {name: pq.read_metadata(path).num_rows for name, path in paths.items()}
    statements = pq.read_table(paths["statements"]).to_pylist()
    balances: dict[str, list[Mapping[str, Any]]] = {}
    for balance in pq.read_table(paths["balances"]).to_pylist():
        balances.setdefault(balance["statement_id"], []).append(balance)
    asked = []
    for statement in statements:
        account = resolve(accounts, statement["account_id"], statement["currency"])
        own = balances.get(statement["statement_id"], ())
        asked.append(ask(statement, own, None if account is None else _known(account)))
    rows: dict[str, Frame] = {name: [paths[name]] for name in ("entries", "details")}
    facts = statement_facts(rows, asked)
    return ReadFile(row.file_id, row, paths, counts, statements, balances, facts)


def _frames(
    session: Session,
    files: Sequence[ReadFile],
    accounts: Sequence[BankAccount],
    suites: Mapping[str, Suite],
    today: dt.date,
) -> dict[str, Frame]:
    """What the suites judge: the files' tables as they lie there, and a table of each level."""
    names = ("statements", "balances", "entries", "details")
    frames: dict[str, Frame] = {name: [file.paths[name] for file in files] for name in names}
    batch = judged(files, accounts)
    codes = sorted({each.account.code for each in batch if each.account is not None})
    days = (
        suites["amounts"]["meta"].get("history_days", _HISTORY_DAYS) if "amounts" in suites else 0
    )
    since = today - dt.timedelta(days=days)
    history = known_statements(session, codes, since)
    usual = usual_entries(session, codes, since, [e.statement["statement_id"] for e in batch])
    frames["files"] = file_rows(files, {e.statement["statement_id"]: e.closed_on for e in batch})
    frames["accounts"] = account_rows(batch, history, today)
    frames["amounts"] = amount_rows(batch, usual)
    return frames


def _record(ledger: Ledger, home: Path, run_id: str, file_id: str, verdict: Verdict) -> None:
    with ledger.session() as session:
        record_findings(session, run_id, "file", file_id, verdict.findings)
        for statement_id, doubts in sorted(verdict.doubts.items()):
            record_findings(session, run_id, "statement", statement_id, doubts)
    staging.write_refused(home, file_id, verdict.refused)


def _known(account: BankAccount) -> KnownAccount:
    return KnownAccount(
        code=account.code,
        currency=account.currency,
        cutover_on=account.cutover_on,
        cutover_balance=account.cutover_balance,
        cutover_sequence_no=account.cutover_sequence_no,
    )
