"""What the DAG files are, learned once in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dags.day import run_day

__all__ = ["run_day"]


@pytest.fixture(scope="session")
def airflow_environment(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which Airflow looks at our folders and at nothing of the user's."""
    home = tmp_path_factory.mktemp("airflow")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TIEOUT"))}
    return kept | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/none.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "plugins")]),
        "PYTHONWARNINGS": "ignore",
    }


@pytest.fixture(scope="session")
def probed(root: Path, airflow_environment: dict[str, str]) -> dict[str, Any]:
    """`tests.dags.probe` of the dags folder."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.dags.probe", str(root / "dags")],
        env=airflow_environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
