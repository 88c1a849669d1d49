"""Arrival: which account should have sent a statement for a banking day, and has not.

A mapping's ``[expected]`` says of which days there is a statement and when it has to be there, by
the bank's own calendar and clock. A day is covered by a booked statement that closes on it, or by
an accepted one that closes later: balances follow one another without a gap, so nothing moved in
between. What is due and not there is judged by the suite ``arrivals``; each account it finds
something of gets one exception, which goes when the statements are there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from tieout.banking_days import between
from tieout.canonical import table
from tieout.exceptions import ARRIVALS as CODES
from tieout.exceptions import ExceptionDraft, record_exceptions
from tieout.home import folder
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import ExceptionRow, StatementRow, StatementStatus
from tieout.masterdata import BankAccount, load_accounts, record_accounts
from tieout.masterdata.expected import Expected
from tieout.profiles import mappings_dir
from tieout.quality.levels import ARRIVALS
from tieout.quality.rules import load_suites
from tieout.quality.suites import run_suites
from tieout.stages.runs import record_findings, stage_run

__all__ = ["Arrivals", "Missing", "check_arrivals", "missing_of"]

(_CODE,) = CODES
#: Days looked back, where the suite does not say: what is older was said long ago.
_LOOKBACK_DAYS: Final = 40
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Missing:
    """A statement that is due and not there."""

    account_code: str
    expected_on: dt.date
    due_at: dt.datetime
    banking_days_late: int

    @property
    def due(self) -> str:
        """When it was due, by the account's own clock."""
        return f"{self.due_at:%Y-%m-%d %H:%M} {self.due_at.tzinfo}"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a check found: statements missing, exceptions opened and resolved, Data Docs."""

    missing: tuple[Missing, ...]
    opened: int
    resolved: int
    docs: Path | None


def check_arrivals(
    ledger: Ledger, home: Path, *, until: dt.date | None = None, now: dt.datetime | None = None
) -> Arrivals:
    """Say which statements are due and not there; open and resolve exceptions accordingly.

    Args:
        until: the last day a statement is asked of; default: today.
        now: what is due by then; default: the database's clock.
    """
    suite = load_suites(mappings_dir() / "suites").get("arrivals", {})
    days = suite.get("meta", {}).get("lookback_days", _LOOKBACK_DAYS)
    accounts = load_accounts()
    with stage_run(ledger, "arrivals", until=until) as run:
        with ledger.session() as session:
            now = now or database_now(session)
            last = until or now.date()
            record_accounts(session, accounts)
            missing = [
                found
                for account in accounts
                for found in missing_of(session, account, last - dt.timedelta(days), last, now)
            ]
            waiting = session.scalars(_open_exceptions()).first() is not None
        opened = resolved = 0
        docs = None
        if missing or waiting:
            # The library is started for those only: nothing missing is nothing to judge.
            codes, docs = _judge(ledger, home, run.run_id, missing) if missing else (set(), None)
            opened, resolved = _record(ledger, accounts, missing, codes)
        run.outcome = {"missing": len(missing), "opened": opened, "resolved": resolved}
        if docs is not None:
            run.outcome["docs"] = docs.relative_to(home).as_posix()
    return Arrivals(tuple(missing), opened, resolved, docs)


def missing_of(
    session: Session, account: BankAccount, after: dt.date, until: dt.date, now: dt.datetime
) -> list[Missing]:
    """The statements of one account that are due and not there, the oldest first.

    Args:
        after: days up to it, and up to the account's cutover, are not asked of.
    """
    expected = account.expected
    if expected is None:
        return []
    days = expected.days(max(after, account.cutover_on), until)
    due = [(day, at) for day in days if (at := expected.due_at(day)) <= now]
    if not due:
        return []
    there, accepted = _there(session, account.code)
    return [
        Missing(account.code, day, at, _late(expected, at, now))
        for day, at in due
        if day not in there and (accepted is None or accepted < day)
    ]


def _there(session: Session, code: str) -> tuple[set[dt.date], dt.date | None]:
    """Days with a booked statement, and the last day up to which statements are continuous."""
    query = (
        select(StatementRow.closed_on, StatementStatus.state)
        .outerjoin(StatementStatus, StatementStatus.statement_id == StatementRow.statement_id)
        .where(StatementRow.account_code == code, StatementRow.kind == "booked")
    )
    rows = [(day, state) for day, state in session.execute(query) if day is not None]
    accepted = [day for day, state in rows if state == "accepted"]
    return {day for day, _ in rows}, max(accepted, default=None)


def _late(expected: Expected, due_at: dt.datetime, now: dt.datetime) -> int:
    """Banking days since it was due, by the bank's calendar and the account's clock."""
    return between(due_at.date(), now.astimezone(due_at.tzinfo).date(), expected.calendar)


def _judge(
    ledger: Ledger, home: Path, run_id: str, missing: Sequence[Missing]
) -> tuple[set[str], Path]:
    """Run the suite; the accounts it has something to say of more than in passing, and its docs."""
    rows: list[dict[str, Any]] = [
        {
            "account_code": each.account_code,
            "expected_on": each.expected_on,
            "due_at": each.due,
            "arrived": False,
            "banking_days_late": each.banking_days_late,
        }
        for each in missing
    ]
    outcome = run_suites(
        {"arrivals": table(rows, ARRIVALS)},
        docs_dir=folder(home, "docs"),
        run_name=run_id,
        section="arrivals",
    )
    with ledger.session() as session:
        record_findings(session, run_id, "rule", "suites", outcome.by_owner.get("", ()))
        for code, findings in sorted(outcome.by_owner.items()):
            if code:
                record_findings(session, run_id, "account", code, findings)
    grave = {
        code
        for code, findings in outcome.by_owner.items()
        if any(found.severity != "info" for found in findings)
    }
    return grave, outcome.docs


def _record(
    ledger: Ledger, accounts: Sequence[BankAccount], missing: Sequence[Missing], codes: set[str]
) -> tuple[int, int]:
    opened = resolved = 0
    with ledger.session() as session:
        for account in accounts:
            mine = [each for each in missing if each.account_code == account.code]
            drafts = [_draft(account, mine)] if mine and account.code in codes else []
            more, fewer = record_exceptions(session, account.code, drafts, only=CODES)
            opened, resolved = opened + more, resolved + fewer
    return opened, resolved


def _draft(account: BankAccount, missing: Sequence[Missing]) -> ExceptionDraft:
    """One exception an account: it says days, not hours, so that its reason stands for a while."""
    days = ", ".join(str(each.expected_on) for each in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    noun = "No statement" if len(missing) == 1 else "No statements"
    return ExceptionDraft(
        reason_code=_CODE,
        reason=f"{noun} of {days}{more} from {account.bank}; due since {missing[0].due}",
        subject=("account", account.code),
        amount_minor=0,
        currency=account.currency,
        on=missing[0].expected_on,
        due_days=1,
    )


def _open_exceptions() -> Any:
    return select(ExceptionRow.exception_id).where(
        ExceptionRow.reason_code.in_(CODES), ExceptionRow.state != "resolved"
    )
