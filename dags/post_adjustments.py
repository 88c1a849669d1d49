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
    ERP_POOL,
    OUTSIDE,
    POSTINGS,
    RECONCILIATIONS,
    TIMEZONE,
)


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/10 * * * *", timezone=TIMEZONE),
        assets=[RECONCILIATIONS],
    ),
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def post_adjustments() -> None:
    """Drain the outbox."""
    post = task(
        tasks.post_adjustments, task_id="post", pool=ERP_POOL, outlets=[POSTINGS], **OUTSIDE
    )
    post()


post_adjustments()
