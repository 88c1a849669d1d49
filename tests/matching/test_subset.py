"""Subset search: exact, proven, independent of order, bounded."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.matching import subset, subset_few, subset_halves, subset_range
from tieout.matching.subset import Answer, margin, search, search_each
from tieout.matching.subset_form import COUNT_MAX, Collector, Spent, Steps, reduce
from tieout.matching.subset_small import SMALL, answerable

PLENTY = 1 << 40

CASES = """
# target | amounts                       | most | kind       | choices
     700 | 100 200 500                   |      | unique     | 1,2
     500 | 500 500 300                   |      | several    | 0 / 1
     800 | 500 500 300                   |      | several    | 0,2 / 1,2
    1300 | 500 500 300                   |      | unique     | 0,1,2
     600 | 100 200 300 600               |      | several    | 3 / 0,1,2
     600 | 100 200 300 600               | 2    | unique     | 3
     900 | 1000 -100 2500                |      | unique     | 0,1
       0 | 1000 -1000 300                |      | unique     | 0,1
       0 | 1000 300                      |      | none       |
       0 | 0                             |      | unique     | 0
     100 | 100 0                         |      | several    | 0 / 0,1
    -300 | -100 -200 -500                |      | unique     | 0,1
     701 | 100 200 500                   |      | none       |
     800 | 100 200 500                   | 2    | none       |
     100 |                               |      | none       |
"""


def _cases() -> list[tuple[int, list[int], int | None, str, list[tuple[int, ...]]]]:
    cases = []
    for line in CASES.strip().splitlines()[1:]:
        target, amounts, most, kind, choices = (cell.strip() for cell in line.split("|"))
        listed = [tuple(map(int, c.split(","))) for c in choices.split("/") if c.strip()]
        values = [int(a) for a in amounts.split()]
        cases.append((int(target), values, int(most) if most else None, kind, listed))
    return cases


@pytest.mark.parametrize("case", _cases(), ids=str)
def test_cases(case: tuple[int, list[int], int | None, str, list[tuple[int, ...]]]) -> None:
    target, amounts, most, kind, choices = case
    answer = search(target, amounts, most=most)
    assert (answer.kind, list(answer.solutions)) == (kind, choices)
    assert answer.count == len(choices)
    assert answer.complete


def _all(target: int, amounts: list[int], most: int) -> list[tuple[int, ...]]:
    """Every choice, by trying all."""
    return [
        chosen
        for size in range(1, most + 1)
        for chosen in combinations(range(len(amounts)), size)
        if sum(amounts[n] for n in chosen) == target
    ]


@st.composite
def questions(draw: st.DrawFn) -> tuple[int, list[int], int]:
    """Few amounts that often meet by chance: small ones, equal ones, zeros, credit notes."""
    reach = draw(st.sampled_from([2, 9, 60, 10**6, 10**15]))
    least = draw(st.sampled_from([-reach, 0, 1]))
    amounts = draw(st.lists(st.integers(least, reach), max_size=10))
    chosen = draw(st.lists(st.booleans(), min_size=len(amounts), max_size=len(amounts)))
    off = draw(st.sampled_from([0, 0, 0, 1]))
    target = sum(a for a, c in zip(amounts, chosen, strict=True) if c) + off
    return target, amounts, draw(st.one_of(st.just(len(amounts)), st.integers(0, len(amounts))))


@settings(max_examples=300, deadline=None)
@given(questions())
def test_small_questions_are_answered_as_by_trying_all(q: tuple[int, list[int], int]) -> None:
    target, amounts, most = q
    every = _all(target, amounts, most)
    answer = search(target, amounts, most=most, solutions_max=3)
    assert answer.kind == ("several" if len(every) > 1 else "unique" if every else "none")
    assert set(answer.solutions) <= set(every)
    assert len(set(answer.solutions)) == min(3, len(every))
    assert answer.count == len(every) if answer.complete else 3 < answer.count <= len(every)


@settings(max_examples=300, deadline=None)
@given(questions(), st.sampled_from(["few", "range", "halves", "narrow", "even", "above"]))
def test_each_way_finds_all_choices(q: tuple[int, list[int], int], way: str) -> None:
    target, amounts, most = q
    every = _all(target, amounts, most)
    form = reduce(target, amounts, Steps(PLENTY))
    if form is None:
        assert not every
        return
    if way == "range" and form.target > 10**6:
        return
    steps = Steps(PLENTY)
    vectors = {
        "few": lambda: subset_few.solve(form, most, steps),
        "range": lambda: subset_range.solve(form, steps),
        "halves": lambda: subset_halves.solve(form, steps, 9),
        "narrow": lambda: subset_halves.solve(form, steps, 2),
        "even": lambda: subset_halves.solve(form, steps, 1, max(1, most // 2)),
        "above": lambda: subset_halves.solve(form, steps, 0),
    }[way]()
    seen = Collector(form, most, 1 << 12, steps)
    assert seen.all_of(vectors)
    assert sorted(seen.choices) == sorted(every)
    assert seen.count == len(every)


def _amounts_of(answer: Answer, amounts: list[int]) -> list[list[int]]:
    return sorted(sorted(amounts[n] for n in chosen) for chosen in answer.solutions)


@pytest.mark.parametrize("count", [9, 20, 26, 60, 200])
@pytest.mark.parametrize("reach", [40, 900_000, 10**12])
def test_the_order_of_the_amounts_changes_nothing(count: int, reach: int) -> None:
    chance = random.Random(count * reach)
    amounts = [chance.randint(-reach // 9, reach) for _ in range(count)]
    target = sum(amounts[::3])
    first = search(target, amounts, effort=1 << 22)
    for _ in range(3):
        chance.shuffle(amounts)
        again = search(target, np.array(amounts), effort=1 << 22)
        assert (again.kind, again.count, again.complete) == (
            first.kind,
            first.count,
            first.complete,
        )
        assert again.steps == first.steps
        assert all(sum(amounts[n] for n in chosen) == target for chosen in again.solutions)
    assert _amounts_of(again, amounts) == _amounts_of(
        search(target, amounts, effort=1 << 22), amounts
    )


def _open_invoices(count: int = 200, reach: int = 5_000_000) -> list[int]:
    chance = random.Random(7)
    return [chance.randint(1000, reach) for _ in range(count)]


def test_twenty_out_of_two_hundred_is_said_to_be_ambiguous_at_once() -> None:
    amounts = _open_invoices()
    target = sum(amounts[::10])
    for most in (None, 20):
        answer = search(target, amounts, most=most, solutions_max=5)
        assert answer.kind == "several"
        assert len(answer.solutions) == 5
        assert all(sum(amounts[n] for n in chosen) == target for chosen in answer.solutions)
        assert answer.steps < 1 << 20  # a few milliseconds


def test_all_items_and_a_payment_too_small_for_the_rest_are_unique() -> None:
    amounts = _open_invoices()
    whole = search(sum(amounts), amounts)
    assert (whole.kind, whole.solutions) == ("unique", (tuple(range(200)),))
    small = sorted(range(200), key=amounts.__getitem__)[:20]
    dear = [a if n in small else a + 10**9 for n, a in enumerate(amounts)]
    answer = search(sum(dear[n] for n in small), dear)
    assert (answer.kind, answer.solutions) == ("unique", (tuple(sorted(small)),))
    assert whole.steps + answer.steps < 1 << 14


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
def test_few_out_of_two_hundred_large_ones_are_proven_unique(size: int) -> None:
    amounts = _open_invoices(reach=10**12)
    chosen = tuple(sorted(random.Random(size).sample(range(200), size)))
    answer = search(sum(amounts[n] for n in chosen), amounts, most=6)
    assert (answer.kind, answer.solutions) == ("unique", (chosen,))
    assert answer.steps < 1 << 24  # about a quarter of a second


@pytest.mark.parametrize("count", [21, 30, 36, 40])
def test_half_of_forty_is_proven_unique(count: int) -> None:
    amounts = _open_invoices(count, 10**14)
    answer = search(sum(amounts[::2]), amounts)
    assert (answer.kind, answer.solutions) == ("unique", (tuple(range(0, count, 2)),))
    assert answer.steps < 1 << 24


def test_a_sum_that_no_choice_ends_on_is_none_at_once() -> None:
    round_ones = [amount // 10_000 * 10_000 for amount in _open_invoices()]
    answer = search(sum(round_ones[:20]) + 1, round_ones)
    assert (answer.kind, answer.complete) == ("none", True)
    assert answer.steps < 1 << 10


@pytest.mark.parametrize(
    ("target", "kind", "count"),
    [(85_000 * 100_000, "unique", 1), (85_000 * 9, "several", COUNT_MAX), (85_001, "none", 0)],
)
def test_a_hundred_thousand_equal_amounts_cost_one_look(target: int, kind: str, count: int) -> None:
    answer = search(target, [85_000] * 100_000)
    assert (answer.kind, answer.count) == (kind, count)
    assert answer.steps < 110_000


def test_where_the_steps_run_out_the_answer_says_so() -> None:
    amounts = _open_invoices(120, 10**12)
    target = sum(amounts[::40])
    for effort in (0, 100, 1 << 12, 1 << 18):
        answer = search(target, amounts, effort=effort)
        assert (answer.kind, answer.complete) == ("unfinished", False)
        assert answer.steps <= effort
    assert search(target, amounts, effort=1 << 18) == search(target, amounts, effort=1 << 18)


def test_amounts_beyond_what_64_bits_add_up_to_stay_exact() -> None:
    amounts = [(1 << 62) + 3**n for n in range(30)]
    answer = search(sum(amounts[:9]), amounts[:18])
    assert (answer.kind, answer.solutions) == ("unique", (tuple(range(9)),))
    assert search(sum(amounts[:15]), amounts, effort=1 << 16).kind == "unfinished"
    assert search(sum(amounts), amounts).kind == "unique"


def test_many_questions_are_answered_one_by_one() -> None:
    asked: list[tuple[int, subset.Amounts]] = [
        (700, [100, 200, 500]),
        (500, np.array([500, 500])),
        (1, []),
    ]
    assert search_each(asked) == [search(target, amounts) for target, amounts in asked]
    assert [answer.kind for answer in search_each(asked)] == ["unique", "several", "none"]


def test_the_plain_way_and_the_others_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(11)
    for _ in range(60):
        amounts = [chance.randint(-500, 4000) for _ in range(chance.randint(12, 20))]
        target = sum(chance.sample(amounts, 5))
        plain = search(target, amounts, solutions_max=1 << 20)
        monkeypatch.setattr(subset, "_PLAIN", -1)
        other = search(target, amounts, solutions_max=1 << 20)
        monkeypatch.undo()
        assert (plain.kind, plain.solutions, plain.count) == (
            other.kind,
            other.solutions,
            other.count,
        )


def test_steps_never_go_over_their_limit() -> None:
    steps = Steps(10)
    steps.allow(4)
    steps.take(4)
    with pytest.raises(Spent):
        steps.take(1)
    steps.allow(100)
    steps.take(6)
    assert (steps.taken, steps.left) == (10, 0)


def test_the_margin_says_what_a_unique_choice_is_worth() -> None:
    cents, large = _open_invoices(26), _open_invoices(26, 10**14)
    assert margin(cents) <= 0 < 10 < margin(cents, most=3)
    assert margin(large) > 20
    assert margin([a * 100 for a in cents]) == margin(cents)
    assert margin([0, 0, 0]) == -3
    assert margin([-a for a in cents], most=3) == margin(cents, most=3)


@given(
    st.lists(
        st.tuples(st.integers(-60, 60), st.lists(st.integers(-20, 20), max_size=SMALL + 2)),
        min_size=1, max_size=12,
    ),
    st.integers(1, SMALL),
)  # fmt: skip
def test_small_questions_asked_together_have_the_answers_of_each(
    questions: list[tuple[int, list[int]]], most: int
) -> None:
    counts = np.array([len(amounts) for _, amounts in questions])
    flat = np.array([amount for _, amounts in questions for amount in amounts], dtype="int64")
    targets = np.array([target for target, _ in questions], dtype="int64")
    found = answerable(targets, np.cumsum(counts) - counts, counts, flat, most)
    for may, (target, amounts) in zip(found.tolist(), questions, strict=True):
        answer = search(target, amounts, most=most)
        assert may == (answer.kind != "none" or len(amounts) > SMALL)
        if answer.kind == "none" and target and len(amounts) > 1 and most >= len(amounts):
            assert answer.steps == subset.least_steps(len(amounts))
