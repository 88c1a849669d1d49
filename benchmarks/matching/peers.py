"""The peers on a world's tables, each as its own documents show it: measured processes.

``python -m benchmarks.matching.peers FUNCTION WORLD OUT``. Every peer gets one flat row an entry
(its only detail beside it) and one an item, and writes the pairs it found; a pair is confirmed
where neither side stands in another pair, for none of the peers keeps pairs apart by itself.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import duckdb

__all__ = [
    "PEERS",
    "bankstatementparser_pairs",
    "datacompy_polars",
    "join",
    "join_in_memory",
    "main",
    "recordlinkage_pairs",
    "splink_pairs",
]

#: When what is measured inside the process began.
_begun = time.process_time()

#: What banks write where there is no reference.
_NONE: Final = "('NOTPROVIDED', 'NONREF', 'NOT PROVIDED', '0')"

_BANK: Final = f"""
SELECT e.entry_id, e.account_id, e.currency, e.amount, e.booked_on,
  coalesce(CASE WHEN d.end_to_end_id NOT IN {_NONE} THEN trim(d.end_to_end_id) END, d.reference,
    d.uetr, d.instruction_id, d.mandate_id, d.cheque_no) AS reference,
  d.counterparty_name AS party
FROM '{{world}}/entries.parquet' e
JOIN '{{world}}/details.parquet' d ON d.entry_id = e.entry_id AND e.detail_count = 1
"""
_BOOKS: Final = f"""
SELECT item_id, account_id, currency, amount, coalesce(due_on, booked_on) AS booked_on,
  coalesce(CASE WHEN end_to_end_id NOT IN {_NONE} THEN end_to_end_id END, reference[1],
    document_no) AS reference, counterparty_name AS party
FROM '{{world}}/items.parquet'
"""


def join(world: Path, out: Path) -> int:
    """The floor: pairs of equal reference, account and currency, kept in memory."""
    with duckdb.connect(":memory:", config={"threads": 2}) as db:
        return len(db.sql(_joined(_BANK, _BOOKS).format(world=world)).to_arrow_table())


def _joined(bank: str, books: str) -> str:
    return (
        f"SELECT b.entry_id, i.item_id FROM ({bank}) b JOIN ({books}) i "
        "USING (reference, account_id, currency)"
    )


def join_in_memory(world: Path, out: Path) -> int:
    """The same on two tables that are already in memory, with a reference column each: what
    `main` prints as ``cpu`` is then the join alone."""
    global _begun
    with duckdb.connect(":memory:", config={"threads": 2}) as db:
        db.execute(f"CREATE TABLE bank AS {_BANK.format(world=world)}")
        db.execute(f"CREATE TABLE books AS {_BOOKS.format(world=world)}")
        _begun = time.process_time()
        return len(db.sql(_joined("FROM bank", "FROM books")).to_arrow_table())


def _frames(world: Path, kind: str) -> tuple[Any, Any]:
    with duckdb.connect(":memory:", config={"threads": 2}) as db:
        bank = db.sql(_BANK.format(world=world)).to_arrow_table()
        books = db.sql(_BOOKS.format(world=world)).to_arrow_table()
    if kind == "polars":
        import polars

        return polars.from_arrow(bank), polars.from_arrow(books)
    return bank, books


def _write(out: Path, pairs: Any) -> int:
    """Pairs (a table of entry_id and item_id) that nothing contradicts, as confirmed groups."""
    out.mkdir(parents=True)
    with duckdb.connect(":memory:") as db:
        db.register("given", pairs)
        db.execute(
            """CREATE TABLE pairs AS SELECT row_number() OVER () AS n, entry_id, item_id FROM (
            SELECT DISTINCT entry_id, item_id FROM given)
            QUALIFY count(*) OVER (PARTITION BY entry_id) = 1
              AND count(*) OVER (PARTITION BY item_id) = 1"""
        )
        db.execute(
            f"""COPY (SELECT n::VARCHAR AS group_id, 'pairs' AS rung, 'confirmed' AS state
            FROM pairs) TO '{out}/groups.parquet'"""
        )
        db.execute(
            f"""COPY (SELECT n::VARCHAR AS group_id, 'entry' AS side, entry_id AS member_id
            FROM pairs UNION ALL SELECT n::VARCHAR, 'item', item_id FROM pairs)
            TO '{out}/members.parquet'"""
        )
        row = db.execute("SELECT count(*) FROM pairs").fetchone()
    return int(row[0]) if row else 0


def datacompy_polars(world: Path, out: Path) -> int:
    """datacompy compares two frames row by row on a key; equal amounts are its matches."""
    import datacompy
    import polars

    bank, books = _frames(world, "polars")
    key = ["reference", "account_id", "currency"]
    # It wants keys that are there and do not repeat.
    bank = bank.drop_nulls(key).unique(key, keep="none")
    books = books.drop_nulls(key).unique(key, keep="none")
    compared = datacompy.PolarsCompare(bank, books, join_columns=key)
    both = compared.intersect_rows
    found = both.filter(polars.col("amount_match"))
    named = found.select(entry_id="entry_id_df1", item_id="item_id_df2")
    return _write(out, named.to_arrow())


def recordlinkage_pairs(world: Path, out: Path) -> int:
    """recordlinkage: candidates by account and amount; reference equal, or name and day near."""
    import pyarrow as pa
    import recordlinkage

    bank, books = (t.to_pandas() for t in _frames(world, "arrow"))
    for frame in (bank, books):
        frame["amount"] = frame["amount"].astype(str)
        frame["booked_on"] = frame["booked_on"].astype("datetime64[ns]")
        frame["party"] = frame["party"].fillna("").str.lower()
    index = recordlinkage.Index()
    index.block(["account_id", "currency", "amount"])
    pairs = index.index(bank, books)
    compare = recordlinkage.Compare()
    compare.exact("reference", "reference", label="reference")
    compare.string("party", "party", method="jarowinkler", threshold=0.92, label="party")
    compare.date("booked_on", "booked_on", label="day")
    features = compare.compute(pairs, bank, books)
    near = bank["booked_on"].to_numpy()[pairs.get_level_values(0)]
    near = abs(near - books["booked_on"].to_numpy()[pairs.get_level_values(1)])
    kept = features[(features["reference"] == 1) | (
        (features["party"] == 1) & (near <= near.dtype.type(14, "D")))].index  # fmt: skip
    left = bank["entry_id"].to_numpy()[kept.get_level_values(0)]
    right = books["item_id"].to_numpy()[kept.get_level_values(1)]
    return _write(out, pa.table({"entry_id": left, "item_id": right}))


def splink_pairs(world: Path, out: Path) -> int:
    """splink: trained without labels on the tables, pairs of probability 0.99 and more."""
    import splink.comparison_library as compare
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    bank, books = _frames(world, "arrow")
    left = bank.rename_columns(["row_id", *bank.column_names[1:]])
    right = books.rename_columns(["row_id", *books.column_names[1:]])
    api = DuckDBAPI()
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name="row_id",
        comparisons=[
            compare.ExactMatch("reference"),
            compare.JaroWinklerAtThresholds("party", [0.92, 0.8]),
            compare.ExactMatch("amount"),
            compare.AbsoluteDateDifferenceAtThresholds(
                "booked_on", input_is_string=False, metrics=["day", "day"], thresholds=[5, 30]
            ),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("account_id", "currency", "amount"),
            block_on("reference", "currency"),
        ],
    )
    linker = Linker(
        [
            api.register(left, dataset_display_name="bank"),
            api.register(right, dataset_display_name="books"),
        ],
        settings,
    )
    linker.training.estimate_probability_two_random_records_match(
        [block_on("reference", "amount", "currency")], recall=0.6
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=7)
    for rule in (block_on("reference"), block_on("amount", "account_id")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_probability=0.99).as_pyarrow_table()
    return _write(
        out, found.select(["row_id_l", "row_id_r"]).rename_columns(["entry_id", "item_id"])
    )


def bankstatementparser_pairs(world: Path, out: Path) -> int:
    """bankstatementparser: its reconciliation of payments and statements."""
    import pyarrow as pa
    from bankstatementparser import reconcile_payments_and_statements

    bank, books = _frames(world, "arrow")
    names = ["id", "account_id", "currency", "amount", "date", "reference", "counterparty"]
    payments = books.rename_columns(names).to_pylist()
    statements = bank.rename_columns(names).to_pylist()
    report = reconcile_payments_and_statements(payments, statements, max_date_gap_days=30)
    return _write(
        out,
        pa.table(
            {
                "entry_id": pa.array(
                    [m.statement_record["id"] for m in report.matches], pa.string()
                ),
                "item_id": pa.array([m.payment_record["id"] for m in report.matches], pa.string()),
            }
        ),
    )


PEERS: Final[dict[str, Callable[[Path, Path], int]]] = {
    f.__name__: f
    for f in (
        join,
        join_in_memory,
        datacompy_polars,
        recordlinkage_pairs,
        splink_pairs,
        bankstatementparser_pairs,
    )
}


def main(function: str, world: str, out: str) -> None:
    """Run one peer; prints what it found and what the call alone cost."""
    found = PEERS[function](Path(world), Path(out))
    print(json.dumps({"pairs": found, "cpu": time.process_time() - _begun}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
