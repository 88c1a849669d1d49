"""The audit queue and the four rates: drawn fairly and the same each time, counted exactly."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from tests.stages.small import DAY, NEXT, Small
from tests.stages.test_matches import by_hand
from tieout.errors import TieoutError
from tieout.ledger import Ledger
from tieout.ledger.models import Account
from tieout.reports.precision import Precision, across, pooled, said, wilson
from tieout.reports.rates import Rates
from tieout.stages.audit_sample import Candidate, draw, judge, pick, queue
from tieout.stages.match_decide import undo
from tieout.stages.rates import account_rates


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def rates(small: Small) -> Rates:
    with small.ledger.session() as session:
        return account_rates(session, session.get_one(Account, small.code), NEXT)


def matched(small: Small, count: int) -> list[str]:
    """So many matches by reference, of different amounts, and one with charges."""
    for n in range(count):
        small.book(f"RE-2026-{n:05}", 1000 * (n + 1), DAY)
    small.book("RE-2026-90000", 10000, DAY)
    small.sync()
    entries = [(1000 * (n + 1), f"RE-2026-{n:05}") for n in range(count)]
    ids = small.statement(DAY, *entries, (9900, "RE-2026-90000"))
    small.reconcile()
    return ids


# rung, how many, each worth
STRATA = """
reference 900 100
batch_run 90 1000
fuzzy     3   5
"""


def strata() -> dict[tuple[str, str], list[Candidate]]:
    found = {}
    for line in STRATA.strip().splitlines():
        rung, count, value = line.split()
        found[rung, "EUR"] = [
            Candidate(f"{rung}{n}", "A", rung, "EUR", int(value)) for n in range(int(count))
        ]
    return found


@pytest.mark.parametrize(
    ("size", "shares"),
    [
        (1, {"reference": 1}),
        (2, {"reference": 1, "batch_run": 1}),
        (20, {"reference": 17, "batch_run": 2, "fuzzy": 1}),
        (990, {"reference": 897, "batch_run": 90, "fuzzy": 3}),
        (5000, {"reference": 900, "batch_run": 90, "fuzzy": 3}),
    ],
)
def test_every_rung_is_looked_at_and_large_ones_more(size: int, shares: dict[str, int]) -> None:
    picked = pick(strata(), size, 7)
    assert Counter(c.rung for c in picked) == shares
    assert len({c.group_id for c in picked}) == len(picked) == min(size, 993)
    assert picked == pick(strata(), size, 7), "the same each time"


def test_a_chance_is_in_proportion_to_value() -> None:
    """One group of a thousand times the value is always drawn; else each its share."""
    rows = [Candidate(f"g{n}", "A", "r", "EUR", 10) for n in range(100)]
    large = Candidate("large", "A", "r", "EUR", 10_000)
    middle = [Candidate(f"m{n}", "A", "r", "EUR", 30) for n in range(10)]
    counts: Counter[str] = Counter()
    for seed in range(600):
        for one in pick({("r", "EUR"): [*rows, large, *middle]}, 5, seed):
            counts[one.group_id] += 1
    assert counts["large"] == 600
    tens = [counts[c.group_id] for c in rows]
    thirties = [counts[c.group_id] for c in middle]
    assert sum(tens) + sum(thirties) == 4 * 600
    # Of 1,300 in value the ten middle ones have 300: 554 of 2,400 draws.
    assert 480 < sum(thirties) < 630
    assert min(thirties) > max(min(tens), 20)


def test_what_was_drawn_is_not_drawn_again(small: Small) -> None:
    matched(small, 6)
    first = draw(small.ledger, "anna", size=4)
    second = draw(small.ledger, "anna", size=4)
    assert (len(first), len(second)) == (4, 3)
    assert {c.rung for c in first} == {"reference", "reference_with_charges"}
    assert not {c.group_id for c in first} & {c.group_id for c in second}
    assert draw(small.ledger, "anna", size=4) == []
    with small.ledger.session() as session:
        assert len(queue(session)) == 7


def test_only_what_the_ladder_confirmed_by_itself_is_drawn(small: Small) -> None:
    ids = matched(small, 2)
    small.book("CB-1", 70, DAY)
    small.sync()
    (entry,) = small.statement(NEXT, (70, "no word"))
    by_hand(small, entry, "CB-1")
    drawn = draw(small.ledger, "anna", size=10)
    assert len(drawn) == 3 == len(ids)
    assert draw(small.ledger, "anna", size=1, since=NEXT) == []


def test_bad_asks_are_refused_in_words(small: Small) -> None:
    matched(small, 1)
    with pytest.raises(TieoutError, match="SAMPLE_SIZE"):
        draw(small.ledger, "anna", size=0)
    with pytest.raises(TieoutError, match="ACCOUNT_UNKNOWN"):
        draw(small.ledger, "anna", size=1, account_code="NOPE")
    (one,) = draw(small.ledger, "anna", size=1)
    with small.ledger.session() as session:
        with pytest.raises(TieoutError, match="REASON_MISSING"):
            judge(session, one.group_id, "right", "anna", " ")
        with pytest.raises(TieoutError, match="MATCH_UNKNOWN"):
            judge(session, "nowhere", "right", "anna", "x")
    by = by_hand_match(small)
    with small.ledger.session() as session, pytest.raises(TieoutError, match="SAMPLE_UNKNOWN"):
        judge(session, by, "right", "anna", "x")


def by_hand_match(small: Small) -> str:
    small.book("CB-1", 70, DAY)
    small.sync()
    (entry,) = small.statement(NEXT, (70, "no word"))
    return by_hand(small, entry, "CB-1").group_id


def test_precision_counts_each_error_once(small: Small) -> None:
    matched(small, 9)
    drawn = [c for c in draw(small.ledger, "anna", size=5) if c.rung == "reference"]
    right, wrong, seen = drawn[:2], drawn[2], drawn[3]
    with small.ledger.session() as session:
        for one in (*right, seen):
            judge(session, one.group_id, "right", "anna", "paid")
        judge(session, wrong.group_id, "right", "anna", "in a hurry")
        judge(session, wrong.group_id[:12], "wrong", "anna", "looked again")
    assert by_rung(small)["reference"] == Precision(9, 0, 3, 1)
    # Undone after it was judged: one error, not two. And one that was judged right is wrong then.
    undo(small.ledger, [wrong.group_id, seen.group_id], "bert", "wrong")
    assert by_rung(small)["reference"] == Precision(9, 0, 2, 2)
    # One nobody had drawn, and one only to be tried anew.
    with small.ledger.session() as session:
        known = {r["id"] for r in queue(session, judged=True)}
    rest = [c.group_id for c in draw(small.ledger, "x", size=20) if c.rung == "reference"]
    assert known.isdisjoint(rest)
    undo(small.ledger, rest[:1], "bert", "rule changed", again=True)
    assert by_rung(small)["reference"] == Precision(8, 0, 2, 2)
    undo(small.ledger, rest[1:2], "bert", "wrong")
    assert by_rung(small)["reference"] == Precision(8, 1, 2, 2)
    with small.ledger.session() as session:
        judged = {r["id"]: (r["state"], r["verdict"]) for r in queue(session, judged=True)}
        assert wrong.group_id not in {r["id"] for r in queue(session)}
    assert judged[wrong.group_id] == ("undone", "wrong, anna")


def by_rung(small: Small) -> dict[str, Precision]:
    return {r.rung: r.precision for r in rates(small).rungs if r.precision}


def test_the_four_rates_of_an_account(small: Small) -> None:
    matched(small, 2)
    small.book("CB-1", 300, DAY)
    small.book("CB-2", 40, DAY)
    small.book("DOC", 40, DAY, kind="receivable")
    small.sync()
    small.statement(NEXT, (1000, "three things at once"), (-5, "?"))
    part = small.statement(NEXT, (600, "and more"))[0]
    by_hand(small, part, "CB-1", amounts=f"{part}=3.00")
    small.reconcile(NEXT)
    found = rates(small)
    assert (found.matched_count, found.entries_count) == (3, 6)
    assert (found.matched_value_minor, found.entries_value_minor) == (12900 + 300, 14505)
    # CB-2 waits; the receivable waits to be paid and is no failure of matching.
    assert (found.items_matched_count, found.items_count) == (4, 5)
    assert found.precision == across([Precision(2, 0, 0, 0), Precision(1, 0, 0, 0)])
    assert [(r.rung, r.entries_count, r.value_minor, r.items_count) for r in found.rungs] == [
        ("reference", 2, 3000, 2),
        ("reference_with_charges", 1, 9900, 1),
        ("manual", 0, 300, 1),
    ]
    assert sum(r.value_minor for r in found.rungs) == found.matched_value_minor
    assert small.tie_out(NEXT).unexplained_minor == 0


# right | judged | low | high: Wilson, 95 %
WILSON = """
0   1    0.0000 0.7935
1   1    0.2065 1.0000
9   10   0.5958 0.9821
40  40   0.9124 1.0000
95  100  0.8882 0.9785
999 1000 0.9944 0.9998
"""


@pytest.mark.parametrize("line", WILSON.strip().splitlines())
def test_the_interval_is_wilsons(line: str) -> None:
    right, judged, low, high = line.split()
    found = wilson(int(right), int(judged))
    assert tuple(round(bound, 4) for bound in found) == (Decimal(low), Decimal(high))


# confirmed undone right wrong | said
SAID = """
0    0  0  0 | –
1000 0  0  0 | not audited
1000 1  0  0 | at most 99.9 %
1000 10 40 0 | 99.0 % (90.3 to 99.0 %)
1000 0  9  1 | 90.0 % (59.5 to 98.3 %)
3    3  0  0 | at most 0.0 %
"""


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_precision_in_words(line: str) -> None:
    counts, words = line.split(" | ")
    assert said(Precision(*map(int, counts.split()))) == words
    assert said(None) == "–"
    assert pooled([Precision(1, 0, 1, 0), Precision(4, 1, 0, 1)]) == Precision(5, 1, 1, 1)


def test_rungs_together_weigh_by_what_they_confirmed() -> None:
    """A rare rung is looked at more than its share; its errors are not."""
    common, rare = Precision(9_900, 0, 50, 0), Precision(100, 0, 25, 25)
    both = across([common, rare])
    assert (both.judged, both.confirmed) == (100, 10_000)
    assert both.point == Decimal("0.9950"), "not the 0.75 that the drawn ones would say"
    low, high = both.interval or (None, None)
    # 50 / (50 + z²) and 0.5 ± 0.13356, weighed 99 to 1, distances added as squares.
    assert (low, high) == (Decimal("0.9243"), Decimal("0.9964"))
    assert across([common]) == common
    assert across([Precision(n, 0, n, 0) for n in (1, 2, 4)]).point == 1, "sevenths of all are all"
    assert across([]).point is None
    # What nobody looked at may be anything: a tenth of all leaves a tenth open.
    unseen = across([Precision(900, 0, 900, 0), Precision(100, 0, 0, 0)])
    assert said(unseen) == "100 % (89.9 to 100 %)"
