"""Proposals that policy allows, posted to the ERP through the outbox; the outbox is drained.

The outbox is the only layer that tries a delivery again, and it finds before it creates: running
this at any moment, or killing it and running it again, posts nothing twice. It runs when something
was decided, and every ten minutes for what had to wait (a maintenance, a line that was down, its
turn). Emits `postings` when a document was posted, so that the books are read again.
"""

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from tieout_airflow import tasks
from tieout_airflow.assets import (
    DAG_DEFAULTS,
    OUTSIDE,
    POSTINGS,
    RECONCILIATIONS,
    TIMEZONE,
)
from tieout_airflow.erps import erps, pool_of


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/10 * * * *", timezone=TIMEZONE),
        assets=[RECONCILIATIONS],
    ),
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def post_adjustments() -> None:
    """One task an ERP: one that is down leaves the others alone."""
    for erp in erps():
        place = {"task_id": f"post_{erp}", "pool": pool_of(erp)}
        task(tasks.post_adjustments, outlets=[POSTINGS], **place, **OUTSIDE)(erp)


post_adjustments()
