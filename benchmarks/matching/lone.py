"""Groups told by party and amount alone must be alone with them: equal rows are moved apart.

Two companies can share surname and trade and differ in the town only, which banks cut off; so a
party here is its surname and trade. What meets again after some tries keeps meeting: the group is
then marked undecidable.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from benchmarks.matching.blocks import Block, Columns
from benchmarks.matching.draw import Draw
from benchmarks.matching.names import stem_of
from benchmarks.matching.text import Flags, Ints

__all__ = ["part_equals"]

_TRIES: Final = 6


def part_equals(draw: Draw, blocks: list[Block]) -> None:
    """Move amounts of lone groups (whole minor units, both sides alike) until none meets."""
    for _ in range(_TRIES):
        if not _moved(draw, blocks):
            return
    for block, bad in _meeting(draw, blocks):
        if block.count:
            block.decidable = block.decidable & ~bad
            block.why = pa.array(
                ["same party and amount again" if b else None for b in bad.tolist()], pa.string()
            )


def _moved(draw: Draw, blocks: list[Block]) -> bool:
    moved = False
    for block, bad in _meeting(draw, blocks):
        if not bad.any():
            continue
        moved = True
        shift = np.where(bad, 1 + draw.below(40, len(bad)), 0)
        for side in (block.entries, block.items):
            side["amount"] = side["amount"] + np.sign(side["amount"]) * shift[_unit(block, side)]
        row = _unit(block, block.entries)[block.details["entry"]]
        amount = block.details["amount"]
        block.details["amount"] = amount + np.sign(amount) * shift[row]
    return moved


def _unit(block: Block, side: Columns) -> Ints:
    """What moves as one: the group of each row, or, where there are no groups, the row itself."""
    group: Ints = side["group"]
    return group if block.count else np.arange(len(group))


def _meeting(draw: Draw, blocks: list[Block]) -> list[tuple[Block, Flags]]:
    """Of each lone block what meets another row of the same party and amount: groups that meet
    any entry or item, entries without a group that meet an item."""
    keys = [(_entry_keys(draw, b), _keys(draw, b.items, b.items)) for b in blocks]
    items = np.concatenate([books for _, books in keys])
    crowded = np.concatenate(
        [_crowded(np.concatenate([bank for bank, _ in keys])), _crowded(items)]
    )
    found = []
    for block, (bank, books) in zip(blocks, keys, strict=True):
        if not block.lone:
            continue
        if not block.count:
            found.append((block, np.isin(bank, items)))
            continue
        bad = np.zeros(block.count, dtype=np.bool_)
        for side, own in ((block.entries, bank), (block.items, books)):
            bad[side["group"][np.isin(own, crowded)]] = True
        found.append((block, bad))
    return found


def _crowded(keys: Ints) -> Ints:
    ordered = np.sort(keys)
    crowded: Ints = ordered[1:][ordered[1:] == ordered[:-1]]
    return crowded


def _entry_keys(draw: Draw, block: Block) -> Ints:
    """Keys of a block's entries, by the party of their first detail."""
    party = {name: np.zeros(len(block.entries["group"]), dtype=np.int64) for name in _PARTY}
    rows = block.details["entry"]
    for name, column in party.items():
        column[rows[::-1]] = block.details[name][::-1]
    if not len(rows) and len(block.entries["group"]):
        for name, column in party.items():
            column[block.items["group"]] = block.items[name]
    return _keys(draw, block.entries, party)


_PARTY: Final = ("party", "person")


def _keys(draw: Draw, rows: Columns, party: Columns) -> Ints:
    """A number of each row's currency, amount and party's stem."""
    kinds = sorted(set(draw.currencies))
    currency = np.array([kinds.index(c) for c in draw.currencies])[rows["acct"]]
    stem = stem_of(party["party"], party["person"].astype(np.bool_))
    with np.errstate(over="ignore"):
        mixed = rows["amount"] * 1_000_003 + currency
        key: Ints = mixed * 600_011 + stem
    return key
