"""``ledgerBalances`` of the Oracle simulator: what posted journals come to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.simulators.oracle_books import Books
from sandbox.simulators.oracle_query import BadRequestError
from sandbox.simulators.oracle_world import CONSTANTS

__all__ = ["balances"]


def balances(books: Books, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """Beginning balance and activity of one account combination in one period.

    Raises:
        BadRequestError: another finder.
    """
    name, _, text = given.get("finder", "").partition(";")
    if name != "AccountBalanceFinder":
        raise BadRequestError(f"The finder {name} is not valid")
    wanted = dict(part.partition("=")[::2] for part in text.split(","))
    start = next(
        (p.starts_on for p in books.world.periods if p.name == wanted["accountingPeriod"]),
        None,
    )
    if start is None:
        return []
    own = wanted["currency"] == CONSTANTS["currency"]
    before = within = Decimal(0)
    for batch in books.batches.values():
        for line in batch.lines if batch.status == "P" else ():
            if "-".join(line.segments) != wanted["accountCombination"]:
                continue
            amount = line.accounted_dr - line.accounted_cr
            if not own:
                same = line.currency == wanted["currency"]
                amount = line.entered_dr - line.entered_cr if same else Decimal(0)
            if batch.booked_on < start:
                before += amount
            elif batch.period == wanted["accountingPeriod"]:
                within += amount
    return [
        {
            "AccountCombination": wanted["accountCombination"],
            "PeriodName": wanted["accountingPeriod"],
            "Currency": wanted["currency"],
            "BeginningBalance": before,
            "PeriodActivity": within,
            "EndingBalance": before + within,
        }
    ]
