"""What the engine does a column at a time is the same as doing it one by one."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import product

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tests.matching.test_engine_cases import entry, item, run
from tieout.matching.alike import likeness_sql, only_likeness, sharing_letters
from tieout.matching.conditions import name_macros
from tieout.matching.known_numbers import Numbers, find_known
from tieout.matching.likeness import one_off
from tieout.matching.meet import among, bucket, meet
from tieout.matching.stated import Stated, merged
from tieout.matching.structured_column import structured_forms
from tieout.references import normalise, structured

CHANCE = random.Random(7)


def digits(count: int) -> str:
    return "".join(CHANCE.choice("0123456789") for _ in range(count))


def test_structured_references_of_a_column() -> None:
    texts = ["RF58 NORD 2026 4711", "+++471/1002/02619+++", "0" * 27, "0" * 12, "", "4711", "+-"]
    texts += ["26 11200 00000 00000 00000 47113", "471100202619", "471100202618", "²" * 12]
    texts += ["261120000000000000000047113", "471/1002/02619", "١٢٣٤٥٦٧٨٩٠١٢"]
    # One in ten and one in ninety-seven is right by chance.
    texts += [digits(27) for _ in range(200)] + [digits(12) for _ in range(500)]
    places, forms = structured_forms(pa.array(texts))
    told = dict(zip(places.tolist(), forms.to_pylist(), strict=True))
    assert [told.get(n) for n in range(len(texts))] == [structured(text) for text in texts]
    assert sum(form.startswith("QRR") for form in told.values()) > 9


def same_words(one: str, other: str) -> bool:
    """`names_agree`, a word at a time."""
    few, many = sorted((one.split(), other.split()), key=len)
    found = all(any(word_alike(a, b) for b in many) for a in few)
    return found and (len(few) < len(many) or all(any(word_alike(a, b) for a in few) for b in many))


def word_alike(one: str, other: str) -> bool:
    if one.startswith(other) or other.startswith(one):
        return True
    return min(len(one), len(other)) >= 4 and one_off(one, other)


@pytest.mark.parametrize("least", ["0.70", "0.92", "0.97"])
def test_names_left_out_are_not_alike(least: str) -> None:
    words = ["MUELLER", "MUELLERIN", "MUELHAUS", "BAU", "BAUHAUS", "BERN", "2000", "MUEL", "MUE"]
    every = sorted({" ".join(CHANCE.sample(words, CHANCE.randint(1, 3))) for _ in range(400)})
    every += [name[:-1] + "X" for name in every[:60]] + ["MUEL" + "A" * 70, "MUEL" + "A" * 69]
    ours, theirs = sorted(set(every[::2])), sorted(set(every[1::2]))
    with duckdb.connect() as db:
        like = defaultdict(list)
        for n, k in product(range(len(ours)), range(len(theirs))):
            one, other = ours[n], theirs[k]
            if one[:4] == other[:4] and len(one) >= 5 and len(other) >= 5:
                like[n].append((k, one, other))
        pairs = [(n, k, one, other) for n, ks in like.items() for k, one, other in ks]
        db.register(
            "pairs", pa.Table.from_pylist([dict(zip("nkab", p, strict=True)) for p in pairs])
        )
        rows = db.sql(
            f"SELECT n, k FROM pairs WHERE jaro_winkler_similarity(a, b) >= {least}"
        ).fetchall()
        for macro in name_macros():
            db.execute(macro)
        mine, their = only_likeness(db, pa.array(ours), pa.array(theirs), Decimal(least))
    often = Counter(n for n, _ in rows)
    alone = sorted((n, k) for n, k in rows if often[n] == 1)
    expected = [(n, k) for n, k in alone if same_words(ours[n], theirs[k])]
    assert list(zip(mine.tolist(), their.tolist(), strict=True)) == expected
    assert expected


def test_likeness_compares_only_what_shares_letters() -> None:
    names = pa.array(["MUELLER BAU", "MUELLER XYZ", "MUEL", "SCHMIDT"])
    other = pa.array(["MUELLER BAUX", "SCHMID", "MUELLER", "MUEL"])

    def pairs(least: str) -> list[tuple[int, int]]:
        ((one, two),) = sharing_letters(names, other, Decimal(least))
        return sorted(zip(one.tolist(), two.tolist(), strict=True))

    # Eleven letters, seven of them shared: (7/7 + 7/11 + 1) / 3 is 0.879, and 0.92 asks for 0.867.
    assert pairs("0.92") == [(0, 0), (0, 2), (1, 2), (3, 1)]
    assert pairs("0.5") == [(0, 0), (0, 2), (1, 0), (1, 2), (3, 1)]
    assert "jaro_winkler_similarity(our_name, their_name) >= 0.92" in likeness_sql(Decimal("0.92"))


def test_known_numbers_stand_between_edges() -> None:
    numbers = ["RE2026417", "417", "2026417", "9000084870", "ABC", "1234567"]
    texts = [
        "RE-2026/417",
        "RE 2026\n417 danke",
        "xRE2026417",
        "12345678",
        "ABC1234567Z",
        "",
        "417",
    ]
    rows, found = find_known(pa.array([*texts, None]), Numbers.of(pa.array(numbers)))
    told = [(texts[r], numbers[k]) for r, k in zip(rows.tolist(), found.tolist(), strict=True)]
    assert sorted(told) == [
        ("417", "417"),
        ("ABC1234567Z", "1234567"),
        ("ABC1234567Z", "ABC"),
        ("RE 2026\n417 danke", "2026417"),
        ("RE 2026\n417 danke", "417"),
        ("RE 2026\n417 danke", "RE2026417"),
        ("RE-2026/417", "2026417"),
        ("RE-2026/417", "417"),
        ("RE-2026/417", "RE2026417"),
        ("xRE2026417", "2026417"),
    ]
    assert all(number in normalise(text) for text, number in told)


def test_a_reference_stated_twice_by_a_row_counts_once() -> None:
    row = np.array([0, 1, 2, 2, 1], dtype="int64")
    code = np.array([5, 6, 7, 8, 9], dtype="uint64")
    more = Stated(np.array([2, 1, 0]), np.array([8, 9, 6], dtype="uint64"), np.arange(3) + 50)
    made = merged([Stated(row, code, np.arange(5)), more])
    told = list(zip(made.row.tolist(), made.code.tolist(), made.place.tolist(), strict=True))
    assert told == [(0, 5, 0), (1, 6, 1), (2, 7, 2), (2, 8, 3), (1, 9, 4), (0, 6, 52)]


def test_buckets_meet_whatever_else_is_there() -> None:
    left = np.array([CHANCE.randrange(50) for _ in range(300)])
    right = np.array([CHANCE.randrange(25, 90) for _ in range(200)])
    at, other = meet(bucket(left), bucket(right)).pairs()
    found = sorted(zip(at.tolist(), other.tolist(), strict=True))
    assert found == [(n, k) for n, k in product(range(300), range(200)) if left[n] == right[k]]
    assert among(left, right[:9]).tolist() == [value in set(right[:9].tolist()) for value in left]
    nothing = meet(bucket(left), bucket(np.zeros(0, dtype="int64")))
    assert not len(nothing)


def test_the_smallest_buckets_are_taken_all_of_a_size_or_none() -> None:
    left = np.repeat([1, 2, 3, 4], [2, 2, 3, 1])
    meeting = meet(bucket(left), bucket(left))
    sizes = meeting.bank_count * meeting.books_count
    assert sorted(sizes[meeting.smallest(100)].tolist()) == [1, 4, 4, 9]
    assert sorted(sizes[meeting.smallest(9)].tolist()) == [1, 4, 4]
    assert sorted(sizes[meeting.smallest(8)].tolist()) == [1]


def test_a_crowd_of_equal_amounts_is_told_apart_by_party() -> None:
    letters = "ABCDEFGHIJ"
    names = [f"{a}{b}{a}{b} {b}{a}werk" for a, b in product(letters, letters) if a != b]
    bank = [entry(f"B{n:03}", "2026-11-18", "50.00", counterparty_name=name)
            for n, name in enumerate([*names, *names])]  # fmt: skip
    books = [item(f"K{n:03}", "2026-11-18", "50.00", counterparty_name=name, kind="cash_book")
             for n, name in enumerate(names * 2)]  # fmt: skip
    told = run(bank[: len(names)], books[: len(names)])
    assert told.groups["rung"].to_pylist() == ["amount_and_party"] * len(names)
    twice = run(bank, books)  # each party has two of both: a tie, not a crowd
    assert len(twice.groups) == 0
    assert set(twice.refused["reason"].to_pylist()) == {"not_unique"}


def test_who_stands_in_a_crowd_nobody_looked_at_is_not_matched_elsewhere() -> None:
    bank = [entry(f"B{n:03}", "2026-11-18", "50.00", counterparty_name="Alpha Bau")
            for n in range(2_000)]  # fmt: skip
    books = [item(f"K{n:03}", "2026-11-18", "50.00", counterparty_name="Alpha Bau",
                  kind="cash_book") for n in range(2_000)]  # fmt: skip
    # Of no account: in a bucket of its own with one entry, which has 2,000 rivals in the other.
    books.append({**books[0], "item_id": "S", "account_id": None, "amount": Decimal("50.00")})
    told = run(bank, books)
    assert len(told.groups) == 0
    assert "too_many" in told.refused["reason"].to_pylist()


def test_a_number_one_off_with_the_right_amount_speaks_against_a_fee() -> None:
    bank = [entry("B", "2026-11-04", "500.20", narrative="", text="Rechnung RE-2026-890722")]
    stated = item("K1", "2026-10-14", "511.04", document_no="RE-2026-890722")
    meant = item("K2", "2026-10-14", "500.20", document_no="RE-2026-890772")
    other = item("K3", "2026-10-14", "500.20", document_no="RE-2026-123456")
    assert run(bank, [stated, other]).groups["rung"].to_pylist() == ["reference_with_charges"]
    assert "confirmed" not in run(bank, [stated, meant]).groups["state"].to_pylist()
