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
    ERP_POOL,
    EXPENSES,
    OUTSIDE,
    POSTINGS,
    TIMEZONE,
)


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
    """Read the ERP."""
    sync = task(tasks.sync_books, task_id="sync", pool=ERP_POOL, outlets=[BOOKS], **OUTSIDE)
    sync()


sync_books()
