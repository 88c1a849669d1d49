"""Entries tied to items by the matching ladder: groups, residuals, exceptions, proposals.

One mapped task an account; an account that fails leaves the others alone, and fails the run at
`settled`. Conclusions are derived anew from the facts, so a rerun of any day gives the same groups.
Emits `reconciliations` when a group, an exception or a proposal changed. By hand: give a day, or
one account.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag, task

from tieout_airflow import tasks
from tieout_airflow.assets import ACCOUNT, BOOKS, DAG_DEFAULTS, DAY, RECONCILIATIONS


@dag(schedule=[BOOKS], params={"day": DAY, "account": ACCOUNT}, doc_md=__doc__, **DAG_DEFAULTS)
def reconcile() -> None:
    """One mapped task an account."""
    accounts = task(tasks.accounts, task_id="accounts")
    account = task(tasks.reconcile_account, task_id="account")
    publish = task(
        tasks.publish_reconciliations,
        task_id="publish",
        trigger_rule="all_done_min_one_success",
        outlets=[RECONCILIATIONS],
    )

    changes = account.expand(account_code=accounts())
    [changes, publish(changes)] >> EmptyOperator(task_id="settled", trigger_rule="none_failed")


reconcile()
