"""Backtests as an accountant would check them: the past in a table, two ladders, the difference."""

from __future__ import annotations

import datetime as dt
import random
import tomllib
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching import world
from tieout.matching import ladder
from tieout.matching.backtest import Backtest, Judge, Verdict, compare
from tieout.matching.replay import FoundGroup, History, Replayed, replay

EVER = dt.date.max.toordinal()

EXACT = """
[keys.document]
bank = ["end_to_end_id"]
books = ["document_no"]

[[rungs]]
name = "document"
same = ["document"]
"""
PARTY = """
[[rungs]]
name = "party"
amount = "exact"
party = { by = ["name"], name_min = "0.95" }
days = { before = 3, after = 3 }
"""


def rules(text: str) -> ladder.Ladder:
    return ladder.read("tried", {"keys": {}, **tomllib.loads(text)})


def history(bank: str, books: str, code: str = "A") -> History:
    """A past in which everything is open from the day it was booked."""
    entries, details, items = world.tables(bank, books)

    def days(table: pa.Table) -> Any:
        return np.array([d.toordinal() for d in table["booked_on"].to_pylist()], dtype="int64")

    def ever(table: pa.Table) -> Any:
        return np.full(len(table), EVER, dtype="int64")

    return History(
        code, entries, days(entries), ever(entries), details, items, days(items), ever(items)
    )


def said(found: Replayed) -> str:
    return "\n".join(
        sorted(f"{'+'.join(g.entries)} = {'+'.join(g.items)} by {g.rung}" for g in found.confirmed)
    )


def compared(
    bank: str, books: str, old: str, new: str, verdicts: tuple[Verdict, ...] = ()
) -> Backtest:
    past = [history(bank, books)]
    before, after = (replay(past, {"A": rules(text)}) for text in (old, new))
    return compare("A", "EUR", before, after, Judge(verdicts), dt.date(2026, 11, 20))


def verdict(entries: str, items: str, right: bool, words: str = "told by anna") -> Verdict:
    return Verdict(frozenset(entries.split()), frozenset(items.split()), right, words)


RENT = """
B1 | 2026-09-01 | -900.00 | | Gamma AG
B2 | 2026-09-03 | -900.00 | | Gamma AG
"""
RENT_BOOKS = """
K1 | 2026-09-01 | -900.00 | cash_book | | | | Gamma AG
K2 | 2026-09-03 | -900.00 | cash_book | | | | Gamma AG
"""


def test_order_matters_so_the_past_is_walked_day_by_day() -> None:
    past = [history(RENT, RENT_BOOKS)]
    daily = replay(past, {"A": rules(PARTY)})
    assert said(daily) == "B1 = K1 by party\nB2 = K2 by party"
    at_once = replay(past, {"A": rules(PARTY)}, step="month")
    assert at_once.confirmed == ()


def test_what_was_decided_is_no_candidate_any_more() -> None:
    bank = "B1 | 2026-09-02 | -900.00 | | Gamma AG"
    past = history(bank, RENT_BOOKS)
    assert said(replay([past], {"A": rules(PARTY)})) == "B1 = K1 by party"
    past.item_until[0] = past.item_from[0] + 1  # somebody cleared K1 on the day it was booked
    assert said(replay([past], {"A": rules(PARTY)})) == "B1 = K2 by party"


def test_accounts_share_items_and_take_turns() -> None:
    first = history(
        "B1 | 2026-09-01 | -5.00 | DOC-10", "K1 | 2026-09-01 | -5.00 | payable | DOC-10"
    )
    second = history(
        "B2 | 2026-09-01 | -5.00 | DOC-10", "K1 | 2026-09-01 | -5.00 | payable | DOC-10"
    )
    both = [first, History("B", *(getattr(second, n) for n in History.__slots__[1:]))]
    found = replay(both, {"A": rules(EXACT), "B": rules(EXACT)})
    assert said(found) == "B1 = K1 by document"


def test_new_lost_and_changed_with_their_money() -> None:
    bank = """
    B1 | 2026-11-02 | -10.00 | DOC-1 | Alpha
    B2 | 2026-11-02 | -20.00 | DOC-2 | Beta
    B3 | 2026-11-02 | -30.00 |       | Gamma
    """
    books = """
    K1 | 2026-11-02 | -10.00 | cash_book | DOC-1 | | | Someone
    K2 | 2026-11-02 | -20.00 | cash_book | DOC-2 | | | Someone
    K22 | 2026-11-02 | -20.00 | cash_book | DOC-9 | | | Beta
    K3 | 2026-11-02 | -30.00 | cash_book | DOC-3 | | | Gamma
    """
    found = compared(bank, books, EXACT, PARTY)
    assert [(c.kind, c.amount, [g.entries for g in c.old], [g.items for g in c.new]) for c in
            found.changes] == [
        ("lost", Decimal(10), [("B1",)], []),
        ("changed", Decimal(20), [("B2",)], [("K22",)]),
        ("new", Decimal(30), [], [("K3",)]),
    ]  # fmt: skip
    assert (found.old.groups, found.new.groups, found.lost) == (2, 2, 1)
    assert [(r.rung, r.old, r.new, r.month, r.year) for r in found.rungs] == [
        ("party", 0, 2, 2, 2),
        ("document", 2, 0, 0, 0),
    ]


def test_a_rung_is_counted_for_the_last_month_and_year() -> None:
    bank = "\n".join(
        f"B{n} | {day} | -10.00 | DOC-{n}0"
        for n, day in enumerate(
            ("2026-11-20", "2026-10-22", "2026-10-21", "2025-12-01", "2025-01-01")
        )
    )
    books = "\n".join(f"K{n} | 2025-01-01 | -10.00 | | DOC-{n}0" for n in range(5))
    (rung,) = compared(bank, books, EXACT, EXACT).rungs
    assert (rung.new, rung.month, rung.year) == (5, 2, 4)


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        ((), ""),
        ((verdict("B1", "K1", True),), "right"),
        ((verdict("B1", "K1 K2", True),), "right"),
        ((verdict("B1", "K1", False),), "wrong"),
        ((verdict("B1", "K2", True),), "wrong"),  # it belongs to another
        ((verdict("B2", "K1", True),), "wrong"),  # so does the item
        ((verdict("B1", "K2", False),), ""),  # that it is not K2 says nothing of K1
        ((verdict("B1", "K1", True), verdict("B1", "K1", False)), "wrong"),  # the newest counts
        ((verdict("B1", "K1", False), verdict("B1", "K1", True)), "right"),
    ],
)
def test_a_group_is_judged_by_what_people_said(verdicts: tuple[Verdict, ...], word: str) -> None:
    group = FoundGroup(
        *("A", "r", "confirmed", "EUR", ("B1",), ("K1",)),
        *(Decimal(1), Decimal(0), "", dt.date(2026, 11, 20)),
    )
    assert Judge(verdicts)(group)[0] == word


def test_precision_counts_only_what_was_judged() -> None:
    bank = "\n".join(f"B{n} | 2026-11-02 | -10.00 | DOC-{n}" for n in range(4))
    books = "\n".join(f"K{n} | 2026-11-02 | -10.00 | | DOC-{n}" for n in range(4))
    words = (verdict("B0", "K0", True), verdict("B1", "K1", True), verdict("B2", "K2", False))
    found = compared(bank, books, EXACT, EXACT, words)
    assert (found.new.right, found.new.wrong, found.new.groups) == (2, 1, 4)
    assert found.new.precision == Decimal(2) / 3
    assert compared(bank, books, EXACT, EXACT).new.precision is None
    assert found.changes == ()


def test_losing_what_was_wrong_is_no_loss() -> None:
    bank, books = "B1 | 2026-11-02 | -10.00 | DOC-1", "K1 | 2026-11-02 | -10.00 | | DOC-1"
    found = compared(bank, books, EXACT, PARTY, (verdict("B1", "K1", False, "undone by anna"),))
    (change,) = found.changes
    assert (change.kind, change.word, change.words, found.lost) == (
        "lost", "wrong", "undone by anna", 0,
    )  # fmt: skip


LINES = st.lists(
    st.tuples(
        st.sampled_from(["2026-11-02", "2026-11-03", "2026-11-10"]),
        st.sampled_from(["-10.00", "-20.00"]),
        st.sampled_from(["", "DOC-1", "DOC-2"]),
        st.sampled_from(["", "Alpha", "Beta"]),
    ),
    max_size=5,
)


@settings(max_examples=25, deadline=None)
@given(LINES, LINES, st.randoms(use_true_random=False))
def test_nothing_is_taken_twice_and_order_does_not_count(
    bank: list[Any], books: list[Any], order: random.Random
) -> None:
    lines = [f"B{n} | {d} | {a} | {r} | {p}" for n, (d, a, r, p) in enumerate(bank)]
    items = [f"K{n} | {d} | {a} | | {r} | | | {p}" for n, (d, a, r, p) in enumerate(books)]
    both = {"A": rules(EXACT + PARTY)}
    found = replay([history("\n".join(lines), "\n".join(items))], both)
    members = [own for group in found.confirmed for own in group.members]
    assert len(members) == len(set(members))
    order.shuffle(lines)
    order.shuffle(items)
    again = replay([history("\n".join(lines), "\n".join(items))], both)
    assert again == found
    same = compare("A", "EUR", found, again, Judge(()), dt.date(2026, 11, 20))
    assert same.changes == ()
