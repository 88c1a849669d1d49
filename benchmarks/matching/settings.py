"""What can be set of a world: accounts, amounts, damage, and how much of which story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["PLACES", "RATES", "Setting"]

#: Decimals of the currencies that occur.
PLACES: Final[Mapping[str, int]] = {
    "CHF": 2,
    "DKK": 2,
    "EUR": 2,
    "GBP": 2,
    "JPY": 0,
    "KWD": 3,
    "NOK": 2,
    "SEK": 2,
    "USD": 2,
}

#: Rough units of each currency per euro: only weighs groups of several currencies in scores.
RATES: Final[Mapping[str, float]] = {
    "CHF": 0.94,
    "DKK": 7.46,
    "EUR": 1.0,
    "GBP": 0.85,
    "JPY": 162.0,
    "KWD": 0.33,
    "NOK": 11.7,
    "SEK": 11.3,
    "USD": 1.08,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """How a company's tables are made. Shares are parts of 1 unless said.

    Attributes:
        name: as on the command line.
        title: what company it is.
        accounts: currency and weight of each own account.
        median: typical payment, in hundredths.
        spread: of the amounts' logarithm.
        listed: share of amounts from a price list, which repeat.
        prices: how many prices the list has.
        parties: other parties per thousand entries.
        stories: weight of each story in entries (`stories.STORIES` lists them; 0 leaves one out).
        open_items: items that no entry belongs to, per entry.
        sentinel: share of absent references that a bank fills with NOTPROVIDED and the like.
        damaged: share of names not printed as the books have them.
        iban_shown: share of details that show the other party's account.
        account_known: share of open documents whose paying account the books know.
    """

    name: str
    title: str
    accounts: tuple[tuple[str, int], ...]
    median: int
    spread: float
    listed: float
    prices: int
    parties: int
    stories: Mapping[str, float] = field(default_factory=dict)
    open_items: float = 0.08
    sentinel: float = 0.5
    damaged: float = 0.6
    iban_shown: float = 0.5
    account_known: float = 0.7
