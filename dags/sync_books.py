"""The books: cash book, balances and open items, read from the ERP into the ledger.

Reads again whenever something new is to be tied to the books (statements, expenses, postings of
our own), and hourly on weekdays. Emits `books` when the books changed, or when something waits to
be tied to them; otherwise the run ends here, skipped.
"""

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from tieout_airflow import tasks
from tieout_airflow.assets import (
    BANK_STATEMENTS,
    BOOKS,
    DAG_DEFAULTS,
    DAY,
    EXPENSES,
    OUTSIDE,
    POSTINGS,
    TIMEZONE,
)
from tieout_airflow.erps import erps, pool_of


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("5 6-20 * * 1-5", timezone=TIMEZONE),
        assets=(BANK_STATEMENTS | EXPENSES | POSTINGS),
    ),
    params={"day": DAY},
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def sync_books() -> None:
    """One task an ERP: one that is down leaves the others alone."""
    for erp in erps():
        place = {"task_id": f"sync_{erp}", "pool": pool_of(erp)}
        task(tasks.sync_books, outlets=[BOOKS], **place, **OUTSIDE)(erp)


sync_books()
