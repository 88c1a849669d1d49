"""Statements that should be there by now and are not: an exception for each account concerned.

Looks every hour of a working day, by the calendar, hour and zone that `expected` of an account's
mapping gives. Nothing missing costs nothing; what is missing is judged by the suite `arrivals`
(Data Docs: the button of the task). The exception goes when the statement is there. By hand: give
the last day to ask for.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from tieout_airflow import tasks
from tieout_airflow.assets import DAG_DEFAULTS, DAY, TIMEZONE
from tieout_airflow.links import with_docs


@dag(
    schedule=CronTriggerTimetable("20 6-20 * * 1-5", timezone=TIMEZONE),
    params={"day": DAY},
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def expect_statements() -> None:
    """Ask of every account."""
    arrivals = task(tasks.check_arrivals, task_id="arrivals")
    with_docs(arrivals())


expect_statements()
