"""Names searched as a whole: the same answer as a look at each."""

from __future__ import annotations

import random

import pytest

from sandbox.simulators.oracle_names import Names

PARTS = ("", "T", "TIEOUT-", "TIEOUT-000001", "1 Tieout", "00", "A 7", "nowhere", "  ")


@pytest.mark.parametrize("part", PARTS)
def test_every_name_that_holds_a_text_is_told_once(part: str) -> None:
    draw = random.Random(7)
    given = {
        100 + 3 * number: f"TIEOUT-{draw.randrange(2_000):06d} Tieout {number}: A {number % 9}"
        for number in range(1_300)
    }
    names = Names()
    for number, name in given.items():
        names.add(number, name)
    assert names.holding(part) == [number for number, name in given.items() if part in name]


def test_a_text_over_the_end_of_a_name_is_in_none() -> None:
    names = Names()
    names.add(1, "AB")
    names.add(2, "AB")
    assert names.holding("BA") == []
    assert names.holding("AB") == [1, 2]
    assert names.holding("B") == [1, 2]
    names.add(3, "C\0D")
    assert names.holding("C\0D") == [3]
    assert names.holding("B\0") == []
