"""The engine's inputs: canonical tables made comparable, with dense ids and int64 minor units.

Columns that are absent are null. Rows the engine cannot weigh (no amount, an unknown currency,
more decimals than the currency has) are left out and said. Nothing here depends on the order of
the rows: the dense ids are only handles, no decision ever compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout import banking_days
from tieout.arrays import flags, handles
from tieout.canonical import DETAILS, ENTRIES, ITEMS
from tieout.matching.columns import Columns, Source, TableSource
from tieout.matching.ladder import Ladder
from tieout.matching.weights import minor_units, weigh

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["FAR", "Narrow", "Prepared", "prepare", "source_of"]

#: Number of a day that is not known: no window reaches it.
FAR: Final = 10**7

Ints = npt.NDArray[Any]


class Narrow:
    """Numbers kept in as few bytes as they need, and handed out in eight."""

    __slots__ = ("_values",)

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._values = values

    def __getitem__(self, rows: Ints) -> Ints:
        return self._values[rows].astype("int64", copy=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tables ready for the engine.

    Numbers by handle, each as narrow as its values allow. ``entries``: part, wild, amt, unit, bday;
    ``details``: eid, fanout, amt (its own, 0 where not ``known``); ``items``: part, amt (of what is
    still open), unit, tier, kind (a place in ``kinds``, -1 for none), booked_on_no, due_on_no.
    ``unfit`` are (side, id, reason) of rows left out; ``shared`` says that some items belong to
    no account; ``absent`` names columns without any value (``details.uetr``). ``currencies`` and
    ``accounts`` number their values as ``part`` does: account × 1000 + currency.
    """

    entries: Columns
    details: Columns
    items: Columns
    unfit: tuple[tuple[str, str, str], ...]
    shared: bool
    absent: frozenset[str]
    currencies: dict[str, int]
    accounts: dict[str, int]
    kinds: tuple[str, ...]


def source_of(table: pa.Table | Source) -> Source:
    """A table as a source of columns."""
    return TableSource(table) if isinstance(table, pa.Table) else table


def prepare(
    entries: pa.Table | Source,
    details: pa.Table | Source | None,
    items: pa.Table | Source,
    ladder: Ladder,
) -> Prepared:
    """Canonical tables as the engine wants them.

    Args:
        entries: at least entry_id, account_id, currency, amount and a date. Columns of `DETAILS`
            found here are used where ``details`` is None.
        details: at least entry_id.
        items: at least item_id, currency and amount; a null account_id fits any account.

    Raises:
        InputError: ``COLUMN_TYPE``, ``ID_MISSING``, ``ID_REPEATED``.
    """
    given = source_of(entries)
    bank, books = Columns(given, ENTRIES, "entries"), Columns(source_of(items), ITEMS, "items")
    if details is None:  # one detail an entry, from columns the entries table carries itself
        lines = Columns(given, DETAILS, "details", without=frozenset({"narrative"}))
    else:
        lines = Columns(source_of(details), DETAILS, "details")
    money, bank_bad = _bank(bank, ladder)
    item_money, books_bad = _books(books, ladder)
    part, item_part, wild, currencies, accounts = _parts(bank, books, money, item_money)
    bank.numbers |= {"part": part, "wild": wild}
    books.numbers["part"] = item_part
    _details(lines, bank)
    kinds = _kinds(books, ladder)
    shared = bool((item_part < 0).any())
    unfit = tuple(sorted(bank_bad + books_bad))
    absent = _absent(bank, lines, books)
    return Prepared(bank, lines, books, unfit, shared, absent, currencies, accounts, kinds)


_Unfit = list[tuple[str, str, str]]


def _bank(bank: Columns, ladder: Ladder) -> tuple[Any, _Unfit]:
    """Weights and days of the entries; returns their currencies and what was left out."""
    currency = bank.all("currency")
    minor, unit, bad, fit = weigh(bank, "entry", "entry_id", currency, bank.all("amount"))
    day = pc.coalesce(bank.all("booked_on"), bank.all("valued_on"))
    bank.numbers = {"amt": minor, "unit": unit, "bday": _day_numbers(day, ladder)}
    return (currency if fit.all() else currency.filter(flags(fit))), bad


def _books(books: Columns, ladder: Ladder) -> tuple[Any, _Unfit]:
    """The same of items, whose weight is what is still open."""
    currency = books.all("currency")
    amount = pc.coalesce(books.all("open_amount"), books.all("amount"))
    minor, unit, bad, fit = weigh(books, "item", "item_id", currency, amount)
    del amount
    booked = books.all("booked_on")
    due = pc.coalesce(books.all("due_on"), booked)
    books.numbers = {
        "amt": minor,
        "unit": unit,
        "booked_on_no": _day_numbers(booked, ladder),
        "due_on_no": _day_numbers(due, ladder),
    }
    return (currency if fit.all() else currency.filter(flags(fit))), bad


def _absent(entries: Columns, details: Columns, items: Columns) -> frozenset[str]:
    """Columns without any value; ``details.fanout`` where no entry has several details."""
    absent = {
        f"{name}.{column}"
        for name, columns in (("entries", entries), ("details", details), ("items", items))
        for column in columns.absent()
    }
    if not (details.numbers["fanout"] > 1).any():
        absent.add("details.fanout")
    return frozenset(absent)


def _codes(first: Any, second: Any) -> tuple[Ints, Ints, dict[str, int]]:
    """The same small number for the same text in both columns, -1 for null; and the numbers."""
    numbers: dict[str, int] = {}
    made = []
    for column in (first, second):
        coded: Any = column.dictionary_encode()
        known = [numbers.setdefault(text, len(numbers)) for text in coded.dictionary.to_pylist()]
        index = pc.fill_null(coded.indices, len(known)) if coded.null_count else coded.indices
        made.append(np.array([*known, -1], dtype="int64")[index.to_numpy(zero_copy_only=False)])
    return made[0], made[1], numbers


def _parts(
    bank: Columns, books: Columns, currency: Any, item_currency: Any
) -> tuple[Ints, Ints, Ints, dict[str, int], dict[str, int]]:
    """Partition numbers (account and currency) of both sides, and each entry's shared one."""
    money, item_money, currencies = _codes(currency, item_currency)
    account, item_account, accounts = _codes(bank.all("account_id"), books.all("account_id"))
    wild = (-(money + 1)).astype("int32")
    part = np.where(account < 0, -(10**6) - money, account * 1000 + money)
    item_part = np.where(item_account < 0, -(item_money + 1), item_account * 1000 + item_money)
    return part, item_part, wild, currencies, accounts


def _kinds(books: Columns, ladder: Ladder) -> tuple[str, ...]:
    """Each item's kind and the group of kinds it belongs to: a null kind is of the first, an
    unlisted one of none (-1). Returns the kinds by number."""
    coded: Any = books.all("kind").dictionary_encode()
    kinds = tuple(coded.dictionary.to_pylist())
    rank = {kind: tier for tier, kinds in enumerate(ladder.kinds) for kind in kinds}
    known = [rank.get(kind, -1) for kind in kinds]
    index = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    books.numbers["tier"] = np.array([*known, 0], dtype="int16")[index]
    books.numbers["kind"] = index.astype("int16") if len(kinds) < 1 << 15 else index
    return kinds


def _day_numbers(days: Any, ladder: Ladder) -> Ints:
    if days.null_count == len(days):
        return np.full(len(days), FAR, dtype="int32")
    filled = pc.fill_null(days, pc.min(days)) if days.null_count else days
    numbers = banking_days.numbers(filled, ladder.calendar).astype("int32")
    if days.null_count:
        numbers[~np.asarray(days.is_valid().to_numpy(zero_copy_only=False), dtype=bool)] = FAR
    return numbers


def _details(details: Columns, bank: Columns) -> None:
    """The details' entries and weights; details of absent entries are left out."""
    ids, unit = bank.all("entry_id", lasting=True), bank.numbers["unit"]
    own = details.all("entry_id")
    amounts = details.all("amount")
    if own.equals(ids):
        eid, fanout = np.arange(len(ids), dtype="int32"), np.ones(len(ids), dtype="int32")
        amount, known = minor_units(amounts, unit)
    else:
        found = _in_order(own, ids)
        if found is None:
            place = pc.index_in(own, value_set=ids)
            if place.null_count:
                fit = np.asarray(place.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
                details.keep(fit)
                place, amounts = place.drop_null(), amounts.filter(flags(fit))
            found = place.to_numpy(zero_copy_only=False)
        eid = found.astype("int32")
        fanout = np.bincount(eid, minlength=len(ids)).astype("int32")[eid]
        amount, known = minor_units(amounts, unit[eid])
    details.numbers = {"eid": eid, "fanout": fanout, "amt": amount, "known": known}


def _in_order(own: Any, ids: Any) -> Ints | None:
    """Which id each of the details' is, where they stand in the order of the entries, all of which
    have some; None where they do not, and must be looked up."""
    if len(own) < len(ids) or not len(ids) or own.null_count:
        return None
    other = pc.not_equal(own.slice(1), own.slice(0, len(own) - 1))
    new = np.append(True, other.to_numpy(zero_copy_only=False)).astype(bool)
    heads = np.flatnonzero(new)
    if len(heads) != len(ids) or not own.take(handles(heads)).equals(ids):
        return None
    return np.cumsum(new) - 1
