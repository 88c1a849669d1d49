"""Run in a process of its own: import the DAG files as Airflow would, without any network.

Prints one JSON object: seconds and heavy modules of each file, and what the DAGs are made of.
"""

from __future__ import annotations

import importlib.util
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

HEAVY = (
    "duckdb",
    "great_expectations",
    "lxml",
    "matplotlib",
    "pandas",
    "paramiko",
    "psycopg",
    "pyarrow",
    "sandbox",
    "tieout.ledger",
    "tieout.stages",
    "tieout.wiring",
)


def main(folder: Path) -> None:
    # What Airflow itself needs to read any DAG file is not the file's doing.
    from airflow.sdk import DAG, dag, task  # noqa: F401
    from airflow.sdk.definitions._internal.contextmanager import DagContext

    def refuse(*args: object, **more: object) -> None:
        raise AssertionError(f"a DAG file opened a connection: {args}")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.socket.bind = refuse  # type: ignore[method-assign]
    before = set(sys.modules)
    files: dict[str, Any] = {}
    dags: dict[str, Any] = {}
    for path in sorted(folder.glob("*.py")):
        started = time.perf_counter()
        spec = importlib.util.spec_from_file_location(f"probed_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module
        DagContext.current_autoregister_module_name = module.__name__
        spec.loader.exec_module(module)
        files[path.stem] = time.perf_counter() - started
    for built, _ in DagContext.autoregistered_dags:
        dags[built.dag_id] = {
            "doc": built.doc_md or "",
            "catchup": built.catchup,
            "max_active_runs": built.max_active_runs,
            "schedule": type(built.timetable).__name__,
            "params": sorted(built.params),
            "tasks": {
                each.task_id: {
                    "pool": each.pool,
                    "outlets": sorted(outlet.name for outlet in each.outlets),
                    "upstream": sorted(each.upstream_task_ids),
                    "mapped": each.is_mapped,
                    "retries": each.retries,
                    "trigger_rule": each.trigger_rule.value,
                }
                for each in built.tasks
            },
        }
    heavy = sorted(
        name for name in set(sys.modules) - before if name.split(".")[0] in HEAVY or name in HEAVY
    )
    json.dump({"seconds": files, "heavy": heavy, "dags": dags}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
