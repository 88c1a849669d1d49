"""The dice of a world: accounts, parties, amounts, days and numbers, drawn by the column."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.matching.blocks import Block, Columns, Payments, block
from benchmarks.matching.settings import PLACES, Setting
from benchmarks.matching.text import Flags, Ints, Text, codes, digits, join, pick

__all__ = ["KINDS", "Draw"]

KINDS: Final = ("cash_book", "payable", "receivable", "expense", "payment")
CASH_BOOK, PAYABLE, RECEIVABLE, EXPENSE, PAYMENT = range(5)

#: The last business day rendered, and how many before it.
_LAST: Final = date(2026, 11, 20)
_DAYS: Final = 63
_ROOM: Final = 5_000_000  # numbers of documents and parties a part of the world can use


class Draw:
    """A part's dice: same setting, seed and part, same draws.

    Attributes:
        rng: the generator everything is drawn from.
        places: decimals of each account.
        own: party whose account each own account is, so that nobody else has it.
        twin: to each account the next of the same currency, -1 where there is none.
        business_days: days entries are booked on, and 120 before them for the books.
    """

    def __init__(self, setting: Setting, entries: int, seed: int, part: int = 0) -> None:
        self.setting = setting
        self.rng = np.random.default_rng([seed, part])
        self.part = part
        self.currencies = [currency for currency, _ in setting.accounts]
        self.places = np.array([PLACES[c] for c in self.currencies])
        self.own = (part + 1) * _ROOM - 100 + np.arange(len(self.currencies))
        self.twin = np.array([self._other(place) for place in range(len(self.currencies))])
        weights = np.array([weight for _, weight in setting.accounts], dtype=np.int64)
        self._weights = weights / weights.sum()
        self._parties = max(20, entries * setting.parties // 1000)
        self._fresh = part * _ROOM + self._parties
        self._number = part * _ROOM + 41_000
        last = np.datetime64(_LAST, "D")
        days = np.busday_offset(last, np.arange(-_DAYS - 119, 1), roll="backward")
        self.business_days: Ints = days.astype("datetime64[D]").astype(np.int64)
        prices = np.exp(self.rng.normal(np.log(setting.median), 0.9, setting.prices))
        self._prices = np.maximum(prices.astype(np.int64) // 50 * 50 - 5, 95)

    def _other(self, place: int) -> int:
        """The next own account of the same currency, −1 where there is none."""
        count = len(self.currencies)
        following = [(place + step) % count for step in range(1, count)]
        same = [i for i in following if self.currencies[i] == self.currencies[place]]
        return same[0] if same else -1

    # plain draws

    def chance(self, count: int, share: float) -> Flags:
        """True in about that share of the rows."""
        return self.rng.random(count) < share

    def below(self, limit: int, count: int) -> Ints:
        """Whole numbers from 0 up to below ``limit``."""
        return self.rng.integers(0, limit, count)

    def sizes(self, count: int, least: int, most: int, mean: int) -> Ints:
        """Sizes of groups: mostly small, some large."""
        drawn = least + self.rng.geometric(1 / max(mean - least + 1, 1), count) - 1
        return np.minimum(drawn, most)

    def numbers(self, count: int) -> Ints:
        """Numbers nobody else gets, in no order."""
        first = self._number
        self._number += count
        return first + self.rng.permutation(count)

    def fresh(self, count: int) -> Ints:
        """Parties nobody else gets."""
        first = self._fresh
        self._fresh += count
        return first + np.arange(count)

    def keys(self, count: int, style: int | None = None) -> Text:
        """References as payment systems make them, all different: E2E ids, run ids."""
        number = self.numbers(count)
        mixed = (number * 2_654_435_761) % 4_294_967_296
        if style == 0:
            return join("PAY-", digits(number, 9))
        letters = codes(mixed, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 7)
        return join(pick(("E2E", "NB26", "X", "20261"), number % 4), letters, digits(number, 8))

    # amounts, days, parties

    def amounts(self, acct: Ints) -> Ints:
        """Amounts without sign, in minor units of each account; many end like prices do."""
        count = len(acct)
        setting = self.setting
        raw = np.exp(self.rng.normal(np.log(setting.median), setting.spread, count))
        minor = np.clip(raw, 101, 9e9).astype(np.int64)
        ending = self.rng.random(count)
        minor = np.where(ending < 0.18, np.maximum(minor // 100, 1) * 100, minor)
        minor = np.where((ending >= 0.18) & (ending < 0.26), minor // 1000 * 1000 + 990, minor)
        listed = self.chance(count, setting.listed)
        minor = np.where(listed, self._prices[self.below(len(self._prices), count)], minor)
        places = self.places[acct]
        return np.where(places == 0, minor * 2, np.where(places == 3, minor * 4, minor))

    def days(self, count: int) -> Ints:
        """Days entries are booked on, as places in `business_days`."""
        return 120 + self.below(_DAYS - 1, count)

    def accts(self, count: int) -> Ints:
        """Own accounts, by weight."""
        drawn: Ints = self.rng.choice(len(self._weights), count, p=self._weights)
        return drawn.astype(np.int64)

    def parties(self, count: int) -> Ints:
        """Parties; few are frequent, many are rare."""
        drawn = (self.rng.random(count) ** 1.6 * self._parties).astype(np.int64)
        return self.part * _ROOM + drawn

    def partners(self, receipt: Flags) -> Ints:
        """Parties: customers have even numbers, suppliers odd ones; one in twenty is both."""
        party = self.parties(len(receipt))
        one = self.chance(len(receipt), 0.95)
        return np.where(one, party // 2 * 2 + ~receipt, party)

    def payments(
        self, count: int, *, incoming: float = 0.5, cash_book: float = 0.5, fresh: bool = False
    ) -> Payments:
        """Movements: ``incoming`` share of receipts, ``cash_book`` share already in the books'
        bank account; the rest are open documents. ``fresh``: parties of their own."""
        acct = self.accts(count)
        receipt = self.chance(count, incoming)
        amount = np.where(receipt, 1, -1) * self.amounts(acct)
        place = self.days(count)
        in_books = self.chance(count, cash_book)
        late = np.minimum(self.rng.geometric(0.55, count) - 1, 5)
        term = self.rng.choice(np.array([7, 14, 21, 30]), count)
        delay = np.clip(self.rng.normal(1, 4, count), -8, 14).astype(np.int64)
        due = self.business_days[place] - delay
        booked = np.where(in_books, self.business_days[place - late], due - term)
        kind = np.where(in_books, CASH_BOOK, np.where(receipt, RECEIVABLE, PAYABLE))
        party = self.fresh(count) if fresh else self.partners(receipt)
        return Payments(
            acct=acct,
            party=party,
            amount=amount,
            day=self.business_days[place],
            booked=booked,
            due=np.where(in_books, booked, due),
            kind=kind,
            person=np.zeros(count, dtype=np.bool_),
        )

    # columns

    def damage(self, count: int) -> Ints:
        """How the bank prints each name (`names.name_on_bank`)."""
        return np.where(self.chance(count, self.setting.damaged), 1 + self.below(6, count), 0)

    def orders(self, party: Ints, booked: npt.NDArray[Any]) -> Ints:
        """The purchase order of a document, by its party and day; a party has four, so that
        several of its documents share one."""
        order: Ints = 4_500_000_000 + party % 50_000_000 * 10 + booked % 4
        return order

    def entry(self, pay: Payments, group: Ints | None = None, **columns: Any) -> Columns:
        """Entries of movements, one each."""
        group = np.arange(len(pay)) if group is None else group
        return {"group": group, "acct": pay.acct, "amount": pay.amount, "day": pay.day, **columns}

    def detail(self, pay: Payments, entry: Ints | None = None, **columns: Any) -> Columns:
        """Details of movements, one each, with name and account of the party as banks show them."""
        count = len(pay)
        own: Columns = {
            "entry": np.arange(count) if entry is None else entry,
            "amount": pay.amount,
            "party": pay.party,
            "person": pay.person,
            "damage": self.damage(count),
            "iban": self.chance(count, self.setting.iban_shown),
        }
        return {**own, **columns}

    def item(self, pay: Payments, group: Ints | None = None, **columns: Any) -> Columns:
        """Items of movements, one each."""
        own: Columns = {
            "group": np.arange(len(pay)) if group is None else group,
            **{n: getattr(pay, n) for n in ("acct", "amount", "booked", "due", "kind", "party")},
            "person": pay.person,
        }
        return {**own, **columns}

    def pairs(
        self,
        story: str,
        pay: Payments,
        *,
        entry: Columns | None = None,
        detail: Columns | None = None,
        item: Columns | None = None,
        why: str | None = None,
        lone: bool = False,
    ) -> Block:
        """One entry with one detail against one item each; further columns as given."""
        return block(
            story,
            len(pay),
            self.entry(pay, **(entry or {})),
            self.detail(pay, **(detail or {})),
            self.item(pay, **(item or {})),
            why=why,
            lone=lone,
        )

    def day_text(self, days: npt.NDArray[Any]) -> Text:
        """Days as letters write them: 12.10.2026."""
        dates = days.astype("datetime64[D]")
        month = dates.astype("datetime64[M]")
        day = (dates - month).astype(np.int64) + 1
        return join(
            digits(day, 2), ".", digits(month.astype(np.int64) % 12 + 1, 2), ".",
            digits(month.astype(np.int64) // 12 + 1970),
        )  # fmt: skip
