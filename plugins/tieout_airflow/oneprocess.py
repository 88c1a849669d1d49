"""Airflow's scheduler and its workers in one process, run until nothing is left to do.

``python -m tieout_airflow.oneprocess --wave ingest_statements sync_expenses --wave close_report``

The scheduler is Airflow's own: it creates the runs that asset events have queued, resolves
dependencies, maps tasks, honours pools and retries. A task is Airflow's own too: a supervised child
that parses the DAG file and writes its log where the API server looks for it. Only the wire is
missing: the supervisor speaks to the execution API by function call instead of HTTP, so no server
and no port is needed. Two things differ from a real scheduler, both on purpose: tasks run one after
another, and timetables are not consulted (whoever calls says what runs). Not to be
used beside a real scheduler.

Exit codes: 0 every run succeeded, 1 a run failed (its tasks and log files are printed).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from airflow import settings
from airflow.configuration import conf
from airflow.executors.base_executor import BaseExecutor
from airflow.jobs.job import Job, run_job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.pool import Pool
from airflow.models.taskinstance import TaskInstance
from airflow.sdk.execution_time import supervisor
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, JobState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import func, select, update

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["OneProcessExecutor", "OneProcessScheduler", "main", "run", "sync_dags"]

#: Scheduling loops without work after which the day counts as quiet. A loop that finds a finished
#: task, a new run or a queued task is not idle, so two in a row mean nothing is under way.
_IDLE_LOOPS = 2

#: A supervisor that missed its child's end looks again after one heartbeat interval; five seconds
#: of that a task would double the length of the day.
_HEARTBEAT_SECONDS = 0.1

#: Advisory lock of the metadata database that a runner holds.
_LOCK = 7133750


class OneProcessExecutor(BaseExecutor):
    """Runs each workload to its end before the next, in a supervised child process."""

    is_local = True
    serve_logs = False

    def __init__(self, said: TextIO) -> None:
        super().__init__(parallelism=1)
        self._said = said
        self._client = supervisor.InProcessTestSupervisor._api_client()  # type: ignore[no-untyped-call]

    def start(self) -> None:
        """Nothing to start: children are forked as tasks come."""

    def sync(self) -> None:
        """Nothing to fetch: a task has ended before the next heartbeat."""

    def end(self) -> None:
        """Nothing to end."""

    def terminate(self) -> None:
        """Nothing to terminate."""

    def _process_workloads(self, workload_list: Sequence[Any]) -> None:
        for workload in workload_list:
            self.queued_tasks.pop(workload.key, None)
            self.running.add(workload.key)
            started = time.monotonic()
            code = supervisor.supervise_task(
                ti=workload.ti,
                bundle_info=workload.bundle_info,
                dag_rel_path=workload.dag_rel_path,
                token=workload.token,
                log_path=workload.log_path,
                client=self._client,
            )
            self.change_state(
                workload.key, TaskInstanceState.FAILED if code else TaskInstanceState.SUCCESS
            )
            self._tell(workload.ti, time.monotonic() - started)

    def _tell(self, ti: Any, seconds: float) -> None:
        # Not by id: a task to be tried again has got a new one by now.
        which = [
            getattr(TaskInstance, name) == getattr(ti, name)
            for name in ("dag_id", "task_id", "run_id", "map_index")
        ]
        with create_session() as session:
            state = session.scalar(select(TaskInstance.state).where(*which))
        told = str(state or "gone").replace("_", " ")
        self._said.write(f"{_name(ti):<40} {told:<14} {seconds:5.1f} s\n")


class OneProcessScheduler(SchedulerJobRunner):
    """Airflow's scheduler, deaf to timetables: runs come from assets and from the caller."""

    def _create_dag_runs(self, dag_models: Collection[DagModel], session: Session) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that failed, and where its log is."""

    task: str
    log: Path


def sync_dags() -> list[str]:
    """Parse the DAG files into the metadata, make our pools, unpause our DAGs; return their ids.

    Raises:
        RuntimeError: a DAG file cannot be imported.
    """
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

    manager = DagBundlesManager()  # type: ignore[no-untyped-call]
    with create_session() as session:
        manager.sync_bundles_to_db(session=session)
    names: list[str] = []
    for bundle in manager.get_all_dag_bundles():
        bundle.initialize()
        bag = BundleDagBag(bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
        if bag.import_errors:
            raise RuntimeError(f"DAG files that cannot be imported: {bag.import_errors}")
        sync_bag_to_db(bag, bundle.name, bundle.version)
        names += bag.dag_ids
    for name, pool in json.loads(Path(__file__).with_name("pools.json").read_text()).items():
        Pool.create_or_update_pool(
            name, pool["slots"], pool["description"], include_deferred=pool["include_deferred"]
        )
    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id.in_(names)).values(is_paused=False))
    return sorted(names)


def run(waves: Sequence[Sequence[tuple[str, dict[str, str]]]], said: TextIO) -> list[Failure]:
    """Run waves of DAGs (id, params), each with all that its assets set off, until quiet.

    Returns:
        The failed tasks; later waves are not started after a failure.

    Raises:
        RuntimeError: another runner is at work, or a DAG file cannot be imported.
    """
    from airflow.api.common.trigger_dag import trigger_dag

    since = datetime.now(tz=UTC)
    supervisor.MIN_HEARTBEAT_INTERVAL = _HEARTBEAT_SECONDS  # type: ignore[assignment]
    _warm_up()
    with _alone():
        sync_dags()
        for wave in waves:
            for dag_id, params in wave:
                trigger_dag(dag_id, triggered_by=DagRunTriggeredByType.CLI, conf=params)
            _schedule(said)
            while _waiting_for_retry():
                time.sleep(1)
                _schedule(said)
            failures = _failures(since)
            if failures:
                return failures
    return []


def _warm_up() -> None:
    """Import once what nearly every task imports: children are forked with it in memory."""
    import tieout.stages
    from tieout.banking_days import is_banking_day

    names = [each.name for each in pkgutil.iter_modules(tieout.stages.__path__, "tieout.stages.")]
    for name in ("tieout.wiring", "duckdb", "pandas", *names):
        importlib.import_module(name)
    is_banking_day(datetime.now(tz=UTC).date())  # loads the calendar


def _schedule(said: TextIO) -> None:
    """One life of the scheduler: until nothing is left to do now."""
    scheduler = OneProcessScheduler(
        Job(),  # type: ignore[no-untyped-call]
        num_runs=_IDLE_LOOPS,
        only_idle=True,
        scheduler_idle_sleep_time=0.1,
        executors=[OneProcessExecutor(said)],
    )
    run_job(job=scheduler.job, execute_callable=scheduler._execute)


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other runners away, and put back what one that was killed had in hand.

    Raises:
        RuntimeError: another runner is at work on this metadata.
    """
    held = (TaskInstanceState.RUNNING, TaskInstanceState.QUEUED, TaskInstanceState.SCHEDULED)
    with settings.get_engine().connect() as lock:  # type: ignore[no-untyped-call]
        # The lock is the connection's: it goes when this process goes, however it goes.
        if not lock.scalar(select(func.pg_try_advisory_lock(_LOCK))):
            raise RuntimeError("another runner is at work on this metadata: wait for it")
        with create_session() as session:
            session.execute(
                update(Job).where(Job.state == JobState.RUNNING).values(state=JobState.FAILED)
            )
            session.execute(
                update(TaskInstance).where(TaskInstance.state.in_(held)).values(state=None)
            )
        yield


def _waiting_for_retry() -> bool:
    with create_session() as session:
        waiting = select(TaskInstance.task_id).where(
            TaskInstance.state == TaskInstanceState.UP_FOR_RETRY
        )
        return session.scalars(waiting).first() is not None


def _name(ti: Any) -> str:
    return f"{ti.dag_id}.{ti.task_id}" + (f"[{ti.map_index}]" if ti.map_index >= 0 else "")


def _failures(since: datetime) -> list[Failure]:
    """Tasks of runs since then that did not succeed; an unfinished run counts as failed."""
    from airflow.utils.helpers import log_filename_template_renderer

    folder, render = Path(conf.get("logging", "base_log_folder")), log_filename_template_renderer()
    found: list[Failure] = []
    with create_session() as session:
        runs = session.scalars(
            select(DagRun).where(DagRun.queued_at >= since, DagRun.state != DagRunState.SUCCESS)
        )
        for each in runs:
            broken = [
                ti
                for ti in each.get_task_instances(session=session)
                if ti.state not in (TaskInstanceState.SUCCESS, TaskInstanceState.SKIPPED)
            ]
            for ti in broken:
                name = f"{_name(ti)} ({ti.state or 'not run'})"
                found.append(Failure(name, folder / render(ti=ti)))
    return sorted(found, key=lambda each: each.task)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; progress on standard output, everything else in the log on standard error."""
    parser = argparse.ArgumentParser(prog="tieout_airflow.oneprocess")
    parser.add_argument(
        "--wave",
        action="append",
        nargs="+",
        required=True,
        metavar="DAG[:KEY=VALUE,…]",
        help="DAGs to trigger together; the next wave starts when all they set off is done",
    )
    args = parser.parse_args(argv)
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    failures = run([[_parse(each) for each in wave] for wave in args.wave], said)
    for each in failures:
        said.write(f"FAILED {each.task}: {each.log}\n")
    return 1 if failures else 0


def _parse(text: str) -> tuple[str, dict[str, str]]:
    dag_id, _, rest = text.partition(":")
    pairs = (each.partition("=") for each in rest.split(",") if each)
    return dag_id, {key: value for key, _, value in pairs}


if __name__ == "__main__":
    sys.exit(main())
