"""Our postings: compared both ways with what the ERP holds under our references, every night.

Each of our documents there must be confirmed here, each confirmed posting must be there once and be
what was approved. A difference is an exception of its bank account and is never mended by posting;
it goes when the difference does. Whether the posting protocol keeps its promise is seen here from
the outside.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from tieout_airflow import tasks
from tieout_airflow.assets import DAG_DEFAULTS, OUTSIDE, TIMEZONE
from tieout_airflow.erps import erps, pool_of


@dag(schedule=CronTriggerTimetable("30 2 * * *", timezone=TIMEZONE), doc_md=__doc__, **DAG_DEFAULTS)
def check_postings() -> None:
    """Ask each ERP for its list."""
    for erp in erps():
        task(tasks.check_postings, task_id=f"check_{erp}", pool=pool_of(erp), **OUTSIDE)(erp)


check_postings()
