"""Rungs mined from matches by hand: what is learned, how it is measured, what is refused."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.matching import world
from tieout import banking_days
from tieout.matching import ladder
from tieout.matching.patterns import generalise
from tieout.matching.replay import History
from tieout.matching.suggest import Known, Limits, Split, Suggestion, split, suggest
from tieout.matching.toml_text import ladder_text
from tieout.references import check_pattern, find

EVER = dt.date.max.toordinal()
FIRST = dt.date(2026, 6, 1)


def day(number: int) -> dt.date:
    return banking_days.add(FIRST, number)


def history(bank: str, books: str, **columns: list[Any]) -> History:
    """A past in which everything is open from its day; columns replace those of the details."""
    entries, details, items = world.tables(bank, books)
    for name, values in columns.items():
        place = details.schema.get_field_index(name)
        details = details.set_column(place, details.schema.field(name), pa.array(values))

    def days(table: pa.Table) -> Any:
        return np.array([d.toordinal() for d in table["booked_on"].to_pylist()], dtype="int64")

    ever = [np.full(len(table), EVER, dtype="int64") for table in (entries, items)]
    return History("A", entries, days(entries), ever[0], details, items, days(items), ever[1])


def hand(past: History, count: int, *, by_hand: bool = True) -> list[Known]:
    """Entry n and item n belong together, and people said so."""
    on = dict(
        zip(
            past.entries["entry_id"].to_pylist(), past.entries["booked_on"].to_pylist(), strict=True
        )
    )
    return [
        Known(frozenset({f"B{n}"}), frozenset({f"K{n}"}), by_hand, on[f"B{n}"])
        for n in range(count)
    ]


def found(past: History, known: list[Known], **limits: Any) -> dict[str, Suggestion]:
    parts = split(known, Decimal("0.3"))
    assert isinstance(parts, Split)
    told = suggest([past], known, parts, Limits(**limits), ladder.load())
    return {s.candidate.name: s for s in told}


def credit_notes(count: int = 20) -> History:
    """The number of the credit note stands in the text, as people type it."""
    marks = ("CN-", "CN ", "CN")
    bank = [
        f"B{n} | {day(n)} | -{10 + n % 3}.00 | | Alpha | Gutschrift {marks[n % 3]}{4711 + n:06} Danke"
        for n in range(count)
    ]
    books = [
        f"K{n} | {day(n)} | -{10 + n % 3}.00 | payable | CN-{4711 + n:06}" for n in range(count)
    ]
    return history("\n".join(bank), "\n".join(books))


def test_a_number_in_the_text_becomes_a_pattern() -> None:
    past = credit_notes()
    told = found(past, hand(past, 20))["document_no_in_text"]
    key = told.candidate.content["keys"]["document_no_in_text"]
    assert key == {
        "books": ["document_no"],
        "text": ["narrative"],
        "patterns": [r"CN[- ]?\d{6}"],
    }
    assert (told.refused, told.right, told.wrong, told.by_hand, told.of_hand) == ("", 6, 0, 6, 6)
    assert (told.candidate.support, told.precision) == (14, Decimal(1))


def test_a_field_that_holds_anothers_number_becomes_a_key() -> None:
    bank = "\n".join(f"B{n} | {day(n)} | -10.00" for n in range(20))
    books = "\n".join(f"K{n} | {day(n)} | -10.00 | payable | MND{n:05}" for n in range(20))
    past = history(bank, books, mandate_id=[f"mnd-{n:05}" for n in range(20)])
    told = found(past, hand(past, 20))["mandate_id_is_document_no"]
    assert told.candidate.content == {
        "keys": {"mandate_id_is_document_no": {"bank": ["mandate_id"], "books": ["document_no"]}},
        "rungs": [
            {
                "name": "mandate_id_is_document_no",
                "shape": "one_to_one",
                "same": ["mandate_id_is_document_no"],
                "amount": "exact",
            }
        ],
    }
    assert (told.refused, told.by_hand) == ("", 6)


def test_a_tolerance_is_the_smallest_that_covers_enough() -> None:
    """Fees of 1.50 to 3.00 are withheld; one of 25.00 is not what the rung is for."""
    bank, books = [], []
    for n in range(40):
        fee = Decimal("25.00") if n == 7 else Decimal("1.50") + Decimal(n % 4) / 2
        bank.append(f"B{n} | {day(n)} | {500 - fee} | INV-{n:05}")
        books.append(f"K{n} | {day(n)} | 500.00 | receivable | INV-{n:05}")
    past = history("\n".join(bank), "\n".join(books))
    told = found(past, hand(past, 40))["end_to_end_id_is_document_no_with_tolerance"]
    (rung,) = told.candidate.content["rungs"]
    assert rung["amount"] == {"less": "3.00", "less_percent": "1.2"}
    assert (told.refused, told.by_hand, told.of_hand, told.wrong) == ("", 12, 12, 0)
    assert "28 amounts differ by 1.50 to 25.00 (charge)" in told.candidate.words


def test_a_window_and_a_similarity_are_learned_from_what_people_accepted() -> None:
    bank, books = [], []
    for n in range(40):
        bank.append(f"B{n} | {day(8 * n + n % 3)} | -{100 + n}.00 | | Firma {chr(65 + n % 26)}lpha")
        books.append(
            f"K{n} | {day(8 * n)} | -{100 + n}.00 | payable | | | | Firma {chr(65 + n % 26)}lpha KG"
        )
    past = history("\n".join(bank), "\n".join(books))
    told = found(past, hand(past, 40))["amount_name_booked"]
    (rung,) = told.candidate.content["rungs"]
    assert rung["days"] == {"item": "booked_on", "before": 2, "after": 0}
    assert rung["party"] == {"by": ["name"], "name_min": "1.00"}
    assert rung["kinds"] == ["payable"]
    assert (told.refused, told.by_hand, told.wrong) == ("", 12, 0)


def test_what_proves_wrong_later_is_not_suggested() -> None:
    """The customer's number was on one invoice at a time; since September it is on two."""
    bank = [f"B{n} | {day(n)} | 10.00 | CUST-{n:04}" for n in range(20)]
    books = [f"K{n} | {day(n)} | 10.00 | receivable | CUST-{n:04}" for n in range(20)]
    for n in range(14, 20):
        # What was paid in the end is another document; this one has the number and the amount.
        books[n] = f"K{n} | {day(n)} | 10.00 | receivable | PAID-{n:04}"
        books.append(f"X{n} | {day(n)} | 10.00 | receivable | CUST-{n:04}")
    past = history("\n".join(bank), "\n".join(books))
    told = found(past, hand(past, 20))["end_to_end_id_is_document_no"]
    assert (told.right, told.wrong) == (0, 6)
    assert told.refused == "it would have made 0 of the held-out matches by hand, 2 are needed"


def test_precision_below_the_limit_is_refused_and_said() -> None:
    bank = [f"B{n} | {day(n)} | 10.00 | CUST-{n:04}" for n in range(20)]
    books = [f"K{n} | {day(n)} | 10.00 | receivable | CUST-{n:04}" for n in range(20)]
    books[19] = f"K19 | {day(19)} | 10.00 | receivable | PAID-0019"
    books.append(f"X19 | {day(19)} | 10.00 | receivable | CUST-0019")
    past = history("\n".join(bank), "\n".join(books))
    told = found(past, hand(past, 20))["end_to_end_id_is_document_no"]
    assert told.refused == "its precision on held-out history is 83.33 % (5 of 6)"
    kept = found(past, hand(past, 20), precision=Decimal("0.8"))["end_to_end_id_is_document_no"]
    assert kept.refused == ""


def test_what_is_not_unique_is_never_counted_as_found() -> None:
    """A number that every row has joins everything, so the engine refuses it all."""
    bank = "\n".join(f"B{n} | {day(n)} | 10.00 | SAME-0001" for n in range(20))
    books = "\n".join(f"K{n} | {day(0)} | 10.00 | receivable | SAME-0001" for n in range(20))
    past = history(bank, books)
    told = found(past, hand(past, 20))["end_to_end_id_is_document_no"]
    assert (told.right, told.wrong) == (0, 0)
    assert told.refused


def test_too_few_examples_teach_nothing() -> None:
    past = credit_notes(6)
    assert split([], Decimal("0.3")) is None
    assert found(past, hand(past, 6)) == {}
    assert "document_no_in_text" in found(past, hand(past, 6), support=4)


def test_matches_of_the_engine_teach_nothing_but_count_as_truth() -> None:
    past = credit_notes()
    known = hand(past, 16) + hand(past, 20, by_hand=False)[16:]
    told = found(past, known)["document_no_in_text"]
    assert (told.of_hand, told.by_hand, told.right) == (5, 5, 9)


def test_it_does_not_depend_on_the_order() -> None:
    past = credit_notes()
    known = hand(past, 20)
    rows = pa.array(range(len(past.entries) - 1, -1, -1))
    mixed = History(
        past.code,
        past.entries.take(rows),
        past.entry_from[::-1],
        past.entry_until,
        past.details.take(rows),
        past.items.take(rows),
        past.item_from[::-1],
        past.item_until,
    )
    assert found(mixed, known[::-1]) == found(past, known)


def test_the_split_is_by_time_and_never_parts_a_day() -> None:
    past = credit_notes(10)
    known = [k if n < 5 else Known(k.entries, k.items, True, day(5)) for n, k in
             enumerate(hand(past, 10))]  # fmt: skip
    parts = split(known, Decimal("0.3"))
    assert parts is not None
    assert (len(parts.learned), len(parts.held), parts.held_from) == (5, 5, day(5))


def test_the_text_to_paste_reads_as_the_same_ladder(tmp_path: Any) -> None:
    import tomllib

    past = credit_notes()
    for told in found(past, hand(past, 20)).values():
        content = tomllib.loads(ladder_text(told.candidate.content))
        ours = {"keys": {}, **told.candidate.content}
        assert ladder.read("x", {"keys": {}, **content}).rungs == ladder.read("x", ours).rungs


@pytest.mark.parametrize(
    ("examples", "patterns"),
    [
        (["CN-004711", "CN-004712", "CN-120001"], (r"CN-\d{6}",)),
        (["RE 2026/17", "RE2026/018"], (r"RE ?\d{4}/\d{2,3}",)),
        (["AB12", "CDE345"], (r"[A-Z]{2,3}\d{2,3}",)),
        (["R.12", "R.13"], (r"R[.]\d{2}",)),
        (["12-34", "56-78", "CN-1", "CN-2", "CN-3"], (r"CN-\d", r"\d{2}-\d{2}")),
        (["CN-1"], ()),
        (["ABC", "DEF"], ()),
        (["CN#1", "CN#2"], ()),
    ],
)
def test_patterns_are_what_a_person_would_write(
    examples: list[str], patterns: tuple[str, ...]
) -> None:
    assert generalise(examples) == patterns


@given(
    st.lists(
        st.from_regex(r"[A-Z]{1,4}[-/ .]?[0-9]{2,6}(?:[-/][0-9]{1,4})?", fullmatch=True),
        min_size=2,
        max_size=8,
        unique=True,
    )
)
def test_a_pattern_fits_the_examples_it_is_made_of(examples: list[str]) -> None:
    patterns = generalise(examples, least=1)
    for pattern in patterns:
        check_pattern(pattern, "test")
    for example in examples:
        assert any(re.fullmatch(pattern, example) for pattern in patterns)
        assert find(f"paid {example} thanks", patterns, length_min=1)
    assert generalise(examples[::-1], least=1) == patterns
