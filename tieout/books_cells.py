"""Cells of ledger exports: dates, amounts and currencies, read a whole column at a time.

What the column as a whole does not settle is refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from tieout.errors import InputError
from tieout.money import is_currency, parse_amount

__all__ = ["DATE_FORMS", "amount_of", "amounts", "currency", "dates", "day_of", "refusal"]

DATE_FORMS: Final = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y%m%d",
    "%d-%m-%Y",
)
_BAD_MAX: Final = 5
_MARKS: Final = {
    ".": re.compile(r"[+-]?(\d{1,3}([,' \u00a0]\d{3})+|\d+)?(\.\d{1,5})?", re.ASCII),
    ",": re.compile(r"[+-]?(\d{1,3}([.' \u00a0]\d{3})+|\d+)?(,\d{1,5})?", re.ASCII),
}


def refusal(path: Path, code: str, bad: Sequence[str], remedy: str) -> InputError:
    """What is wrong with the file: the first places, and how many more."""
    more = f", and {len(bad) - _BAD_MAX} more" if len(bad) > _BAD_MAX else ""
    return InputError(code, "; ".join(bad[:_BAD_MAX]) + more, where=str(path), remedy=remedy)


def day_of(text: str, form: str) -> date | None:
    """A date in the given form, or None where it is none."""
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007  a calendar date has no zone
    except ValueError:
        return None


def dates(
    path: Path, forms: Sequence[str], field: str, cells: Sequence[tuple[int, str]]
) -> list[date | None]:
    """The column's dates in the only form that reads all of it.

    Args:
        forms: how dates may be written.
        cells: line and text of each row.

    Raises:
        InputError: ``DATE_MALFORMED``, ``DATE_AMBIGUOUS``, ``DATE_MISSING``.
    """
    distinct = sorted({text for _, text in cells if text})
    readings = {form: {text: day_of(text, form) for text in distinct} for form in forms}
    whole = [form for form, days in readings.items() if all(days.values())]
    if not whole:
        best = max(readings, key=lambda form: sum(d is not None for d in readings[form].values()))
        bad = [
            f"line {line} column {field!r}: {text!r} is no date"
            for line, text in cells
            if text and readings[best][text] is None
        ]
        raise refusal(path, "DATE_MALFORMED", bad, "correct it, or give --date-form '%d.%m.%Y'")
    if any(readings[form] != readings[whole[0]] for form in whole[1:]):
        sample = next(t for t in distinct if len({readings[f][t] for f in whole}) > 1)
        bad = [f"column {field!r}: {sample!r} may be " + " or ".join(whole)]
        raise refusal(path, "DATE_AMBIGUOUS", bad, "give --date-form, for example '%d/%m/%Y'")
    missing = [f"line {line} column {field!r} is empty" for line, text in cells if not text]
    if missing and field == "booked_on":
        raise refusal(path, "DATE_MISSING", missing, "every line of the books needs a date")
    return [readings[whole[0]][text] if text else None for _, text in cells]


def amounts(
    path: Path, decimal: str, rows: Sequence[tuple[int, list[str]]], places: Mapping[str, int]
) -> list[Decimal]:
    """Each row's amount, money in positive: its amount column, or debit less credit.

    Args:
        decimal: the decimal mark; "" finds it from all amounts.
        rows: line and cells of each row.
        places: which cell holds which field.

    Raises:
        InputError: ``AMOUNT_MALFORMED``, ``AMOUNT_AMBIGUOUS``.
    """
    fields = ["amount"] if "amount" in places else ["debit", "credit"]
    cells = [
        (line, field, row[places[field]])
        for line, row in rows
        for field in fields
        if field in places
    ]
    mark = decimal or _mark(path, cells)
    bad: list[str] = []
    values: dict[tuple[int, str], Decimal | None] = {}
    for line, field, text in cells:
        try:
            values[line, field] = amount_of(text, mark)
        except ValueError:
            bad.append(f"line {line} column {field!r}: {text!r} is no amount")
    for line, _ in rows:
        if not bad and all(values.get((line, f)) is None for f in fields):
            bad.append(f"line {line} has no amount")
    if bad:
        raise refusal(path, "AMOUNT_MALFORMED", bad, f"the decimal mark is {mark!r}")
    zero = Decimal(0)
    if fields == ["amount"]:
        return [values[line, "amount"] or zero for line, _ in rows]
    return [
        (values.get((line, "debit")) or zero) - (values.get((line, "credit")) or zero)
        for line, _ in rows
    ]


def _mark(path: Path, cells: Sequence[tuple[int, str, str]]) -> str:
    """The decimal mark that reads every amount; refused where both do, with other results."""
    whole = [m for m in _MARKS if all(_reads(text, m) for _, _, text in cells)]
    if len(whole) == 1:
        return whole[0]
    if not whole:
        counts = {m: sum(_reads(text, m) for _, _, text in cells) for m in _MARKS}
        return max(counts, key=lambda m: counts[m])
    for line, field, text in cells:
        if amount_of(text, ".") != amount_of(text, ","):
            bad = [f"line {line} column {field!r}: {text!r} may be thousands or decimals"]
            raise refusal(path, "AMOUNT_AMBIGUOUS", bad, "name a profile that says the mark")
    return "."


def _reads(text: str, mark: str) -> bool:
    try:
        amount_of(text, mark)
    except ValueError:
        return False
    return True


def amount_of(text: str, mark: str, thousands: str | None = None) -> Decimal | None:
    """An amount with an optional sign before or behind, or in brackets; None when empty.

    Args:
        text: the cell.
        mark: the decimal mark.
        thousands: the only mark between thousands, ``""`` for none; None allows the usual ones.

    Raises:
        ValueError: it is none.
    """
    value = text.strip()
    if not value:
        return None
    negative = value.endswith("-") or (value.startswith("(") and value.endswith(")"))
    value = value.strip("()").removesuffix("-").strip()
    if thousands is not None and re.sub(r"[\d+-]", "", value).replace(mark, "", 1).strip(thousands):
        raise ValueError(value)
    if len(value) > 40 or not _MARKS[mark].fullmatch(value) or not re.search(r"\d", value):
        raise ValueError(value)
    digits = re.sub(r"[^0-9+\-" + mark + "]", "", value).replace(mark, ".")
    if digits.startswith((".", "+.", "-.")):
        digits = digits.replace(".", "0.", 1)
    if len(digits) > 24:
        raise ValueError(value)
    number = parse_amount(digits)
    return -number if negative else number


def currency(path: Path, line: int, cells: Sequence[str], places: Mapping[str, int]) -> str | None:
    """A row's currency code, None where it says none.

    Raises:
        InputError: ``CURRENCY_UNKNOWN``.
    """
    code = cells[places["currency"]].upper() if "currency" in places else ""
    if code and not is_currency(code):
        bad = f"line {line} column 'currency': {code!r} is no currency"
        raise refusal(path, "CURRENCY_UNKNOWN", [bad], "give ISO codes such as EUR")
    return code or None
