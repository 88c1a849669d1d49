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
from tieout.arrays import handles
from tieout.canonical import DETAILS, ENTRIES, ITEMS
from tieout.matching.conform import conform
from tieout.matching.ladder import Ladder
from tieout.matching.weights import minor_units, weigh

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["FAR", "UNUSED", "Prepared", "prepare"]

#: Canonical columns no rung asks for; who has large tables need not read them.
UNUSED: Final = frozenset(
    {
        *("statement_id", "ordinal", "line_no", "status", "swift_type", "source", "company"),
        *("code_domain", "code_family", "code_proprietary", "counterparty_bic", "ultimate_name"),
        *("reference_type", "purpose", "fx_rate", "charges"),
    }
)

#: Number of a day that is not known: no window reaches it.
FAR: Final = 10**7

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tables ready for the engine.

    Columns of ``FEW_VALUES`` are dictionaries, but for details.

    ``entries``: eid, part, wild, amt, unit, bday + canonical columns; ``details``: did, eid,
    single, amt (its own), eamt (its entry's) + canonical columns; ``items``: iid, part, amt,
    unit, tier, booked_on_no, due_on_no + canonical columns, ``amount`` being what is still open.
    ``unfit`` are (side, id, reason) of rows left out; ``shared`` says that some items belong to
    no account; ``absent`` names columns without any value (``details.uetr``). ``currencies`` and
    ``accounts`` number their values as ``part`` does: account × 1000 + currency.
    """

    entries: pa.Table
    details: pa.Table
    items: pa.Table
    unfit: tuple[tuple[str, str, str], ...]
    shared: bool
    absent: frozenset[str]
    currencies: dict[str, int]
    accounts: dict[str, int]


def prepare(
    entries: pa.Table, details: pa.Table | None, items: pa.Table, ladder: Ladder
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
    if details is None:
        details = _details_of(entries)
    bank, books = conform(entries, ENTRIES, "entries"), conform(items, ITEMS, "items")
    books = books.set_column(
        books.schema.get_field_index("amount"),
        "amount",
        pc.coalesce(books["open_amount"], books["amount"]),
    )
    bank, bank_minor, unit, bank_bad = weigh(bank, "entry", "entry_id")
    books, books_minor, books_unit, books_bad = weigh(books, "item", "item_id")
    part, item_part, wild, currencies, accounts = _parts(bank, books)
    shared = bool((item_part < 0).any())
    day = pc.coalesce(bank["booked_on"], bank["valued_on"])
    count = len(bank)
    prepared = _with(
        bank,
        eid=np.arange(count),
        part=part,
        wild=wild,
        amt=bank_minor,
        unit=unit,
        bday=_day_numbers(day, ladder),
    )
    books = _books(books, item_part, books_minor, books_unit, ladder)
    lines = _details(conform(details, DETAILS, "details"), bank, part, wild, bank_minor, unit)
    absent = _absent(prepared, lines, books)
    unfit = tuple(sorted(bank_bad + books_bad))
    return Prepared(prepared, lines, books, unfit, shared, absent, currencies, accounts)


def _books(books: pa.Table, part: Ints, minor: Ints, unit: Ints, ladder: Ladder) -> pa.Table:
    """Items with their handles, weights, tiers and days."""
    due = pc.coalesce(books["due_on"], books["booked_on"])
    return _with(
        books,
        iid=np.arange(len(books)),
        part=part,
        amt=minor,
        unit=unit,
        tier=_tiers(books, ladder),
        booked_on_no=_day_numbers(books["booked_on"], ladder),
        due_on_no=_day_numbers(due, ladder),
    )


def _absent(entries: pa.Table, details: pa.Table, items: pa.Table) -> frozenset[str]:
    """Columns without any value; ``details.fanout`` where no entry has several details."""
    absent = {
        f"{name}.{column}"
        for name, table, schema in (
            ("entries", entries, ENTRIES),
            ("details", details, DETAILS),
            ("items", items, ITEMS),
        )
        for column in schema.names
        if table[column].null_count == len(table)
    }
    if not (details["fanout"].to_numpy() > 1).any():
        absent.add("details.fanout")
    return frozenset(absent)


def _details_of(entries: pa.Table) -> pa.Table:
    """One detail an entry, from columns the entries table carries itself."""
    names = [n for n in DETAILS.names if n in entries.column_names and n != "narrative"]
    return entries.select(names)


def _with(table: pa.Table, **columns: npt.NDArray[np.int64]) -> pa.Table:
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    return table


def _codes(
    first: pa.ChunkedArray[Any], second: pa.ChunkedArray[Any]
) -> tuple[Ints, Ints, dict[str, int]]:
    """The same small number for the same text in both columns, -1 for null; and the numbers."""
    numbers: dict[str, int] = {}
    made = []
    for column in (first, second):
        coded: Any = column.combine_chunks().dictionary_encode()
        known = [numbers.setdefault(text, len(numbers)) for text in coded.dictionary.to_pylist()]
        index = pc.fill_null(coded.indices, len(known)) if coded.null_count else coded.indices
        made.append(np.array([*known, -1], dtype="int64")[index.to_numpy(zero_copy_only=False)])
    return made[0], made[1], numbers


def _parts(
    bank: pa.Table, books: pa.Table
) -> tuple[Ints, Ints, Ints, dict[str, int], dict[str, int]]:
    """Partition numbers (account and currency) of both sides, and each entry's shared one."""
    money, item_money, currencies = _codes(bank["currency"], books["currency"])
    account, item_account, accounts = _codes(bank["account_id"], books["account_id"])
    wild = -(money + 1)
    part = np.where(account < 0, -(10**6) - money, account * 1000 + money)
    item_part = np.where(item_account < 0, -(item_money + 1), item_account * 1000 + item_money)
    return part, item_part, wild, currencies, accounts


def _tiers(books: pa.Table, ladder: Ladder) -> Ints:
    """Which group of kinds an item belongs to; a null kind is the first, an unlisted one -1."""
    coded: Any = books["kind"].combine_chunks().dictionary_encode()
    rank = {kind: tier for tier, kinds in enumerate(ladder.kinds) for kind in kinds}
    known = [rank.get(kind, -1) for kind in coded.dictionary.to_pylist()]
    index = pc.fill_null(coded.indices, len(known)).to_numpy(zero_copy_only=False)
    numbers: Ints = np.array([*known, 0], dtype="int64")[index]
    return numbers


def _day_numbers(days: pa.ChunkedArray[Any], ladder: Ladder) -> Ints:
    known = np.asarray(days.is_valid().to_numpy(), dtype=bool)
    if not known.any():
        return np.full(len(days), FAR, dtype="int64")
    filled = pc.fill_null(days, pc.min(days)).combine_chunks()
    return np.where(known, banking_days.numbers(filled, ladder.calendar), FAR)


def _details(
    details: pa.Table, bank: pa.Table, part: Ints, wild: Ints, minor: Ints, unit: Ints
) -> pa.Table:
    """Details with their entry's handle and facts; details of absent entries are left out."""
    ids = bank["entry_id"].combine_chunks()
    own = details["entry_id"].combine_chunks()
    if own.equals(ids):
        one = np.ones(len(ids), dtype="int64")
        amount, exact = minor_units(details["amount"].combine_chunks(), unit)
        table = _with(
            details,
            did=np.arange(len(details)),
            eid=np.arange(len(ids)),
            part=part,
            wild=wild,
            eamt=minor,
            unit=unit,
            fanout=one,
        )
        return table.append_column("amt", _masked(amount, exact))
    eid = _in_order(own, ids)
    if eid is None:
        found = pc.index_in(own, value_set=ids)
        if found.null_count:
            details = details.filter(found.is_valid())
            found = found.drop_null()
        eid = found.to_numpy(zero_copy_only=False).astype("int64")
    per_entry = np.bincount(eid, minlength=len(ids)) if len(ids) else eid
    amount, exact = minor_units(details["amount"].combine_chunks(), unit[eid])
    table = _with(
        details,
        did=np.arange(len(details)),
        eid=eid,
        part=part[eid],
        wild=wild[eid],
        eamt=minor[eid],
        unit=unit[eid],
        fanout=per_entry[eid],
    )
    return table.append_column("amt", _masked(amount, exact))


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


def _masked(values: Ints, known: npt.NDArray[np.bool_]) -> pa.Array[Any]:
    return pa.array(values) if known.all() else pa.array(values, mask=~known)
