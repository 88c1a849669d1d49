"""Bank files: claimed on the drop, archived raw, read, checked, recorded in the ledger.

Each file is read by a mapped task of its own. A bad one is quarantined with where, what and how to
mend, and the others go on; a task that breaks fails the run at `settled`, after the other files
were recorded. `validate` runs the quality suites over all of them at once and is the gate to the
ledger: it lets go on what may; its button shows the Data Docs. Running it again claims nothing
twice. Emits `bank_statements` when statements were recorded.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronTriggerTimetable, dag, task

from tieout_airflow import tasks
from tieout_airflow.assets import BANK_STATEMENTS, DAG_DEFAULTS, OUTSIDE, TIMEZONE
from tieout_airflow.links import with_docs


@dag(
    schedule=CronTriggerTimetable("*/15 * * * 1-5", timezone=TIMEZONE),
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def ingest_statements() -> None:
    """Claim, read, validate, record."""
    claim = task(tasks.claim_files, task_id="claim", **OUTSIDE)
    read = task(tasks.read_file, task_id="read")
    validate = task(
        tasks.validate_files, task_id="validate", trigger_rule="all_done_min_one_success"
    )
    record = task(tasks.record_files, task_id="record", outlets=[BANK_STATEMENTS])

    files = claim()
    states = read.expand(file_id=files)
    valid = with_docs(validate(files))
    recorded = record(valid)
    states >> valid
    [states, recorded] >> EmptyOperator(task_id="settled", trigger_rule="none_failed")


ingest_statements()
