"""The plugin loader executes every file it finds: it must find one, with a name nobody has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_LOOK = """
import sys
before = set(sys.modules)
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
ours = [each for each in plugins if each.name == "tieout"]
bare = {"assets", "oneprocess", "pages", "tasks", "wiring"} & set(sys.modules)
print(len(ours), ours[0].__module__, errors, sorted(bare), sep="|")
"""


def test_one_loadable_file_with_a_name_of_its_own(root: Path) -> None:
    found = sorted(path.name for path in (root / "plugins").glob("*.py"))
    assert found == ["tieout_plugin.py"]
    assert "tieout_plugin" not in sys.stdlib_module_names


def test_the_ignore_file_names_the_package_folder(root: Path) -> None:
    lines = (root / "plugins/.airflowignore").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == ["tieout_airflow"]


def test_the_loader_takes_the_plugin_and_leaves_the_package_alone(
    root: Path, airflow_environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOOK],
        env=airflow_environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "1|tieout_plugin|{}|[]"
