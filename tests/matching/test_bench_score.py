"""Scoring: verdicts on groups made by hand, and a whole small measurement."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.matching import __main__ as bench
from benchmarks.matching import measure, report, score
from benchmarks.matching.tables import TRUTH
from tests.matching.world import tables

BANK = """
B1 | 2026-11-20 | -100.00 | E2E-1 | Nordmann | one
B2 | 2026-11-20 | -30.00 | | Nordmann | two
B3 | 2026-11-20 | 70.00 | | Suedmann | twin
B4 | 2026-11-20 | 70.00 | | Suedmann | twin
B5 | 2026-11-20 | 9.00 | | | noise
"""
BOOKS = """
K1 | 2026-11-19 | -100.00 | cash_book | | E2E-1
K2 | 2026-11-19 | -10.00 | payable | RE-1
K3 | 2026-11-19 | -20.00 | payable | RE-2
K4 | 2026-11-19 | 70.00 | receivable | RE-3
K5 | 2026-11-19 | 70.00 | receivable | RE-4
K6 | 2026-11-19 | 9.00 | receivable | RE-5
"""
TRUE = [
    ("T1", "plain", True, None, ["B1"], ["K1"]),
    ("T2", "sum", True, None, ["B2"], ["K2", "K3"]),
    ("T3", "twin", False, "equal", ["B3"], ["K4"]),
    ("T4", "twin", False, "equal", ["B4"], ["K5"]),
]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    entries, details, items = tables(BANK, BOOKS)
    columns = [pa.array([group[place] for group in TRUE], f.type) for place, f in enumerate(TRUTH)]
    truth = pa.Table.from_arrays(columns, schema=TRUTH)
    named = {"entries": entries, "details": details, "items": items, "truth": truth}
    for name, table in named.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    return tmp_path


def said(world: Path, *groups: tuple[str, str, str, str]) -> dict[str, Any]:
    """Write groups (rung, state, entries, items; ids with blanks) and judge them."""
    out = world / "out"
    out.mkdir(exist_ok=True)
    heads, members = [], []
    for number, (rung, state, entries, items) in enumerate(groups):
        heads.append({"group_id": str(number), "rung": rung, "state": state})
        for side, ids in (("entry", entries), ("item", items)):
            members += [
                {"group_id": str(number), "side": side, "member_id": i} for i in ids.split()
            ]
    members.append({"group_id": "0", "side": "detail", "member_id": "B1-d"})
    pq.write_table(pa.Table.from_pylist(heads), out / "groups.parquet")
    pq.write_table(pa.Table.from_pylist(members), out / "members.parquet")
    refused = [{"rung": "r", "reason": "not_unique", "entry_ids": ["B3"], "item_ids": ["K4"]}]
    pq.write_table(pa.Table.from_pylist(refused), out / "refused.parquet")
    return score.judge(world, out)


def test_a_group_is_right_only_when_it_is_the_whole_group(world: Path) -> None:
    found = said(world, ("r", "confirmed", "B1", "K1"), ("s", "confirmed", "B2", "K2 K3"))
    total = found["total"]
    assert (total["confirmed"], total["right"], total["wrong"]) == (2, 2, 0)
    assert (total["precision"], total["recall"], total["guessed"]) == (1.0, 1.0, 0)
    assert total["recall_by_value"] == 1.0
    assert (total["entries_matched"], total["entries"]) == (2, 5)
    assert (total["items_matched"], total["items"]) == (3, 6)
    assert found["refused"] == [{"rung": "r", "reason": "not_unique", "refused": 1}]


@pytest.mark.parametrize(
    ("entries", "items", "verdict"),
    [
        ("B2", "K2", "part of a group"),
        ("B2", "K2 K3 K6", "more than a group"),
        ("B1", "K2", "mixed"),
        ("B5", "K6", "noise only"),
        ("B1 B2", "K1 K2 K3", "mixed"),
    ],
)
def test_all_else_is_wrong(world: Path, entries: str, items: str, verdict: str) -> None:
    total = said(world, ("r", "confirmed", entries, items))["total"]
    assert (total["right"], total["wrong"], total["found"]) == (0, 1, 0)
    with score.open_world(world, world / "out") as db:
        assert db.execute("SELECT verdict FROM judged").fetchall() == [(verdict,)]


def test_a_guess_is_counted_whether_it_hits_or_not(world: Path) -> None:
    found = said(world, ("r", "confirmed", "B3", "K4"), ("r", "confirmed", "B4", "K6"))
    total = found["total"]
    assert (total["right"], total["wrong"], total["guessed"]) == (1, 1, 2)
    assert total["recall"] == 0, "what is not decidable is not looked for"
    twins = next(row for row in found["stories"] if row["story"] == "twin")
    assert (twins["guessed"], twins["wrong"]) == (2, 1)


def test_proposals_are_neither_right_nor_wrong(world: Path) -> None:
    found = said(world, ("r", "proposed", "B1", "K1"), ("r", "proposed", "B5", "K6"))
    assert (found["total"]["confirmed"], found["total"]["proposed"]) == (0, 2)
    assert found["total"]["precision"] is None
    plain = next(row for row in found["stories"] if row["story"] == "plain")
    assert (plain["found"], plain["proposed"]) == (0, 1)


def test_recall_by_value_weighs_by_money(world: Path) -> None:
    total = said(world, ("r", "confirmed", "B1", "K1"))["total"]
    assert total["recall"] == 0.5
    assert total["recall_by_value"] == pytest.approx(100 / 130)


def test_rungs_add_up_to_the_total(world: Path) -> None:
    found = said(
        world,
        ("r", "confirmed", "B1", "K1"),
        ("s", "confirmed", "B2", "K2"),
        ("s", "confirmed", "B5", "K6"),
    )
    assert found["rungs"] == [
        {"rung": "r", "confirmed": 1, "right": 1, "wrong": 0, "guessed": 0, "found": 1},
        {"rung": "s", "confirmed": 2, "right": 0, "wrong": 2, "guessed": 0, "found": 0},
    ]


def test_wrong_and_missed_groups_are_shown_with_their_rows(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(world, ("r", "confirmed", "B1", "K2"))
    score.main([str(world), str(world / "out"), "--show-wrong", "5", "--show-missed", "5"])
    text = capsys.readouterr().out
    assert "r 0: mixed" in text
    assert "missed: plain T1" in text
    assert "missed: sum T2" in text
    assert "amount=-100.00000" in text
    assert "end_to_end_id='E2E-1'" in text
    assert "T3" not in text, "nobody can miss what is not decidable"


def test_an_engine_that_takes_too_long_is_stopped_and_said() -> None:
    result = measure.Result(measure.OURS)
    with pytest.raises(TimeoutError, match="not finished after 1 s"):
        measure._process([sys.executable, "-c", "while True: pass"], 1)
    with pytest.raises(RuntimeError, match="ValueError: no"):
        measure._process([sys.executable, "-c", "raise ValueError('no')"], 60)
    result.error = "not finished after 1 s"
    assert report.line(result) == "tieout match: not finished after 1 s"


def test_a_small_measurement_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--size", "1500", "--runs", "1", "--peers", "none", "--no-rows", "--no-profiles"]
    bench.main([*options, "--out", str(tmp_path)])
    page = capsys.readouterr().out
    assert "| tieout match |" in page
    assert "| DuckDB key join |" in page
    assert "| payment_reference |" in page
    assert "| combined_ambiguous |" in page
    assert "precision ≥ 99.99 %" in page
    assert list(tmp_path.iterdir()) == [], "a small one is not the measurement"


def test_bars_are_judged_by_what_was_measured() -> None:
    total = {"precision": 1.0, "guessed": 1, "recall": 0.96}
    own = {"engine": "tieout match", "cpu": [9.0], "peak_mb": [900.0], "score": {"total": total}}
    join = {"engine": "DuckDB key join", "cpu": [1.0]}
    rows = {"entries": 1_000_000}
    bars = report.bars([{"title": "w", "rows": rows, "results": [own, join]}])
    assert [(bar["text"], bar["holds"]) for bar in bars] == [
        ("w: precision ≥ 99.99 %", True),
        ("w: no guess", False),
        ("w: recall of decidable ≥ 97 %", False),
        ("w: CPU ≤ 8 × the key join", False),
        ("w: peak ≤ 2 GB", True),
    ]
    assert json.dumps(bars)


def test_ten_times_the_entries_are_compared_with_one() -> None:
    total = {"precision": 1.0, "guessed": 0, "recall": 1.0}

    def world(entries: int, cpu: float) -> dict[str, Any]:
        own = {"engine": "tieout match", "cpu": [cpu], "peak_mb": [1.0], "score": {"total": total}}
        return {"title": f"{entries}", "rows": {"entries": entries}, "results": [own]}

    bars = report.bars([world(1_000_000, 10.0), world(10_000_000, 140.0)])
    assert bars[-1] == {
        "text": "10000000: CPU ≤ 13 × a tenth of it",
        "value": "14.0",
        "holds": False,
    }
    assert all("tenth" not in bar["text"] for bar in report.bars([world(1_000_000, 10.0)]))
