"""Examples: pairs that people matched by hand, and the limits that cover enough of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

__all__ = ["Pair", "open_amount", "rank", "tolerance", "within"]

#: Share of the examples that a tolerance, window or similarity must cover.
COVERED: Final = Decimal("0.95")
_ROUNDING: Final = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Pair:
    """An entry and an item that a person matched, as canonical rows."""

    entry: Mapping[str, Any]
    details: Sequence[Mapping[str, Any]]
    item: Mapping[str, Any]

    @property
    def off(self) -> Decimal:
        """What the bank moved more (for us) than the item."""
        amount: Decimal = self.entry["amount"] - open_amount(self.item)
        return amount


def open_amount(item: Mapping[str, Any]) -> Decimal:
    """What is open of an item, as the engine weighs it."""
    amount: Decimal = item["amount"] if item["open_amount"] is None else item["open_amount"]
    return amount


def tolerance(apart: Sequence[Pair]) -> tuple[dict[str, str], str]:
    """The smallest limits that cover enough of the differences, and what these are."""
    limits: dict[str, str] = {}
    for side, sign in (("less", -1), ("more", 1)):
        rows = [p for p in apart if p.off * sign > 0 and open_amount(p.item)]
        if rows:
            limits |= _limits(side, rows)
    every = sorted(abs(p.off) for p in apart)
    kind = "rounding" if every[-1] <= _ROUNDING else "charge"
    if kind == "rounding":
        limits["rounding"] = _up(every[-1], "0.01")
    low, high = (f"{v:.2f}" for v in (every[0], every[-1]))
    return limits, f"{len(apart)} amounts differ by {low} to {high} ({kind})"


def _limits(side: str, rows: Sequence[Pair]) -> dict[str, str]:
    """A limit in money and one in percent: the steadier of the two binds, the other is doubled."""
    shares = {id(p): 100 * abs(p.off) / abs(open_amount(p.item)) for p in rows}
    by_money = sorted(abs(p.off) for p in rows)
    by_share = sorted(shares.values())
    steadier = by_share[0] * by_money[-1] > by_money[0] * by_share[-1]
    if steadier:
        most = by_share[rank(len(rows))]
        covered = max(abs(p.off) for p in rows if shares[id(p)] <= most)
        return {side: _up(2 * covered, "1") + ".00", f"{side}_percent": _up(most, "0.1")}
    most = by_money[rank(len(rows))]
    share = min(Decimal(100), 2 * max(shares[id(p)] for p in rows if abs(p.off) <= most))
    return {side: _up(most, "0.01"), f"{side}_percent": _up(share, "0.1")}


def _up(value: Decimal, step: str) -> str:
    """Rounded up to the decimals of the step."""
    return f"{value.quantize(Decimal(step), ROUND_CEILING)}"


def rank(count: int) -> int:
    """Place, in a sorted list, of the least value that covers enough."""
    return max(0, int((COVERED * count).to_integral_value(ROUND_CEILING)) - 1)


def within(pair: Pair, limits: Mapping[str, str]) -> bool:
    """Whether a rung with these limits takes the pair."""
    item = open_amount(pair.item)
    side = "less" if pair.off < 0 else "more"
    share = 100 * abs(pair.off) / abs(item) if item else Decimal(0)
    money = abs(pair.off) <= Decimal(limits.get(side, "0"))
    return not pair.off or (money and share <= Decimal(limits.get(f"{side}_percent", "100")))
