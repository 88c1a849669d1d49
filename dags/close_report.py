"""The day's close: bank reconciliation statement of each account, by mail with PDF and workbook.

Runs at 07:30 in Berlin for the banking day before; on bank holidays it skips itself. By hand: give
the day. A report is derived from the ledger, so it can be made again.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from tieout_airflow import tasks
from tieout_airflow.assets import DAG_DEFAULTS, DAY, TIMEZONE


@dag(
    schedule=CronTriggerTimetable("30 7 * * 1-5", timezone=TIMEZONE),
    params={"day": DAY},
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def close_report() -> None:
    """Mail, PDF and workbook of one day."""
    report = task(tasks.close_report, task_id="report")
    report()


close_report()
