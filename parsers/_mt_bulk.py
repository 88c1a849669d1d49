"""Entries of a block of MT text as columns: those of the usual form, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from parsers._columns import (
    NO_TEXT,
    Bools,
    Column,
    Ints,
    amounts,
    arrow,
    days,
    filled,
    pc,
    said,
    strings,
    trimmed,
    whole_numbers,
    without,
)
from parsers._mt_bulk61 import EXPONENT, Line, lines_61
from parsers._mt_bulk86 import texts_86
from parsers._mt_entry import POINTERS
from parsers._mt_lines import Layout, layout
from tieout.arrays import flags, listed, word
from tieout.canonical import DETAILS, ENTRIES

__all__ = ["Bulk", "Run", "Sums", "read_block"]

_POINTER: Final = listed(sorted(POINTERS))
_BOOKED, _ONE, _POINT, _NO_LETTERS, _LINE_END = map(word, ("booked", "1", ".", "", "\n"))
#: Supplementary lines that say more than text: amounts, or perhaps the other side's account.
_HARD_NOTE: Final = "/(OCMT|CHGS)/|^ *[A-Z] *[A-Z] *[0-9] *[0-9] *([A-Z0-9] *){11}"
_FROM_TEXT: Final = (
    "counterparty_account", "counterparty_bic", "counterparty_name", "end_to_end_id",
    "mandate_id", "narrative", "payment_info_id", "purpose", "ultimate_name",
)  # fmt: skip
_USUAL_PLACES: Final = 2
_SUM_MAX: Final = 1 << 62
#: Amounts below this can be summed by the million in 64 bits.
_LOW: Final = 10**8


class Run(NamedTuple):
    """Consecutive entries taken from the block, and what they have in common."""

    first: int
    stop: int
    before: int  # entries of the statement that stand before them
    statement_id: str
    account_id: str | None
    currency: str


class Sums(NamedTuple):
    """Entries of one kind in a run: money out or in, reversed or not."""

    negative: bool
    reversal: bool
    entries: int
    total: Decimal  # without sign, with as many decimals as the longest as written


@dataclass(frozen=True, slots=True)
class Bulk:
    """The entries of a block; rows that are not ``usual`` are the strict reader's.

    ``running`` has counts and sums of all usual entries before each, by kind: 1 is money out, 2 is
    a reversal, 3 both; None where amounts are too large or not all written with two decimals.
    """

    layout: Layout
    usual: Bools
    line: Line
    columns: dict[str, Column]
    running: dict[int, tuple[Ints, Ints]] | None

    def runs(self) -> list[tuple[int, int]]:
        """Whole entries that follow each other: first and behind the last of each run."""
        whole, lines = self.layout.whole, self.layout
        goes_on = np.zeros(len(whole), np.bool_)
        goes_on[1:] = whole[1:] & whole[:-1] & (lines.stop[:-1] == lines.first[1:])
        first = np.flatnonzero(whole & ~goes_on)
        last = np.flatnonzero(whole & ~np.append(goes_on[1:], False))
        return list(zip(first.tolist(), (last + 1).tolist(), strict=True))

    def sums(self, first: int, stop: int) -> list[Sums]:
        """Counts and sums of the usual entries from `first` up to `stop`."""
        if self.running is None:
            return self._sums(first, stop)
        found: list[Sums] = []
        for which, (counts, totals) in self.running.items():
            count = int(counts[stop] - counts[first])
            if count:
                value = self._money(int(totals[stop] - totals[first]), _USUAL_PLACES)
                found.append(Sums(bool(which & 1), bool(which & 2), count, value))
        return found

    def _sums(self, first: int, stop: int) -> list[Sums]:
        """The same for amounts that are written in different ways, or very large."""
        at = slice(first, stop)
        amount, usual = self.line.amount[at], self.usual[at]
        kind = (amount < 0) + 2 * self.line.reversal[at]
        found: list[Sums] = []
        for which in range(4):
            chosen = usual & (kind == which)
            count = int(np.count_nonzero(chosen))
            if count:
                high, low = np.divmod(np.abs(amount[chosen]), _LOW)
                total = int(high.sum()) * _LOW + int(low.sum())
                value = self._money(total, int(self.line.decimals[at][chosen].max()))
                found.append(Sums(bool(which & 1), bool(which & 2), count, value))
        return found

    @staticmethod
    def _money(scaled: int, places: int) -> Decimal:
        return Decimal(scaled // 10 ** (EXPONENT - places)).scaleb(-places)

    def tables(self, runs: Sequence[Run], line_no: int) -> tuple[pa.Table, pa.Table, Ints]:
        """Entries and details of the runs, and the number of each in the block.

        Args:
            runs: in order.
            line_no: of the block's first line.
        """
        rows = np.concatenate([np.arange(run.first, run.stop) for run in runs])
        owner = np.repeat(np.arange(len(runs)), [run.stop - run.first for run in runs])
        before = np.array([run.before - run.first + 1 for run in runs])[owner] + rows
        keep = self.usual[rows]
        rows, owner, before = rows[keep], owner[keep], before[keep]
        made = self._of_block(line_no)
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
            made = {name: c.slice(rows[0], len(rows)) for name, c in made.items()}
        else:
            chosen = whole_numbers(rows)
            made = {name: column.take(chosen) for name, column in made.items()}
        places = whole_numbers(owner)
        for name in ("statement_id", "account_id", "currency"):
            shared = listed([getattr(run, name) for run in runs])
            made[name] = shared.take(places)
        made["ordinal"] = whole_numbers(before)
        made["entry_id"] = pc.binary_join_element_wise(
            made["statement_id"], made["ordinal"].cast(pa.string()), _POINT
        )
        return (*_split(made, len(rows)), rows)

    def _of_block(self, line_no: int) -> dict[str, Any]:
        line = self.line
        return {
            **self.columns,
            "line_no": whole_numbers(self.layout.first + line_no),
            "amount": amounts(line.amount),
            "booked_on": days(line.booked),
            "valued_on": days(line.valued),
            "reversal": flags(line.reversal),
        }


def _split(made: dict[str, Any], count: int) -> tuple[pa.Table, pa.Table]:
    """The columns as entries, and as their one detail each."""
    one = whole_numbers(np.ones(count, np.int64))
    entries = made | {
        "status": arrow.repeat(_BOOKED, count),
        "narrative": made["entry_narrative"],
        "detail_count": one,
    }
    details = made | {
        "detail_id": pc.binary_join_element_wise(made["entry_id"], _ONE, _POINT),
        "ordinal": one,
    }
    return filled(entries, ENTRIES, count), filled(details, DETAILS, count)


def read_block(block: bytes) -> Bulk:
    """Read the entries of a block of whole lines, ended by LF each."""
    lines = layout(block)
    line = lines_61(lines)
    behind = np.where(lines.texts > 0, lines.text, lines.stop) - lines.first - 1
    usual = lines.whole & lines.plain & line.usual & (behind < 2) & (lines.texts < 2)
    text = texts_86(lines, usual & (lines.texts == 1))
    usual &= text.usual | (lines.texts == 0)
    columns = {name: text.columns.get(name, arrow.nulls(len(usual), pa.string()))
               for name in (*_FROM_TEXT, "booking_text", "gvc")}  # fmt: skip
    own = said(line.data, line.own)
    narrative, hard = _narrative(lines, usual & (behind == 1), columns.pop("booking_text"))
    columns |= {
        "bank_ref": said(line.data, line.bank),
        "entry_ref": pc.if_else(pc.is_in(own, _POINTER), NO_TEXT, own),
        "code_proprietary": columns.pop("gvc"),
        "swift_type": strings(line.data, line.kind, line.usual),
        "entry_narrative": narrative,
    }
    usual[hard] = False
    return Bulk(lines, usual, line, columns, _running(line, usual))


def _running(line: Line, usual: Bools) -> dict[int, tuple[Ints, Ints]] | None:
    amount = np.where(usual, np.abs(line.amount), 0)
    largest = int(amount.max(initial=0))
    if largest * len(amount) > _SUM_MAX or (line.decimals[usual] != _USUAL_PLACES).any():
        return None
    kind = np.where(usual, (line.amount < 0) + 2 * line.reversal, -1)
    found: dict[int, tuple[Ints, Ints]] = {}
    for which in range(4):
        chosen = kind == which
        if chosen.any():
            counts = np.append(0, np.cumsum(chosen))
            found[which] = counts, np.append(0, np.cumsum(np.where(chosen, amount, 0)))
    return found


def _narrative(lines: Layout, noted: Bools, booking: Column) -> tuple[Column, Ints]:
    """The supplementary line above the booking text; and rows where it says more than text."""
    rows = np.flatnonzero(noted)
    if not len(rows):
        return booking, rows
    at = lines.first[rows] + 1
    note = strings(lines.data, trimmed(lines.data, (lines.starts[at], lines.ends[at])))
    found = pc.cast(pc.match_substring_regex(note, _HARD_NOTE), pa.uint8())
    hard = rows[np.frombuffer(found.buffers()[1], np.bool_, len(rows))]
    told = booking.take(whole_numbers(rows))
    both = pc.if_else(
        pc.is_valid(told),
        pc.binary_join_element_wise(note, pc.fill_null(told, _NO_LETTERS), _LINE_END),
        without(note),
    )
    place = np.cumsum(noted) - 1
    spread = both.take(whole_numbers(place, noted))
    return pc.if_else(flags(noted), spread, booking), hard
