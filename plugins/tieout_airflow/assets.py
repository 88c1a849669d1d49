"""What the DAGs share: the assets that link them, pools, retries, days of the week.

Light on purpose: DAG files import this module at their top, so it knows nothing but Airflow's SDK.

The chain of assets (an event is emitted only when something changed, so the ring comes to rest)::

    ingest_statements ─ bank_statements ─┐
    sync_expenses ───── expenses ────────┼→ sync_books ─ books → reconcile ─ reconciliations ┐
    post_adjustments ── postings ────────┘                       post_adjustments ←──────────┘

The books are read again before every reconciliation: statements are never tied to older books,
which would propose what somebody has booked by hand in the meantime.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from airflow.sdk import Asset, ExceptionRetryPolicy, Param, RetryAction, RetryRule

__all__ = [
    "ACCOUNT",
    "BANK_STATEMENTS",
    "BOOKS",
    "DAG_DEFAULTS",
    "DAY",
    "EXPENSES",
    "OUTSIDE",
    "POSTINGS",
    "RECONCILIATIONS",
    "TIMEZONE",
]

BANK_STATEMENTS: Final = Asset("bank_statements", uri="x-tieout://ledger/statements")
BOOKS: Final = Asset("books", uri="x-tieout://ledger/books")
EXPENSES: Final = Asset("expenses", uri="x-tieout://ledger/expenses")
RECONCILIATIONS: Final = Asset("reconciliations", uri="x-tieout://ledger/groups")
POSTINGS: Final = Asset("postings", uri="x-tieout://ledger/postings")

TIMEZONE: Final = "Europe/Berlin"

#: Arguments of every DAG: one run at a time, no runs for the past, one try unless a task says more.
DAG_DEFAULTS: Final[dict[str, Any]] = {
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["tieout"],
    "default_args": {"owner": "treasury", "retries": 0},
}

_AGAIN: Final = timedelta(seconds=15)

#: Arguments of a task that speaks with a drop or an ERP: a dead line is tried again; a refusal or a
#: broken program is not, it would only break again.
OUTSIDE: Final[dict[str, Any]] = {
    "retries": 2,
    # What others wait for goes first: without the items, exceptions come up only to go away.
    "priority_weight": 10,
    "retry_delay": _AGAIN,
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(exception="tieout.errors.DropError", action=RetryAction.RETRY),
            RetryRule(exception="tieout.errors.ConnectorError", action=RetryAction.RETRY),
            RetryRule(exception="builtins.OSError", action=RetryAction.RETRY),
            RetryRule(exception="builtins.Exception", action=RetryAction.FAIL),
        ]
    ),
}

#: The business day of a manual run; empty means the day the calendar says (`tasks.business_day`).
DAY: Final = Param(
    None,
    type=["null", "string"],
    format="date",
    title="Business day",
    description="Banking day to work on, e.g. 2026-11-20; empty: the latest one",
)

#: The account of a manual run; empty means all.
ACCOUNT: Final = Param(
    None,
    type=["null", "string"],
    title="Account",
    description="Account code, e.g. NORD-EUR-MAIN; empty: all accounts",
)
