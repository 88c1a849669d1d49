"""One CFONB 120 entry: record 04 with its complements 05, as entry and detail rows."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from parsers._checks import checked
from parsers._fixed import Record, compact, day_of, unreadable
from parsers._fixed_statement import Statement
from parsers._rows import Rows
from parsers._text import clean, is_iban, reference
from parsers._values import amount
from tieout.errors import MoneyError
from tieout.money import exponent_of, is_currency

__all__ = ["Entry", "decimals", "signed"]

Row = dict[str, Any]

#: The last digit carries the sign. A French 7-bit table shows braces as accented letters.
_OVERPUNCH: Final = {
    **{char: (1, str(digit)) for digit, char in enumerate("{ABCDEFGHI")},
    **{char: (-1, str(digit)) for digit, char in enumerate("}JKLMNOPQR")},
    **{str(digit): (1, str(digit)) for digit in range(10)},
    "é": (1, "0"),
    "è": (-1, "0"),
}
_FOREIGN = re.compile(r"([A-Z]{3})(\d)(.{14})(?:(\d)(\d{11}))?", re.ASCII)
_CHEQUE: Final = "01"
#: Qualifiers with a column of their own; all others become text.
_NAMES: Final = {"NPY": "payer", "NBE": "payee", "NPO": "payer's", "NBU": "payee's"}


def decimals(text: str, currency: str | None) -> int | None:
    """The number of decimals a record states, else the currency's; None where neither is known.

    >>> decimals("2", "EUR"), decimals(" ", "JPY"), decimals("7", "EUR")
    (2, 0, None)
    """
    if text in set("012345"):
        return int(text)
    if text.strip() or currency is None:
        return None
    try:
        return exponent_of(currency)
    except MoneyError:
        return None


def signed(text: str, places: int | None) -> Decimal | None:
    """Digits whose last one is overpunched with the sign, as an amount; None where it is not one.

    >>> signed("0000000001904}", 2), signed("0000000000974I", 2), signed("00000000000012", 0)
    (Decimal('-190.40'), Decimal('97.49'), Decimal('12'))
    """
    text = text.strip()
    found, front = _OVERPUNCH.get(text[-1:]), text[:-1]
    if found is None or places is None or not (front.isascii() and f"0{front}".isdigit()):
        return None
    sign, last = found
    digits = (front + last).rjust(places + 1, "0")
    value = amount(f"{digits[:-places]}.{digits[-places:]}" if places else digits)
    return None if value is None else sign * value if value else value


class Entry:
    """One record 04, waiting for its records 05."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.currency = record.get(17, 19)
        self.amount = signed(record.cut(91, 104), decimals(record.cut(20, 20), self.currency))
        self.labels: list[str] = [record.cut(49, 79)]
        self.remittance: list[str] = []
        self.other: list[str] = []
        self.names: dict[str, str] = {}
        self.detail: Row = {"line_no": record.number}

    def complement(self, record: Record, rows: Rows) -> None:
        """Take a record 05: a qualifier and 70 columns."""
        kind, text = record.cut(46, 48), record.cut(49, 118)
        detail = self.detail
        if kind in _NAMES:
            self.names.setdefault(_NAMES[kind], text.strip())
        elif kind == "LIB":
            _run_on(self.labels, text, 70)
        elif kind in ("LCC", "LC2"):
            _run_on(self.remittance, text, 70)
        elif kind == "LCS":
            found = "".join(text[:35].split())
            scor = "SCOR" if found[:2] == "RF" and found[2:4].isdigit() else None
            detail["reference"] = found if scor else reference(text[:35])
            detail["reference_type"] = checked(found, scor, record.place, rows)
            self.other.append(text[35:])
        elif kind == "RCN":
            detail |= {"end_to_end_id": reference(text[:35]), "purpose": clean(text[35:])}
        elif kind == "REF":
            detail["instruction_id"] = reference(text[:35])
            self.other.append(text[35:])
        elif kind == "RUM":
            detail["mandate_id"] = reference(text[:35])
            self.other.append(text[35:])
        elif kind in ("CPY", "CBE") and is_iban("".join(text.split())):
            detail["counterparty_account"] = "".join(text.split())
        elif kind not in ("MMO", "FEE") or not self._money(kind, text):
            # Banks have qualifiers of their own; the letters tell what the text is.
            self.other.append(f"{kind.strip()} {text}")

    def _money(self, kind: str, text: str) -> bool:
        """Original amount with its rate, or charges; False where it stays text."""
        found = _FOREIGN.match(text)
        if found is None or not is_currency(found[1]):
            return False
        value = signed(found[3], decimals(found[2], found[1]))
        if value is None:
            return False
        if kind == "FEE":
            if found[1] != self.currency:
                return False
            self.detail["charges"] = -abs(value) if value else value
            return True
        debit = self.amount is not None and self.amount < 0
        self.detail["original_amount"] = -abs(value) if debit else abs(value)
        self.detail["original_currency"] = found[1]
        if found[5] is not None and int(found[5]) and int(found[4]) <= 10:
            self.detail["fx_rate"] = Decimal(int(found[5])).scaleb(-int(found[4]))
        return True

    def emit(self, statement: Statement, rows: Rows) -> None:
        """Hand the entry on, or a finding where it cannot be read."""
        record = self.record
        if self.amount is None:
            statement.lost()
            unreadable(record, "the entry has no amount", rows)
            return
        cib, own = record.get(33, 34), record.get(8, 11)
        number = record.cut(82, 88).strip(" 0") and record.get(82, 88)
        rejected = record.get(41, 42)
        row: Row = {
            "line_no": record.number,
            "currency": self.currency,
            "amount": self.amount,
            "booked_on": day_of(record.cut(35, 40), "DMY", record, rows),
            "valued_on": day_of(record.cut(43, 48), "DMY", record, rows),
            "reversal": False,
            "entry_ref": _named(record.cut(105, 120)),
            "code_proprietary": "+".join(c for c in (cib, own) if c) or None,
            "narrative": _lines(self.labels),
        }
        if row["booked_on"] is None:
            rows.finding(
                "DATE_MISSING", "warning", record.place, "the entry has no booking date",
                "left empty; the statement's own dates tell the period",
            )  # fmt: skip
        detail = self.detail
        detail |= {
            "amount": self.amount,
            "currency": self.currency,
            "cheque_no" if cib == _CHEQUE else "transaction_id": number or None,
            "narrative": _lines(self.remittance + self.other),
            "return_reason": rejected if rejected and rejected.strip("0") else None,
        }
        # Some banks name the other side as payer whoever pays.
        sides = ("payer", "payee") if self.amount > 0 else ("payee", "payer")
        names = [self.names.get(side) for side in sides]
        detail["counterparty_name"] = clean(next((n for n in names if n), None))
        last = [self.names.get(f"{side}'s") for side in sides]
        detail["ultimate_name"] = clean(next((n for n in last if n), None))
        statement.add_entry(row, [detail], rows)


def _run_on(texts: list[str], text: str, width: int) -> None:
    """A field filled to its last column goes on in the next one of its kind."""
    if texts and len(texts[-1]) % width == 0 and not texts[-1].endswith(" "):
        texts[-1] += text
    else:
        texts.append(text)


def _lines(texts: list[str]) -> str | None:
    return clean("\n".join(filter(None, map(compact, texts))))


def _named(text: str) -> str | None:
    """A reference field; banks leave punctuation or zeros in it."""
    return reference(text) if text.strip(" 0") and any(c.isalnum() for c in text) else None
