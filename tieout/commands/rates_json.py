"""The four rates as JSON: shares as text with four decimals, so that no float rounds them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tieout.money import from_minor
from tieout.reports.precision import Precision
from tieout.reports.rates import Rates

__all__ = ["rates_json"]


def rates_json(rates: Rates, currency: str) -> dict[str, Any]:
    """By count, by value, at item level and precision; whole and by rung. Unknown is null."""
    entries, value, items = rates.entries_count, rates.entries_value_minor, rates.items_count
    return {
        "entries": entries,
        "entries_matched": rates.matched_count,
        "by_count": _share(rates.matched_count, entries),
        "value": str(from_minor(value, currency)),
        "value_matched": str(from_minor(rates.matched_value_minor, currency)),
        "by_value": _share(rates.matched_value_minor, value),
        "items": items,
        "items_matched": rates.items_matched_count,
        "by_item": _share(rates.items_matched_count, items),
        "precision": _precision(rates.precision),
        "rungs": [
            {
                "rung": row.rung,
                "entries": row.entries_count,
                "by_count": _share(row.entries_count, entries),
                "value": str(from_minor(row.value_minor, currency)),
                "by_value": _share(row.value_minor, value),
                "items": row.items_count,
                "by_item": _share(row.items_count, items),
                "precision": _precision(row.precision),
            }
            for row in rates.rungs
        ],
    }


def _share(part: int, whole: int) -> str | None:
    """``0.9473``, floored: only everything is 1.0000."""
    return f"{Decimal(part * 10_000 // whole).scaleb(-4):.4f}" if whole else None


def _precision(known: Precision | None) -> dict[str, Any] | None:
    if known is None:
        return None
    low, high = known.interval or (None, None)
    return {
        "confirmed": known.confirmed,
        "undone": known.undone,
        "judged_right": known.right,
        "judged_wrong": known.wrong,
        "point": _text(known.point),
        "low": _text(low),
        "high": _text(high),
        # Without a judged sample the point is only the most it can be.
        "measured": known.judged > 0,
    }


def _text(share: Decimal | None) -> str | None:
    return None if share is None else str(share)
