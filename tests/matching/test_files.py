"""The engine on files: the same as on tables, whatever it holds, lets go of and puts aside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.matching.profiles import setting
from benchmarks.matching.world import write
from tieout import cli
from tieout.canonical import ITEMS
from tieout.errors import InputError
from tieout.matching import engine, ladder, told
from tieout.matching.columns import Columns, FileSource, TableSource

TABLES = ("groups", "members", "refused")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company, its tables in row groups of a few hundred rows."""
    folder = tmp_path_factory.mktemp("world")
    write(setting("manufacturer"), 3_000, 7, folder)
    for name in ("entries", "details", "items"):
        table = pq.read_table(folder / f"{name}.parquet")
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=700)
    return folder


def run(world: Path, out: Path, *words: str) -> dict[str, pa.Table]:
    given = [str(world / f"{name}.parquet") for name in ("entries", "items")]
    details = ["--details", str(world / "details.parquet")]
    assert cli.main(["match", *given, *details, "--out", str(out), *words]) == 0
    return {name: pq.read_table(out / f"{name}.parquet") for name in TABLES}


def test_files_match_as_tables_do(world: Path, tmp_path: Path) -> None:
    names = ("entries", "details", "items")
    entries, details, items = (pq.read_table(world / f"{name}.parquet") for name in names)
    result = engine.match(entries, details, items, ladder.load())
    written = run(world, tmp_path)
    assert len(written["groups"]) > 2_000
    for name in TABLES:
        assert written[name].equals(getattr(result, name)), name


def test_what_is_spilled_comes_back_the_same(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = run(world, tmp_path / "straight")
    monkeypatch.setattr(told, "_SLICE", 100)  # so that there are many pieces
    room = tmp_path / "room"
    spilled = run(world, tmp_path / "spilled", "--spill", str(room))
    for name in TABLES:
        assert spilled[name].equals(straight[name]), name
    assert list(room.iterdir()) == []


def test_a_failure_leaves_no_files(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = pq.read_table(world / "items.parquet")
    place = items.schema.get_field_index("document_no")
    wrong = items.set_column(place, "document_no", pa.nulls(len(items), pa.list_(pa.int32())))
    broken = tmp_path / "items.parquet"
    pq.write_table(wrong, broken)
    words = [str(world / "entries.parquet"), str(broken), "--out", str(tmp_path / "out")]
    assert cli.main(["match", *words]) == 2
    assert "column 'document_no' is list<" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_the_summary_counts_what_was_written(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = run(world, tmp_path, "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["groups"] == len(written["groups"]) == sum(said["rungs"].values())
    sides = written["members"]["side"].to_pylist()
    assert said["entries_matched"] == sides.count("entry")
    assert said["refused"].get("not_unique", 0) == len(written["refused"])


def item_rows() -> pa.Table:
    count = 10
    columns: dict[str, Any] = {
        "item_id": [f"K{n}" for n in range(count)],
        "document_no": [None if n % 3 == 0 else f"RE-{n}" for n in range(count)],
        "reference": [[f"A{n}", "B"] if n % 2 else None for n in range(count)],
    }
    return pa.table(columns)


@pytest.mark.parametrize("late", [False, True])
def test_columns_by_handle(late: bool, tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    pq.write_table(item_rows(), path, row_group_size=3)
    source = FileSource(path) if late else TableSource(item_rows())
    columns = Columns(source, ITEMS, "items")
    columns.keep(np.arange(10) != 4)  # handles now count 0 1 2 3 5 6 7 8 9
    assert len(columns) == 9
    assert columns.take("document_no", np.array([4, -1, 1])).to_pylist() == ["RE-5", None, "RE-1"]
    still = np.array([False, True, False, False, True, False, False, True, False])
    columns.let_go(still)
    assert columns.take("document_no", np.array([7, 4, -1])).to_pylist() == ["RE-8", "RE-5", None]
    rows, values = columns.known("reference", still)
    assert rows.tolist() == [1, 4]
    assert values.to_pylist() == [["A1", "B"], ["A5", "B"]]
    assert columns.take("narrative", np.array([7])).to_pylist() == [None]
    assert columns.all("item_id").to_pylist() == [f"K{n}" for n in range(10) if n != 4]


def test_columns_without_values_are_known_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    empty = pa.nulls(10, pa.string())
    pq.write_table(item_rows().append_column("narrative", empty), path, row_group_size=3)
    absent = Columns(FileSource(path), ITEMS, "items").absent()
    assert {"narrative", "currency"} <= absent
    assert not {"item_id", "document_no", "reference"} & absent


@pytest.mark.parametrize("text", [None, b"not Parquet at all"])
def test_a_file_that_cannot_be_read_is_said(text: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(InputError, match=r"items\.parquet"):
        FileSource(path)
