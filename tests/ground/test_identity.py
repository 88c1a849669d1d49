"""Identity: content ids, twins, and the same statement from two sources."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from tieout.canonical import BALANCES, DETAILS, ENTRIES, STATEMENTS, Tables, table
from tieout.identity import assign_ids, content_id

DAY = dt.date(2026, 11, 20)


def tables(entries: list[dict[str, Any]], **statement: Any) -> Tables:
    head = {
        "statement_id": "1",
        "account_id": "DE02",
        "currency": "EUR",
        "kind": "booked",
        "sequence_no": 7,
        "format": "camt.053.001.08",
    } | statement
    edges = [
        {"statement_id": "1", "ordinal": 1, "code": "OPBD", "amount": Decimal(0), "on": DAY},
        {"statement_id": "1", "ordinal": 2, "code": "CLBD", "amount": Decimal(9), "on": DAY},
    ]
    rows = [
        {
            "entry_id": f"1.{n}",
            "statement_id": "1",
            "ordinal": n,
            "account_id": "DE02",
            "currency": "EUR",
            "booked_on": DAY,
            "status": "booked",
        }
        | entry
        for n, entry in enumerate(entries, 1)
    ]
    details = [
        {"detail_id": f"1.{n}.1", "entry_id": f"1.{n}", "ordinal": 1}
        for n in range(1, len(rows) + 1)
    ]
    return Tables(
        table([head], STATEMENTS),
        table(edges, BALANCES),
        table(rows, ENTRIES),
        table(details, DETAILS),
    )


def ids(found: Tables) -> list[str]:
    return [str(i) for i in found.entries.column("entry_id").to_pylist()]


FEE = {"amount": Decimal("-4.90"), "narrative": "Entgelt"}


def test_two_identical_entries_are_two_entries() -> None:
    first, second = ids(assign_ids(tables([FEE, FEE]), "f1"))
    assert first != second


def test_the_same_file_again_gives_the_same_ids() -> None:
    once, again = assign_ids(tables([FEE, FEE]), "f1"), assign_ids(tables([FEE, FEE]), "f2")
    assert ids(once) == ids(again)
    assert once.details.column("detail_id") == again.details.column("detail_id")


def test_a_bank_reference_identifies_across_statements() -> None:
    entry = FEE | {"bank_ref": "A-1"}
    one, other = tables([entry]), tables([entry], sequence_no=8)
    assert ids(assign_ids(one, "f1")) == ids(assign_ids(other, "f2"))


def test_without_one_the_same_fee_in_two_statements_is_two_entries() -> None:
    one, other = tables([FEE]), tables([FEE | {"bank_ref": "NONREF"}], sequence_no=8)
    assert ids(assign_ids(one, "f1")) != ids(assign_ids(other, "f2"))


def test_a_statement_is_the_same_in_another_format() -> None:
    one = assign_ids(tables([FEE], line_no=12, servicer_bic="X"), "f1")
    other = assign_ids(tables([FEE], format="MT940", statement_ref="STARTUMS"), "f2")
    assert one.statements.column("statement_id") == other.statements.column("statement_id")
    assert one.statements.column("file_id") != other.statements.column("file_id")


def test_content_ids_tell_none_from_empty_and_see_through_trailing_zeros() -> None:
    assert content_id("a", None) != content_id("a", "")
    assert content_id("ab", "c") != content_id("a", "bc")
    assert content_id(Decimal("1.50")) == content_id(Decimal("1.5"))
    assert content_id(Decimal("-0")) == content_id(Decimal(0))
