"""DAG files: thin, quick to parse, without network, linked by assets, passing ids only."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NAMES = (
    "check_postings",
    "close_report",
    "expect_statements",
    "ingest_statements",
    "post_adjustments",
    "reconcile",
    "sync_books",
    "sync_expenses",
)


def test_there_are_the_dags_one_a_file(root: Path, probed: dict[str, Any]) -> None:
    assert sorted(path.stem for path in (root / "dags").glob("*.py")) == list(NAMES)
    assert sorted(probed["dags"]) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_at_most_40_lines(root: Path, name: str) -> None:
    assert len((root / "dags" / f"{name}.py").read_text().splitlines()) <= 40


def test_parsing_imports_nothing_heavy(probed: dict[str, Any]) -> None:
    assert probed["heavy"] == []


def test_parsing_is_quick(probed: dict[str, Any]) -> None:
    # Milliseconds each; the bound leaves room for a machine that is busy.
    assert max(probed["seconds"].values()) < 2.0


@pytest.mark.parametrize("name", NAMES)
def test_every_dag_explains_itself_and_runs_once_at_a_time(
    probed: dict[str, Any], name: str
) -> None:
    dag = probed["dags"][name]
    assert len(dag["doc"]) > 100
    assert (dag["catchup"], dag["max_active_runs"]) == (False, 1)


def test_assets_link_the_dags_into_a_ring(probed: dict[str, Any]) -> None:
    outlets = {
        name: sorted({each for task in dag["tasks"].values() for each in task["outlets"]})
        for name, dag in probed["dags"].items()
    }
    assert outlets == {
        "check_postings": [],
        "close_report": [],
        "expect_statements": [],
        "ingest_statements": ["bank_statements"],
        "post_adjustments": ["postings"],
        "reconcile": ["reconciliations"],
        "sync_books": ["books"],
        "sync_expenses": ["expenses"],
    }


def test_mapped_over_files_and_accounts_only(probed: dict[str, Any]) -> None:
    mapped = [
        f"{name}.{task_id}"
        for name, dag in sorted(probed["dags"].items())
        for task_id, task in sorted(dag["tasks"].items())
        if task["mapped"]
    ]
    assert mapped == ["ingest_statements.read", "reconcile.account"]


def test_validation_stands_between_reading_and_recording(probed: dict[str, Any]) -> None:
    tasks = probed["dags"]["ingest_statements"]["tasks"]
    assert tasks["validate"]["upstream"] == ["claim", "read"]
    assert tasks["record"]["upstream"] == ["validate"]
    assert tasks["record"]["trigger_rule"] == "all_success"


def test_calls_to_an_erp_share_a_pool_that_ships_with_us(
    root: Path, probed: dict[str, Any]
) -> None:
    dags = probed["dags"]
    used = {dags["sync_books"]["tasks"]["sync_tryton"]["pool"]}
    used.add(dags["post_adjustments"]["tasks"]["post_tryton"]["pool"])
    used.add(dags["check_postings"]["tasks"]["check_tryton"]["pool"])
    shipped = json.loads((root / "plugins/tieout_airflow/pools.json").read_text())
    assert used == {"erp_tryton"}
    mapped = {f"erp_{path.stem}" for path in (root / "mappings/erp").glob("*.toml")}
    assert set(shipped) == mapped, "each ERP we have a mapping for has its pool"


@pytest.mark.parametrize("dag", ["close_report", "expect_statements", "reconcile", "sync_books"])
def test_a_day_can_be_given_by_hand(probed: dict[str, Any], dag: str) -> None:
    assert "day" in probed["dags"][dag]["params"]


def test_tasks_take_and_give_ids_never_tables(root: Path) -> None:
    """Read from the source: importing it here would make Airflow look for its home."""
    tree = ast.parse((root / "plugins/tieout_airflow/tasks.py").read_text())
    allowed = {"str", "int", "bool", "date", "list[str]", "list[bool]"}
    seen: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            seen.append(node.name)
            given = [arg.annotation for arg in node.args.args]
            for annotation in [*given, node.returns]:
                assert annotation is not None
                assert ast.unparse(annotation) in allowed, node.name
    assert len(seen) == 14
