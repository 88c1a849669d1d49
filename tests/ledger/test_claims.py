"""Claims in parts: the database never lets groups take more of a row than there is."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.ledger.test_ledger import ACCOUNT, RUN, execute
from tieout.ledger import Ledger

GROUP = (
    "INSERT INTO groups (group_id, run_id, account_code, ladder, ladder_version, rung, cardinality, "
    "currency, residual_minor, state, evidence{more}) VALUES ('{key}', 'r', 'ACC', 'l', '1', 'r', "
    "'1:1', 'EUR', 0, '{state}', ''{values})"
)
ITEM = (
    "INSERT INTO items (item_id, version, source, source_ref, company, kind, currency, exponent, "
    "amount_minor, open_minor) VALUES ('i', {version}, 's', 's', 'NORD', 'cash_book', 'EUR', 2, "
    "{open}, {open})"
)
DECISION = (
    "INSERT INTO match_decisions (group_id, account_code, decision, person, reason, content) "
    "VALUES ('g0', 'ACC', '{}', '{}', '{}', '{{}}')"
)


def group(key: str, state: str = "confirmed", **more: str) -> str:
    names = "".join(f", {name}" for name in more)
    return GROUP.format(
        key=key, state=state, more=names, values="".join(f", {v}" for v in more.values())
    )


def claim(key: str, amount: int, of: int, live: bool = True) -> str:
    return (
        "INSERT INTO members (group_id, side, member_id, amount_minor, of_minor, live) "
        f"VALUES ('{key}', 'item', 'i', {amount}, {of}, {live})"
    )


@pytest.fixture
def books(fresh_ledger: Ledger) -> Ledger:
    execute(fresh_ledger, ACCOUNT, RUN, ITEM.format(version=1, open=100))
    execute(fresh_ledger, *(group(f"g{n}") for n in range(8)))
    return fresh_ledger


# claims in order, amount/of; the last is refused with the words, or taken
CASES = """
100/100                 |
60/100 40/100           |
60/100 41/100           | more of item i than there is
60/100 100/100          | one_live_group
100/100 1/100           | one_live_group
60/100 40/100 1/100     | more of item i than there is
120/150                 | not so much of item i
-60/100                 | member_part
0/100                   | member_part
101/100                 | member_part
60/100 30/40            |
60/100 40/40            | one_live_group
"""


@pytest.mark.parametrize("line", CASES.strip().splitlines())
def test_parts_never_come_to_more_than_there_is(books: Ledger, line: str) -> None:
    claims, refused = (cell.strip() for cell in line.split("|"))
    pairs = [tuple(map(int, c.split("/"))) for c in claims.split()]
    statements = [claim(f"g{n}", amount, of) for n, (amount, of) in enumerate(pairs)]
    if not refused:
        execute(books, *statements)
        return
    execute(books, *statements[:-1])
    with pytest.raises(DBAPIError, match=refused):
        execute(books, statements[-1])


def test_a_released_part_is_free_again_and_taken_back_only_if_it_is(books: Ledger) -> None:
    execute(books, claim("g0", 60, 100), claim("g1", 40, 100))
    execute(books, "UPDATE members SET live = false WHERE group_id = 'g0'", claim("g2", 50, 100))
    with pytest.raises(DBAPIError, match="more of item i than there is"):
        execute(books, "UPDATE members SET live = true WHERE group_id = 'g0'")
    execute(books, "UPDATE members SET live = false WHERE group_id = 'g2'")
    execute(books, "UPDATE members SET live = true WHERE group_id = 'g0'")


def test_any_sequence_of_claims_keeps_within_the_row(books: Ledger) -> None:
    """Random claims and releases: whatever the database lets through, the sum holds."""
    chance = random.Random(7)
    taken: dict[str, int] = {}
    let, refused = 0, 0
    for _ in range(400):
        key = f"g{chance.randrange(8)}"
        amount = chance.choice([100, 10, 20, 30, 50, 70, 99])
        execute(books, f"DELETE FROM members WHERE group_id = '{key}'")
        taken.pop(key, None)
        fits = sum(taken.values()) + amount <= 100
        try:
            execute(books, claim(key, amount, 100))
            taken[key], let = amount, let + 1
            assert fits
        except DBAPIError:
            refused += 1
            assert not fits
        with books.session() as session:
            total = session.execute(text("SELECT coalesce(sum(amount_minor), 0) FROM members"))
            assert int(total.scalar_one()) == sum(taken.values()) <= 100
    assert let > 50
    assert refused > 50


@pytest.mark.parametrize(("one", "two"), [(60, 60), (100, 60), (60, 100), (100, 100)])
def test_two_transactions_at_once_cannot_both_have_it(books: Ledger, one: int, two: int) -> None:
    outcome: list[str] = []

    def second() -> None:
        try:
            execute(books, claim("g1", two, 100))
            outcome.append("taken")
        except DBAPIError:
            outcome.append("refused")

    other = threading.Thread(target=second)
    with books.session() as session:
        session.execute(text(claim("g0", one, 100)))
        other.start()
        # It waits for our row lock: it cannot end before we do.
        other.join(0.3)
        assert outcome == []
    other.join(20)
    assert outcome == ["refused"]


# maker | approver | four eyes | state | what is refused
EYES = """
'anna' | NULL     | true  | proposed  |
'anna' | NULL     | true  | confirmed | group_second
'anna' | ' Anna ' | true  | confirmed | group_four_eyes
'anna' | 'anna'   | false | confirmed | group_four_eyes
'anna' | 'bert'   | true  | confirmed |
'anna' | NULL     | false | confirmed |
"""


@pytest.mark.parametrize("line", EYES.strip().splitlines())
def test_a_match_that_takes_two_is_not_confirmed_by_one(books: Ledger, line: str) -> None:
    maker, approver, four_eyes, state, refused = (cell.strip() for cell in line.split("|"))
    made: dict[str, Any] = {"maker": maker, "approver": approver, "four_eyes": four_eyes}
    if not refused:
        execute(books, group("new", state, **made))
        return
    with pytest.raises(DBAPIError, match=refused):
        execute(books, group("new", state, **made))


def test_who_made_a_match_does_not_confirm_it_by_plain_sql(books: Ledger) -> None:
    execute(books, DECISION.format("match", "anna", "because"))
    with pytest.raises(DBAPIError, match="may not confirm"):
        execute(books, DECISION.format("confirm", " ANNA", "because"))
    execute(books, DECISION.format("confirm", "bert", "because"))
    with pytest.raises(DBAPIError, match="decision_reason"):
        execute(books, DECISION.format("undo", "bert", " "))
