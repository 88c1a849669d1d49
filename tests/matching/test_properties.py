"""What holds whatever the input: order, conservation, claims, idempotence, subtraction."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.matching import world
from tieout.matching import engine, ladder

RULES = ladder.load()
REFERENCES = ["", "RE-2026-0001", "RE-2026-0002", "E2E-0001", "RUN-20261118", "NOTPROVIDED"]
PARTIES = ["", "Alpha Bau", "Borealis Druck"]
AMOUNTS = ["-30.00", "-20.00", "-10.00", "10.00", "20.00", "20.01", "30.00", "29.00"]
DAYS = ["2026-11-10", "2026-11-18", "2026-11-20"]
KINDS = ["cash_book", "receivable", ""]

bank_line = st.tuples(
    st.sampled_from(DAYS),
    st.sampled_from(AMOUNTS),
    st.sampled_from(REFERENCES),
    st.sampled_from(PARTIES),
    st.sampled_from(["", "text RE-2026-0002", "RE-2026-0001 RE-2026-0002"]),
    st.lists(st.tuples(st.sampled_from(AMOUNTS), st.sampled_from(REFERENCES)), max_size=2),
)
book_line = st.tuples(
    st.sampled_from(DAYS),
    st.sampled_from(AMOUNTS),
    st.sampled_from(KINDS),
    st.sampled_from(REFERENCES),
    st.sampled_from(REFERENCES),
    st.sampled_from(["", "RUN-20261118"]),
    st.sampled_from(PARTIES),
)
worlds = st.tuples(st.lists(bank_line, max_size=7), st.lists(book_line, max_size=7))
quick = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def built(drawn: Any) -> tuple[pa.Table, pa.Table, pa.Table]:
    bank, books = [], []
    for n, (day, amount, reference, party, text, parts) in enumerate(drawn[0]):
        bank.append(f"B{n} | {day} | {amount} | {reference} | {party} | {text}")
        bank += [f"B{n}.{k} | {day} | {a} | {r} | {party}" for k, (a, r) in enumerate(parts)]
    for n, cells in enumerate(drawn[1]):
        books.append(f"K{n} | {' | '.join(cells)}")
    return world.tables("\n".join(bank), "\n".join(books))


def same(one: engine.Result, other: engine.Result) -> bool:
    return bool(
        one.groups.equals(other.groups)
        and one.members.equals(other.members)
        and one.refused.equals(other.refused)
    )


@quick
@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_threads_do_not_matter(drawn: Any, chance: Any) -> None:
    tables = built(drawn)
    shuffled = []
    for table in tables:
        rows = list(range(len(table)))
        chance.shuffle(rows)
        shuffled.append(table.take(pa.array(rows, pa.int64())))
    first = engine.match(*tables, RULES, threads=1)
    assert same(first, engine.match(*shuffled, RULES, threads=2))


@quick
@given(worlds)
def test_conservation_and_claims(drawn: Any) -> None:
    entries, details, items = built(drawn)
    result = engine.match(entries, details, items, RULES)
    sums: dict[str, Counter[str]] = {}
    for row in result.members.to_pylist():
        sums.setdefault(row["group_id"], Counter())[row["side"]] += row["amount"]
    for group in result.groups.to_pylist():
        side = sums.pop(group["group_id"])
        assert side["entry"] - side["item"] == group["residual"]
        assert side["detail"] in (0, side["entry"])
        assert bool(group["residual"]) == bool(group["residual_class"])
    assert not sums
    claimed = Counter((r["side"], r["member_id"]) for r in result.members.to_pylist())
    assert all(count == 1 for count in claimed.values())
    refused = Counter(
        own
        for r in result.refused.to_pylist()
        if r["reason"] == "not_unique"
        for own in (*r["entry_ids"], *r["item_ids"])
    )
    assert all(count == 1 for count in refused.values())
    assert not refused.keys() & {member for _, member in claimed}


@quick
@given(worlds)
def test_the_leftover_matches_nothing_more(drawn: Any) -> None:
    entries, details, items = built(drawn)
    first = engine.match(entries, details, items, RULES)
    gone = {r["member_id"] for r in first.members.to_pylist()}
    for row in first.refused.to_pylist():
        gone |= {*row["entry_ids"], *row["item_ids"]}
    left = [
        table.filter(pa.array([own not in gone for own in table[name].to_pylist()], pa.bool_()))
        for table, name in ((entries, "entry_id"), (details, "entry_id"), (items, "item_id"))
    ]
    again = engine.match(*left, RULES)
    # Only a payment run may add up later, once a single item of it has gone by its own reference.
    assert {r["rung"] for r in again.groups.to_pylist()} <= {"batch_run"}


@quick
@given(worlds)
def test_matched_alone_is_matched_again_with_the_same_id(drawn: Any) -> None:
    entries, details, items = built(drawn)
    first = engine.match(entries, details, items, RULES)
    kept = {r["member_id"] for r in first.members.to_pylist()}
    only = [
        table.filter(pa.array([own in kept for own in table[name].to_pylist()], pa.bool_()))
        for table, name in ((entries, "entry_id"), (details, "entry_id"), (items, "item_id"))
    ]
    again = engine.match(*only, RULES)
    assert again.groups["group_id"].equals(first.groups["group_id"])


def test_a_rung_sees_only_what_the_rungs_above_left() -> None:
    bank = "B1 | 2026-11-20 | -10.00 | E2E-0001 | Alpha Bau\nB2 | 2026-11-20 | -10.00 | | Alpha Bau"
    books = (
        "K1 | 2026-11-20 | -10.00 | | | E2E-0001 | | Alpha Bau\n"
        "K2 | 2026-11-20 | -10.00 | | | | | Alpha Bau"
    )
    assert world.run(bank, books) == "B1 = K1 by payment_reference\nB2 = K2 by amount_and_party"


def test_residuals_are_exact_decimals() -> None:
    result = engine.match(
        *world.tables(
            "B1 | 2026-11-20 | -99.99 | RE-2026-0001", "K1 | 2026-11-20 | -100.00 | | RE-2026-0001"
        ),
        RULES,
    )
    assert result.groups["residual"].to_pylist() == [Decimal("0.01000")]
