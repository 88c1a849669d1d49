"""Exceptions of an account as a whole, and who may decide."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.stages.small import DAY, Small
from tieout.commands.common import person
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import BookBalance
from tieout.money import floor_minor


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    return Small(fresh_ledger)


def test_books_that_are_not_cutover_plus_lines_block_posting_and_say_why(small: Small) -> None:
    small.statement(DAY, (-490, "Kontofuehrung 11/2026"))
    small.sync()
    with small.ledger.session() as session:
        wrong = small.account.cutover_minor + 12345
        session.add(
            BookBalance(account_code=small.code, on=DAY, amount_minor=wrong, currency="EUR")
        )
    small.reconcile()
    assert small.exceptions() == {small.code: "BOOKS_DISAGREE"}
    (charge,) = small.adjustments()
    assert charge.state == "pending", "the policy would have booked it; the books are in doubt"
    assert small.tie_out().unexplained_minor == -12345
    small.sync()
    small.reconcile()
    assert small.exceptions() == {}
    assert [a.state for a in small.adjustments()] == ["approved"]


def test_an_entry_of_nothing_is_no_exception(small: Small) -> None:
    small.sync()
    small.statement(DAY, (0, "Information: our hours change"))
    small.reconcile()
    assert small.exceptions() == {}
    assert small.tie_out().unexplained_minor == 0


@pytest.mark.parametrize("name", ["tieout", " Tieout", "policy:default/bank charges", "  "])
def test_nobody_signs_in_the_name_of_the_machine(name: str) -> None:
    with pytest.raises(LedgerError, match="is no person"):
        person(name)
    assert person(" anna ") == "anna"


def test_limits_hold_in_currencies_without_decimals() -> None:
    assert floor_minor(Decimal("250.75"), "JPY") == 250
    assert floor_minor(Decimal("250.75"), "KWD") == 250750
