"""From blocks to canonical tables: ids, order, names, sentinels, and the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow

from benchmarks.matching import columns as col
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
    join,
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
    entry_group = col.groups(blocks, "entries", groups)
    item_group = col.groups(blocks, "items", groups)
    entries = [b.entries for b in blocks]
    items = [b.items for b in blocks]
    acct, day = col.ints(entries, "acct"), col.ints(entries, "day")
    order = np.lexsort((draw.rng.random(len(acct)), day, acct))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    shelf = np.lexsort((draw.rng.random(len(item_group)), col.ints(items, "booked")))
    entry_ids, item_ids = col.ids(draw, 1, len(order)), col.ids(draw, 3, len(shelf))
    bank = _entries(draw, entries, entry_ids, order)
    owner = place[col.owners(blocks)]
    truth = _truth(draw, blocks, (entry_group[order], entry_ids), (item_group[shelf], item_ids))
    return Part(
        bank, _details(draw, blocks, owner, bank), _items(draw, items, item_ids, shelf), truth
    )


# the tables


def _accounts(draw: Draw) -> Text:
    return names.account_of(draw.own)


def _entries(draw: Draw, parts: list[Columns], ids: Text, order: Ints) -> pa.Table:
    count = len(order)
    acct, day = col.ints(parts, "acct")[order], col.ints(parts, "day")[order]
    amount = col.ints(parts, "amount")[order]
    account = spread(_accounts(draw), acct)
    incoming = (amount > 0).astype(np.int64)
    family = spread(col.texts(parts, "code_family"), order)
    subfamily = spread(col.texts(parts, "code_subfamily"), order)
    size = col.ints(parts, "detail_count", 1)[order]
    return col.made(
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
            "booked_on": col.as_days(day),
            "valued_on": col.as_days(day - draw.chance(count, 0.1)),
            "status": pick(["booked"], np.zeros(count)),
            "reversal": pa.array(col.flags(parts, "reversal")[order]),
            "bank_ref": col.ids(draw, 0, count),
            "entry_ref": spread(col.texts(parts, "entry_ref"), order),
            "code_domain": pick(["PMNT"], np.zeros(count)),
            "code_family": pc.coalesce(family, pick(["ICDT", "RCDT"], incoming)),
            "code_subfamily": pc.coalesce(subfamily, pick(["ESCT"], np.zeros(count))),
            "narrative": spread(col.texts(parts, "narrative"), order),
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
    amount = decimals(col.ints(parts, "amount")[order], places, AMOUNT)
    columns: dict[str, Any] = {
        name: spread(col.texts(parts, name), order)
        for name in DETAILS.names
        if DETAILS.field(name).type == pa.string()
    }
    unsorted = _places(draw, pick(draw.currencies, _detail_accts(blocks)))
    end_to_end = columns["end_to_end_id"]
    columns |= {
        "detail_id": col.ids(draw, 2, count),
        "entry_id": spread(bank["entry_id"].combine_chunks(), entry),
        "ordinal": pa.array(np.arange(count) - np.searchsorted(entry, entry)),
        "line_no": pa.array(np.arange(count) * 9 + 44),
        "amount": col.unless(col.flags(parts, "silent")[order], amount),
        "currency": currency,
        "end_to_end_id": _filled(draw, end_to_end, draw.setting.sentinel),
        "original_amount": col.valued(parts, "original_amount", unsorted, own_places=True).take(
            pa.array(order)
        ),
        "fx_rate": col.rates(parts).take(pa.array(order)),
        "charges": col.valued(parts, "charges", unsorted, own_places=False).take(pa.array(order)),
    }
    columns |= _shown(draw, parts, order)
    return col.made(DETAILS, count, columns)


def _places(draw: Draw, currency: Text) -> Ints:
    index = pc.index_in(currency, pa.array(draw.currencies)).to_numpy(zero_copy_only=False)
    places: Ints = draw.places[index]
    return places


def _detail_accts(blocks: list[Block]) -> Ints:
    return np.concatenate([b.entries["acct"][b.details["entry"]] for b in blocks])


def _filled(draw: Draw, column: Text, share: float) -> Text:
    """Some of the absent references as banks and ERPs fill them."""
    count = len(column)
    said = pick(_SENTINELS, draw.below(len(_SENTINELS), count))
    return pc.coalesce(column, blank_where(~draw.chance(count, share), said))


def _shown(draw: Draw, parts: list[Columns], order: Ints) -> dict[str, Text]:
    """Name and account of the other party as the bank shows them."""
    own = col.ints(parts, "own_account", -1)[order]
    damage = col.ints(parts, "damage", -1)[order]
    name = _names(col.ints(parts, "party")[order], col.flags(parts, "person")[order], damage)
    account = names.account_of(col.ints(parts, "party")[order])
    account = blank_where(~col.flags(parts, "iban")[order], account)
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
    ints = {
        n: col.ints(parts, n)[shelf] for n in ("acct", "amount", "booked", "due", "kind", "party")
    }
    person = col.flags(parts, "person")[shelf]
    account = spread(_accounts(draw), ints["acct"])
    open_document = ints["kind"] != 0
    hidden = open_document & ~draw.chance(count, draw.setting.account_known)
    own = spread(col.texts(parts, "currency"), shelf)
    foreign = pc.is_valid(own).to_numpy(zero_copy_only=False)
    places = draw.places[col.ints(parts, "acct")]
    in_own = col.valued(parts, "amount_in", places, own_places=True).take(pa.array(shelf))
    booked = decimals(ints["amount"], draw.places[ints["acct"]], AMOUNT)
    amount = pc.coalesce(in_own, booked)
    # The bank knows some accounts of a party that the books do not have, and the other way round.
    unknown = ints["party"] * 31 % 10 >= 7
    nobody = ints["party"] < 0
    ordered = open_document & draw.chance(count, 0.2)
    orders = blank_where(~ordered, digits(draw.orders(ints["party"], ints["booked"])))
    reference = spread(col.texts(parts, "reference"), shelf)
    return col.made(
        ITEMS,
        count,
        {
            "item_id": ids,
            "source": pick(["erp"], np.zeros(count)),
            "company": pick([f"C{draw.part + 1:02d}"], np.zeros(count)),
            "account_id": blank_where(hidden | foreign, account),
            "kind": pick(KINDS, ints["kind"]),
            "document_no": spread(col.texts(parts, "document_no"), shelf),
            "currency": pc.coalesce(own, pick(draw.currencies, ints["acct"])),
            "amount": amount,
            "open_amount": amount,
            "booked_on": col.as_days(ints["booked"]),
            "due_on": col.unless(~open_document, col.as_days(ints["due"])),
            "reference": col.listed(reference, orders),
            "payment_batch_id": spread(col.texts(parts, "payment_batch_id"), shelf),
            "end_to_end_id": _filled(draw, spread(col.texts(parts, "end_to_end_id"), shelf), 0.02),
            "counterparty_id": blank_where(nobody, names.party_id(ints["party"])),
            "counterparty_name": _names(ints["party"], person, np.where(nobody, -1, 0)),
            "counterparty_account": blank_where(unknown | nobody, names.account_of(ints["party"])),
            "narrative": spread(col.texts(parts, "narrative"), shelf),
        },
    )


def _truth(
    draw: Draw, blocks: list[Block], bank: tuple[Ints, Text], books: tuple[Ints, Text]
) -> pa.Table:
    told = [b for b in blocks if b.count]
    count = sum(b.count for b in told)
    why = [b.why if isinstance(b.why, pa.Array) else pa.array(b.why, pa.string()) for b in told]
    return pa.Table.from_arrays(
        [
            col.ids(draw, 0, count),
            pa.concat_arrays([pick([b.story], np.zeros(b.count)) for b in told]),
            pa.array(np.concatenate([b.decidable for b in told])),
            pa.concat_arrays(why),
            col.members(*bank, count),
            col.members(*books, count),
        ],
        schema=TRUTH,
    )
