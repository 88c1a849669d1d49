"""Entries and details of a chunk as canonical tables, a column at a time.

The rules are those of `parsers._camt_entry` and `parsers._camt_party`; where an entry is not of the
plain shape they are written for here, it is marked odd, and the strict reader reads that entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parsers import _camt_places as places
from parsers._camt_entry import STATUS, swift_type
from parsers._camt_layout import Rows
from parsers._leaf_values import amounts, dates, odd_accounts
from parsers._leaves import Texts, check_escapes, is_word, mapped
from parsers._markup import Markup
from tieout.arrays import fixed, listed

__all__ = ["Batch", "Own"]

Array = npt.NDArray[Any]

_TX: Final = ("NtryDtls", "TxDtls")


@dataclass(frozen=True, slots=True)
class Own:
    """The statement some entries of a chunk belong to.

    Attributes:
        entries: which of the chunk's entries.
        account: its account, never the counterparty.
        currency: its account's currency, None where unknown.
        silent: status of an entry that names none.
    """

    entries: slice
    account: str
    currency: str | None
    silent: str | None


_ENTRY_TEXTS: Final[dict[str, tuple[str, ...]]] = {
    "bank_ref": ("AcctSvcrRef",),
    "entry_ref": ("NtryRef",),
    "code_domain": ("BkTxCd", "Domn", "Cd"),
    "code_family": ("BkTxCd", "Domn", "Fmly", "Cd"),
    "code_subfamily": ("BkTxCd", "Domn", "Fmly", "SubFmlyCd"),
    "code_proprietary": ("BkTxCd", "Prtry", "Cd"),
    "narrative": ("AddtlNtryInf",),
}


class Batch:
    """A chunk's entries, settled as far as numbers go.

    Attributes:
        rows: the layout.
        odd: entries the strict reader must read.
        amount, decimals: of each entry: signed at `parsers._leaf_values.SCALE`, and as written.
        currency: of each entry, a number into ``codes``.
        codes: currencies.
    """

    def __init__(self, raw: bytes, rows: Rows, markup: Markup, own: Sequence[Own]) -> None:
        self.rows, self.odd, self.own = rows, rows.odd, own
        self.raw, self.text = raw, rows.scan.text
        self.size = len(rows.entry)
        self.codes = list(markup.runs.codes)
        # By leaf, the last for leaf -1.
        self._hollow = np.append(rows.start == rows.end, True)
        self._has_hollow = self._hollow[:-1].any()
        self._none = np.full(self.size, -1), np.full(len(rows.parent), -1)
        self.texts = self._settled()
        self._gone = np.append(self.texts.gone, True)
        self._start, self._end = np.append(rows.start, 0), np.append(rows.end, 0)
        self._entry_amounts()
        self._marks()

    # Leaves of a column -------------------------------------------------------------------

    def leaf(self, *path: str, detail: bool = False, present: bool = False) -> Array:
        """For each entry (or detail), the number of its leaf at the path; -1 for none.

        Text that says nothing is none; with ``present`` even an empty leaf is there.
        """
        number = places.NUMBER[(*_TX, *path) if detail else path]
        part = self.rows.column(number)
        if part.start == part.stop:
            return self._none[detail]
        out = np.full(len(self._none[detail]), -1, dtype=np.int64)
        leaves = np.arange(part.start, part.stop)
        if not present and self.texts.gone[part].any():
            leaves = leaves[~self.texts.gone[part]]
            out[self.rows.rows[leaves]] = leaves
        else:
            out[self.rows.rows[part]] = leaves
        return out

    def first(self, *paths: tuple[str, ...], detail: bool = False) -> Array:
        """The first of several places that is not empty; -1 where that one says nothing."""
        found = self._none[detail]
        for path in paths:
            at = self.leaf(*path, detail=detail, present=True)
            if at is self._none[detail]:
                continue
            if self._has_hollow:
                at = np.where(self._hollow.take(at, mode="wrap"), -1, at)
            found = at if found is self._none[detail] else np.where(found >= 0, found, at)
        if found is self._none[detail]:
            return found
        return np.where(self._gone.take(found, mode="wrap"), -1, found)

    def mark_odd(self, detail: Array) -> None:
        """Give the entries of these details (flags) to the strict reader."""
        self.odd[self.rows.parent[detail]] = True

    def _settled(self) -> Texts:
        rows = self.rows
        texts = Texts(self.raw, rows)
        escapes = rows.scan.escapes
        check_escapes(self.text, self.raw, escapes)
        block = rows.block(range(places.ACCOUNTS.start, places.TEXTS.stop))
        blank = texts.settle(block, rows.block(places.REFERENCES))
        self._odd_leaves(blank)
        if len(escapes):  # in an amount, a date or a mark
            found = rows.holding(escapes)
            found[block] = False
            self._odd_leaves(found)
        accounts = rows.block(places.ACCOUNTS)
        wrong = np.zeros(len(rows.start), dtype=bool)
        wrong[accounts] = odd_accounts(self.text, rows.start[accounts], rows.end[accounts])
        self._odd_leaves(wrong)
        return texts

    def _odd_leaves(self, flags: Array) -> None:
        for number in places.NUMBER.values() if flags.any() else ():
            part = self.rows.column(number)
            at = self.rows.rows[part][flags[part]]
            if len(at):
                detail = number in _DETAIL_COLUMNS
                self.odd[self.rows.parent[at] if detail else at] = True

    # Numbers ------------------------------------------------------------------------------

    def _entry_amounts(self) -> None:
        rows = self.rows
        part = rows.block(places.AMOUNTS)
        value, told, decimals = amounts(self.text, rows.start[part], rows.end[part])
        size = len(rows.start) + 1  # the last is for leaf -1
        self._value, self._code = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int16)
        self._value[part], self._code[part] = value, rows.code
        places_of = np.zeros(size, dtype=np.int8)
        places_of[part] = decimals
        flags = np.zeros(len(rows.start), dtype=bool)
        flags[part] = ~told
        self._odd_leaves(flags)
        at = self.leaf("Amt", present=True)
        self.odd |= at < 0
        self.amount, self.decimals, self.currency = self._value[at], places_of[at], self._code[at]
        self.odd |= self.currency == 0

    def money(self, *path: str) -> tuple[Array, Array, Array]:
        """Of each detail: amount, currency (the entry's where it names none), whether there."""
        at = self.leaf(*path, detail=True, present=True)
        own = self.currency[self.rows.parent]
        there = at >= 0
        if not there.any():
            return np.zeros(len(at), dtype=np.int64), own, there
        code = self._code[at]
        return np.where(there, self._value[at], 0), np.where(code == 0, own, code), there

    def says(self, at: Array, *expected: bytes) -> list[Array]:
        """For each word, which of the leaves are exactly it (-1 never is)."""
        start, end = self._start.take(at, mode="wrap"), self._end.take(at, mode="wrap")
        return [is_word(self.text, start, end, word) for word in expected]

    def _marks(self) -> None:
        mark = self.leaf("CdtDbtInd", present=True)
        credit, debit = self.says(mark, b"CRDT", b"DBIT")
        self.odd |= ~(credit | debit)
        self.amount = np.where(debit, -self.amount, self.amount)
        reversal = self.leaf("RvslInd", present=True)
        false, zero = self.says(reversal, b"false", b"0")
        self.odd |= (reversal >= 0) & ~(false | zero)
        text = self.leaf("Sts", present=True)
        code, own = self.leaf("Sts", "Cd", present=True), self.leaf("Sts", "Prtry", present=True)
        self.odd |= own >= 0
        self.odd |= (text >= 0) & (code >= 0)
        status = np.where(code >= 0, code, text)
        self.status = np.full(self.size, -1, dtype=np.int8)
        for number, found in enumerate(self.says(status, *(s.encode() for s in STATUS))):
            self.status[found] = number
        for each in self.own:
            if each.silent is None:
                self.odd[each.entries] |= status[each.entries] < 0
        self.odd |= (status >= 0) & (self.status < 0)
        self.booked_on, self.valued_on = self._dates("BookgDt"), self._dates("ValDt")
        for each in self.own:
            self._same_currency(each)

    def _same_currency(self, own: Own) -> None:
        """Entries in another currency than the account (or than the first entry) are odd."""
        if own.currency is not None:
            wanted = self.codes.index(own.currency) if own.currency in self.codes else -1
        else:
            first = own.entries.start
            wanted = -1 if self.odd[first : first + 1].any() else self.currency[first]
        self.odd[own.entries] |= self.currency[own.entries] != wanted

    def _dates(self, name: str) -> pa.Array[Any]:
        """Dates of each entry; one that is none makes the entry odd."""
        plain = self.leaf(name, "Dt", present=True)
        instant = self.leaf(name, "DtTm", present=True)
        at = np.where(plain >= 0, plain, instant)
        there = np.flatnonzero(at >= 0)
        out = dates(self.text, self.raw, self.rows.start[at[there]], self.rows.end[at[there]])
        if out.null_count:
            wrong = [each is None for each in out.to_pylist()]
            self.odd[there] |= np.array(wrong, dtype=bool)
        if len(there) == self.size:
            return out
        index = np.zeros(self.size, dtype=np.int64)
        index[there] = np.arange(len(there))
        return out.take(fixed(index, pa.int64(), at >= 0))

    # Columns of entries -------------------------------------------------------------------

    def entry_columns(self) -> dict[str, pa.Array[Any]]:
        """Everything of an entry but its ids, its account and the number of its details."""
        silent = np.full(self.size, len(STATUS), dtype=np.int32)
        for each in self.own:
            if each.silent is not None:
                silent[each.entries] = list(STATUS.values()).index(each.silent)
        status = fixed(np.where(self.status < 0, silent, self.status), pa.int32())
        columns = dict(
            zip(
                _ENTRY_TEXTS,
                self.texts.strings(*(self.leaf(*path) for path in _ENTRY_TEXTS.values())),
                strict=True,
            )
        )
        return columns | {
            "currency": self.codes_of(self.currency),
            "booked_on": self.booked_on,
            "valued_on": self.valued_on,
            "status": listed([*STATUS.values(), None]).take(status),
            "swift_type": mapped(columns["code_proprietary"], swift_type, pa.string()),
        }

    def codes_of(self, numbers: Array, known: Array | None = None) -> pa.Array[Any]:
        """Currency codes; null where not known."""
        return listed(self.codes).take(fixed(numbers.astype(np.int32), pa.int32(), known))

    def booked(self, entries: slice, silent: str | None) -> Array:
        """Whether each of these entries is booked; ``silent`` is the status of those without."""
        status = self.status[entries]
        out: Array = status == list(STATUS.values()).index("booked")
        return out | (status < 0) if silent == "booked" else out


_DETAIL_COLUMNS: Final = frozenset(n for path, n in places.NUMBER.items() if path[:2] == _TX)
