"""What came nearest, and the one condition that failed: cases an accountant can read."""

from __future__ import annotations

import random
import tomllib
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching import world
from tieout.canonical import DETAILS, ENTRIES, ITEMS, table
from tieout.matching import engine, ladder
from tieout.matching.nearest import Candidate, nearest

#: A ladder of its own, so that these words do not change with the shipped one.
LADDER = """
[keys.end_to_end]
title = "payment reference"
bank = ["end_to_end_id"]
books = ["end_to_end_id"]

[keys.document]
title = "document number"
bank = ["reference", "end_to_end_id"]
books = ["document_no", "reference"]
text = ["narrative"]

[keys.run]
title = "payment run"
bank = ["payment_info_id", "end_to_end_id"]
books = ["payment_batch_id"]

[[rungs]]
name = "payment_reference"
same = ["end_to_end"]

[[rungs]]
name = "reference"
same = ["document", "run"]

[[rungs]]
name = "batch_run"
shape = "batch"
same = ["run"]

[[rungs]]
name = "reference_with_charges"
same = ["end_to_end", "document", "run"]
amount = { less = "30.00", less_percent = "5", more = "0.05", more_percent = "1" }

[[rungs]]
name = "amount_and_party"
party = { by = ["account", "name", "text"], name_min = "0.92" }
days = { before = 5, after = 5 }
"""


def rules_of(text: str = LADDER) -> ladder.Ladder:
    return ladder.read("tried", tomllib.loads(text))


def told(
    bank: str, books: str, rules: ladder.Ladder | None = None, **changes: Any
) -> dict[str, list[Candidate]]:
    tables = world.tables(bank, books)
    rules = rules or rules_of()
    return nearest(*tables, rules, engine.match(*tables, rules), **changes)


#: A line of the bank, lines of the books, the nearest item, its rung, what is said.
CASES = {
    "amount off by more than the tolerance": (
        "B1 | 2026-11-20 | 900.00 | RE-2026-01000",
        "K1 | 2026-11-18 | 1000.00 | cash_book | RE-2026-01000",
        "K1",
        "reference RE-2026-01000 agrees, but the entry is 100.00 EUR less than the item; "
        "rung reference_with_charges allows 30.00 EUR less",
    ),
    "more than was asked": (
        "B1 | 2026-11-20 | 1012.50 | RE-2026-01000",
        "K1 | 2026-11-18 | 1000.00 | cash_book | RE-2026-01000",
        "K1",
        "reference RE-2026-01000 agrees, but the entry is 12.50 EUR more than the item; "
        "rung reference_with_charges allows 0.05 EUR more",
    ),
    "the percentage is the limit": (
        "B1 | 2026-11-20 | 90.00 | RE-2026-01000",
        "K1 | 2026-11-18 | 100.00 | cash_book | RE-2026-01000",
        "K1",
        "reference RE-2026-01000 agrees, but the entry is 10.00 EUR less than the item; "
        "rung reference_with_charges allows 5.00 EUR less (5 % of it)",
    ),
    "money out is compared from our purse": (
        "B1 | 2026-11-20 | -1040.00 | RE-2026-01000",
        "K1 | 2026-11-18 | -1000.00 | cash_book | RE-2026-01000",
        "K1",
        "reference RE-2026-01000 agrees, but the entry is 40.00 EUR more than the item; "
        "rung reference_with_charges allows 30.00 EUR more",
    ),
    "too many days": (
        "B1 | 2026-11-20 | -70.00 | | Alpha Bau",
        "K1 | 2026-11-05 | -70.00 | cash_book | | | | Alpha Bau",
        "K1",
        "amount and party agree, but the entry is 11 banking days after the item was booked; "
        "rung amount_and_party looks at most 5",
    ),
    "another name": (
        "B1 | 2026-11-20 | -80.00 | | Alpha Bau",
        "K1 | 2026-11-20 | -80.00 | cash_book | | | | Alfa Haus",
        "K1",
        "amount agrees, but name similarity 0.84 (Alpha Bau, Alfa Haus); rung amount_and_party "
        "asks 0.92",
    ),
    "another company of that trade and town": (
        "B1 | 2026-11-20 | -80.00 | | Kupferlund Werkzeuge Plauen",
        "K1 | 2026-11-20 | -80.00 | cash_book | | | | Kupferstein Werkzeuge Plauen",
        "K1",
        "amount agrees, but a word of the names differs (Kupferlund Werkzeuge Plauen, "
        "Kupferstein Werkzeuge Plauen); rung amount_and_party asks for the same words",
    ),
    "a character of the reference is wrong": (
        "B1 | 2026-11-20 | -33.00 | PAY-2026-0001",
        "K1 | 2026-11-20 | -33.00 | cash_book | | PAY-2026-0007",
        "K1",
        "amount agrees, but the bank's reference PAY-2026-0001 differs in one character from the "
        "item's PAY-2026-0007",
    ),
    "the bank cut the reference off": (
        "B1 | 2026-11-20 | -33.00 | PAYMENT-2026-00",
        "K1 | 2026-11-20 | -33.00 | cash_book | | PAYMENT-2026-0007",
        "K1",
        "amount agrees, but the bank's reference PAYMENT-2026-00 is the beginning of the item's "
        "PAYMENT-2026-0007",
    ),
    "a run that does not come to the entry": (
        "B1 | 2026-11-20 | -300.00 | RUN-20261120",
        """
        K1 | 2026-11-20 | -100.00 | cash_book | | | RUN-20261120
        K2 | 2026-11-20 | -150.00 | cash_book | | | RUN-20261120
        """,
        "K1",
        "reference RUN-20261120 agrees, but the entry is 50.00 EUR more than the 2 open items it "
        "names; rung batch_run asks for the exact amount",
    ),
    "the wrong sign": (
        "B1 | 2026-11-20 | 44.00 | E2E-4711",
        "K1 | 2026-11-20 | -44.00 | cash_book | | E2E-4711",
        "K1",
        "reference E2E-4711 agrees, but the entry comes in and the item goes out: the sign is "
        "opposite",
    ),
    "two that fit": (
        "B1 | 2026-11-20 | -55.00 | | Gamma AG",
        """
        K17 | 2026-11-20 | -55.00 | cash_book | | | | Gamma AG
        K18 | 2026-11-20 | -55.00 | cash_book | | | | Gamma AG
        """,
        "K17",
        "amount and party agree, but 2 equal candidates: K17 and K18",
    ),
    "nobody is named": (
        "B1 | 2026-11-20 | -66.00",
        "K1 | 2026-11-20 | -66.00 | cash_book | | | | Delta",
        "K1",
        "amount agrees, but the bank does not say who the other party is",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_line_says_what_failed_and_by_how_much(name: str) -> None:
    bank, books, other, said = CASES[name]
    best = told(bank, books)["B1"][0]
    assert (best.other_id, best.by) == (other, said)


def test_a_reference_that_no_key_joins_is_found_all_the_same() -> None:
    entries, details, items = world.tables(
        "B1 | 2026-11-20 | -66.00", "K1 | 2026-11-20 | -66.00 | cash_book | MND-4711"
    )
    place = details.schema.get_field_index("mandate_id")
    details = details.set_column(place, "mandate_id", pa.array(["MND-4711"]))
    rules = rules_of()
    result = engine.match(entries, details, items, rules)
    (best,) = nearest(entries, details, items, rules, result)["B1"]
    assert best.by.startswith(
        "amount agrees, but MND-4711 stands in the bank's mandate_id and in the item's "
        "document_no, which no key of rung"
    )


@pytest.mark.parametrize("name", CASES)
def test_the_shipped_ladder_is_told_of_the_same_item(name: str) -> None:
    bank, books, other, _ = CASES[name]
    found = told(bank, books, ladder.load()).get("B1")
    if found is None:  # it proposes what only the amount speaks for
        matched = engine.match(*world.tables(bank, books), ladder.load()).members["member_id"]
        assert set(matched.to_pylist()) == {"B1", other}
    else:
        assert found[0].other_id == other
        assert found[0].failures


def test_both_sides_are_told() -> None:
    found = told(
        """
        B1 | 2026-11-20 | 900.00 | RE-2026-01000
        B2 | 2026-11-20 | -70.00 | | Alpha Bau
        B4 | 2026-11-20 | 17.00
        """,
        """
        K1 | 2026-11-18 | 1000.00 | cash_book | RE-2026-01000
        K2 | 2026-10-01 | -70.00 | cash_book | | | | Alpha Bau
        """,
    )
    assert {own: (c[0].other_id, c[0].failed) for own, c in found.items()} == {
        "B1": ("K1", "amount"),
        "B2": ("K2", "days"),
        "K1": ("B1", "amount"),
        "K2": ("B2", "days"),
    }


def test_what_fits_several_says_whom_else() -> None:
    found = told(
        """
        B1 | 2026-11-20 | -55.00 | | Gamma AG
        B2 | 2026-11-20 | -55.00 | | Gamma AG
        """,
        "K1 | 2026-11-20 | -55.00 | cash_book | D-1 | | | Gamma AG",
    )
    assert found["B1"][0].by == "amount and party agree, but it fits B2 just as well"
    assert found["K1"][0].by == "amount and party agree, but 2 equal candidates: B1 and B2"


def test_only_who_is_asked_for_is_told() -> None:
    bank = "B1 | 2026-11-20 | 9.00 | RE-2026-01000\nB2 | 2026-11-20 | 8.00 | RE-2026-01001"
    books = "K1 | 2026-11-20 | 10.00 | | RE-2026-01000\nK2 | 2026-11-20 | 10.00 | | RE-2026-01001"
    assert list(told(bank, books, wanted={"B2"})) == ["B2"]
    assert list(told(bank, books, wanted=set())) == []


def test_a_taken_item_is_named_with_its_taker() -> None:
    tables = world.tables(
        "B1 | 2026-11-20 | 9.00 | RE-2026-01000\nB2 | 2026-11-20 | 9.00 | RE-2026-01000-X",
        "K1 | 2026-11-20 | 9.00 | | RE-2026-01000",
    )
    rules = rules_of()
    result = engine.match(*tables, rules)
    assert result.members["member_id"].to_pylist() == ["B1", "K1"]
    assert nearest(*tables, rules, result, wanted={"B2"}) == {}
    (best,) = nearest(*tables, rules, result, wanted={"B2"}, taken={"K1": "group G1"})["B2"]
    assert best.failed == "taken"
    assert "but it was taken by group G1" in best.by


def test_a_crowd_is_not_compared_one_by_one() -> None:
    """1,500 equal amounts on either side are 2.25 million pairs: none of them is looked at."""
    bank = "\n".join(f"B{n} | 2026-11-20 | 42.00" for n in range(1500))
    books = "\n".join(f"K{n} | 2026-11-20 | 42.00" for n in range(1500))
    assert told(bank + "\nB | 2026-11-20 | 7.00", books + "\nK | 2026-11-20 | 7.00") == {
        own: [Candidate(other, *rest)]
        for own, other, rest in (
            ("B", "K", ("amount_and_party", ("amount",), told_of("B"))),
            ("K", "B", ("amount_and_party", ("amount",), told_of("K"))),
        )
    }


def told_of(own: str) -> Any:
    """The failures of a lone pair, made the same way from that pair alone."""
    found = told("B | 2026-11-20 | 7.00", "K | 2026-11-20 | 7.00")
    return found[own][0].failures


AMOUNTS = st.sampled_from(["10.00", "10.05", "12.00", "-10.00"])
REFS = st.sampled_from(["", "RE-2026-0001", "RE-2026-0002", "RE-2026-00", "E2E-77"])
NAMES = st.sampled_from(["", "Alpha Bau GmbH", "Alpha Bau", "Beta AG"])
DAYS = st.sampled_from(["2026-11-02", "2026-11-19", "2026-11-20"])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(DAYS, AMOUNTS, REFS, NAMES), max_size=6),
    st.lists(st.tuples(DAYS, AMOUNTS, REFS, REFS, NAMES), max_size=6),
    st.randoms(use_true_random=False),
)
def test_it_does_not_depend_on_the_order(
    bank: list[Any], books: list[Any], order: random.Random
) -> None:
    lines = [f"B{n} | {d} | {a} | {r} | {p}" for n, (d, a, r, p) in enumerate(bank)]
    items = [
        f"K{n} | {d} | {a} | cash_book | {r} | {e} | | {p}"
        for n, (d, a, r, e, p) in enumerate(books)
    ]
    tables = world.tables("\n".join(lines), "\n".join(items))
    rules = rules_of()
    result = engine.match(*tables, rules)
    found = nearest(*tables, rules, result)
    grouped = set(result.members["member_id"].to_pylist())
    ids = {f"B{n}" for n in range(len(bank))} | {f"K{n}" for n in range(len(books))}
    assert set(found) <= ids - grouped
    for own, candidates in found.items():
        assert 1 <= len(candidates) <= 3
        assert all(c.other_id not in grouped and c.failures for c in candidates), own
        assert all(c.other_id[0] != own[0] for c in candidates)
    mixed = [_shuffled(table, order) for table in tables]
    assert nearest(*mixed, rules, engine.match(*mixed, rules)) == found


def _shuffled(table: pa.Table, order: random.Random) -> pa.Table:
    rows = list(range(len(table)))
    order.shuffle(rows)
    return table.take(pa.array(rows, pa.int64()))


def test_an_account_that_differs_is_said_where_the_names_are_only_similar() -> None:
    """An equal name may pay from another account; one that is a letter off is a doubt too many."""
    day, amount = date(2026, 11, 20), Decimal("-80.00")
    own = {"account_id": world.ACCOUNT, "currency": "EUR", "booked_on": day, "amount": amount}
    other = {"counterparty_name": "Meierfels Reifen", "counterparty_account": "DE00111122223333"}
    ours = {"counterparty_name": "Meyerfels Reifen", "counterparty_account": "DE00444455556666"}
    tables = (
        table([{**own, "entry_id": "B1"}], ENTRIES),
        table([{**own, **other, "entry_id": "B1", "detail_id": "B1-d"}], DETAILS),
        table([{**own, **ours, "item_id": "K1", "kind": "cash_book"}], ITEMS),
    )
    rules = rules_of()
    found = nearest(*tables, rules, engine.match(*tables, rules))["B1"]
    assert found[0].by == (
        "amount agrees, but the account is another and the names are only similar (Meierfels "
        "Reifen, Meyerfels Reifen); rung amount_and_party asks for equal ones"
    )
