"""Structured payment references with right check digits, one column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.matching.text import Ints, Text, digits, join, pc

__all__ = ["creditor_rf", "fik", "kid", "ogm", "qrr", "spaced", "viite"]

_SWISS: Final = np.array([0, 9, 4, 6, 8, 2, 7, 1, 3, 5])


def _places(number: Ints, width: int) -> Ints:
    """The digits of each number, most weighty first: rows × width."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return number[:, None] // powers % 10


def creditor_rf(number: Ints) -> Text:
    """ISO 11649: RF, two check digits (mod 97), here nine digits."""
    check = 98 - (number % 97 * pow(10, 6, 97) + 271_500) % 97
    return join("RF", digits(check, 2), digits(number, 9))


def qrr(number: Ints, head: int = 2_100_000) -> Text:
    """Swiss QR reference (and the older ISR one): 26 digits and a recursive mod 10 digit."""
    carry = np.zeros(len(number), dtype=np.int64)
    heads = np.full(len(number), head, dtype=np.int64)
    for column in np.hstack([_places(heads, 9), _places(number, 17)]).T:
        carry = _SWISS[(carry + column) % 10]
    return join(digits(heads, 9), digits(number, 17), digits((10 - carry) % 10))


def ogm(number: Ints) -> Text:
    """Belgian structured communication: ten digits and their remainder by 97 (97 for 0)."""
    rest = number % 97
    return join(digits(number, 10), digits(np.where(rest == 0, 97, rest), 2))


def kid(number: Ints) -> Text:
    """Norwegian KID: eleven digits and a Luhn digit."""
    return join(digits(number, 11), digits(_luhn(_places(number, 11))))


def fik(number: Ints) -> Text:
    """Danish FIK of card type 71: fourteen digits and a Luhn digit."""
    return join(digits(number, 14), digits(_luhn(_places(number, 14))))


def viite(number: Ints) -> Text:
    """Finnish reference: weights 7, 3, 1 from the right."""
    return join(digits(number), digits(_weighed(number, (7, 3, 1))))


def spaced(text: Text, size: int) -> Text:
    """The reference as printed on paper, in groups of ``size`` characters from the left."""
    return pc.replace_substring_regex(text, f"(.{{{size}}})", r"\1 ")


def _luhn(places: Ints) -> Ints:
    doubled = places[:, ::-1].copy()
    doubled[:, ::2] *= 2
    check: Ints = (10 - (doubled // 10 + doubled % 10).sum(axis=1) % 10) % 10
    return check


def _weighed(number: Ints, weights: Sequence[int]) -> Ints:
    places = _places(number, 18)[:, ::-1]
    factors = np.array([weights[i % len(weights)] for i in range(18)])
    check: Ints = (10 - (places * factors).sum(axis=1) % 10) % 10
    return check
