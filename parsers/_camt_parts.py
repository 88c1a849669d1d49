"""Details of a chunk: amounts, charges, the other side and what was written, by column."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parsers._camt_batch import Batch
from parsers._camt_party import reference_type
from parsers._camt_said import narrative
from parsers._checks import all_right
from parsers._leaf_values import decimals
from parsers._leaves import mapped, unescaped
from parsers._tags import words
from parsers._values import rate, whole_rate_fits
from tieout.arrays import fixed, listed
from tieout.canonical import DETAILS

__all__ = ["Details"]

Array = npt.NDArray[Any]

_REFS: Final = {
    "end_to_end_id": "EndToEndId", "instruction_id": "InstrId", "uetr": "UETR",
    "mandate_id": "MndtId", "cheque_no": "ChqNb",
}  # fmt: skip
_SHARED: Final = {"message_id": "MsgId", "payment_info_id": "PmtInfId"}
_RATES: Final = ("TxAmt", "CntrValAmt", "InstdAmt", "AnncdPstngAmt")
_OWN_AMOUNTS: Final = (
    ("Amt",), ("AmtDtls", "TxAmt", "Amt"), ("AmtDtls", "CntrValAmt", "Amt"),
    ("AmtDtls", "InstdAmt", "Amt"),
)  # fmt: skip
_REFERENCE: Final = ("RmtInf", "Strd", "CdtrRefInf")
_SUM_MAX: Final = 1 << 62


class Details:
    """One row for each TxDtls, and one for each entry that has none.

    Attributes:
        count: rows of each entry.
        entry: each row's entry.
        first: each entry's first row.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch, self.rows = batch, batch.rows
        found = np.bincount(self.rows.parent, minlength=batch.size)
        self.count = np.maximum(found, 1)
        self.first = np.cumsum(self.count) - self.count
        self.entry = np.repeat(np.arange(batch.size), self.count)
        before = np.cumsum(found) - found
        parent = self.rows.parent
        self._row = self.first[parent] + np.arange(len(parent)) - before[parent]
        self._found = found
        self._signs()
        self._amounts()
        self._charges()
        self._announced()
        self._prove()
        self._sides()
        self._rate = self._rates()
        self._references()

    def spread(self, values: Array, empty: Any = 0) -> Array:
        """A value for each TxDtls as one for each row."""
        out = np.full(len(self.entry), empty, dtype=values.dtype)
        out[self._row] = values
        return out

    def _signs(self) -> None:
        batch = self.batch
        mark = batch.leaf("CdtDbtInd", detail=True, present=True)
        credit, debit = batch.says(mark, b"CRDT", b"DBIT")
        batch.mark_odd((mark >= 0) & ~(credit | debit))
        inherited = batch.amount[self.rows.parent] < 0
        self._sign = np.where(debit | (~credit & inherited), -1, 1)

    def _amounts(self) -> None:
        """Own amount: the first in the entry's currency; original: the last in another."""
        batch = self.batch
        own = batch.currency[self.rows.parent]
        value = original = np.zeros(len(own), dtype=np.int64)
        known = foreign = np.zeros(len(own), dtype=bool)
        code = np.zeros(len(own), dtype=own.dtype)
        for path in _OWN_AMOUNTS:
            amount, currency, there = batch.money(*path)
            mine, other = there & (currency == own), there & (currency != own)
            value = np.where(known, value, np.where(mine, amount, 0))
            known = known | mine
            original, code = np.where(other, amount, original), np.where(other, currency, code)
            foreign = foreign | other
        self._value, self._known = value * self._sign, known
        self._original, self._foreign, self._code = original * self._sign, foreign, code

    def _charges(self) -> None:
        """One charge record in the entry's currency; more are the strict reader's."""
        batch = self.batch
        amount, currency, there = batch.money("Chrgs", "Rcrd", "Amt")
        mark = batch.leaf("Chrgs", "Rcrd", "CdtDbtInd", detail=True, present=True)
        total = batch.leaf("Chrgs", "TtlChrgsAndTaxAmt", detail=True, present=True)
        batch.mark_odd((total >= 0) & ~there)
        (credit,) = batch.says(mark, b"CRDT")
        self._charged = there & (currency == batch.currency[self.rows.parent])
        self._charge = np.where(self._charged, np.where(credit, amount, -amount), 0)

    def _announced(self) -> None:
        """Entries whose batch has more payments than details: a finding, so the strict reader's."""
        batch = self.batch
        at = batch.leaf("NtryDtls", "Btch", "NbOfTxs", present=True)
        there = np.flatnonzero(at >= 0)
        start, end = self.rows.start[at[there]], self.rows.end[at[there]]
        word, length = words(batch.text)[start], end - start
        number = np.zeros(len(there), dtype=np.int64)
        plain = (length > 0) & (length <= 7)
        for i in range(7):
            digit = ((word >> np.uint64(8 * i)) & np.uint64(0xFF)).astype(np.int64) - 0x30
            inside = i < length
            plain &= ~inside | ((digit >= 0) & (digit <= 9))
            number = np.where(inside, number * 10 + digit, number)
        batch.odd[there[~plain | (number > self.count[there])]] = True

    def _prove(self) -> None:
        """Inherit the only amount; entries whose details do not sum to them are odd."""
        batch = self.batch
        self.amount = self.spread(self._value)
        self.known = self.spread(self._known, False)
        only = (self.count == 1)[self.entry]
        inherit = only & ~self.known
        self.amount = np.where(inherit, batch.amount[self.entry], self.amount)
        self.known |= inherit
        batch.odd[self.entry[~self.known]] = True
        charge = self.spread(self._charge)
        total = np.add.reduceat(self.amount, self.first) if batch.size else self.amount
        charges = np.add.reduceat(charge, self.first) if batch.size else charge
        batch.odd |= (batch.amount != total) & (batch.amount != total + charges)
        largest = int(np.abs(self.amount).max(initial=0)) + int(np.abs(charge).max(initial=0))
        batch.odd |= self.count > _SUM_MAX // max(largest, 1)

    # The other side -----------------------------------------------------------------------

    def _party(self, side: str) -> list[Array]:
        """Leaves of name, account, BIC and ultimate name of one side."""
        first, parties, agents = self.batch.first, "RltdPties", "RltdAgts"
        return [
            first(
                (parties, side, "Pty", "Nm"), (parties, side, "Nm"),
                (parties, side, "Agt", "FinInstnId", "Nm"), detail=True,
            ),
            first(
                (parties, side + "Acct", "Id", "IBAN"),
                (parties, side + "Acct", "Id", "Othr", "Id"), detail=True,
            ),
            first(
                (agents, side + "Agt", "FinInstnId", "BICFI"),
                (agents, side + "Agt", "FinInstnId", "BIC"), detail=True,
            ),
            first(
                (parties, "Ultmt" + side, "Pty", "Nm"), (parties, "Ultmt" + side, "Nm"),
                detail=True,
            ),
        ]  # fmt: skip

    def _sides(self) -> None:
        """The debtor of money in, the creditor of money out; never ourselves."""
        debtor, creditor = self._party("Dbtr"), self._party("Cdtr")
        incoming = self._sign > 0
        usual = [np.where(incoming, d, c) for d, c in zip(debtor, creditor, strict=True)]
        other = [np.where(incoming, c, d) for d, c in zip(debtor, creditor, strict=True)]
        own_usual, own_other = self._own(usual[1]), self._own(other[1])
        silent = np.all([part < 0 for part in usual], axis=0)
        swap = own_usual | (~own_other & (silent | (self.rows.returned & (other[0] >= 0))))
        self._side = [np.where(swap, o, u) for u, o in zip(usual, other, strict=True)]

    def _own(self, leaf: Array) -> Array:
        """Which of the accounts are the statement's own."""
        batch, rows = self.batch, self.rows
        out = np.zeros(len(leaf), dtype=bool)
        word = words(batch.text)
        for own in batch.own:
            account = own.account.encode()
            first, last = np.searchsorted(rows.parent, [own.entries.start, own.entries.stop])
            at = np.flatnonzero(leaf[first:last] >= 0) + first
            start, end = rows.start[leaf[at]], rows.end[leaf[at]]
            same = np.flatnonzero(end - start == len(account))
            at, start = at[same], start[same]
            for offset in range(0, len(account), 8):
                part = account[offset : offset + 8]
                mask = np.uint64((1 << 8 * len(part)) - 1)
                wanted = np.uint64(int.from_bytes(part, "little"))
                same = np.flatnonzero((word[start + offset] & mask) == wanted)
                at, start = at[same], start[same]
            out[at] = True
        return out

    # Columns ------------------------------------------------------------------------------

    def columns(self) -> dict[str, pa.Array[Any]]:
        """Everything of a detail but ids, line and ordinal."""
        batch = self.batch
        leaves = self._leaves()
        out = dict(zip(leaves, batch.texts.strings(*leaves.values()), strict=True))
        for name, tag in _SHARED.items():
            shared = batch.leaf("NtryDtls", "Btch", tag)[self.entry]
            out[name] = self._shared(out[name], leaves[name], shared)
        out["reference"], out["reference_type"] = self._ref, self._ref_type
        foreign = self.spread(self._foreign, False)
        charged = self.spread(self._charged, False)
        out["amount"] = decimals(self.amount, self.known)
        out["currency"] = batch.codes_of(batch.currency[self.entry], self.known)
        out["original_amount"] = decimals(self.spread(self._original), foreign)
        out["original_currency"] = batch.codes_of(self.spread(self._code), foreign)
        out["charges"] = decimals(self.spread(self._charge), charged)
        out["fx_rate"] = self._rate
        out["narrative"] = narrative(self.rows, batch.texts, self._row, len(self.entry))
        return out

    def _leaves(self) -> dict[str, Array]:
        """The leaf of each row in each column of text."""
        batch = self.batch
        names = ("counterparty_name", "counterparty_account", "counterparty_bic", "ultimate_name")
        found = dict(zip(names, self._side, strict=True))
        for name, tag in (_REFS | _SHARED).items():
            found[name] = batch.leaf("Refs", tag, detail=True)
        named = batch.leaf("Refs", "TxId", detail=True)
        found["transaction_id"] = np.where(
            named < 0, batch.leaf("Refs", "AcctSvcrRef", detail=True), named
        )
        found["purpose"] = batch.first(("Purp", "Cd"), ("Purp", "Prtry"), detail=True)
        found["return_reason"] = batch.first(
            ("RtrInf", "Rsn", "Cd"), ("RtrInf", "Rsn", "Prtry"), detail=True
        )
        return {name: self.spread(leaf, -1) for name, leaf in found.items()}

    def _shared(self, mine: pa.Array[Any], own: Array, shared: Array) -> pa.Array[Any]:
        """A detail's own reference, else its batch's."""
        if not ((own < 0) & (shared >= 0)).any():
            return mine
        return pc.coalesce(mine, self.batch.texts.strings(shared)[0])

    def _rates(self) -> pa.Array[Any]:
        """Rates as stated; one that does not lead between the amounts is the strict reader's."""
        batch, rows = self.batch, self.rows
        kind = DETAILS.field("fx_rate").type
        foreign = self.spread(self._original)
        found: dict[int, Any] = {}
        read: dict[bytes, Any] = {}
        for name in _RATES:
            at = batch.leaf("AmtDtls", name, "CcyXchg", "XchgRate", detail=True, present=True)
            there = np.flatnonzero(at >= 0)
            places = rows.start[at[there]].tolist(), rows.end[at[there]].tolist()
            for row, begin, end in zip(self._row[there].tolist(), *places, strict=True):
                raw = batch.raw[begin:end]
                if raw not in read:
                    read[raw] = rate(unescaped(raw).strip() or None)
                if read[raw] is not None:
                    found.setdefault(row, read[raw])
        keys = sorted(found)
        money, other = self.amount[keys].tolist(), foreign[keys].tolist()
        for row, mine, theirs in zip(keys, money, other, strict=True):
            if theirs and not (mine and found[row] and whole_rate_fits(mine, theirs, found[row])):
                batch.odd[self.entry[row]] = True
        index = np.zeros(len(self.entry), dtype=np.int32)
        index[keys] = np.arange(1, len(keys) + 1)
        return listed([None, *(found[key] for key in keys)], kind).take(fixed(index, pa.int32()))

    def _references(self) -> None:
        """Structured references with their types; wrong check digits are the strict reader's."""
        batch = self.batch
        ref = batch.first((*_REFERENCE, "Ref"), (*_REFERENCE, "CdtrRef"), detail=True)
        tp = (*_REFERENCE, "Tp")
        kind = batch.first(
            (*tp, "CdOrPrtry", "Cd"), (*tp, "CdOrPrtry", "Prtry"), (*tp, "Cd"), (*tp, "Prtry"),
            detail=True,
        )  # fmt: skip
        kind = np.where(ref >= 0, kind, -1)
        self._ref, said = batch.texts.strings(self.spread(ref, -1), self.spread(kind, -1))
        self._ref_type = mapped(said, reference_type, pa.string())
        rows = self._row[np.flatnonzero(ref >= 0)]
        at = fixed(rows, pa.int64())
        texts, types = self._ref.take(at).to_pylist(), self._ref_type.take(at).to_pylist()
        if all_right(texts, types):
            return
        for row, text, word in zip(rows.tolist(), texts, types, strict=True):
            if not all_right([text], [word]):
                batch.odd[self.entry[row]] = True
