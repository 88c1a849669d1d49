"""The columns of ISR records, type 3 and type 4, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from parsers._fixed import Record, day_of
from parsers._rows import Rows
from parsers._text import clean, reference
from parsers._values import day

__all__ = ["Credit", "Total", "credit", "kind_of", "total"]

_CODES: Final = {
    False: re.compile(r"[01]\d([2458])|99([59])", re.ASCII),
    True: re.compile(r"[0-4]\d([123])|9[89]([12])", re.ASCII),
}
_OUT: Final = {False: "45", True: "2"}
#: Of type 3, by the first two digits of the participant number.
_CURRENCIES: Final = {"01": "CHF", "03": "EUR"}


@dataclass(frozen=True, slots=True)
class Credit:
    """One credit or reversal; ``amount`` is signed and None where it cannot be read."""

    account: str
    currency: str | None
    code: str
    amount: Decimal | None
    price: Decimal | None
    price_currency: str | None
    reference: str | None
    deposit_ref: str | None
    microfilm: str | None
    processed_on: date | None
    credited_on: date | None


@dataclass(frozen=True, slots=True)
class Total:
    """What the bank counts; ``amount`` is signed; None where a figure cannot be read."""

    account: str
    currency: str | None
    sign: int
    amount: Decimal | None
    count: int | None
    price: Decimal | None
    created_on: date | None
    key: str


def kind_of(record: Record, *, wide: bool) -> str | None:
    """``credit``, ``total``, or None for a record that is neither."""
    found = _CODES[wide].fullmatch(record.cut(1, 3))
    account = record.cut(7, 15) if wide else record.cut(4, 12)
    if found is None or not _digits(account):
        return None
    return "credit" if found[1] else "total"


def credit(record: Record, rows: Rows, *, wide: bool) -> Credit:
    """The record as a credit; impossible dates are findings."""
    code = record.cut(1, 3)
    sign = -1 if code[2] in _OUT[wide] else 1
    if wide:
        currency = _code(record.cut(43, 45))
        return Credit(
            record.cut(7, 15), currency, code,
            _signed(sign, cents(record.cut(46, 57))), cents(record.cut(121, 126)),
            _code(record.cut(118, 120)) or currency,
            _reference(record.cut(16, 42)), reference(record.cut(58, 92)), None,
            _long_day(record, 101, rows), _long_day(record, 109, rows),
        )  # fmt: skip
    microfilm = record.cut(78, 86)
    currency = _CURRENCIES.get(record.cut(4, 5))
    return Credit(
        record.cut(4, 12), currency, code,
        _signed(sign, cents(record.cut(40, 49))), cents(record.cut(97, 100)), currency,
        _reference(record.cut(13, 39)), reference(record.cut(50, 59)),
        microfilm if microfilm.strip(" 0") else None,
        day_of(record.cut(66, 71), "YMD", record, rows),
        day_of(record.cut(72, 77), "YMD", record, rows),
    )  # fmt: skip


def total(record: Record, rows: Rows, *, wide: bool) -> Total:
    """The record as a total."""
    code = record.cut(1, 3)
    if wide:
        sign = -1 if code[2] == "2" else 1
        return Total(
            record.cut(7, 15), _code(record.cut(43, 45)), sign,
            _signed(sign, cents(record.cut(46, 57))), count(record.cut(58, 69)),
            cents(record.cut(81, 91)), _long_day(record, 70, rows), record.cut(46, 77),
        )  # fmt: skip
    sign = -1 if code[2] == "5" else 1
    return Total(
        record.cut(4, 12), _CURRENCIES.get(record.cut(4, 5)), sign,
        _signed(sign, cents(record.cut(40, 51))), count(record.cut(52, 63)),
        cents(record.cut(70, 78)), day_of(record.cut(64, 69), "YMD", record, rows),
        record.cut(40, 69),
    )  # fmt: skip


def cents(text: str) -> Decimal | None:
    """Digits with two decimals; None where they are not.

    >>> cents("0000012550"), cents("000001255 "), cents("٣٣٣")
    (Decimal('125.50'), None, None)
    """
    return Decimal(int(text)).scaleb(-2) if _digits(text) else None


def count(text: str) -> int | None:
    """A count; None where it is not one."""
    return int(text) if _digits(text) else None


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _signed(sign: int, value: Decimal | None) -> Decimal | None:
    return value if not value else sign * value


def _code(text: str) -> str | None:
    return text if text.isascii() and text.isalpha() and text.isupper() else None


def _reference(text: str) -> str | None:
    """The 27 digits; None where all are zero: the payer gave none."""
    return clean(text) if text.strip(" 0") else None


def _long_day(record: Record, first: int, rows: Rows) -> date | None:
    text = record.cut(first, first + 7)
    if not text.strip(" 0"):
        return None
    found = day(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    if found is None:
        rows.finding(
            "DATE_MALFORMED", "warning", record.place, f"date {clean(text)!r} does not exist",
            f"left empty; the raw record: {clean(record.text)}",
        )  # fmt: skip
    return found
