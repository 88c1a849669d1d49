"""The bodies of the tasks: open the ledger, call a stage, return ids or counts.

Everything heavy is imported inside a body, because DAG files import this module at their top. A
task is handed ids and hands back ids. A task that changed nothing skips itself, so that its asset
emits no event and the ring of DAGs comes to rest. What tieout refuses for good
(`tieout.errors.TieoutError`) fails with its own words: where, what, how to mend.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from tieout.home import data_home
from tieout_airflow import wiring
from tieout_airflow.assets import (
    BANK_STATEMENTS,
    BOOKS,
    EXPENSES,
    POSTINGS,
    RECONCILIATIONS,
    TIMEZONE,
)
from tieout_airflow.links import say_docs

if TYPE_CHECKING:
    from airflow.sdk import Asset
    from pydantic import JsonValue

__all__ = [
    "accounts",
    "business_day",
    "check_arrivals",
    "check_postings",
    "claim_files",
    "close_report",
    "post_adjustments",
    "read_file",
    "reconcile_account",
    "record_files",
    "sync_books",
    "sync_expenses",
    "validate_files",
]

log = logging.getLogger(__name__)


def claim_files() -> list[str]:
    """Claim what is new on the bank drop; return the ids of files still to be read."""
    from tieout.stages import ingest

    with _ledger() as ledger, _drop(wiring.DROP_BANK) as drop:
        found = ingest.claim_files(ledger, drop, data_home())
    if not found:
        raise AirflowSkipException("no new files on the drop: nothing to do")
    return list(found)


def read_file(file_id: str) -> str:
    """Read one archived file into its canonical tables; return its state."""
    from tieout.stages import ingest

    with _ledger() as ledger:
        state: str = ingest.read_file(ledger, data_home(), file_id)
    log.info("file %s: %s", file_id, state)
    return state


def validate_files(file_ids: list[str]) -> list[str]:
    """Run the quality suites over the files read; return the ids that may go on."""
    from tieout.stages import validation

    with _ledger() as ledger:
        validated = validation.validate(ledger, data_home(), file_ids)
    passed: list[str] = validated.good
    if validated.docs is not None:
        say_docs(validated.docs, data_home())
    log.info("%d of %d files pass; Data Docs: %s", len(passed), len(file_ids), validated.docs)
    if not passed:
        raise AirflowSkipException("no file passed: see the findings in the ledger")
    return passed


def record_files(file_ids: list[str]) -> list[str]:
    """Record statements, balances and entries; return the codes of the accounts concerned."""
    from tieout.stages import ingest

    with _ledger() as ledger:
        touched: list[str] = ingest.record_files(ledger, data_home(), file_ids)
    if not touched:
        raise AirflowSkipException("every statement was known already: nothing recorded")
    _emit(BANK_STATEMENTS, accounts=list(touched), data_docs=_docs())
    return touched


def check_arrivals() -> int:
    """Say which statements are due and not there; return how many."""
    from tieout.stages import arrival

    given = get_current_context()["params"].get("day") or os.environ.get("TIEOUT_DAY")
    until = date.fromisoformat(given) if given else None
    with _ledger() as ledger:
        found = arrival.check_arrivals(ledger, data_home(), until=until)
    if found.docs is not None:
        say_docs(found.docs, data_home())
    for each in found.missing:
        log.info("%s: no statement of %s, due %s", each.account_code, each.expected_on, each.due)
    if not (found.missing or found.opened or found.resolved):
        raise AirflowSkipException("every statement that is due is there")
    return len(found.missing)


def sync_books(erp: str) -> int:
    """Read one ERP's books; return how many items or balances changed."""
    from tieout.stages import sync

    waiting = _triggered_by(BANK_STATEMENTS, EXPENSES)
    with _ledger() as ledger, _connector(ledger, erp) as (connector, _):
        changed: int = sync.sync_books(ledger, connector, erp, business_day())
    if not changed and not waiting:
        raise AirflowSkipException("the books have not changed")
    _emit(BOOKS, changed=changed, waiting=waiting)
    return changed


def sync_expenses() -> int:
    """Read new expense extracts; return how many items changed."""
    from tieout.stages import expenses

    with _ledger() as ledger, _drop(wiring.DROP_EXPENSE) as drop:
        changed: int = expenses.sync_expenses(ledger, drop, data_home())
    if not changed:
        raise AirflowSkipException("no new expense extract")
    _emit(EXPENSES, changed=changed)
    return changed


def accounts() -> list[str]:
    """The codes of the accounts to reconcile: all, or the one the run was given."""
    from tieout.stages import reconcile

    wanted = get_current_context()["params"].get("account")
    with _ledger() as ledger:
        codes: list[str] = reconcile.accounts(ledger)
    if wanted and wanted not in codes:
        raise ValueError(f"no account {wanted!r}; known: {', '.join(codes)}")
    chosen = [wanted] if wanted else codes
    if not chosen:
        raise AirflowSkipException("no account has a statement yet")
    return chosen


def reconcile_account(account_code: str) -> bool:
    """Derive the groups, exceptions and proposals of one account; return whether any changed."""
    from tieout.stages import reconcile

    with _ledger() as ledger:
        result = reconcile.reconcile_account(ledger, account_code, business_day())
    log.info("%s: %s", account_code, result)
    return bool(result.changed)


def publish_reconciliations(changes: list[bool]) -> int:
    """Announce that conclusions changed; return for how many accounts."""
    changed = sum(1 for each in changes if each)
    if not changed:
        raise AirflowSkipException("no conclusion changed")
    _emit(RECONCILIATIONS, accounts=changed)
    return changed


def post_adjustments(erp: str) -> int:
    """Drain one ERP's outbox; return how many documents were posted."""
    from tieout.stages import post

    with _ledger() as ledger, _connector(ledger, erp) as (connector, gate):
        result = post.post_adjustments(ledger, connector, erp, gate)
    log.info("%s", result)
    if not result.posted:
        raise AirflowSkipException(f"0 postings: {result.kept or 'nothing to do'}")
    _emit(POSTINGS, posted=result.posted)
    return int(result.posted)


def check_postings(erp: str) -> int:
    """Compare both ways what was posted and what the ERP holds; return how many differ."""
    from tieout.stages import completeness

    with _ledger() as ledger, _connector(ledger, erp) as (connector, _):
        result = completeness.check_postings(ledger, connector, erp)
    for line in result.differences:
        log.warning("%s", line)
    log.info("%s", result)
    return len(result.differences)


def close_report() -> str:
    """Make and mail the bank reconciliation statements of the day; return the day."""
    from tieout.banking_days import is_banking_day
    from tieout.stages import report
    from tieout.wiring import open_mailer

    today = datetime.now(tz=ZoneInfo(TIMEZONE)).date()
    if _scheduled() and not is_banking_day(today):
        raise AirflowSkipException(f"{today} is no banking day")
    day = business_day()
    with _ledger() as ledger:
        mailer = open_mailer(wiring.endpoint(wiring.SMTP))
        result = report.close_report(ledger, data_home(), mailer, day)
    log.info("%s: %s", "mailed" if result.mailed else "unchanged, not mailed again", day)
    for kind, path in result.files.items():
        log.info("%s: %s", kind, path)
    return day.isoformat()


def business_day() -> date:
    """The day to work on: the run's parameter, else ``TIEOUT_DAY``, else the banking day before.

    ``TIEOUT_DAY`` holds the sandbox's world on its one day.
    """
    given = get_current_context()["params"].get("day") or os.environ.get("TIEOUT_DAY")
    if given:
        return date.fromisoformat(given)
    from tieout.banking_days import add

    return add(datetime.now(tz=ZoneInfo(TIMEZONE)).date(), -1)


def _scheduled() -> bool:
    """Whether a timetable made this run (a person or an asset knows why it asks)."""
    return str(get_current_context()["dag_run"].run_type) == "scheduled"


@contextmanager
def _ledger() -> Iterator[Any]:
    from tieout.wiring import open_ledger

    # Migrating is a deployment's step (`tieout db upgrade`), not a task's.
    with open_ledger(upgrade=False) as ledger:
        yield ledger


@contextmanager
def _drop(connection_id: str) -> Iterator[Any]:
    from tieout.wiring import open_drop

    drop = open_drop(wiring.endpoint(connection_id))
    try:
        yield drop
    finally:
        drop.close()


@contextmanager
def _connector(ledger: Any, erp: str) -> Iterator[tuple[Any, Any]]:
    """An ERP's connector, and the gate all its requests pass."""
    from tieout.wiring import open_connector, open_gate

    gate = open_gate(ledger, erp)
    connector = open_connector(erp, wiring.endpoint(wiring.erp(erp)), gate)
    try:
        yield connector, gate
    finally:
        gate.rest()
        connector.close()


def _docs() -> str:
    return (data_home() / "docs" / "index.html").as_uri()


def _emit(asset: Asset, **extra: JsonValue) -> None:
    """Put what changed into the extra of the event that the task's success emits."""
    get_current_context()["outlet_events"][asset].extra = dict(extra)


def _triggered_by(*assets: Asset) -> bool:
    """Whether an event of one of the assets started this run."""
    events = get_current_context()["triggering_asset_events"]
    return any(events[asset] for asset in assets if asset in events)
