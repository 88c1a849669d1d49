"""Rows as dictionaries, each with its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from tieout.canonical import DETAILS, ENTRIES, STATEMENTS, table
from tieout.owned_rows import owned, rows

Found = list[tuple[str, list[int]]]


def _found(entries: list[str], details: list[tuple[str, int]]) -> Found:
    """Line numbers of what each entry was given."""
    owners = table([{"entry_id": each} for each in entries], ENTRIES)
    belongings = [
        {"entry_id": each, "ordinal": ordinal, "line_no": line}
        for line, (each, ordinal) in enumerate(details, 1)
    ]
    pairs = owned(owners, table(belongings, DETAILS), "entry_id")
    return [(row["entry_id"], [own["line_no"] for own in mine]) for row, mine in pairs]


@pytest.mark.parametrize(
    ("entries", "details", "expected"),
    [
        (["a", "b", "c"], [("a", 1), ("a", 2), ("c", 1)], [("a", [1, 2]), ("b", []), ("c", [3])]),
        # A statement that the file holds twice: the copy has the second of two lists.
        (["a", "a"], [("a", 1), ("a", 2), ("a", 1)], [("a", [1, 2]), ("a", [3])]),
        (["a", "b", "a"], [("a", 1), ("b", 1), ("a", 1)], [("a", [1]), ("b", [2]), ("a", [3])]),
        # In another order than that of the owners.
        (["a", "b"], [("b", 1), ("a", 1), ("b", 2)], [("a", [2]), ("b", [1, 3])]),
        ([], [], []),
    ],
)
def test_each_owner_has_its_own(
    entries: list[str], details: list[tuple[str, int]], expected: Found
) -> None:
    assert _found(entries, details) == expected


def test_more_rows_than_are_made_at_once() -> None:
    ids = [str(number) for number in range(2_345)]
    details = [(each, ordinal) for each in ids for ordinal in range(1, int(each) % 3 + 1)]
    found = _found(ids, details)
    assert [own for own, _ in found] == ids
    assert [line for _, mine in found for line in mine] == list(range(1, len(details) + 1))
    assert all(len(mine) == int(own) % 3 for own, mine in found)


def test_rows_are_those_of_pyarrow_with_instants_in_utc() -> None:
    at = datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
    made: list[dict[str, Any]] = [{"statement_id": "1", "created_at": at}, {"statement_id": "2"}]
    statements = table(made, STATEMENTS)
    assert list(rows(statements)) == statements.to_pylist()
    assert next(rows(statements))["created_at"].tzinfo is UTC
    assert not list(rows(pa.table({"a": pa.array([], pa.int64())})))
