"""What the columns of an unknown table hold, by content: days, amounts, a running balance."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import permutations
from typing import Final

from parsers._text import is_iban
from tieout.books_cells import DATE_FORMS, amount_of, day_of
from tieout.errors import MoneyError
from tieout.money import is_currency

__all__ = ["FORMS", "YEARS", "Column", "Sums", "column_of", "running", "sums_of"]

FORMS: Final = (*DATE_FORMS, "%m/%d/%y", "%d/%m/%y", "%y%m%d", "%d%m%Y", "%d%m%y")
_MARKS: Final = frozenset(
    (
        "D",
        "C",
        "DR",
        "CR",
        "S",
        "H",
        "DEBIT",
        "CREDIT",
        "DBIT",
        "CRDT",
        "SOLL",
        "HABEN",
        "AF",
        "BIJ",
    )
)
#: Years a statement may be of.
YEARS: Final = range(1995, 2060)
_NEAR_ALL: Final = 0.9

Column = tuple[str, tuple[str, ...]]  # kind, and what fits: date forms or decimal marks
Sums = dict[int, list[Decimal | None]]  # amounts of each amount column


def column_of(cells: Sequence[str]) -> Column:
    """The kind of a column: empty, date, amount, iban, bic, currency, mark, number, text."""
    full = [cell.strip() for cell in cells if cell.strip()]
    if not full:
        return "empty", ()
    forms = tuple(form for form in FORMS if all(_is_day(cell, form) for cell in full))
    if forms:
        return "date", forms
    tests: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("currency", is_currency),
        ("iban", lambda c: is_iban("".join(c.split()))),
        ("bic", lambda c: re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", c) is not None),
        ("mark", lambda c: c.upper() in _MARKS),
    )
    for kind, test in tests:
        if sum(map(test, full)) >= _NEAR_ALL * len(full):
            return kind, ()
    marks = tuple(mark for mark in (",", ".") if all(_reads(c, mark) for c in full))
    if marks and any(re.search(r"[.,]\d\d?\b", c) for c in full):
        return "amount", marks
    return ("number", ()) if all(re.fullmatch(r'[="\d-]+', c) for c in full) else ("text", ())


def _is_day(cell: str, form: str) -> bool:
    """Whether the cell is a day; digits without separators must all be there."""
    day = day_of(cell, form)
    whole = not form.replace("%", "").isalpha()
    return day is not None and day.year in YEARS and (whole or day.strftime(form) == cell)


def _reads(cell: str, mark: str) -> bool:
    try:
        amount_of(cell, mark)
    except (ValueError, MoneyError):
        return False
    return True


def sums_of(columns: dict[int, Sequence[str]], mark: str) -> Sums:
    """The amounts of columns, read with one decimal mark."""
    return {at: [amount_of(cell, mark) for cell in cells] for at, cells in columns.items()}


def running(
    sums: Sums, signs: Sequence[int] | None = None
) -> tuple[str, int, tuple[int, ...]] | None:
    """Which column is a balance that runs along, by arithmetic.

    Args:
        sums: amounts by column.
        signs: of each row, where a column of marks gives them.

    Returns:
        Order (``oldest``, ``newest``), the balance's column, and its amount's, or debit's and
        credit's; None where no column runs.
    """
    for balance in sums:
        others = [at for at in sums if at != balance]
        candidates: list[tuple[int, ...]] = [(at,) for at in others]
        candidates += list(permutations(others, 2))
        for found in candidates:
            moves = _moves(sums, found, signs)
            values = sums[balance]
            if len(values) < 3 or any(v is None for v in values) or None in moves:
                continue
            for order in ("oldest", "newest"):
                if _chained(values, moves, order):
                    return order, balance, found
    return None


def _moves(sums: Sums, found: tuple[int, ...], signs: Sequence[int] | None) -> list[Decimal | None]:
    zero = Decimal(0)
    if len(found) == 1:
        return [
            None if v is None else v * (signs[n] if signs else 1)
            for n, v in enumerate(sums[found[0]])
        ]
    pairs = zip(sums[found[0]], sums[found[1]], strict=True)
    return [
        None if (debit is None) == (credit is None) and debit != zero
        else (credit or zero) - abs(debit or zero)
        for debit, credit in pairs
    ]  # fmt: skip


def _chained(values: Sequence[Decimal | None], moves: Sequence[Decimal | None], order: str) -> bool:
    for at in range(1, len(values)):
        before, now, move = values[at - 1], values[at], moves[at if order == "oldest" else at - 1]
        if before is None or now is None or move is None:
            return False
        if (before + move != now) if order == "oldest" else (now + move != before):
            return False
    return True
