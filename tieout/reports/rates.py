"""The four rates of a report: by count, by value, at item level, and precision.

By count and by value are of the bank's entries, at item level of the lines of the books, precision
of what the ladder confirmed by itself. An account has them as a whole and by rung.
"""

from __future__ import annotations

from dataclasses import dataclass

from tieout.reports.precision import Precision

__all__ = ["Rates", "RungRate"]


@dataclass(frozen=True, slots=True)
class RungRate:
    """What one rung matched: entries whole, their value (also of parts), items, and how rightly.

    ``precision`` is None where nobody can know: at the desk, and of what people matched.
    """

    rung: str
    entries_count: int
    value_minor: int
    items_count: int
    precision: Precision | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """The four rates of one account: entries by count and by value, items, and precision.

    ``*_value_minor`` are sums of absolute amounts, so both are >= 0.
    """

    entries_count: int
    matched_count: int
    entries_value_minor: int
    matched_value_minor: int
    items_count: int = 0
    items_matched_count: int = 0
    precision: Precision | None = None
    rungs: tuple[RungRate, ...] = ()
