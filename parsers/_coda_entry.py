"""One CODA movement: its records 2.1 to 3.3 as an entry row with detail rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from parsers._coda_text import milli, structured
from parsers._fixed import Record, compact, day_of, unreadable
from parsers._fixed_statement import Statement
from parsers._rows import Rows
from parsers._text import clean, reference
from tieout.money import is_currency

__all__ = ["Movement", "Part", "counterparty_account"]

Row = dict[str, Any]

#: Kinds of totals (first digit of the transaction code) and the kinds of their details.
_DETAILS_OF: Final = {"1": "5", "2": "67", "3": "8"}
_CANCELLED: Final = frozenset({"49", "99"})


def counterparty_account(text: str) -> str | None:
    """The account of a padded field with its currency at the end.

    >>> counterparty_account("BE54805480215856                  EUR")
    'BE54805480215856'
    """
    text = text.strip()
    if is_currency(text[-3:]):
        text = text[:-3].rstrip()
    return clean("".join(text.split())) if text.strip("0 ") else None


class Part:
    """One 2.1 with the records that complete it: an entry, or a detail of one."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.sequence, self.detail = record.cut(3, 6), record.cut(7, 10)
        self.code = record.cut(54, 61)
        self.structured = record.cut(62, 62) == "1"
        self.text = record.cut(63, 115)
        self.customer_ref: str | None = None
        self.name: str | None = None
        self.infos: list[str] = []
        self.row: Row = {"line_no": record.number, "_code": self.code}
        value = milli(record.cut(33, 47))
        sign = {"0": 1, "1": -1}.get(record.cut(32, 32))
        self.amount: Decimal | None = None
        if value is not None and sign is not None:
            self.amount = sign * value if value else value

    def complete(self, record: Record) -> None:
        """Take record 2.2 or 2.3: the communication goes on, and more fields."""
        if record.cut(2, 2) == "2":
            self.text += record.cut(11, 63)
            self.customer_ref = reference(record.cut(64, 98))
            self.row["counterparty_bic"] = record.get(99, 109)
            if record.cut(113, 113).strip(" 0"):
                self.row["return_reason"] = record.get(114, 117)
            self.row["purpose"] = record.get(122, 125)
            return
        self.row["counterparty_account"] = counterparty_account(record.cut(11, 47))
        self.name = record.get(48, 82)
        self.text += record.cut(83, 125)

    def inform(self, record: Record) -> None:
        """Take record 3.1, 3.2 or 3.3: information about the movement."""
        kind = record.cut(2, 2)
        if kind != "1":
            self._info(record.cut(11, 115 if kind == "2" else 100))
            return
        text, coded = record.cut(41, 113), record.cut(40, 40) == "1"
        if coded and text[:3] == "001" and text[3:].startswith(self.name or ""):
            self.name = clean(text[3:])  # 70 columns, where 2.3 has 35
        elif coded and text[:3] in ("008", "009"):
            self.row["ultimate_name"] = clean(text[3:73])
        else:
            self._info(text)

    def _info(self, text: str) -> None:
        """Texts that run over several records are one text again."""
        if self.infos and not self.infos[-1].endswith(" "):
            self.infos[-1] += text
        else:
            self.infos.append(text)

    def as_detail(self, rows: Rows) -> Row:
        """The detail row, amounts signed."""
        row = self.row
        if self.structured:
            structured(self.text, self.record, row, rows)
        else:
            row["narrative"] = compact(self.text)
        if row.get("original_amount") is not None and (self.amount or 0) < 0:
            row["original_amount"] = -row["original_amount"]
        row |= {
            "amount": self.amount,
            "counterparty_name": self.name,
            "narrative": _joined(row.get("narrative"), *map(compact, self.infos)),
            "transaction_id": reference(self.record.cut(11, 31)),
        }
        return row


def _joined(*texts: str | None) -> str | None:
    return clean("\n".join(t for t in texts if t))


class Movement:
    """An entry being read: its own part, and the parts of its details."""

    def __init__(self, part: Part) -> None:
        self.own, self.parts = part, [part]
        self.nested: dict[int, list[Part]] = {}

    def takes(self, part: Part) -> bool:
        """Whether the part is one of this movement's details, so not an amount of its own."""
        if part.sequence == self.own.sequence and part.detail != "0000":
            return True
        return part.code[:1] in (_DETAILS_OF.get(self.own.code[:1]) or "-")

    def add(self, part: Part) -> None:
        """Take a detail; a detail of a detail (kind 9) becomes text of the one above."""
        if part.code[:1] == "9" and len(self.parts) > 1:
            above = self.parts[-1]
            text = f"{part.code} {part.amount} {compact(part.text) or ''}"
            above.infos.append(text + " ")
        else:
            self.parts.append(part)

    def emit(self, statement: Statement, rows: Rows) -> None:
        """Hand the entry on, or a finding where it cannot be read."""
        own = self.own
        if own.amount is None:
            statement.lost()
            unreadable(own.record, "the movement has no amount or sign", rows)
            return
        rec, code = own.record, own.code
        booked = day_of(rec.cut(116, 121), "DMY", rec, rows)
        row: Row = {
            "line_no": rec.number,
            "amount": own.amount,
            "booked_on": booked,
            "valued_on": day_of(rec.cut(48, 53), "DMY", rec, rows),
            "reversal": code[3:5] in _CANCELLED,
            "bank_ref": reference(rec.cut(11, 31)),
            "code_proprietary": clean(code),
        }
        if booked is None:
            rows.finding(
                "DATE_MISSING", "warning", rec.place, "the movement has no entry date",
                "left empty; the statement's own date tells the day",
            )  # fmt: skip
        details = [part.as_detail(rows) for part in self.parts]
        if len(self.parts) == 1:
            # Of a total the customer made himself, his reference is the batch's.
            kind = "payment_info_id" if code[:1] == "1" else "end_to_end_id"
            details[0][kind] = own.customer_ref
        else:
            self._check_sum(statement, rows)
            details = details[1:]
            row |= {"entry_ref": own.customer_ref, "narrative": own.row["narrative"]}
            for part, detail in zip(self.parts[1:], details, strict=True):
                detail["end_to_end_id"] = part.customer_ref
                if code[:1] == "1":
                    detail["payment_info_id"] = own.customer_ref
        for detail in details:
            detail.pop("_code", None)
        statement.add_entry(row, details, rows)

    def _check_sum(self, statement: Statement, rows: Rows) -> None:
        parts = self.parts[1:]
        for part in parts:
            if part.amount is None:
                statement.incomplete = True
                unreadable(part.record, "the detail has no amount or sign", rows)
        total = sum((part.amount or Decimal(0) for part in parts), Decimal(0))
        if all(part.amount is not None for part in parts) and total != self.own.amount:
            rows.finding(
                "DETAIL_SUM_MISMATCH", "warning", self.own.record.place,
                f"details sum to {total}, the entry is {self.own.amount}",
                "look for charges or a missing detail; the entry's amount is what the bank booked",
            )  # fmt: skip
