"""Check digits of the structured references that statements carry, one by one and by the column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parsers._rows import Rows
from tieout.check_digits import ROW
from tieout.references import is_valid

__all__ = ["all_right", "checked"]

#: Kinds that are nothing without right check digits. ``SCOR`` is one only where it begins with RF:
#: banks put any creditor's number under it.
_ALWAYS: Final = frozenset({"BBA", "ISR", "QRR"})
_RF = re.compile(r"RF\d\d", re.ASCII | re.IGNORECASE)
_SWISS: Final = 27
_RF_MAX: Final = 25

Array = npt.NDArray[Any]


def _tables() -> tuple[Array, Array]:
    """By character code: by what a number grows, and what is added; letters are two digits."""
    times, values = np.zeros(256, dtype=np.int32), np.zeros(256, dtype=np.int32)
    times[0] = 1  # behind a shorter text
    for char in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        values[ord(char)] = int(char, 36)
        times[ord(char)] = 10 if char.isdigit() else 100
    return times, values


_TIMES, _VALUES = _tables()


def checked(reference: str | None, kind: str | None, where: str, rows: Rows) -> str | None:
    """The kind of a reference as the bank states it; wrong check digits are a finding.

    The reference itself stays as it is: a person may still know what was meant.
    """
    if reference is None:
        return None
    if _has_digits(reference, kind) and not is_valid(reference, kind or ""):
        rows.finding(
            "REFERENCE_CHECK", "warning", where,
            f"the {kind} reference {reference[:60]!r} has wrong check digits",
            "it is kept as it is: match it by amount and name, or ask the payer",
        )  # fmt: skip
    return kind


def _has_digits(reference: str, kind: str | None) -> bool:
    return kind in _ALWAYS or (kind == "SCOR" and _RF.match(reference) is not None)


def all_right(references: Sequence[str | None], kinds: Sequence[str | None]) -> bool:
    """Whether `checked` would find nothing, for a whole column at the speed of columns.

    Plain forms (27 digits, RF without blanks) are counted together, the others one by one.
    """
    swiss: list[str] = []
    creditor: list[str] = []
    for text, kind in zip(references, kinds, strict=True):
        if text is None or not _has_digits(text, kind):
            continue
        if kind in ("QRR", "ISR") and len(text) == _SWISS and text.isascii():
            swiss.append(text)
        elif kind == "SCOR" and len(text) <= _RF_MAX and text.isascii() and text.isupper():
            creditor.append(text)
        elif not is_valid(text, kind or ""):
            return False
    return _all_swiss(swiss) and _all_creditor(creditor)


def _matrix(texts: list[str], width: int) -> Array:
    """One row of character codes a text; NUL behind the shorter ones."""
    return np.array(texts, dtype=f"S{width}").view(np.uint8).reshape(len(texts), width)


def _all_swiss(texts: list[str]) -> bool:
    if not texts:
        return True
    digits = _matrix(texts, _SWISS) - np.uint8(ord("0"))  # what is no digit wraps beyond nine
    if (digits > 9).any() or not digits.any(axis=1).all():
        return False
    row, carry = np.array(ROW, dtype=np.uint8), np.zeros(len(texts), dtype=np.uint8)
    for at in range(_SWISS - 1):
        carry = row[(carry + digits[:, at]) % 10]
    return bool(((10 - carry) % 10 == digits[:, -1]).all())


def _all_creditor(texts: list[str]) -> bool:
    if not texts:
        return True
    codes = _matrix([text[4:] + text[:4] for text in texts], max(map(len, texts)))
    if (_TIMES[codes] == 0).any():
        return False
    rest = np.zeros(len(texts), dtype=np.int32)
    for at in range(codes.shape[1]):
        rest = (rest * _TIMES[codes[:, at]] + _VALUES[codes[:, at]]) % 97
    return bool((rest == 1).all())
