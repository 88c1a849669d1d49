"""Two charts as PNG bytes, equal for equal reports: matched by value, and the bridge.

Drawn with matplotlib's object API on Agg: no global state, no display, no time in the metadata.
Money goes in as int minor units (matplotlib scales ints itself) and is labelled by
`tieout.money.format_amount`; nothing here computes an amount in floating point.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from tieout.money import format_amount
from tieout.reports.figures import percent, signed, with_currency
from tieout.reports.model import AccountTieOut, DayReport
from tieout.reports.palette import COLOURS
from tieout.reports.plain import clip

__all__ = ["Chart", "bridge", "bridge_account", "charts", "matched_by_value"]

_WIDTH_INCHES: Final = 7.04  # 704 CSS pixels in the mail at 100 dpi, drawn at twice that
_DPI: Final = 200
_PERMILLE: Final = 1000
#: Accounts drawn; of more than these the least matched.
_BARS_MAX: Final = 15
#: The font matplotlib ships, so that a chart looks the same on every machine.
_PLAIN: Final = FontProperties(family="DejaVu Sans", size=7.2)
_BOLD: Final = FontProperties(family="DejaVu Sans", size=7.2, weight="bold")

#: Words of the bridge, shorter than the section titles.
_STEPS: Final = {
    "in_transit": "Items in transit",
    "posted": "Posted since",
    "proposed": "Proposed postings",
    "exceptions": "Open exceptions",
    "residuals": "Residuals",
    "staged": "Staged statements",
}
#: Steps that need nobody; all others wait for a person and take the unmatched colour.
_TONES: Final = {"in_transit": "matched", "posted": "matched"}


@dataclass(frozen=True, slots=True)
class Chart:
    """A PNG with what a reader needs who does not see it; width and height in CSS pixels."""

    name: str
    title: str
    note: str
    alternative: str
    png: bytes
    width: int
    height: int


def charts(report: DayReport) -> tuple[Chart, ...]:
    """The charts worth showing that day, in order: none, one or two."""
    drawn = [matched_by_value(report), bridge(bridge_account(report))]
    return tuple(chart for chart in drawn if chart is not None)


def matched_by_value(report: DayReport) -> Chart | None:
    """Share of matched value for each account that has entries, as bars of equal length."""
    accounts = [account for account in report.accounts if account.rates.entries_value_minor]
    if not accounts:
        return None
    accounts = sorted(accounts, key=_share)[:_BARS_MAX] if len(accounts) > _BARS_MAX else accounts
    figure, axes = _canvas(len(accounts))
    for row, account in enumerate(accounts):
        share = _share(account)
        axes.barh(row, share, height=0.42, color=COLOURS["matched"])
        axes.barh(row, _PERMILLE - share, left=share, height=0.42, color=COLOURS["unmatched"])
        _edges(axes, row, clip(account.code, 16), "")
        open_minor = account.rates.entries_value_minor - account.rates.matched_value_minor
        left = (
            f"{with_currency(open_minor, account.currency)} open" if open_minor else "all matched"
        )
        said = percent(account.rates.matched_value_minor, account.rates.entries_value_minor)
        axes.text(
            1020,
            row,
            said,
            va="center",
            parse_math=False,
            fontproperties=_BOLD,
            color=COLOURS["ink"],
        )
        axes.text(
            1150,
            row,
            left,
            va="center",
            parse_math=False,
            fontproperties=_PLAIN,
            color=COLOURS["muted"],
        )
    axes.set_xlim(-285, 1500)
    alternative = "; ".join(
        f"{a.code} {percent(a.rates.matched_value_minor, a.rates.entries_value_minor)}"
        for a in accounts
    )
    note = "Blue is matched, orange is open; each bar is all the value the bank booked that day"
    return _chart(figure, "matched", "Matched by value", note, f"Matched by value: {alternative}.")


def _share(account: AccountTieOut) -> int:
    """Matched value in thousandths of the entries' value."""
    return account.rates.matched_value_minor * _PERMILLE // account.rates.entries_value_minor


def bridge_account(report: DayReport) -> AccountTieOut | None:
    """The account whose way from bank to books is worth a picture: broken first, then longest."""
    eligible = [
        account
        for account in report.accounts
        if account.bank_balance_minor is not None and len(_steps(account)) > 0
    ]
    ranked = sorted(
        eligible, key=lambda each: (each.status != "broken", -len(_steps(each)), each.code)
    )
    return ranked[0] if ranked else None


def bridge(account: AccountTieOut | None) -> Chart | None:
    """Balance per bank, each section's effect, balance per books: a horizontal waterfall."""
    if account is None or account.bank_balance_minor is None:
        return None
    steps = _steps(account)
    figure, axes = _canvas(len(steps) + 2)
    level = account.bank_balance_minor
    levels = [level]
    for row, (label, effect, colour) in enumerate(steps, start=1):
        axes.barh(row, effect, left=level, height=0.42, color=colour)
        axes.plot([level, level], [row - 1, row], color=COLOURS["muted"], lw=0.6, zorder=0)
        _edges(axes, row, label, signed(effect, account.currency))
        level += effect
        levels.append(level)
    last = len(steps) + 1
    axes.plot([level, level], [last - 1, last], color=COLOURS["muted"], lw=0.6, zorder=0)
    for row, label, at in ((0, "Balance per bank", levels[0]), (last, "Balance per books", level)):
        axes.plot([at], [row], marker="D", ms=5, color=COLOURS["brand"], zorder=3)
        _edges(axes, row, label, with_currency(at, account.currency), bold=True)
    spread = max(levels) - min(levels) or 1
    axes.set_xlim(min(levels) - spread * 46 // 100 - 1, max(levels) + spread * 48 // 100 + 1)
    told = ", ".join(
        f"{label} {format_amount(minor, account.currency)}" for label, minor, _ in steps
    )
    return _chart(
        figure,
        "bridge",
        f"{account.code}: from balance per bank to balance per books",
        "Each step is drawn to scale; the axis does not begin at zero",
        f"{account.code}: balance per bank {with_currency(levels[0], account.currency)}, {told}, "
        f"balance per books {with_currency(level, account.currency)}.",
    )


def _steps(account: AccountTieOut) -> list[tuple[str, int, str]]:
    """Label, effect and colour of each section that moves the balance; unexplained last."""
    steps = [
        (_STEPS[each.kind], each.effect_minor, COLOURS[_TONES.get(each.kind, "unmatched")])
        for each in account.sections
        if each.effect_minor
    ]
    if account.unexplained_minor:
        steps.append(("Unexplained", -account.unexplained_minor, COLOURS["bad"]))
    return steps


def _canvas(rows: int) -> tuple[Figure, Axes]:
    """A white figure of ``rows`` rows, first row on top, without frame and ticks."""
    figure = Figure(figsize=(_WIDTH_INCHES, 0.27 * rows + 0.12), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_ylim(rows - 0.4, -0.6)
    return figure, axes


def _write(axes: Axes, x: float, row: int, text: str, **style: Any) -> None:
    """Text centred on a row; never read as mathematics, whatever an account is called."""
    style = {"fontproperties": _PLAIN, "color": COLOURS["ink"], "va": "center", **style}
    axes.text(x, row, text, parse_math=False, **style)


def _edges(axes: Axes, row: int, name: str, amount: str, *, bold: bool = False) -> None:
    """The row's name at the left edge and its amount at the right edge."""
    style = {
        "fontproperties": _BOLD if bold else _PLAIN,
        "transform": axes.get_yaxis_transform(),
    }
    _write(axes, 0.002, row, name, **style)
    _write(axes, 0.998, row, amount, ha="right", **style)


def _chart(figure: Figure, name: str, title: str, note: str, alternative: str) -> Chart:
    """Render to PNG without software name and time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    inches = figure.get_size_inches()
    return Chart(
        name,
        title,
        note,
        alternative,
        buffer.getvalue(),
        round(inches[0] * 100),
        round(inches[1] * 100),
    )
