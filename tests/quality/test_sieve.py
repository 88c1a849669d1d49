"""The sieve leaves what the library would have found, counts the rest, and holds nothing back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality.tables import DAY, balance, detail, entry, statement, tables
from tieout.canonical import Tables
from tieout.profiles import mappings_dir
from tieout.quality import sieve
from tieout.quality.masks import condition, mask
from tieout.quality.relations import Frame, frames_of, opened
from tieout.quality.rules import load_suites
from tieout.quality.suites import run_suites, sift_all

SUITES = load_suites(mappings_dir() / "suites")


def mixed(rows: int = 120) -> Tables:
    """Many kinds of bad rows among good ones, in two statements of two kinds."""
    entries = [
        entry(
            f"e{n}",
            "1.00",
            statement_id="s1" if n % 2 else "s2",
            line_no=100 + n,
            booked_on=None if n % 3 == 0 else DAY,
            valued_on=None if n % 5 == 0 else DAY,
            status=("booked", "pending", "odd", None)[n % 4],
            currency=("EUR", "eur", None)[n % 3],
            narrative=("plain", "a\x01b", None)[n % 3],
            detail_count=n % 2,
        )
        for n in range(rows)
    ]
    details = [
        detail(
            f"e{n}",
            line_no=200 + n,
            end_to_end_id=("x" * 40, "ok", "", None)[n % 4],
            uetr=("123", None)[n % 2],
            fx_rate=(Decimal(0), Decimal("1.1"), None)[n % 3],
            counterparty_bic=("DEUTDEFF", "deutdeff")[n % 2],
        )
        for n in range(rows)
    ]
    heads = [statement("s1", line_no=1), statement("s2", line_no=2, kind="notification")]
    return tables(heads, [balance("OPBD", "1"), balance("X", "2", "s2")], entries, details)


def findings(frames: dict[str, Frame], tmp_path: Path) -> Any:
    return run_suites(frames, docs_dir=tmp_path / "docs", run_name="r").findings


def test_the_library_finds_the_same_in_what_the_sieve_leaves_as_in_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = frames_of(mixed())
    sifted = findings(frames, tmp_path)
    left = sift_all(frames, SUITES)
    assert left["entries"].table.num_rows < left["entries"].rows
    monkeypatch.setattr(sieve, "mask", lambda rule, table: None)
    assert sift_all(frames, SUITES)["entries"].table.num_rows == 120
    assert sifted == findings(frames, tmp_path)
    assert len(sifted) > 10


def test_files_of_parquet_and_tables_in_memory_are_the_same(tmp_path: Path) -> None:
    whole = mixed()
    paths: dict[str, Frame] = {}
    for name, frame in frames_of(whole).items():
        assert isinstance(frame, pa.Table)
        halves = [frame.slice(0, frame.num_rows // 2), frame.slice(frame.num_rows // 2)]
        files = [tmp_path / f"{name}.{n}.parquet" for n in range(2)]
        for path, half in zip(files, halves, strict=True):
            pq.write_table(half, path, row_group_size=7)
        paths[name] = files
    for name, left in sift_all(paths, SUITES).items():
        same = sift_all(frames_of(whole), SUITES)[name]
        assert (left.rows, left.asked, left.counts) == (same.rows, same.asked, same.counts)
        assert left.table.to_pylist() == same.table.to_pylist()


def test_a_statement_without_booking_dates_is_told_once_with_its_number_of_rows() -> None:
    many = tables([statement()], [], [entry(f"e{n}", "1", booked_on=None) for n in range(5000)])
    left = sift_all(frames_of(many), SUITES)["entries"]
    assert left.counts["ENTRY_BOOKED_ON_MISSING"] == {"s1": 5000}
    assert left.table.num_rows == sieve.SHOWN_MAX
    assert left.table["entry_id"].to_pylist() == [f"e{n}" for n in range(sieve.SHOWN_MAX)]


@pytest.mark.parametrize(
    ("kind", "status", "missing"),
    [
        ("booked", "booked", 1),
        ("booked", "pending", 0),
        ("intraday", "booked", 0),
        ("notification", "booked", 0),
        ("notification", "pending", 0),
    ],
)
def test_only_booked_entries_of_booked_statements_need_a_booking_date(
    kind: str, status: str, missing: int
) -> None:
    given_tables = tables(
        [statement(kind=kind)], [], [entry("e1", "1", booked_on=None, status=status)]
    )
    left = sift_all(frames_of(given_tables), SUITES)["entries"]
    assert sum(left.counts["ENTRY_BOOKED_ON_MISSING"].values()) == missing


def test_a_statement_that_stands_in_two_files_is_not_counted_twice() -> None:
    one = tables([statement(), statement()], [], [entry("e1", "1", booked_on=None)])
    left = sift_all(frames_of(one), SUITES)
    assert left["entries"].counts["ENTRY_BOOKED_ON_MISSING"] == {"s1": 1}
    assert left["statements"].counts["STATEMENT_IN_TWO_FILES"] == {"s1": 2}


def test_every_shipped_rule_has_a_mask() -> None:
    slow = [
        rule["meta"]["rule_id"]
        for name, suite in SUITES.items()
        for rule in suite["expectations"]
        if mask(rule, name) is None
    ]
    assert slow == []


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        ("expect_column_median_to_be_between", {"column": "amount", "min_value": 0}),
        ("expect_column_values_to_match_regex", {"column": "a", "regex": r"^\d+$"}),
        ("expect_column_values_to_match_regex", {"column": "a", "regex": "^(?!x)"}),
        ("expect_column_values_to_not_match_regex", {"column": "a", "regex": "x$"}),
        ("expect_column_values_to_not_be_null", {"column": "a", "mostly": 0.9}),
        ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b"}),
        ("expect_column_values_to_be_between", {"column": "a", "min_value": date(2026, 1, 1)}),
    ],
)
def test_what_the_sieve_does_not_understand_is_the_librarys(
    kind: str, kwargs: dict[str, Any]
) -> None:
    assert mask({"type": kind, "kwargs": kwargs}, "entries") is None


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(
        st.one_of(st.none(), st.sampled_from(["a", "b", "'", '"', "ä", ""])), max_size=8
    ),
    wanted=st.sets(st.sampled_from(["a", "b", "'", '"', "ä"]), min_size=1),
)
def test_conditions_hold_of_the_same_rows_as_in_python(
    values: list[str | None], wanted: set[str]
) -> None:
    one = sorted(wanted)[0]
    column = {"name": 'odd "name'}
    cases = {
        "==": (one, lambda v: v == one),
        "!=": (one, lambda v: v != one),
        "IN": (sorted(wanted), lambda v: v in wanted),
        "NOT_IN": (sorted(wanted), lambda v: v not in wanted),
    }
    table = pa.table({'odd "name': pa.array(values, pa.string())})
    with opened({"given": table}) as connection:
        for operator, (parameter, holds) in cases.items():
            given_condition = {
                "type": "comparison",
                "column": column,
                "operator": operator,
                "parameter": parameter,
            }
            query = f"SELECT count(*) FROM given WHERE {condition(given_condition)}"
            (found,) = connection.execute(query).fetchone() or (-1,)
            assert found == sum(bool(holds(value)) for value in values), operator
