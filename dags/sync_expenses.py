"""Expense extracts: claimed on the drop, checked against their own totals, recorded as items.

Running it again takes no extract twice. Emits `expenses` when reimbursements were added or changed.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from tieout_airflow import tasks
from tieout_airflow.assets import DAG_DEFAULTS, EXPENSES, OUTSIDE, TIMEZONE


@dag(
    schedule=CronTriggerTimetable("10 * * * 1-5", timezone=TIMEZONE),
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def sync_expenses() -> None:
    """Read the extracts."""
    sync = task(tasks.sync_expenses, task_id="sync", outlets=[EXPENSES], **OUTSIDE)
    sync()


sync_expenses()
