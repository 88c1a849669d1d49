"""Arrow arrays made without ``pa.array`` are those that it makes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tieout.arrays import listed, whole
from tieout.canonical import AMOUNT

_COUNTED = pa.struct([("status", pa.string()), ("count", pa.int64()), ("sum", AMOUNT)])

VALUES: list[tuple[Any, list[Any]]] = [
    (pa.string(), ["ä", None, "", "\N{SNOWMAN}" * 40]),
    (pa.int64(), [1, None, -(2**62)]),
    (pa.bool_(), [True, None, False]),
    (pa.date32(), [date(1969, 12, 31), None, date(2026, 11, 20)]),
    (pa.timestamp("us", tz="UTC"), [datetime(2026, 11, 20, 1, 2, 3, 4, tzinfo=UTC), None]),
    (AMOUNT, [Decimal("-0.00001"), None, Decimal("999999999999999999.99999")]),
    (pa.list_(pa.string()), [["a", None, ""], None, [], ["ß"]]),
    (_COUNTED, [{"status": "ACCP", "count": 2, "sum": None}, None, {"sum": Decimal("1.50")}]),
    (pa.list_(_COUNTED), [None, [{"status": None, "count": 1}, None], []]),
]


@pytest.mark.parametrize(("kind", "values"), VALUES, ids=lambda each: str(each)[:20])
def test_listed_is_what_pyarrow_makes(kind: Any, values: list[Any]) -> None:
    for some in (values, values[::-1], [None], []):
        made, expected = listed(some, kind), pa.array(some, kind)
        made.validate(full=True)
        assert made.equals(expected)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(OverflowError):
        listed([Decimal("0.000001")], AMOUNT)
    with pytest.raises(OverflowError):
        listed([2**63], pa.int64())


@pytest.mark.parametrize("parts", [[], [["a"]], [["a", None], [], ["b"]]])
def test_a_whole_column_is_one_array(parts: list[list[Any]]) -> None:
    chunks = [pa.array(part, pa.string()) for part in parts]
    made = whole(pa.chunked_array(chunks, pa.string()))
    assert made.equals(pa.array([each for part in parts for each in part], pa.string()))
