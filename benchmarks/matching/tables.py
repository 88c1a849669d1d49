"""From blocks to canonical tables: ids, order, names, sentinels, and the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow

from benchmarks.matching import names
from benchmarks.matching.blocks import Block, Columns
from benchmarks.matching.draw import KINDS, Draw
from benchmarks.matching.text import (
    Flags,
    Ints,
    Text,
    blank_where,
    choose,
    decimals,
    digits,
    hex_ids,
    join,
    nulls,
    pc,
    pick,
    spread,
)
from tieout.canonical import AMOUNT, DETAILS, ENTRIES, ITEMS

#: The stubs know few of the overloads used here.
pa: Any = pyarrow

__all__ = ["TRUTH", "Part", "tables"]

#: What belongs together: ids of the entries and of the items of each group.
TRUTH: Final = pa.schema(
    [
        pa.field("truth_id", pa.string()),
        pa.field("story", pa.string()),
        pa.field("decidable", pa.bool_()),
        pa.field("why", pa.string()),
        pa.field("entries", pa.list_(pa.string())),
        pa.field("items", pa.list_(pa.string())),
    ]
)

_SENTINELS: Final = ("NOTPROVIDED", "NOTPROVIDED", "NONREF", "NOT PROVIDED", "0")
_OWN_NAME: Final = "Nordlicht Maschinenbau GmbH"


@dataclass(frozen=True, slots=True)
class Part:
    """Canonical tables of a part of a world, and its truth."""

    entries: pa.Table
    details: pa.Table
    items: pa.Table
    truth: pa.Table


def tables(draw: Draw, blocks: list[Block]) -> Part:
    """Blocks as one part: rows in the order a bank and an ERP would list them."""
    groups = np.cumsum([0, *(b.count for b in blocks)])
    entry_group = _groups(blocks, "entries", groups)
    item_group = _groups(blocks, "items", groups)
    entries = [b.entries for b in blocks]
    items = [b.items for b in blocks]
    acct, day = _ints(entries, "acct"), _ints(entries, "day")
    order = np.lexsort((draw.rng.random(len(acct)), day, acct))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    shelf = np.lexsort((draw.rng.random(len(item_group)), _ints(items, "booked")))
    entry_ids, item_ids = _ids(draw, 1, len(order)), _ids(draw, 3, len(shelf))
    bank = _entries(draw, entries, entry_ids, order)
    owner = place[_owners(blocks)]
    truth = _truth(draw, blocks, (entry_group[order], entry_ids), (item_group[shelf], item_ids))
    return Part(
        bank, _details(draw, blocks, owner, bank), _items(draw, items, item_ids, shelf), truth
    )


def _groups(blocks: list[Block], side: str, first: Ints) -> Ints:
    """The number of each row's group in the whole part; −1 for none."""
    parts = [getattr(b, side)["group"] for b in blocks]
    return np.concatenate(
        [np.where(part < 0, -1, part + start) for part, start in zip(parts, first, strict=False)]
    )


def _owners(blocks: list[Block]) -> Ints:
    first = np.cumsum([0, *(len(b.entries["group"]) for b in blocks)])
    return np.concatenate(
        [b.details["entry"] + start for b, start in zip(blocks, first, strict=False)]
    ).astype(np.int64)


def _ids(draw: Draw, side: int, count: int) -> Text:
    """Ids that tell nothing and never repeat: a bijection of 64-bit numbers."""
    number = np.arange(count, dtype=np.uint64) + np.uint64((draw.part * 4 + side) << 32)
    with np.errstate(over="ignore"):
        for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
            number = (number ^ (number >> np.uint64(30))) * np.uint64(factor)
    return hex_ids(number ^ (number >> np.uint64(31)))


# columns of several blocks


def _length(columns: Columns) -> int:
    return len(columns["acct"] if "acct" in columns else columns["entry"])


def _ints(parts: list[Columns], name: str, default: int = 0) -> Ints:
    return np.concatenate(
        [np.asarray(p.get(name, np.full(_length(p), default))).astype(np.int64) for p in parts]
    )


def _flags(parts: list[Columns], name: str) -> Flags:
    return _ints(parts, name).astype(np.bool_)


def _texts(parts: list[Columns], name: str) -> Text:
    columns = []
    for part in parts:
        given = part.get(name)
        if isinstance(given, str):
            given = pick([given], np.zeros(_length(part)))
        columns.append(nulls(_length(part)) if given is None else given.cast(pa.string()))
    return pa.concat_arrays(columns)


def _valued(
    parts: list[Columns], name: str, places: npt.NDArray[Any], *, own_places: bool, scale: int = 5
) -> Text:
    """Amounts that only some rows have; ``own_places``: the second column are their decimals,
    otherwise it says which rows have one."""
    minor, second = [], []
    for part in parts:
        given = part.get(name)
        none = np.zeros(_length(part), dtype=np.int64)
        first, other = (none, none - own_places) if given is None else given
        minor.append(first)
        second.append(other)
    amount, beside = np.concatenate(minor), np.concatenate(second)
    if own_places:
        missing, places = beside < 0, np.maximum(beside, 0)
    else:
        missing = ~beside.astype(np.bool_)
    return _null(missing, decimals(amount, places, AMOUNT, scale))


def _null(missing: npt.NDArray[Any], column: Text) -> Text:
    return pc.if_else(pa.array(missing), pa.scalar(None, column.type), column)


def _days(days: Ints) -> Text:
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def _made(schema: pa.Schema, count: int, columns: dict[str, Any]) -> pa.Table:
    """A table of the schema; what is not given is null."""
    return pa.Table.from_arrays(
        [columns[f.name] if f.name in columns else pa.nulls(count, f.type) for f in schema],
        schema=schema,
    )


# the tables


def _accounts(draw: Draw) -> Text:
    return names.account_of(np.arange(len(draw.currencies)) + 7 + draw.part * 977, "DE")


def _entries(draw: Draw, parts: list[Columns], ids: Text, order: Ints) -> pa.Table:
    count = len(order)
    acct, day = _ints(parts, "acct")[order], _ints(parts, "day")[order]
    amount = _ints(parts, "amount")[order]
    account = spread(_accounts(draw), acct)
    incoming = (amount > 0).astype(np.int64)
    family = spread(_texts(parts, "code_family"), order)
    subfamily = spread(_texts(parts, "code_subfamily"), order)
    size = _ints(parts, "detail_count", 1)[order]
    return _made(
        ENTRIES,
        count,
        {
            "entry_id": ids,
            "statement_id": join(account, "-", digits(day)),
            "ordinal": pa.array(np.arange(count)),
            "line_no": pa.array(np.arange(count) * 12 + 40),
            "account_id": account,
            "currency": pick(draw.currencies, acct),
            "amount": decimals(amount, draw.places[acct], AMOUNT),
            "booked_on": _days(day),
            "valued_on": _days(day - draw.chance(count, 0.1)),
            "status": pick(["booked"], np.zeros(count)),
            "reversal": pa.array(_flags(parts, "reversal")[order]),
            "bank_ref": _ids(draw, 0, count),
            "entry_ref": spread(_texts(parts, "entry_ref"), order),
            "code_domain": pick(["PMNT"], np.zeros(count)),
            "code_family": pc.coalesce(family, pick(["ICDT", "RCDT"], incoming)),
            "code_subfamily": pc.coalesce(subfamily, pick(["ESCT"], np.zeros(count))),
            "narrative": spread(_texts(parts, "narrative"), order),
            "detail_count": pa.array(size),
        },
    )


def _details(draw: Draw, blocks: list[Block], owner: Ints, bank: pa.Table) -> pa.Table:
    parts = [b.details for b in blocks]
    order = np.argsort(owner, kind="stable")
    count = len(order)
    entry = owner[order]
    currency = spread(bank["currency"].combine_chunks(), entry)
    places = _places(draw, currency)
    amount = decimals(_ints(parts, "amount")[order], places, AMOUNT)
    columns: dict[str, Any] = {
        name: spread(_texts(parts, name), order)
        for name in DETAILS.names
        if DETAILS.field(name).type == pa.string()
    }
    unsorted = _places(draw, pick(draw.currencies, _detail_accts(blocks)))
    end_to_end = columns["end_to_end_id"]
    columns |= {
        "detail_id": _ids(draw, 2, count),
        "entry_id": spread(bank["entry_id"].combine_chunks(), entry),
        "ordinal": pa.array(np.arange(count) - np.searchsorted(entry, entry)),
        "line_no": pa.array(np.arange(count) * 9 + 44),
        "amount": _null(_flags(parts, "silent")[order], amount),
        "currency": currency,
        "end_to_end_id": _filled(draw, end_to_end, draw.setting.sentinel),
        "original_amount": _valued(parts, "original_amount", unsorted, own_places=True).take(
            pa.array(order)
        ),
        "fx_rate": _rates(parts).take(pa.array(order)),
        "charges": _valued(parts, "charges", unsorted, own_places=False).take(pa.array(order)),
    }
    columns |= _shown(draw, parts, order)
    return _made(DETAILS, count, columns)


def _places(draw: Draw, currency: Text) -> Ints:
    index = pc.index_in(currency, pa.array(draw.currencies)).to_numpy(zero_copy_only=False)
    places: Ints = draw.places[index]
    return places


def _detail_accts(blocks: list[Block]) -> Ints:
    return np.concatenate([b.entries["acct"][b.details["entry"]] for b in blocks])


def _rates(parts: list[Columns]) -> Text:
    rate = _ints(parts, "fx_rate")
    exact = decimals(rate, np.full(len(rate), 5), pa.decimal128(23, 10), scale=10)
    return _null(rate == 0, exact)


def _filled(draw: Draw, column: Text, share: float) -> Text:
    """Some of the absent references as banks and ERPs fill them."""
    count = len(column)
    said = pick(_SENTINELS, draw.below(len(_SENTINELS), count))
    return pc.coalesce(column, blank_where(~draw.chance(count, share), said))


def _shown(draw: Draw, parts: list[Columns], order: Ints) -> dict[str, Text]:
    """Name and account of the other party as the bank shows them."""
    own = _ints(parts, "own_account", -1)[order]
    damage = _ints(parts, "damage", -1)[order]
    name = _names(_ints(parts, "party")[order], _flags(parts, "person")[order], damage)
    account = names.account_of(_ints(parts, "party")[order])
    account = blank_where(~_flags(parts, "iban")[order], account)
    ours = (own >= 0).astype(np.int64)
    return {
        "counterparty_name": choose(ours, [name, _OWN_NAME]),
        "counterparty_account": choose(
            ours, [account, spread(_accounts(draw), np.maximum(own, 0))]
        ),
    }


def _names(party: Ints, person: Flags, damage: Ints) -> Text:
    """Names with their damage; null where it is −1. Worked out once for each that occurs."""
    key, inverse = np.unique((party * 2 + person) * 8 + damage + 1, return_inverse=True)
    owner, kind = key // 8 // 2, (key // 8 % 2).astype(np.int64)
    clean = choose(kind, [names.name_in_books(owner), names.person_in_books(owner)])
    drawn = key % 8 - 1
    shown = names.name_on_bank(clean, np.maximum(drawn, 0))
    return spread(blank_where(drawn < 0, shown), inverse)


def _items(draw: Draw, parts: list[Columns], ids: Text, shelf: Ints) -> pa.Table:
    count = len(shelf)
    ints = {n: _ints(parts, n)[shelf] for n in ("acct", "amount", "booked", "due", "kind", "party")}
    person = _flags(parts, "person")[shelf]
    account = spread(_accounts(draw), ints["acct"])
    open_document = ints["kind"] != 0
    hidden = open_document & ~draw.chance(count, draw.setting.account_known)
    own = spread(_texts(parts, "currency"), shelf)
    foreign = pc.is_valid(own).to_numpy(zero_copy_only=False)
    places = draw.places[_ints(parts, "acct")]
    in_own = _valued(parts, "amount_in", places, own_places=True).take(pa.array(shelf))
    booked = decimals(ints["amount"], draw.places[ints["acct"]], AMOUNT)
    amount = pc.coalesce(in_own, booked)
    # The bank knows some accounts of a party that the books do not have, and the other way round.
    unknown = ints["party"] * 31 % 10 >= 7
    nobody = ints["party"] < 0
    reference = spread(_texts(parts, "reference"), shelf)
    return _made(
        ITEMS,
        count,
        {
            "item_id": ids,
            "source": pick(["erp"], np.zeros(count)),
            "company": pick([f"C{draw.part + 1:02d}"], np.zeros(count)),
            "account_id": blank_where(hidden | foreign, account),
            "kind": pick(KINDS, ints["kind"]),
            "document_no": spread(_texts(parts, "document_no"), shelf),
            "currency": pc.coalesce(own, pick(draw.currencies, ints["acct"])),
            "amount": amount,
            "open_amount": amount,
            "booked_on": _days(ints["booked"]),
            "due_on": _null(~open_document, _days(ints["due"])),
            "reference": _listed(reference),
            "payment_batch_id": spread(_texts(parts, "payment_batch_id"), shelf),
            "end_to_end_id": _filled(draw, spread(_texts(parts, "end_to_end_id"), shelf), 0.02),
            "counterparty_id": blank_where(nobody, names.party_id(ints["party"])),
            "counterparty_name": _names(ints["party"], person, np.where(nobody, -1, 0)),
            "counterparty_account": blank_where(unknown | nobody, names.account_of(ints["party"])),
            "narrative": spread(_texts(parts, "narrative"), shelf),
        },
    )


def _listed(text: Text) -> Text:
    """Each text as a list of one; nulls stay null."""
    there = pc.is_valid(text).to_numpy(zero_copy_only=False)
    offsets = np.r_[0, np.cumsum(there)].astype(np.int32)
    mask = pa.array(np.r_[~there, False])
    starts = pc.if_else(mask, pa.scalar(None, pa.int32()), pa.array(offsets))
    return pa.ListArray.from_arrays(starts, text.drop_null())


def _truth(
    draw: Draw, blocks: list[Block], bank: tuple[Ints, Text], books: tuple[Ints, Text]
) -> pa.Table:
    told = [b for b in blocks if b.count]
    count = sum(b.count for b in told)
    why = [b.why if isinstance(b.why, pa.Array) else pa.array(b.why, pa.string()) for b in told]
    return pa.Table.from_arrays(
        [
            _ids(draw, 0, count),
            pa.concat_arrays([pick([b.story], np.zeros(b.count)) for b in told]),
            pa.array(np.concatenate([b.decidable for b in told])),
            pa.concat_arrays(why),
            _members(*bank, count),
            _members(*books, count),
        ],
        schema=TRUTH,
    )


def _members(group: Ints, ids: Text, count: int) -> Text:
    order = np.argsort(group, kind="stable")
    order = order[np.searchsorted(group[order], 0) :]
    offsets = np.searchsorted(group[order], np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), spread(ids, order))
